// es-tail and the way to the server: clusters, redirects, silence, restarts, and the connection string's keys.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { esTail, eventStoreFor, numbered, numbersOf, proxyBefore, startTail, subscriptions, upTo } from './eventstore.mjs';
import { closedPort } from './support.mjs';

const AT_ONCE = { concurrency: 12 }; // most of them wait
const NUMBERS = ['-f', '%n\\n'];
const FROM_START = ['orders', '-o', 'beginning', ...NUMBERS];
const to = (url) => ({ env: { ES_URL: url } });
const lines = ({ stderr }) => stderr.trimEnd().split('\n');
const lastLine = (result) => lines(result).at(-1);

// Nodes with the same events, and a gossip that knows all. states: 'LEADER', 'FOLLOWER'…
async function cluster(t, states, options = {}) {
  const nodes = await Promise.all(states.map(() => eventStoreFor(t, options)));
  const tell = (now) => {
    const members = nodes.map(({ port }, i) => ({ port, state: now[i].replace('-', ''), alive: !now[i].startsWith('-') }));
    for (const node of nodes) node.gossip(members);
  };
  for (const node of nodes) node.append('orders', numbered(5));
  tell(states);
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
  return { nodes, tell, url: (keys = '') => `esdb://${hosts}?tls=false${keys}` };
}
const asked = (node) => node.requests.filter(({ kind }) => kind === 'read' || kind === 'subscribe').length > 0;

// --- Clusters ---

const PREFERENCES = [
  ['', ['FOLLOWER', 'LEADER', 'READONLYREPLICA'], [1]],
  ['&nodePreference=leader', ['FOLLOWER', 'LEADER', 'READONLYREPLICA'], [1]],
  ['&nodePreference=follower', ['FOLLOWER', 'LEADER', 'READONLYREPLICA'], [0]],
  ['&NODEPREFERENCE=ReadOnlyReplica', ['FOLLOWER', 'LEADER', 'READONLYREPLICA'], [2]],
  ['&nodePreference=random', ['FOLLOWER', 'LEADER', 'READONLYREPLICA'], [0, 1, 2]],
  ['', ['FOLLOWER', '-LEADER', 'READONLYREPLICA'], [0]],
  ['&nodePreference=follower', ['-FOLLOWER', 'LEADER', 'READONLYREPLICA'], [1]],
  ['&nodePreference=readOnlyReplica', ['FOLLOWER', 'LEADER', '-READONLYREPLICA'], [1]],
  ['', ['CLONE', 'CATCHINGUP', 'READONLYREPLICA'], [2]],
];
describe('the node is chosen by gossip and preference', AT_ONCE, () => {
  for (const [keys, states, expected] of PREFERENCES) {
    test(`${keys || 'no preference'} of ${states.join(', ')}`, async (t) => {
      const { nodes, url } = await cluster(t, states);
      const result = await esTail(nodes[0], ['orders', '-e', ...NUMBERS], to(url(keys)));
      assert.deepEqual(numbersOf(result), upTo(5), result.stderr);
      const chosen = [0, 1, 2].filter((i) => asked(nodes[i]));
      assert.equal(chosen.length, 1);
      assert.ok(expected.includes(chosen[0]), `node ${chosen[0]}`);
      const wantsLeader = nodes[chosen[0]].requests.find(({ kind }) => kind === 'read').headers['requires-leader'];
      assert.equal(wantsLeader, /follower|replica|random/i.test(keys) ? 'false' : 'true');
    });
  }

  test('random takes each of them in time', async (t) => {
    const { nodes, url } = await cluster(t, ['FOLLOWER', 'LEADER', 'FOLLOWER']);
    for (let i = 0; i < 60 && !nodes.every(asked); i += 1) await esTail(nodes[0], ['orders', '-e', '-q'], to(url('&nodePreference=random')));
    assert.ok(nodes.every(asked));
  });

  test('+discover asks the one host for its cluster; one host without it is asked itself', async (t) => {
    const { nodes } = await cluster(t, ['FOLLOWER', 'LEADER']);
    await esTail(nodes[0], ['orders', '-e'], to(nodes[0].url.replace('esdb:', 'kurrentdb+discover:')));
    assert.deepEqual(nodes.map(asked), [false, true]);
    await esTail(nodes[0], ['orders', '-e'], to(nodes[0].url));
    assert.deepEqual(nodes.map(asked), [true, true]);
    assert.equal(nodes[0].requests.filter(({ kind }) => kind === 'gossip').length, 1);
  });

  test('seeds that are down or mute are passed over', async (t) => {
    const { nodes, url } = await cluster(t, ['FOLLOWER', 'LEADER', 'FOLLOWER']);
    nodes[0].fail({ kind: 'hang', on: 'gossip' });
    await nodes[2].stop();
    const result = await esTail(nodes[1], ['orders', '-e', ...NUMBERS], to(url('&gossipTimeout=300')));
    assert.deepEqual(numbersOf(result), upTo(5), result.stderr);
    if (nodes[0].unusedFaults.length > 0) await esTail(nodes[0], ['orders'], to(`${nodes[0].url.replace('esdb:', 'esdb+discover:')}&gossipTimeout=100&maxDiscoverAttempts=1`));
  });

  test('all seeds down: 69 in about a second, and each is named', async () => {
    const ports = [await closedPort(), await closedPort(), await closedPort()];
    const url = `esdb://${ports.map((port) => `127.0.0.1:${port}`).join(',')}?tls=false`;
    const begun_ms = Date.now();
    const result = await esTail({}, ['orders'], to(url));
    assert.equal(result.code, 69, result.stderr);
    assert.ok(Date.now() - begun_ms < 10_000);
    for (const port of ports) assert.ok(lastLine(result).includes(`127.0.0.1:${port}: Connection refused`), result.stderr);
    assert.match(lastLine(result), /no node of the cluster can be used/);
  });

  test('a cluster without any node to read from: 69', async (t) => {
    const { nodes, url } = await cluster(t, ['-LEADER', 'CLONE']);
    const result = await esTail(nodes[0], ['orders'], to(url('&maxDiscoverAttempts=2')));
    assert.equal(result.code, 69, result.stderr);
    assert.match(lastLine(result), /knows of no member that can be read/);
  });

  test('maxDiscoverAttempts and discoveryInterval count', async (t) => {
    const { nodes, url } = await cluster(t, ['CLONE', 'CLONE']);
    await esTail(nodes[0], ['orders'], to(url('&maxDiscoverAttempts=3&discoveryInterval=300')));
    const gossips = nodes[0].requests.filter(({ kind }) => kind === 'gossip');
    assert.equal(gossips.length, 3);
    for (let i = 1; i < 3; i += 1) assert.ok(gossips[i].at_ms - gossips[i - 1].at_ms >= 280);
  });

  test('the leader dies and another one takes over: every event once', async (t) => {
    const { nodes, tell, url } = await cluster(t, ['LEADER', 'FOLLOWER', 'FOLLOWER']);
    const tail = startTail(t, nodes[0], FROM_START, to(url()));
    await tail.until(({ stderr }) => stderr.includes('live'));
    tell(['-LEADER', 'FOLLOWER', 'LEADER']);
    await nodes[0].stop();
    nodes[2].append('orders', numbered(3));
    await tail.until(({ stdout }) => stdout.includes('7\n'));
    const result = await tail.stop();
    assert.deepEqual(numbersOf(result), upTo(8));
    assert.equal(subscriptions(nodes[2])[0].from, 4n);
    assert.match(result.stderr, new RegExp(`connected again, to 127.0.0.1:${nodes[2].port}`));
  });
});

describe('this node is no leader: the one that it names is asked', AT_ONCE, () => {
  for (const [name, args] of [['followed', FROM_START], ['to the end', ['orders', '-e', ...NUMBERS]]]) {
    test(`${name}, from the first request on`, async (t) => {
      const { nodes } = await cluster(t, ['FOLLOWER', 'LEADER']);
      nodes[0].redirect({ host: '127.0.0.1', port: nodes[1].port });
      const tail = startTail(t, nodes[0], args, to(nodes[0].url));
      await tail.until(({ stdout }) => stdout.includes('4\n'));
      const result = await tail.stop();
      assert.deepEqual([result.code, ...numbersOf(result)], [0, ...upTo(5)], result.stderr);
    });
  }

  test('in the middle: resumed behind the last event', async (t) => {
    const { nodes } = await cluster(t, ['LEADER', 'LEADER']);
    const tail = startTail(t, nodes[0], FROM_START, to(nodes[0].url));
    await tail.until(({ stderr }) => stderr.includes('live'));
    nodes[1].append('orders', numbered(1));
    nodes[0].drop({ kind: 'not-leader', host: '127.0.0.1', port: nodes[1].port });
    await tail.until(({ stdout }) => stdout.includes('5\n'));
    assert.deepEqual(numbersOf(await tail.stop()), upTo(6));
    assert.equal(subscriptions(nodes[1])[0].from, 4n);
  });

  test('a leader that is not there: the first node is asked again', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(5));
    store.fail({ kind: 'not-leader', host: '127.0.0.1', port: await closedPort(), on: 'subscribe' });
    const tail = startTail(t, store, FROM_START);
    await tail.until(({ stdout }) => stdout.includes('4\n'));
    assert.deepEqual(numbersOf(await tail.stop()), upTo(5));
  });

  test('two nodes that name each other: an end with 75', async (t) => {
    const { nodes } = await cluster(t, ['FOLLOWER', 'FOLLOWER']);
    nodes[0].redirect({ host: '127.0.0.1', port: nodes[1].port });
    nodes[1].redirect({ host: '127.0.0.1', port: nodes[0].port });
    const result = await esTail(nodes[0], ['orders'], to(nodes[0].url));
    assert.equal(result.code, 75, result.stderr);
    assert.match(lastLine(result), /leader/i);
  });
});

// --- Gone, and there again ---

describe('a server that goes away', AT_ONCE, () => {
  test('a restart on the same port: goes on, told once that it is lost and once that it is back', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(3));
    const tail = startTail(t, store, FROM_START);
    await tail.until(({ stderr }) => stderr.includes('live'));
    await store.stop();
    store.append('orders', numbered(2));
    await delay(1500);
    await store.start();
    await tail.until(({ stdout }) => stdout.includes('4\n'));
    const result = await tail.stop();
    assert.deepEqual(numbersOf(result), upTo(5));
    assert.equal(result.stderr.match(/connected again/g).length, 1, result.stderr);
  });

  test('nobody listens at first: 69 in about a second, with the address and what to look at', async () => {
    const port = await closedPort();
    const result = await esTail({}, ['orders'], to(`esdb://127.0.0.1:${port}?tls=false`));
    assert.equal(result.code, 69, result.stderr);
    assert.match(lastLine(result), new RegExp(`can't connect to 127.0.0.1:${port}: Connection refused; does the server run`));
    assert.ok(lines(result).length <= 2, result.stderr);
  });

  test('nobody listens at first, but within --max-downtime', async (t) => {
    const store = await eventStoreFor(t);
    await store.stop();
    const tail = startTail(t, store, [...FROM_START, '--max-downtime', '1m']);
    await delay(2500);
    await store.start();
    store.append('orders', numbered(1));
    await tail.until(({ stdout }) => stdout === '0\n');
    assert.equal((await tail.stop()).code, 0);
  });

  for (const [name, args] of [['while it is followed', FROM_START], ['before it was there', FROM_START, true]]) {
    test(`--max-downtime ${name}: given up, 69 with the time`, async (t) => {
      const store = await eventStoreFor(t);
      store.append('orders', numbered(1));
      const isAbsent = name.startsWith('before');
      if (isAbsent) await store.stop();
      const tail = startTail(t, store, [...args, '--max-downtime', '700ms']);
      if (!isAbsent) {
        await tail.until(({ stderr }) => stderr.includes('live'));
        await store.stop();
      }
      const result = await tail.end;
      assert.equal(result.code, 69, result.stderr);
      assert.match(lastLine(result), /Connection refused.*\(given up after .*s\)/);
    });
  }

  test('an unknown host: 69', async () => {
    const result = await esTail({}, ['orders'], to('esdb://nowhere.invalid?tls=false&maxDiscoverAttempts=1'));
    assert.equal(result.code, 69, result.stderr);
    assert.match(lastLine(result), /nowhere\.invalid/);
  });
});

// --- Silence ---

describe('a peer that is silent is noticed by keepalive', AT_ONCE, () => {
  const KEYS = '&keepAliveInterval=150&keepAliveTimeout=150';
  for (const [name, hush, wake] of [
    ['half-open TCP', (store, proxy) => proxy.freeze(), (store, proxy) => { proxy.cut(); proxy.thaw(); }],
    ['a server that reads and writes nothing', (store) => store.drop({ kind: 'silence' }), () => {}],
  ]) {
    test(`${name}: connected anew, every event once`, async (t) => {
      const store = await eventStoreFor(t);
      const proxy = await proxyBefore(t, store);
      store.append('orders', numbered(3));
      const tail = startTail(t, store, FROM_START, to(proxy.url + KEYS));
      await tail.until(({ stderr }) => stderr.includes('live'));
      hush(store, proxy);
      store.append('orders', numbered(2));
      await tail.until(({ stderr }) => /has not answered for 300 ms; trying again/.test(stderr));
      wake(store, proxy);
      await tail.until(({ stdout }) => stdout.includes('4\n'));
      assert.deepEqual(numbersOf(await tail.stop()), upTo(5));
    });
  }

  test('a live server is not left, however quiet the stream', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(1));
    const tail = startTail(t, store, FROM_START, to(store.url + KEYS));
    await delay(2000);
    await tail.stop();
    assert.equal(store.connections.length, 1);
    assert.ok(store.connections[0].clientPings >= 4);
  });

  test('keepAliveInterval=-1: no PING is sent', async (t) => {
    const store = await eventStoreFor(t);
    const tail = startTail(t, store, FROM_START, to(`${store.url}&keepAliveInterval=-1&keepAliveTimeout=100`));
    await store.until(() => subscriptions(store).length === 1);
    await delay(500);
    assert.equal((await tail.stop()).code, 0);
    assert.equal(store.connections[0].clientPings, 0);
  });

  test('a call that is never answered, on a connection that lives, is waited for', async (t) => {
    const store = await eventStoreFor(t);
    store.fail({ kind: 'hang', on: 'subscribe' });
    const tail = startTail(t, store, FROM_START, to(store.url + KEYS));
    await store.until(() => store.unusedFaults.length === 0);
    await delay(1000);
    assert.equal(tail.child.exitCode, null);
    assert.equal((await tail.stop()).code, 0);
  });
});
