// es-tail's places: what is kept, how often, over stops and drops, in streams and in $all; what happens when it can't be.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventStoreFor, numbered, subscriptions } from './eventstore.mjs';
import {
  checkpoints, hookFor, lines, places, revisions, runOn, startOn, until, upTo,
} from './eventstore_run.mjs';
import { folder } from './support.mjs';

const AT_ONCE = { concurrency: 4 };
const OK = { name: 'p', print: true, say: '{number}' };
const dbFor = (t) => join(folder(t), 'a.db');
const numbersOf = (result) => lines(result).map(Number);

describe('going on', AT_ONCE, () => {
  for (const sync of ['0', '1ms', '500ms', '1h']) {
    test(`a second run begins exactly behind the first, --sync-interval ${sync}`, async (t) => {
      const store = await eventStoreFor(t);
      const args = ['--checkpoints', dbFor(t), '--sync-interval', sync];
      store.append('s', numbered(100));
      const first = startOn(t, store, 's', OK, args);
      await first.until(({ stdout }) => stdout.endsWith('\n99\n'), 'all');
      assert.equal((await first.stop()).code, 0);
      store.append('s', numbered(3));
      assert.deepEqual(numbersOf(await runOn(t, store, 's', OK, ['-e', ...args])), [100, 101, 102]);
      assert.deepEqual(subscriptions(store).map(({ from }) => from), ['start']);
    });
  }

  test('--sync-interval none writes no file, and every start begins at -o', async (t) => {
    const store = await eventStoreFor(t);
    const db = dbFor(t);
    store.append('s', numbered(5));
    for (const run of [1, 2]) {
      assert.deepEqual(numbersOf(await runOn(t, store, 's', OK, ['-e', '--checkpoints', db, '--sync-interval', 'none', '-o', '3'])), [3, 4], `${run}`);
    }
    assert.equal(existsSync(db), false);
  });

  test('0 keeps every event\'s place before the next one is begun', async (t) => {
    const store = await eventStoreFor(t);
    const db = dbFor(t);
    const seen = [];
    const hook = await hookFor(t, async ({ data }, request, response) => {
      seen.push([data.n, (await revisions(db)).p ?? -1]);
      response.writeHead(200).end();
    });
    store.append('s', numbered(8));
    const result = await runOn(t, store, 's', { name: 'p', webhook: hook.url }, ['-e', '--checkpoints', db, '--sync-interval', '0']);
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(seen, upTo(8).map((n) => [n, n - 1]));
  });

  test('an interval is kept: it is written while nothing comes', async (t) => {
    const store = await eventStoreFor(t);
    const db = dbFor(t);
    store.append('s', numbered(5));
    startOn(t, store, 's', OK, ['--checkpoints', db, '--sync-interval', '200ms']);
    await until(async () => (await revisions(db)).p === 4, 'it is written');
  });

  test('a checkpoint is stronger than -o; each processor has its own; a new one begins at -o', async (t) => {
    const store = await eventStoreFor(t);
    const args = ['-e', '--checkpoints', dbFor(t)];
    store.append('s', numbered(4));
    await runOn(t, store, 's', OK, args);
    store.append('s', numbered(2));
    const result = await runOn(t, store, 's', [OK, { ...OK, name: 'q', say: '1{number}' }], ['-o', '2', ...args]);
    assert.deepEqual(numbersOf(result).sort((a, b) => a - b), [4, 5, 12, 13, 14, 15]);
  });

  test('a checkpoint that is ahead of the stream waits there, and says so', async (t) => {
    const store = await eventStoreFor(t);
    const db = dbFor(t);
    store.append('s', numbered(2));
    await checkpoints(db, ['set', 'p', 's', '4']);
    const tail = startOn(t, store, 's', OK, ['--checkpoints', db, '--sync-interval', '0']);
    await until(() => subscriptions(store).length > 0, 'it subscribes');
    store.append('s', numbered(5));
    await tail.until(({ stdout }) => stdout === '5\n6\n', 'those behind the checkpoint');
    const { stderr } = await tail.stop();
    assert.match(stderr, /p: its checkpoint is behind event 4, but the stream ends at 1, so it is passed over up to there:/);
    assert.deepEqual(await revisions(db), { p: 6 });
    const level = await runOn(t, store, 's', OK, ['--checkpoints', db, '-e']);
    assert.doesNotMatch(level.stderr, /passed over/);
  });

  test('a place that is set where the processor had none is pointed out; its value stays', async (t) => {
    const store = await eventStoreFor(t);
    const db = dbFor(t);
    store.append('s', numbered(3));
    await runOn(t, store, 's', { name: 'p', count: true }, ['-e', '--checkpoints', db]);
    const typo = await checkpoints(db, ['set', 'p', 'S', '1']);
    assert.match(typo.stderr, /p had no place in S so far; there are places of p in s\n/);
    const right = await checkpoints(db, ['set', 'p', 's', '1']);
    assert.doesNotMatch(right.stderr, /no place/);
    assert.match(right.stderr, /p goes on behind 1 of s; its value stays .*3/);
  });

  for (const kind of ['reset', 'rst', 'goaway', 'not-ready', 'too-slow']) {
    test(`${kind} in the middle: nothing twice, nothing left out`, async (t) => {
      const store = await eventStoreFor(t);
      const db = dbFor(t);
      for (const after of [7, 1, 50]) store.fail({ kind, after, on: 'subscribe', code: 0x8 });
      store.append('s', numbered(200));
      const tail = startOn(t, store, 's', { name: 'v', count: true }, ['--checkpoints', db, '--sync-interval', '0']);
      if (kind === 'goaway') { // which leaves the calls open
        await until(() => store.unusedFaults.length < 3, 'a call meets it');
        store.drop({ kind: 'reset' });
        await until(() => store.unusedFaults.length < 2, 'a call meets it');
        store.drop({ kind: 'reset' });
      }
      await tail.until(({ stdout }) => stdout.endsWith('v: 200\n'), 'all');
      const result = await tail.stop();
      assert.deepEqual(lines(result), upTo(200, 1).map((n) => `v: ${n}`));
      assert.equal((await places(db))['v s'].state, '{"total":"200","count":200}');
    });
  }
});

describe('a type that never occurs', AT_ONCE, () => {
  const NEVER = { name: 'p', events: ['Never'], print: true };

  test('in a stream: the place goes along', async (t) => {
    const store = await eventStoreFor(t);
    const db = dbFor(t);
    store.append('s', numbered(50));
    startOn(t, store, 's', [NEVER, { ...NEVER, name: 'q' }], ['--checkpoints', db]);
    await until(async () => Object.values(await revisions(db)).join() === '49,49', 'both advance');
    store.append('s', numbered(50));
    await until(async () => Object.values(await revisions(db)).join() === '99,99', 'and again');
  });

  const place = ({ commit, prepare }) => [BigInt(commit), BigInt(prepare)];
  test('in $all with a filter of the server: from its checkpoints and caught-up messages', async (t) => {
    const store = await eventStoreFor(t);
    const db = dbFor(t);
    const last = store.append('s', numbered(3000)).at(-1);
    const tail = startOn(t, store, undefined, { ...NEVER, events: '*' }, ['--event-type', 'Never', '--checkpoints', db]);
    const at = async () => (await places(db))['p $all'];
    await until(async () => (await at()) && place(await at())[0] === last.commit, 'caught up');
    const next = store.append('s', numbered(2000)).at(-1);
    await until(async () => place(await at())[0] > last.commit, 'a checkpoint');
    assert.ok(place(await at())[0] <= next.commit);
    store.say('checkpoint', { commit: next.commit, prepare: next.prepare });
    await until(async () => place(await at())[0] === next.commit, 'another one');
    store.say('checkpoint', { commit: 2n ** 64n - 1n, prepare: 2n ** 64n - 1n });
    store.say('checkpoint', { commit: 5000n, prepare: 5000n });
    store.append('s', [{ type: 'Never', data: { n: 'now' } }]);
    await tail.until(({ stdout }) => /"now"/.test(stdout), 'an event behind the odd ones');
    await tail.stop();
    assert.equal(place(await at())[0], store.append('s', numbered(1))[0].commit - 107n - 5n, 'of that event');
  });
});

describe('$all', AT_ONCE, () => {
  test('positions over 2^53, commit and prepare apart, to the byte', async (t) => {
    const store = await eventStoreFor(t);
    const db = dbFor(t);
    const big = 2n ** 63n - 12_345_678_901n;
    store.append('s', numbered(1));
    assert.equal((await checkpoints(db, ['set', 'p', '$all', `${big}/${big - 7n}`])).code, 0);
    const list = await checkpoints(db);
    assert.match(list.stdout, new RegExp(`"commit":${big},"prepare":${big - 7n}`));
    startOn(t, store, undefined, OK, ['--checkpoints', db]);
    await until(() => subscriptions(store).length > 0, 'it subscribes');
    assert.deepEqual(subscriptions(store)[0].from, { commit: big, prepare: big - 7n });
  });

  test('two events of one transaction: the second is not left out', async (t) => {
    const store = await eventStoreFor(t);
    const db = dbFor(t);
    const [a, b, c] = store.append('s', numbered(3));
    a.prepare = 4000n;
    b.commit = a.commit;
    b.prepare = 4050n;
    const hook = await hookFor(t, (event, request, response, i) => (i === 1 ? undefined : response.writeHead(200).end()));
    const tail = startOn(t, store, undefined, { name: 'p', webhook: hook.url }, ['--checkpoints', db, '--sync-interval', '0', '--drain-timeout', '1ms']);
    await until(() => hook.got.length === 2, 'the second one hangs');
    await tail.stop();
    const second = await runOn(t, store, '$all', OK, ['-e', '--checkpoints', db]);
    assert.deepEqual(numbersOf(second), [1, 2]);
    assert.equal((await places(db))['p $all'].commit, Number(c.commit));
  });

  test('a stream\'s revision over 2^53', async (t) => {
    const store = await eventStoreFor(t);
    const db = dbFor(t);
    const first = 2n ** 62n + 1n;
    store.append('s', numbered(3), { at: first });
    assert.deepEqual(lines(await runOn(t, store, 's', OK, ['-e', '--checkpoints', db])), [0n, 1n, 2n].map((n) => `${first + n}`));
    store.append('s', numbered(1));
    assert.deepEqual(lines(await runOn(t, store, 's', OK, ['-e', '--checkpoints', db])), [`${first + 3n}`]);
    assert.match((await checkpoints(db)).stdout, new RegExp(`"revision":${first + 3n}`));
  });

  test('through links: the place is the link\'s, and links without a target are passed', async (t) => {
    const store = await eventStoreFor(t);
    const db = dbFor(t);
    store.append('a', numbered(5));
    for (const revision of [4, 1, 99, 3]) store.link('links', { stream: 'a', revision });
    const result = await runOn(t, store, 'links', { ...OK, events: ['order'] }, ['-e', '--resolve-links', '--checkpoints', db]);
    assert.deepEqual([result.code, numbersOf(result)], [0, [4, 1, 3]], result.stderr);
    assert.deepEqual(await revisions(db), { p: 3 });
  });
});

describe('a stop', AT_ONCE, () => {
  test('SIGTERM finishes the event in hand, keeps its place, and begins no other', async (t) => {
    const store = await eventStoreFor(t);
    const db = dbFor(t);
    store.append('s', numbered(50));
    const processor = { name: 'p', exec: ['sh', '-c', 'sleep 0.3; echo done'] };
    const tail = startOn(t, store, 's', processor, ['--checkpoints', db, '--sync-interval', '1h']);
    await tail.until(({ stdout }) => stdout === 'done\n', 'the first');
    const result = await tail.stop();
    assert.equal(result.code, 0, result.stderr);
    const done = lines(result).length;
    assert.ok(done < 5, `${done}`);
    assert.deepEqual(await revisions(db), { p: done - 1 });
    assert.match(result.stderr, new RegExp(`p: ${done} events done`));
  });

  const HANGS = {
    webhook: async (t) => ({ webhook: (await hookFor(t, () => {})).url }),
    exec: async () => ({ exec: ['sleep', '600'] }),
    pipe: async () => ({ pipe: ['sh', '-c', 'trap "" TERM; while :; do sleep 600; done'] }),
  };
  for (const [name, action] of Object.entries(HANGS)) {
    test(`a ${name} that hangs is cut off when the drain is over; its event comes again`, async (t) => {
      const store = await eventStoreFor(t);
      const db = dbFor(t);
      store.append('s', numbered(3));
      const tail = startOn(t, store, 's', { name: 'p', ...(await action(t)) }, ['--checkpoints', db, '--drain-timeout', '300ms']);
      await tail.until(() => subscriptions(store)[0]?.sent === 3, 'the events');
      const result = await tail.stop();
      assert.equal(result.code, 0, result.stderr);
      assert.deepEqual(await revisions(db), {});
      assert.deepEqual(numbersOf(await runOn(t, store, 's', OK, ['-e', '--checkpoints', db])), [0, 1, 2]);
    });
  }

  test('it does not wait for a server that is not there', async (t) => {
    const store = await eventStoreFor(t);
    store.append('s', numbered(1));
    const tail = startOn(t, store, 's', OK);
    await tail.until(({ stdout }) => stdout === '0\n', 'the first');
    await store.stop();
    await tail.until(({ stderr }) => /trying again/.test(stderr), 'it is lost');
    assert.equal((await tail.stop()).code, 0);
  });
});
