// es-tail --group: consumers of a persistent subscription. What was done is acknowledged, what was not comes again, to
// this consumer or to another.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { esTail, eventStoreFor, linesOf, numbered } from './eventstore.mjs';
import { hookFor, lines, noter, runOn, start, startOn, until, upTo } from './eventstore_run.mjs';
import { binary, folder } from './support.mjs';

const AT_ONCE = { concurrency: 4 };
const FAST = { attempts: 2, wait: '1ms' };
const GROUP = ['--group', 'g'];
const FAILS = { name: 'p', exec: ['sh', '-c', 'echo no room >&2; exit 3'], retry: FAST };

async function storeWithGroup(t, settings = {}, { stream = 's', ...options } = {}) {
  const store = await eventStoreFor(t, options);
  store.createGroup(stream, 'g', settings);
  return store;
}
const acked = (store) => store.acks.filter(({ kind }) => kind === 'ack').flatMap(({ ids }) => ids);
const nacked = (store) => store.acks.filter(({ kind }) => kind === 'nack').map(({ action, ids, reason }) => ({ action, ids, reason }));
const idsOf = (records) => records.map(({ id }) => id);
const startTail = (t, store, args, options) => start(t, ['es-tail', 's', '--url', store.url, ...GROUP, '-f', '%n\\n', ...args], options);
const sorted = (values) => [...values].sort((a, b) => a - b);

describe('printing', AT_ONCE, () => {
  test('each event is acknowledged, by its id, once', async (t) => {
    const store = await storeWithGroup(t);
    const records = store.append('s', numbered(250));
    const tail = startTail(t, store, []);
    await tail.until(({ stdout }) => stdout.endsWith('\n249\n'), 'all');
    await until(() => acked(store).length === 250, 'acks');
    assert.equal((await tail.stop()).code, 0);
    assert.deepEqual(lines(tail.out).map(Number), upTo(250));
    assert.deepEqual(acked(store), idsOf(records));
    assert.deepEqual(nacked(store), []);
  });

  test('what was not written is not acknowledged, and goes to the next consumer', async (t) => {
    const store = await storeWithGroup(t);
    store.append('s', Array.from({ length: 400 }, () => ({ data: 'x'.repeat(5000) })));
    const slow = start(t, ['-c', '"$@" | sleep 600', 'x', binary, 'es-tail', 's', '--url', store.url, ...GROUP, '--group-buffer', '400', '-f', '%n %d\\n'],
      { program: 'bash', detached: true });
    t.after(() => { try { process.kill(-slow.child.pid, 'SIGKILL'); } catch { /* it has ended */ } });
    await until(() => store.group('s', 'g').consumers[0]?.held.size > 0, 'they are sent');
    await delay(500);
    const before = acked(store).length;
    assert.ok(before < 100, `${before} acknowledged, though nobody reads`);
    process.kill(-slow.child.pid, 'SIGKILL');
    const next = startTail(t, store, []);
    await next.until(({ stdout }) => lines({ stdout }).length === 400 - before, 'the rest');
  });

  test('-c ends after so many, and acknowledges no more', async (t) => {
    const store = await storeWithGroup(t);
    const records = store.append('s', numbered(50));
    const result = await esTail(store, ['s', ...GROUP, '-c', '7', '-f', '%n\\n']);
    assert.deepEqual([result.code, lines(result).map(Number)], [0, upTo(7)], result.stderr);
    assert.deepEqual(acked(store), idsOf(records.slice(0, 7)));
  });

  test('what a filter leaves out is acknowledged, too', async (t) => {
    const store = await storeWithGroup(t);
    const records = store.append('s', [{ type: 'a' }, { type: 'b' }, { type: 'a' }]);
    const tail = startTail(t, store, ['--event-type', 'b']);
    await until(() => acked(store).length === 3, 'acks');
    await tail.stop();
    assert.equal(tail.out.stdout, '1\n');
    assert.deepEqual(acked(store), idsOf(records));
  });

  test('links that the server resolves: the link\'s id is acknowledged, also without a target', async (t) => {
    const store = await storeWithGroup(t, { resolveLinks: true }, { stream: 'links' });
    store.append('a', numbered(3));
    const links = [2, 99, 0].map((revision) => store.link('links', { stream: 'a', revision }));
    const tail = start(t, ['es-tail', 'links', '--url', store.url, ...GROUP, '-J']);
    await until(() => acked(store).length === 3, 'acks');
    await tail.stop();
    assert.deepEqual(acked(store), idsOf(links));
    assert.deepEqual(linesOf(tail.out).map(({ data, missing }) => data?.n ?? missing), [2, true, 0]);
  });

  test('a group of $all', async (t) => {
    const store = await eventStoreFor(t);
    store.createGroup(undefined, 'g');
    store.append('a', numbered(1));
    store.append('b', numbered(1));
    const result = await esTail(store, ['--all', ...GROUP, '-c', '2', '-f', '%s\\n']);
    assert.deepEqual([result.code, result.stdout], [0, 'a\nb\n'], result.stderr);
    assert.equal(acked(store).length, 2);
  });
});

describe('consumers', AT_ONCE, () => {
  test('two share the events, each of which is done once', async (t) => {
    const store = await storeWithGroup(t);
    const tails = [startTail(t, store, []), startTail(t, store, [])];
    await until(() => store.group('s', 'g').consumers.length === 2, 'both');
    store.append('s', numbered(300));
    await until(() => acked(store).length === 300, 'all');
    await Promise.all(tails.map(({ stop }) => stop()));
    const each = tails.map(({ out }) => lines(out).map(Number));
    assert.deepEqual(sorted(each.flat()), upTo(300));
    for (const numbers of each) assert.ok(numbers.length > 50, `${numbers.length}`);
  });

  test('no more than --group-buffer are on their way', async (t) => {
    const store = await storeWithGroup(t);
    const hook = await hookFor(t, () => {});
    store.append('s', numbered(50));
    const tail = startOn(t, store, 's', { name: 'p', webhook: hook.url }, [...GROUP, '--group-buffer', '3', '--drain-timeout', '1ms']);
    await until(() => hook.got.length === 1, 'the first');
    assert.equal(store.requests.at(-1).bufferSize, 3);
    assert.equal(store.requests.at(-1).sent, 3);
    await tail.stop();
  });

  for (const kind of ['reset', 'rst', 'group-failed', 'not-ready']) {
    test(`${kind} in the middle: it joins again, and all are done`, async (t) => {
      const store = await storeWithGroup(t);
      for (const after of [5, 40]) store.fail({ kind, after, on: 'group', code: 0x2 });
      store.append('s', numbered(200));
      const { argv, numbers } = noter(t);
      const tail = startOn(t, store, 's', { name: 'p', pipe: argv }, GROUP);
      await tail.until(() => new Set(numbers()).size === 200, 'all are done');
      await until(() => store.group('s', 'g').consumers[0]?.held.size === 0, 'all are acknowledged');
      assert.equal((await tail.stop()).code, 0, tail.out.stderr);
      assert.equal(store.requests.filter(({ kind: of }) => of === 'group').length, 3);
    });
  }

  test('redelivered events say how often: %r', async (t) => {
    const store = await storeWithGroup(t);
    store.append('s', numbered(1));
    const hook = await hookFor(t, () => {});
    const first = startOn(t, store, 's', { name: 'p', webhook: hook.url }, GROUP);
    await until(() => hook.got.length === 1, 'it has it');
    await first.stop('SIGKILL');
    const result = await esTail(store, ['s', ...GROUP, '-c', '1', '-f', '%n %r\\n']);
    assert.equal(result.stdout, '0 1\n', result.stderr);
  });
});

describe('with processors', AT_ONCE, () => {
  test('done events are acknowledged, those of other types too; instances work beside each other', async (t) => {
    const store = await storeWithGroup(t);
    const records = store.append('s', upTo(60).map((n) => ({ type: n % 3 ? 'a' : 'b', data: { n } })));
    const { argv, numbers } = noter(t);
    const tail = startOn(t, store, 's', { name: 'p', events: ['a'], pipe: argv, instances: 3, key: 'n' }, GROUP);
    await until(() => acked(store).length === 60, 'acks');
    assert.equal((await tail.stop()).code, 0);
    assert.deepEqual(sorted(numbers()), upTo(60).filter((n) => n % 3));
    assert.deepEqual([...acked(store)].sort(), idsOf(records).sort());
  });

  test('a bad event is parked with the reason, after its attempts; the next ones are done', async (t) => {
    const store = await storeWithGroup(t);
    const records = store.append('s', numbered(3));
    const hook = await hookFor(t, ({ data }, request, response) => response.writeHead(data.n === 1 ? 500 : 200).end('no room'));
    const tail = startOn(t, store, 's', { name: 'p', webhook: hook.url, retry: { attempts: 3, wait: '1ms' } }, GROUP);
    await until(() => store.acks.length >= 2 && acked(store).length === 2, 'answers');
    await until(() => nacked(store).length === 1, 'the nack');
    const result = await tail.stop();
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(hook.got.map(({ event }) => event.data.n), [0, 1, 1, 1, 2]);
    const [{ action, ids, reason }] = nacked(store);
    assert.deepEqual([action, ids], ['park', [records[1].id]]);
    assert.match(reason, /status 500: no room/);
    assert.match(result.stderr, /event 1 of s was parked/);
    assert.equal(store.group('s', 'g').parked.length, 1);
    assert.match(result.stderr, /p: 2 events done, 1 given up/);
  });

  for (const [name, more] of [['skip_bad_events', {}], ['dead_letter', { dead_letter: 'yes' }]]) {
    test(`${name}: it is acknowledged`, async (t) => {
      const store = await storeWithGroup(t);
      const letters = join(folder(t), 'bad.jsonl');
      const [record] = store.append('s', numbered(1));
      const tail = startOn(t, store, 's', { ...FAILS, skip_bad_events: true, ...(more.dead_letter && { dead_letter: letters }) }, GROUP);
      await until(() => acked(store).length === 1, 'the ack');
      const result = await tail.stop();
      assert.deepEqual([acked(store), nacked(store)], [[record.id], []]);
      assert.match(result.stderr, /event 0 of s was skipped/);
      if (more.dead_letter) assert.match(readFileSync(letters, 'utf8'), /"n":0.*no room/);
    });
  }

  test('a letter that can\'t be written: 74, and the event is not acknowledged', async (t) => {
    const store = await storeWithGroup(t);
    store.append('s', numbered(3));
    const result = await runOn(t, store, 's', { ...FAILS, skip_bad_events: true, dead_letter: '/dev/full' }, GROUP);
    assert.equal(result.code, 74, result.stderr);
    assert.deepEqual(acked(store), []);
    assert.deepEqual(nacked(store).map(({ action }) => action), ['retry', 'retry', 'retry']);
  });

  test('a program that is not there ends it: nothing is parked or acknowledged, all goes back', async (t) => {
    const store = await storeWithGroup(t);
    store.append('s', numbered(5));
    const result = await runOn(t, store, 's', { name: 'p', exec: ['no-such-program'], skip_bad_events: true }, GROUP);
    assert.equal(result.code, 66, result.stderr);
    assert.deepEqual(acked(store), []);
    assert.deepEqual(new Set(nacked(store).map(({ action }) => action)), new Set(['retry']));
    assert.deepEqual(store.group('s', 'g').parked, []);
  });

  test('a stop gives back at once what is not finished, to another consumer', async (t) => {
    const store = await storeWithGroup(t, { messageTimeoutMs: 600_000 });
    store.append('s', numbered(20));
    const hook = await hookFor(t, ({ data }, request, response) => (data.n === 4 ? undefined : response.writeHead(200).end()));
    const first = startOn(t, store, 's', { name: 'p', webhook: hook.url }, [...GROUP, '--group-buffer', '100', '--drain-timeout', '100ms']);
    await until(() => hook.got.length === 5, 'the fifth hangs');
    const second = startTail(t, store, []);
    await until(() => store.group('s', 'g').consumers.length === 2, 'both');
    const result = await first.stop();
    assert.equal(result.code, 0, result.stderr);
    await second.until(({ stdout }) => lines({ stdout }).length === 16, 'the rest');
    assert.deepEqual(sorted(lines(second.out).map(Number)), upTo(16, 4));
    assert.ok(nacked(store).every(({ action }) => action === 'retry'));
    assert.equal(nacked(store).flatMap(({ ids }) => ids).length, 16);
  });

  test('kill -9: another consumer gets what was not acknowledged', async (t) => {
    const store = await storeWithGroup(t);
    store.append('s', numbered(200));
    const { argv, numbers } = noter(t);
    const first = startOn(t, store, 's', { name: 'p', pipe: argv }, GROUP);
    await until(() => numbers().length > 10, 'some are done');
    await first.stop('SIGKILL');
    const second = startOn(t, store, 's', { name: 'p', pipe: argv }, GROUP);
    await second.until(() => new Set(numbers()).size === 200, 'all are done');
    await until(() => store.group('s', 'g').consumers[0]?.held.size === 0, 'and acknowledged');
    await second.stop();
    assert.deepEqual(store.group('s', 'g').parked, []);
  });
});

describe('refused', AT_ONCE, () => {
  test('a group that is not there: 66', async (t) => {
    const store = await eventStoreFor(t);
    store.append('s', numbered(1));
    for (const result of [await esTail(store, ['s', ...GROUP]), await runOn(t, store, 's', FAILS, GROUP)]) {
      assert.equal(result.code, 66, result.stderr);
      assert.match(result.stderr, /g/);
    }
  });

  test('it is full, or it is dropped and gone: told, not hung', async (t) => {
    const full = await storeWithGroup(t, { maxSubscriberCount: 1 });
    startTail(t, full, []);
    await until(() => full.group('s', 'g').consumers.length === 1, 'the first');
    const second = await esTail(full, ['s', ...GROUP, '--max-downtime', '300ms']);
    assert.notEqual(second.code, 0);
    assert.match(second.stderr, /maximum|subscriber|full/i);
    const store = await storeWithGroup(t);
    store.fail({ kind: 'group-dropped', after: 1, on: 'group' });
    store.fail({ kind: 'status', status: 5, message: 'gone', trailers: { exception: 'persistent-subscription-does-not-exist' }, on: 'group' });
    store.append('s', numbered(3));
    const dropped = await esTail(store, ['s', ...GROUP]);
    assert.equal(dropped.code, 66, dropped.stderr);
  });

  const WRONG = [
    ['two processors', [FAILS, { ...FAILS, name: 'q' }], [], 78, /has 2 processors, but a group hands each event to one/],
    ['a running value', { name: 'p', count: true }, [], 78, /keeps a running value/],
    ['--checkpoints', FAILS, ['--checkpoints', 'x.db'], 64, /--checkpoints/],
    ['-o', FAILS, ['-o', 'end'], 64, /--offset/], ['-e', FAILS, ['-e'], 64, /--exit/],
    ['--group-buffer 0', FAILS, ['--group-buffer', '0'], 64, /group-buffer/],
  ];
  for (const [name, processors, args, code, says] of WRONG) {
    test(`${name}: ${code}`, async (t) => {
      const store = await storeWithGroup(t);
      const result = await runOn(t, store, 's', processors, [...GROUP, ...args]);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, says);
      assert.equal(existsSync('x.db'), false);
    });
  }
});
