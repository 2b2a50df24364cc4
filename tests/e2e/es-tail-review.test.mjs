// es-tail and its server, faults that a review found: replies that never come, floods, keepalive, waits that went on for
// longer than asked, filters that the server was not told.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { esTail, eventStoreFor, numbered, numbersOf, startTail, subscriptions, upTo } from './eventstore.mjs';
import { hookFor, lines, runOn, startOn, until } from './eventstore_run.mjs';
import { errorLine } from './support.mjs';

const AT_ONCE = { concurrency: 6 };
const NUMBERS = ['-f', '%n\\n'];
const FROM_START = ['orders', '-o', 'beginning', ...NUMBERS];
const SOON_MS = 8000; // when something takes no longer than about a second
const asking = (store, more) => ({ env: { ES_URL: `${store.url}&${more}` } });
const count = (text, pattern) => (text.match(pattern) ?? []).length;

// Its result, and that it did not take for ever.
async function soon(tail, end = tail.end) {
  const result = await Promise.race([end, delay(SOON_MS, undefined, { ref: false })]);
  assert.ok(result, `it has not ended after ${SOON_MS} ms: ${tail.out.stderr}`);
  return result;
}

// Servers that take connections and say nothing; their addresses.
async function muteServers(t, many = 1) {
  const addresses = [];
  for (let i = 0; i < many; i += 1) {
    const sockets = new Set();
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      sockets.add(socket);
    }).listen(0, '127.0.0.1');
    t.after(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    await once(server, 'listening');
    addresses.push(`127.0.0.1:${server.address().port}`);
  }
  return addresses;
}

describe('a call that is never answered is given up after defaultDeadline, and made again', AT_ONCE, () => {
  for (const [name, fault, args] of [
    ['a read', { on: 'read' }, ['orders', '-e', ...NUMBERS]],
    ['a read backwards', { on: 'read' }, ['orders', '-e', '--direction', 'backwards', ...NUMBERS]],
    ['a read that says nothing more after 3 events', { on: 'read', after: 3 }, ['orders', '-e', ...NUMBERS]],
    ['the read that looks for the end', { on: 'read' }, ['orders', '-o', '-9', '-c', '9', ...NUMBERS]],
    ['a subscription', { on: 'subscribe' }, [...FROM_START, '-c', '9']],
    ['a subscription to $all', { on: 'subscribe' }, ['--all', '-o', 'beginning', '-c', '9', ...NUMBERS]],
  ]) {
    test(name, async (t) => {
      const store = await eventStoreFor(t);
      store.append('orders', numbered(9));
      for (let i = 0; i < (fault.after ? 2 : 1); i += 1) store.fail({ kind: 'hang', ...fault }); // the read for the progress is short
      const result = await soon(startTail(t, store, args, asking(store, 'defaultDeadline=300')));
      assert.equal(result.code, 0, result.stderr);
      assert.deepEqual(numbersOf(result).sort(), upTo(9));
      assert.match(result.stderr, /trying again/);
    });
  }

  test('a group', async (t) => {
    const store = await eventStoreFor(t);
    store.createGroup('orders', 'g');
    store.append('orders', numbered(9));
    store.fail({ kind: 'hang', on: 'group' });
    const result = await soon(startTail(t, store, ['orders', '--group', 'g', '-c', '9', ...NUMBERS], asking(store, 'defaultDeadline=300')));
    assert.deepEqual([result.code, numbersOf(result)], [0, upTo(9)], result.stderr);
  });

  for (const [on, args] of [['read', ['orders', '-e']], ['subscribe', FROM_START]]) {
    test(`each ${on}: it ends after maxDiscoverAttempts with 75`, async (t) => {
      const store = await eventStoreFor(t);
      store.append('orders', numbered(9));
      for (let i = 0; i < 3; i += 1) store.fail({ kind: 'hang', on });
      const result = await soon(startTail(t, store, ['-q', ...args], asking(store, 'defaultDeadline=300&maxDiscoverAttempts=3')));
      assert.equal(result.code, 75, result.stderr);
      errorLine(result);
    });
  }

  test('a subscription that was confirmed may be silent for longer', async (t) => {
    const store = await eventStoreFor(t, { version: '22.10' });
    const tail = startTail(t, store, FROM_START, asking(store, 'defaultDeadline=200'));
    await store.until(() => subscriptions(store).length === 1);
    await delay(1200);
    store.append('orders', numbered(1));
    await tail.until(({ stdout }) => stdout === '0\n');
    assert.equal((await tail.stop()).code, 0);
    assert.equal(subscriptions(store).length, 1);
  });

  test('a consumer that stalls for longer than that reads on in the same call', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', upTo(3000).map(() => ({ data: 'x'.repeat(2000) })));
    const tail = startTail(t, store, ['orders', '-e', '-f', '%n %d\\n'], asking(store, 'defaultDeadline=200'));
    tail.child.stdout.pause();
    await delay(1200);
    tail.child.stdout.resume();
    const result = await tail.end;
    assert.deepEqual([result.code, lines(result).length], [0, 3000], result.stderr);
    assert.equal(count(result.stderr, /trying again/g), 0, result.stderr);
  });
});

describe('keepalive', AT_ONCE, () => {
  for (const off of ['keepAliveTimeout=-1&keepAliveInterval=200', 'keepAliveInterval=-1&keepAliveTimeout=200']) {
    test(`${off}: none is sent, and the idle connection stays`, async (t) => {
      const store = await eventStoreFor(t);
      const tail = startTail(t, store, FROM_START, asking(store, off));
      await store.until(() => subscriptions(store).length === 1);
      await delay(1500);
      const [connection] = store.connections;
      assert.deepEqual([connection.clientPings, connection.closed_ms], [0, undefined], tail.out.stderr);
      store.append('orders', numbered(1));
      await tail.until(({ stdout }) => stdout === '0\n');
      assert.equal((await tail.stop()).code, 0);
      assert.equal(subscriptions(store).length, 1);
    });
  }
});

describe('servers that take the connection and say nothing', AT_ONCE, () => {
  for (const tls of [false, true]) {
    test(`gossipTimeout covers connecting, too (tls=${tls}): 69`, async (t) => {
      const hosts = (await muteServers(t, 2)).join(',');
      const url = `esdb://${hosts}?tls=${tls}&gossipTimeout=300&maxDiscoverAttempts=1`;
      const result = await soon(startTail(t, { url }, ['orders', '-q']));
      assert.equal(result.code, 69, result.stderr);
      errorLine(result);
    });

    for (const [name, more] of [['one', ''], ['a cluster', '+discover']]) {
      test(`--max-downtime 1s, ${name} (tls=${tls})`, async (t) => {
        const [host] = await muteServers(t);
        const result = await soon(startTail(t, { url: `esdb${more}://${host}?tls=${tls}` }, ['orders', '-q', '--max-downtime', '1s']));
        assert.ok([69, 75].includes(result.code), `${result.code}: ${result.stderr}`);
        assert.match(errorLine(result), /given up after/);
      });
    }
  }

  test('--max-downtime 1s and a call that is never answered', async (t) => {
    const store = await eventStoreFor(t);
    store.fail({ kind: 'hang', on: 'subscribe' });
    const result = await soon(startTail(t, store, ['-q', ...FROM_START, '--max-downtime', '1s']));
    assert.ok([69, 75].includes(result.code), `${result.code}: ${result.stderr}`);
  });
});

describe('what can never be read ends it, however long the downtime may be: 76', AT_ONCE, () => {
  const announced = (bytes) => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(bytes, 1);
    return { kind: 'raw', bytes: head, end: false };
  };
  for (const [name, fault, says] of [
    ['18 MiB announced', announced(18 << 20), /18874368 bytes/],
    ['17 MiB and a byte announced', announced((17 << 20) + 1), /17825793 bytes/],
    ['compressed', { kind: 'compressed' }, /compressed/],
  ]) {
    for (const args of [[], ['--max-downtime', '1h']]) {
      test(`${name} after each confirmation ${args.join(' ')}`, async (t) => {
        const store = await eventStoreFor(t);
        store.append('orders', numbered(5));
        for (let i = 0; i < 3; i += 1) store.fail({ ...fault, after: 0, on: 'subscribe' });
        const result = await esTail(store, ['-q', ...FROM_START, ...args], asking(store, 'maxDiscoverAttempts=3'));
        assert.equal(result.code, 76, result.stderr);
        assert.match(errorLine(result), says);
      });
    }
  }

  for (const [name, args] of [['followed', FROM_START], ['read', ['orders', '-e', ...NUMBERS]]]) {
    test(`an event of 18 MiB behind a small one, ${name}: the small one is printed`, async (t) => {
      const store = await eventStoreFor(t);
      store.append('orders', [{ data: 'small' }, { data: Buffer.alloc(18 << 20, 'x') }]);
      const result = await esTail(store, ['-q', ...args, '--max-downtime', '1h'], asking(store, 'maxDiscoverAttempts=3'));
      assert.equal(result.code, 76, result.stderr);
      assert.equal(result.stdout, '0\n');
    });
  }
});

describe('a flood of fell-behind messages does not defeat SIGTERM', AT_ONCE, () => {
  const MANY = Buffer.alloc(7_000_000, Buffer.from([0, 0, 0, 0, 2, 0x4a, 0])); // a million of them, more than are read in 100 ms
  for (const [name, begin] of [
    ['printed', (t, store) => startTail(t, store, FROM_START)],
    ['processed', (t, store) => startOn(t, store, 'orders', { name: 'p', print: true })],
  ]) {
    test(name, async (t) => {
      const store = await eventStoreFor(t, { version: '22.10' });
      const tail = begin(t, store);
      await store.until(() => subscriptions(store).length === 1);
      const flood = setInterval(() => store.say('bytes', MANY), 100);
      t.after(() => clearInterval(flood));
      store.say('bytes', MANY);
      await delay(300);
      assert.equal((await soon(tail, tail.stop())).code, 0);
    });
  }
});

describe('--all with a processor\'s events: the server filters', AT_ONCE, () => {
  const TYPES = ['A', 'AB', 'B', 'C', 'A'];
  const EXPECTED = ['0 A', '2 B', '4 A'];
  const P = { name: 'p', events: ['A', 'B'], print: true, say: '{number} {type}' };

  for (const args of [[], ['-e']]) {
    test(`by prefixes of the types, and only these types are done ${args.join(' ')}`, async (t) => {
      const store = await eventStoreFor(t);
      store.append('orders', TYPES.map((type) => ({ type })));
      const tail = startOn(t, store, undefined, P, ['-o', 'beginning', ...args]);
      await until(() => lines(tail.out).length === 3, 'three lines');
      await (args.length > 0 ? tail.closed : tail.stop());
      assert.deepEqual(lines(tail.out), EXPECTED);
      const asked = store.requests.filter(({ filter }) => filter);
      assert.ok(asked.length > 0, 'no request has a filter');
      for (const { filter, mistake } of asked) {
        assert.deepEqual([filter.on, filter.prefixes, filter.regex, mistake], ['type', ['A', 'B'], '', undefined]);
      }
    });
  }

  test('each processor has its own; one without events gets all', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', TYPES.map((type) => ({ type })));
    const hook = await hookFor(t);
    const tail = startOn(t, store, undefined, [P, { name: 'c', events: 'C', webhook: hook.url }, { name: 'all', count: true }], ['-o', 'beginning']);
    await tail.until(({ stdout }) => stdout.includes('all: 5\n') && lines({ stdout }).length === 8, 'all events');
    await until(() => hook.got.length === 1, 'the webhook');
    assert.equal((await tail.stop()).code, 0);
    assert.deepEqual(subscriptions(store).map(({ filter }) => filter?.prefixes.join(' ') ?? 'none').sort(), ['A B', 'C', 'none']);
  });

  for (const [option, value, expected] of [
    ['--stream-prefix', 'orders', EXPECTED], ['--event-type', 'B', ['2 B']], ['--event-type-regex', '^A', ['0 A', '4 A']],
  ]) {
    test(`${option} ${value} beside it: what passes both is done`, async (t) => {
      const store = await eventStoreFor(t);
      store.append('others', [{ type: 'C' }]);
      store.append('orders', TYPES.map((type) => ({ type })));
      const result = await runOnAll(t, store, P, [option, value, '-o', 'beginning', '-e']);
      assert.deepEqual([result.code, lines(result)], [0, expected], result.stderr);
    });
  }

  test('a single stream has no filter of the server\'s', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', TYPES.map((type) => ({ type })));
    const result = await runOn(t, store, 'orders', P, ['-e']);
    assert.deepEqual([result.code, lines(result)], [0, EXPECTED], result.stderr);
    assert.ok(store.requests.every(({ filter }) => filter === undefined));
  });
});

const runOnAll = (t, store, processors, args) => startOn(t, store, undefined, processors, args).closed;

describe('three processors: what is said of the connection is said once', AT_ONCE, () => {
  const THREE = ['a', 'b', 'c'].map((name) => ({ name, print: true, say: '{processor} {number}' }));

  test('a reset and a restart of the server', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(1));
    const tail = startOn(t, store, 'orders', THREE);
    await tail.until(({ stdout }) => lines({ stdout }).length === 3, 'the first event');
    await store.stop();
    await delay(300);
    await store.start();
    store.append('orders', numbered(1, { from: 1 }));
    await tail.until(({ stdout }) => lines({ stdout }).length === 6, 'the second event');
    const { code, stderr } = await tail.stop();
    assert.equal(code, 0, stderr);
    assert.equal(count(stderr, /trying again/g), 1, stderr);
    assert.equal(count(stderr, /connected again/g), 1, stderr);
  });

  test('a key of the connection string that is not known', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(1));
    const result = await runOn(t, { url: `${store.url}&nonsense=1` }, 'orders', THREE, ['-e']);
    assert.equal(result.code, 0, result.stderr);
    assert.equal(count(result.stderr, /nonsense/g), 1, result.stderr);
  });
});
