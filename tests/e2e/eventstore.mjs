// es-tail for tests: the binary with a stand-in EventStoreDB.

import assert from 'node:assert/strict';
import { startEventStore } from '../standin/eventstore.mjs';
import { startProxy } from '../standin/tcp_proxy.mjs';
import { run } from './support.mjs';

// A stand-in for one test. Faults that no call met fail the test: it did not test them.
export async function eventStoreFor(t, options) {
  const store = await startEventStore(options);
  t.after(async () => {
    await store.close();
    assert.deepEqual(store.unusedFaults, [], 'faults that no call met');
  });
  return store;
}

// A proxy before it, with the connection string that leads there.
export async function proxyBefore(t, store) {
  const proxy = await startProxy(store.port);
  t.after(() => proxy.close());
  return Object.assign(proxy, { url: store.url.replace(`:${store.port}`, `:${proxy.port}`) });
}

// Runs it to its end.
export function esTail(store, args, { env = {}, ...options } = {}) {
  return run(['es-tail', ...args], { ...options, env: { ES_URL: store.url, ...env } });
}

// Events with a number each: { n: from }, { n: from + 1 }…
export const numbered = (count, { type = 'order', from = 0 } = {}) =>
  Array.from({ length: count }, (_, i) => ({ type, data: { n: from + i } }));

// What -J printed.
export const linesOf = ({ stdout }) => stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));

export const subscriptions = (store) => store.requests.filter(({ kind }) => kind === 'subscribe');
