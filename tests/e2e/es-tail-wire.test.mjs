// es-tail on the wire: frames cut everywhere, replies that break the rules, readers that stall.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startEventStore } from '../standin/eventstore.mjs';
import { esTail, eventStoreFor, followed, numbered, numbersOf, proxyBefore, startTail, subscriptions, upTo } from './eventstore.mjs';
import { binary, errorLine, root } from './support.mjs';

const AT_ONCE = { concurrency: 12 }; // most of them wait
const NUMBERS = ['-f', '%n\\n'];
const FROM_START = ['orders', '-o', 'beginning', ...NUMBERS];

// --- Frames ---

for (const [name, spoil] of [
  ['DATA frames of a byte', (store) => store.fail({ kind: 'pieces', bytes: 1, on: 'subscribe' })],
  ['DATA frames of three bytes', (store) => store.fail({ kind: 'pieces', bytes: 3, on: 'subscribe' })],
  ['each byte in a packet of its own', (store, proxy) => proxy.chop()],
]) {
  test(`frames cut everywhere: ${name}`, async (t) => {
    const store = await eventStoreFor(t);
    const proxy = await proxyBefore(t, store);
    store.append('orders', numbered(20));
    spoil(store, proxy);
    await followed(t, store, FROM_START, { env: { ES_URL: proxy.url } });
    assert.equal(subscriptions(store).length, 1);
  });
}

test('padded frames', async (t) => {
  const store = await eventStoreFor(t, { padding: true });
  store.append('orders', numbered(20));
  await followed(t, store, FROM_START);
});

const BROKEN = [
  ['the compressed flag', { kind: 'compressed' }, /a compressed message, though nothing asked for/],
  ['a flag of 7', { kind: 'raw', bytes: Buffer.from([7, 0, 0, 0, 0]) }, /the flag 7/],
  ['a length of 4 GiB', { kind: 'raw', bytes: Buffer.from([0, 255, 255, 255, 255]) }, /4294967295 bytes/],
  ['an end within a message', { kind: 'raw', bytes: Buffer.from([0, 0, 0, 0, 9, 1]) }, /ends within a message/],
];
describe('replies that break the rules', AT_ONCE, () => {
  for (const [name, fault, says] of BROKEN) {
    for (const after of [undefined, 0]) {
      test(`${name}, each time, ${after === 0 ? 'behind the confirmation' : 'at once'}: 76 with the reason, not tried for ever`, async (t) => {
        const store = await startEventStore();
        t.after(() => store.close());
        store.append('orders', numbered(5));
        for (let i = 0; i < 100; i += 1) store.fail({ ...fault, after, on: 'subscribe' });
        const result = await esTail(store, ['-q', ...FROM_START], { env: { ES_URL: `${store.url}&maxDiscoverAttempts=4` } });
        assert.equal(result.code, 76, result.stderr);
        assert.match(errorLine(result), says);
        assert.equal(subscriptions(store).length, 4);
      });
    }

    test(`${name}, once after 3 events: it goes on`, async (t) => {
      const store = await eventStoreFor(t);
      store.append('orders', numbered(20));
      store.fail({ ...fault, after: 3, on: 'subscribe' });
      await followed(t, store, FROM_START);
    });
  }

  test('HTML in place of gRPC: an error that shows what came', async (t) => {
    const store = await eventStoreFor(t);
    for (let i = 0; i < 2; i += 1) store.fail({ kind: 'http', status: 200, body: '<html>', on: 'subscribe' });
    const result = await esTail(store, ['-q', ...FROM_START], { env: { ES_URL: `${store.url}&maxDiscoverAttempts=2` } });
    assert.equal(result.code, 75, result.stderr);
    assert.match(errorLine(result), /of the type "text\/html" and not gRPC; is this the event store's port\?/);
  });

  test('a message that is no protobuf: 76 at once', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(5));
    store.fail({ kind: 'raw', bytes: Buffer.from([0, 0, 0, 0, 2, 255, 255]), after: 3, on: 'subscribe' });
    const result = await esTail(store, ['-q', ...FROM_START]);
    assert.equal(result.code, 76, result.stderr);
    assert.match(errorLine(result), /an answer that is cut or broken/);
    assert.deepEqual(numbersOf(result), [0, 1, 2]);
  });

  test('a server that confirms and then breaks, each time, is not asked more and more often', async (t) => {
    const store = await startEventStore();
    t.after(() => store.close());
    for (let i = 0; i < 100; i += 1) store.fail({ kind: 'rst', after: 0, on: 'subscribe' });
    const tail = startTail(t, store, FROM_START);
    await delay(3000);
    assert.equal((await tail.stop()).code, 0);
    const count = subscriptions(store).length;
    assert.ok(count >= 3 && count <= 8, `${count} attempts in 3 s`);
  });
});

// --- Slow consumers ---

test('a consumer that stalls stays connected, with PINGs answered, and memory is flat', async (t) => {
  const store = await eventStoreFor(t, { keepAliveMs: 50, keepAliveTimeoutMs: 1000 });
  store.append('orders', upTo(20_000).map(() => ({ data: { text: 'x'.repeat(2000) } })));
  const tail = spawn(binary, ['es-tail', 'orders', '-o', 'beginning', '-J'], { cwd: root, env: { ES_URL: store.url }, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => tail.kill('SIGKILL'));
  const rss_kib = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${tail.pid}/status`, 'utf8'))[1]);
  await store.until(() => subscriptions(store).length > 0);
  await delay(1000);
  const before_kib = rss_kib();
  const sent = subscriptions(store)[0].sent;
  await delay(3000);
  assert.equal(subscriptions(store)[0].sent, sent, 'the server is held by the window');
  assert.ok(sent < 5000, `${sent} events on the way`);
  assert.ok(rss_kib() - before_kib < 512, `${before_kib} -> ${rss_kib()} KiB`);
  assert.ok(rss_kib() < 24 * 1024, `${rss_kib()} KiB`);
  const connection = store.connections[subscriptions(store)[0].connection];
  assert.ok(connection.pings > 40 && connection.pongs >= connection.pings - 3, `${connection.pongs} of ${connection.pings}`);
  assert.equal(connection.closed_ms, undefined);
  let lines = 0;
  tail.stdout.on('data', (data) => { lines += data.toString('latin1').split('\n').length - 1; });
  await store.until(() => lines === 20_000);
  assert.equal(subscriptions(store).length, 1);
  tail.kill('SIGTERM');
  const [code] = await once(tail, 'close');
  assert.equal(code, 0);
});
