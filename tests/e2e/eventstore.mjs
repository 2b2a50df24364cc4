// es-tail for tests: the binary with a stand-in EventStoreDB.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { startEventStore } from '../standin/eventstore.mjs';
import { startProxy } from '../standin/tcp_proxy.mjs';
import { binary, root, run } from './support.mjs';

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
  return run(options.bare ? args : ['es-tail', ...args], { ...options, env: { ES_URL: store.url, ...env } });
}

// Runs it beside the test. { child, out (so far), until(condition, what), stop(signal): ends it; end: its result }
export function startTail(t, store, args, { env = {}, stdout = 'pipe' } = {}) {
  const child = spawn(binary, ['es-tail', ...args], {
    cwd: root, env: { ES_URL: store.url, ...env }, stdio: ['ignore', stdout, 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name]?.setEncoding('utf8').on('data', (data) => { out[name] += data; });
  const end = once(child, 'close').then(([code, signal]) => ({ code, signal, ...out }));
  return {
    child, out, end,
    async until(condition, what = String(condition)) {
      for (const over = Date.now() + 20_000; !condition(out);) {
        assert.ok(Date.now() < over, `waited for: ${what}\n${out.stderr}`);
        await delay(5);
      }
    },
    async stop(signal = 'SIGTERM') {
      if (signal !== 'SIGKILL') await isStoppable(child);
      child.kill(signal);
      return end;
    },
  };
}

// Until it has come so far that a signal stops it and does not end it: then it catches SIGHUP, the first bit.
async function isStoppable(child) {
  const caught = () => Number.parseInt(/^SigCgt:\s*\w*(\w)$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? '1', 16);
  for (const over = Date.now() + 20_000; child.exitCode === null && child.signalCode === null && caught() % 2 === 0;) {
    assert.ok(Date.now() < over, 'it is not ready to be stopped');
    await delay(5);
  }
}

// Events with a number each: { n: from }, { n: from + 1 }…
export const numbered = (count, { type = 'order', from = 0 } = {}) =>
  Array.from({ length: count }, (_, i) => ({ type, data: { n: from + i } }));

// What -J printed.
export const linesOf = ({ stdout }) => stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));

export const subscriptions = (store) => store.requests.filter(({ kind }) => kind === 'subscribe');

// The numbers in what -f '%n\\n' printed.
export const numbersOf = ({ stdout }) => stdout.split('\n').filter(Boolean).map(Number);

export const upTo = (count) => Array.from({ length: count }, (_, i) => i);

// Follows until `count` events are there, then some more are written, and it is stopped.
export async function followed(t, store, args, { count = 20, env } = {}) {
  const tail = startTail(t, store, args, { env });
  await tail.until(({ stdout }) => numbersOf({ stdout }).length >= count, `${count} events`);
  store.append('orders', numbered(3));
  await tail.until(({ stdout }) => numbersOf({ stdout }).length >= count + 3, 'three more');
  await delay(30);
  const result = await tail.stop();
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(numbersOf(result), upTo(count + 3));
  return result;
}
