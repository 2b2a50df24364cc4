// es-tail when a subscription breaks: every event comes exactly once and in order, resumed behind the last one.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { esTail, eventStoreFor, followed, numbered, numbersOf, startTail, subscriptions, upTo } from './eventstore.mjs';
import { errorLine } from './support.mjs';

const AT_ONCE = { concurrency: 12 }; // most of them wait
const NUMBERS = ['-f', '%n\\n'];
const FROM_START = ['orders', '-o', 'beginning', ...NUMBERS];
const lastLine = ({ stderr }) => stderr.trimEnd().split('\n').at(-1);

// --- Dropped and resumed ---

const CODES = { CANCELLED: 1, UNKNOWN: 2, DEADLINE_EXCEEDED: 4, RESOURCE_EXHAUSTED: 8, ABORTED: 10, INTERNAL: 13, UNAVAILABLE: 14, DATA_LOSS: 15 };
const DROPS = [
  ...Object.entries(CODES).map(([name, status]) => [name, { kind: 'status', status, message: 'so it is' }, new RegExp(`the server says ${name}: so it is`)]),
  ['not ready', { kind: 'not-ready' }, /Server Is Not Ready/], ['too busy', { kind: 'too-busy' }, /Server Is Too Busy/],
  ['consumer too slow', { kind: 'too-slow' }, /ABORTED: Consumer too slow/],
  ['a good end', { kind: 'status', status: 0 }, /ended the subscription/],
  ['RST_STREAM', { kind: 'rst' }, /reset the call \(INTERNAL_ERROR\)/], ['RST_STREAM with NO_ERROR', { kind: 'rst', code: 0 }, /./],
  ['RST_STREAM with REFUSED_STREAM', { kind: 'rst', code: 7 }, /./], ['RST_STREAM with CANCEL', { kind: 'rst', code: 8 }, /./],
  ['GOAWAY that covers the call no more', { kind: 'goaway', lastStreamId: 1 }, /going away/],
  ['a TCP reset', { kind: 'reset' }, /broke: Connection reset by peer/], ['a TCP end', { kind: 'close' }, /broke/],
  ['an answer of HTTP 502', { kind: 'http', status: 502 }, /HTTP status 502/, true], ['an answer of HTTP 503', { kind: 'http', status: 503 }, /HTTP status 503/, true],
];
describe('dropped after K events: resumed exclusively behind the last one', AT_ONCE, () => {
  for (const [name, fault, says, isReply] of DROPS) {
    for (const after of isReply ? [undefined] : [0, 1, 7, 20]) {
      test(`${name}, ${after === undefined ? 'in place of a reply' : `after ${after}`}`, async (t) => {
        const store = await eventStoreFor(t);
        store.append('orders', numbered(20));
        store.fail({ ...fault, after, on: 'subscribe' });
        const result = await followed(t, store, FROM_START);
        const [first, second, third] = subscriptions(store);
        assert.equal(first.from, 'start');
        if (fault.kind !== 'reset') assert.equal(second.from, after ? BigInt(after - 1) : 'start'); // it throws away what is under way
        assert.equal(third, undefined);
        assert.match(result.stderr, says);
        if (after) assert.match(result.stderr, /; trying again\n[^]*connected again, to 127\.0\.0\.1:\d+\n/);
      });
    }
  }

  test('GOAWAY that lets the call end: nothing is lost, and what comes later goes to another connection', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(20));
    store.fail({ kind: 'goaway', after: 5, on: 'subscribe' });
    await followed(t, store, FROM_START);
  });

  for (const [name, args] of [['$all', ['--all']], ['$all, filtered', ['--all', '--event-type', 'order']]]) {
    test(`${name} is resumed at commit and prepare`, async (t) => {
      const store = await eventStoreFor(t);
      const records = store.append('orders', numbered(20).map((event, i) => ({ ...event, prepare: BigInt(1000 + i) })));
      store.fail({ kind: 'reset', after: 7, on: 'subscribe' });
      await followed(t, store, [...args, '-o', 'beginning', ...NUMBERS]);
      const { commit, prepare } = subscriptions(store)[1].from;
      assert.deepEqual({ commit, prepare }, { commit: records[6].commit, prepare: records[6].prepare });
    });
  }

  test('every event of 300 behind a drop of its own', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(30));
    for (let i = 0; i < 30; i += 1) store.fail({ kind: i % 2 ? 'reset' : 'rst', after: 1, on: 'subscribe' });
    await followed(t, store, FROM_START, { count: 30 });
    assert.deepEqual(subscriptions(store).slice(1).map(({ from }) => from), upTo(30).map(BigInt));
  });

  test('with -o end: what is written while the connection is lost comes', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(5));
    const tail = startTail(t, store, ['orders', ...NUMBERS]);
    await store.until(() => subscriptions(store).length === 1);
    await store.stop();
    store.append('orders', numbered(5));
    await store.start();
    await tail.until(({ stdout }) => stdout.includes('9\n'));
    assert.deepEqual(numbersOf(await tail.stop()), [5, 6, 7, 8, 9]);
  });

  test('-o end on an empty stream, lost before its first event: that comes', async (t) => {
    for (const version of ['20.10', '25.1']) {
      const store = await eventStoreFor(t, { version });
      const tail = startTail(t, store, ['orders', ...NUMBERS]);
      await store.until(() => subscriptions(store).length === 1);
      await store.stop();
      store.append('orders', numbered(2));
      await store.start();
      await tail.until(({ stdout }) => stdout.includes('1\n'));
      assert.deepEqual(numbersOf(await tail.stop()), [0, 1]);
    }
  });
});

describe('reads with an end, broken in the middle, go on at the next one', AT_ONCE, () => {
  for (const [name, fault] of DROPS.filter(([, { kind, status }]) => !['http', 'goaway'].includes(kind) && status !== 0)) {
    for (const direction of ['forwards', 'backwards']) {
      test(`${name}, ${direction}`, async (t) => {
        const store = await eventStoreFor(t);
        store.append('orders', numbered(20));
        store.fail({ ...fault, after: 7, on: 'read' });
        const result = await esTail(store, ['orders', '-e', '-q', '--direction', direction, ...NUMBERS]);
        assert.equal(result.code, 0, result.stderr);
        assert.deepEqual(numbersOf(result), direction === 'forwards' ? upTo(20) : upTo(20).reverse());
        if (fault.kind !== 'reset') assert.equal(store.requests[1].from, direction === 'forwards' ? 7n : 12n);
      });
    }
  }

  test('-c N over a drop gives N', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(20));
    store.fail({ kind: 'reset', after: 7, on: 'read' });
    assert.deepEqual(numbersOf(await esTail(store, ['orders', '-e', '-q', '-c', '10', ...NUMBERS])), upTo(10));
  });

  test('the read that looks for the end or for a time is repeated as well', async (t) => {
    for (const offset of ['end', '-3', '@0']) {
      const store = await eventStoreFor(t);
      store.append('orders', numbered(20));
      store.fail({ kind: 'reset', on: 'read' });
      const tail = startTail(t, store, ['orders', '-o', offset, ...NUMBERS]);
      await store.until(() => subscriptions(store).length > 0);
      store.append('orders', numbered(1));
      await tail.until(({ stdout }) => stdout.includes('20\n'));
      assert.equal((await tail.stop()).code, 0);
    }
  });
});

// --- Terminal ---

const TERMINAL = [
  ['access denied', { kind: 'access-denied' }, 77, /the server refuses/], ['unauthenticated', { kind: 'unauthenticated' }, 77, /the server refuses: Unauthenticated/],
  ['a tombstone', { kind: 'stream-deleted' }, 66, /deleted/], ['INVALID_ARGUMENT', { kind: 'status', status: 3, message: 'no' }, 76, /INVALID_ARGUMENT: no/],
  ['UNIMPLEMENTED', { kind: 'status', status: 12, message: 'no' }, 76, /UNIMPLEMENTED: no/], ['HTTP 401', { kind: 'http', status: 401 }, 77, /HTTP status 401/],
  ['HTTP 403', { kind: 'http', status: 403 }, 77, /HTTP status 403/], ['HTTP 404', { kind: 'http', status: 404 }, 76, /HTTP status 404/],
];
describe('what makes no sense to try again is not tried again; what came before is printed', AT_ONCE, () => {
  for (const [name, fault, code, says] of TERMINAL) {
    for (const after of fault.kind === 'http' ? [undefined] : [undefined, 0, 5]) {
      test(`${name}, ${after === undefined ? 'at once' : `after ${after}`}: ${code}`, async (t) => {
        const store = await eventStoreFor(t);
        store.append('orders', numbered(9));
        store.fail({ ...fault, after, on: 'subscribe' });
        const result = await esTail(store, ['-q', ...FROM_START]);
        assert.equal(result.code, code, result.stderr);
        assert.match(errorLine(result), says);
        assert.deepEqual(numbersOf(result), upTo(after ?? 0));
        assert.equal(subscriptions(store).length, 1);
      });
    }
  }

  test('with -e in the middle: 77, and what came before is printed', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(9));
    store.fail({ kind: 'access-denied', after: 5, on: 'read' });
    const result = await esTail(store, ['orders', '-e', '-q', ...NUMBERS]);
    assert.equal(result.code, 77, result.stderr);
    assert.deepEqual(numbersOf(result), upTo(5));
  });

  for (const args of [[], ['-e'], ['-o', '-5'], ['-o', '@0'], ['-q', '-o', 'beginning'], ['--direction', 'backwards']]) {
    test(`a stream with a tombstone: 66 (${args.join(' ')})`, async (t) => {
      const store = await eventStoreFor(t);
      store.append('orders', numbered(3));
      store.tombstone('orders');
      const result = await esTail(store, ['orders', ...args]);
      assert.equal(result.code, 66, result.stderr);
      assert.match(errorLine(result), /orders.*deleted/);
    });
  }

  test('a tombstone while it is followed: 66 behind the last event', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(3));
    const tail = startTail(t, store, FROM_START);
    await tail.until(({ stderr }) => stderr.includes('live'));
    store.tombstone('orders');
    const result = await tail.end;
    assert.equal(result.code, 66, result.stderr);
    assert.match(lastLine(result), /deleted/);
    assert.deepEqual(numbersOf(result), [0, 1, 2]);
  });

  for (const [name, user] of [['no user', ''], ['a wrong password', 'admin:no@'], ['an unknown user', 'me:right@']]) {
    test(`${name}: 77`, async (t) => {
      const store = await eventStoreFor(t, { users: { admin: 'right:@é' } });
      store.append('orders', numbered(1));
      const url = store.url.replace('esdb://', `esdb://${user}`);
      const result = await esTail(store, FROM_START, { env: { ES_URL: url } });
      assert.equal(result.code, 77, result.stderr);
      assert.match(errorLine(result), /the server refuses/);
      const good = await esTail(store, ['orders', '-e', ...NUMBERS], { env: { ES_URL: store.url.replace('esdb://', 'esdb://admin:right%3A%40%C3%A9@') } });
      assert.equal(good.stdout, '0\n', good.stderr);
    });
  }
});

// --- What the server says beside events ---

test('caught-up and fell-behind, repeated, change nothing; live is said once', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(20));
  const tail = startTail(t, store, FROM_START);
  await tail.until(({ stderr }) => stderr.includes('live'));
  for (let i = 0; i < 3; i += 1) for (const what of ['fell-behind', 'caught-up']) store.say(what);
  store.append('orders', numbered(2));
  await tail.until(({ stdout }) => stdout.includes('21\n'));
  const result = await tail.stop();
  assert.deepEqual(numbersOf(result), upTo(22));
  assert.equal(result.stderr.match(/live/g).length, 1);
});

const ABSURD = [
  ['u64 max', { commit: 2n ** 64n - 1n, prepare: 2n ** 64n - 1n }], ['0', { commit: 0n, prepare: 0n }],
];
for (const [name, at] of ABSURD) {
  test(`a checkpoint of ${name} is passed over`, async (t) => {
    const store = await eventStoreFor(t);
    const records = store.append('orders', numbered(5));
    const tail = startTail(t, store, ['--all', '-o', 'beginning', '--event-type', 'order', ...NUMBERS]);
    await tail.until(({ stdout }) => stdout.includes('4\n'));
    store.say('checkpoint', at);
    await delay(50);
    store.drop({ kind: 'reset' });
    await store.until(() => subscriptions(store).length === 2);
    assert.equal(subscriptions(store)[1].from.commit, records[4].commit);
    store.append('orders', numbered(1));
    await tail.until(({ stdout }) => stdout.includes('5\n'));
    await tail.stop();
  });
}
