// Shows the stand-in EventStoreDB right by the official client, @eventstore/db-client: what it writes and reads, its
// errors as the client's own classes, the cluster. The faults below gRPC are met as faults. standin-kurrentdb.test.mjs
// does the same with the newer client. (The client comes first: the stand-in then uses its definitions.)

import {
  AccessDeniedError, DeadlineExceededError, EventStoreDBClient, NotLeaderError, PersistentSubscriptionDoesNotExistError,
  PersistentSubscriptionDroppedError, PersistentSubscriptionMaximumSubscribersReachedError, StreamDeletedError,
  StreamNotFoundError, UnavailableError, UnsupportedError, WrongExpectedVersionError, binaryEvent, eventTypeFilter,
  jsonEvent, persistentSubscriptionToStreamSettingsFromDefaults as settingsWith, streamNameFilter,
} from '@eventstore/db-client';
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startEventStore } from '../standin/eventstore.mjs';
import { startProxy } from '../standin/tcp_proxy.mjs';
import { selfSigned } from './support.mjs';

const LIMIT = { timeout: 30_000 };
const json = (n, type = 'order') => jsonEvent({ type, data: { n } });
const events = (count, type = 'order') => Array.from({ length: count }, (_, n) => ({ type, data: { n } }));

async function standIn(t, options) {
  const store = await startEventStore(options);
  t.after(() => store.close());
  return store;
}

function clientOn(t, url) {
  const client = EventStoreDBClient.connectionString(url);
  t.after(() => client.dispose());
  return client;
}

// What a subscription gives, kept as it comes.
function watch(t, subscription) {
  const seen = { events: [], caughtUp: 0, error: undefined, isEnded: false };
  subscription.on('data', (event) => seen.events.push(event));
  subscription.on('caughtUp', () => { seen.caughtUp += 1; });
  subscription.on('error', (error) => { seen.error = error; });
  subscription.on('end', () => { seen.isEnded = true; });
  t.after(() => subscription.unsubscribe());
  return Object.assign(seen, { subscription, numbers: () => seen.events.map(({ link, event }) => Number((link ?? event).revision)) });
}

async function all(stream) {
  const list = [];
  for await (const event of stream) list.push(event);
  return list;
}

const numbers = async (stream) => (await all(stream)).map(({ event }) => Number(event.revision));

test('events are written and read, in both directions, at the place asked for', LIMIT, async (t) => {
  const store = await standIn(t);
  const client = clientOn(t, store.url);
  const first = await client.appendToStream('orders', [json(0), json(1)]);
  assert.equal(first.nextExpectedRevision, 1n);
  const credentials = { username: 'admin', password: 'changeit' }; // with them it appends one by one
  await client.appendToStream('orders', binaryEvent({ type: 'raw', data: Buffer.from([255, 0]) }), { credentials });
  store.append('orders', [{ type: 'late', data: { n: 3 }, metadata: { by: 'js' }, created: new Date(1_700_000_000_000) }]);
  const list = await all(client.readStream('orders'));
  assert.deepEqual(list.map(({ event }) => event.type), ['order', 'order', 'raw', 'late']);
  assert.deepEqual([...list[2].event.data], [255, 0]);
  assert.deepEqual(list[3].event.metadata, { by: 'js' });
  assert.equal(list[3].event.created.getTime(), 1_700_000_000_000);
  assert.deepEqual(list[1].event.position, first.position);
  assert.deepEqual(await numbers(client.readStream('orders', { direction: 'backwards', fromRevision: 'end', maxCount: 2 })), [3, 2]);
  assert.deepEqual(await numbers(client.readStream('orders', { fromRevision: 1n, maxCount: 2 })), [1, 2]);
  assert.deepEqual(await numbers(client.readStream('orders', { direction: 'backwards', fromRevision: 1n })), [1, 0]);
  assert.deepEqual(await numbers(client.readStream('orders', { fromRevision: 'end' })), []);
  assert.deepEqual(await numbers(client.readAll({ fromPosition: first.position })), [1, 2, 3]);
  assert.deepEqual(await numbers(client.readAll({ direction: 'backwards', fromPosition: 'end', maxCount: 1 })), [3]);
});

test('a wrong expected version is the client\'s own error, by both ways to append', LIMIT, async (t) => {
  for (const version of ['20.10', '24.2']) {
    const store = await standIn(t, { version });
    const client = clientOn(t, store.url);
    store.append('orders', events(2));
    for (const [expectedRevision, isGood] of [['no_stream', false], [0n, false], [1n, true], ['stream_exists', true], ['any', true]]) {
      const appended = client.appendToStream('orders', json(0), { expectedRevision });
      if (isGood) await appended;
      else await assert.rejects(appended, (error) => error instanceof WrongExpectedVersionError && error.actualVersion === 1n);
    }
  }
});

test('a subscription begins behind the place asked for, and goes on live', LIMIT, async (t) => {
  const store = await standIn(t);
  const client = clientOn(t, store.url);
  store.append('orders', events(3));
  const start = watch(t, client.subscribeToStream('orders', { fromRevision: 'start' }));
  const behind = watch(t, client.subscribeToStream('orders', { fromRevision: 0n }));
  const end = watch(t, client.subscribeToStream('orders', { fromRevision: 'end' }));
  await store.until(() => start.caughtUp + behind.caughtUp + end.caughtUp === 3);
  store.append('orders', events(1));
  await store.until(() => end.events.length === 1 && behind.events.length === 3 && start.events.length === 4);
  assert.deepEqual([start.numbers(), behind.numbers(), end.numbers()], [[0, 1, 2, 3], [1, 2, 3], [3]]);
  const { position } = start.events[1].event;
  const everything = watch(t, client.subscribeToAll({ fromPosition: position }));
  await store.until(() => everything.events.length === 2);
  assert.deepEqual(everything.numbers(), [2, 3]);
});

test('caught_up and positions are as the version has them', LIMIT, async (t) => {
  const caughtUp = { '20.10': [0, 0], '22.10': [0, 0], '23.10': [1, 0], '24.2': [1, 1], '25.1': [1, 1] };
  for (const [version, expected] of Object.entries(caughtUp)) {
    const store = await standIn(t, { version });
    const client = clientOn(t, store.url);
    store.append('orders', events(1));
    const there = watch(t, client.subscribeToStream('orders'));
    const absent = watch(t, client.subscribeToStream('absent'));
    await store.until(() => there.events.length === 1 && there.caughtUp === expected[0] && absent.caughtUp === expected[1]);
    await delay(20);
    assert.deepEqual([there.caughtUp, absent.caughtUp], expected, version);
    assert.equal(there.events[0].event.position.commit === 2n ** 64n - 1n, version === '20.10');
    store.append('absent', events(1));
    await store.until(() => absent.events.length === 1, `${version}: the stream appears`);
    store.say('caught-up');
    await store.until(() => there.caughtUp === expected[0] + 1);
  }
});

test('filters on $all, and the checkpoints between', LIMIT, async (t) => {
  const store = await standIn(t);
  const client = clientOn(t, store.url);
  for (let i = 0; i < 10; i += 1) {
    store.append(`order-${i}`, events(1, 'placed'));
    store.append(`user-${i}`, events(1, 'seen'));
  }
  const filters = {
    placed: [eventTypeFilter({ prefixes: ['pla', 'x'] }), 10], regex: [eventTypeFilter({ regex: '^see' }), 10],
    stream: [streamNameFilter({ prefixes: ['order-3', 'user-4'] }), 2], name: [streamNameFilter({ regex: '-[12]$' }), 4],
  };
  for (const [name, [filter, count]] of Object.entries(filters)) {
    const seen = watch(t, client.subscribeToAll({ filter }));
    await store.until(() => seen.caughtUp === 1);
    assert.equal(seen.events.length, count, name);
  }
  const checkpoints = [];
  const filter = eventTypeFilter({
    prefixes: ['none'], maxSearchWindow: 2, checkpointInterval: 3, checkpointReached: (_, at) => checkpoints.push(at.commit),
  });
  const sparse = watch(t, client.subscribeToAll({ filter }));
  await store.until(() => checkpoints.length === 3 && sparse.caughtUp === 1);
  const { position } = (await all(client.readAll()))[5].event;
  assert.equal(checkpoints[0], position.commit, 'behind six events');
  store.say('checkpoint', { commit: 2n ** 64n - 1n, prepare: 2n ** 64n - 1n });
  await store.until(() => checkpoints.at(-1) === 2n ** 64n - 1n);
  const { filter: noted } = store.requests.findLast(({ kind }) => kind === 'subscribe');
  assert.deepEqual(noted, { on: 'type', regex: '', prefixes: ['none'], max: 2, multiplier: 3 });
});

test('links are resolved on request, and miss what was deleted', LIMIT, async (t) => {
  const store = await standIn(t);
  const client = clientOn(t, store.url);
  store.append('a', events(2));
  store.append('b', events(1));
  for (const [stream, revision] of [['a', 1], ['b', 0], ['a', 0]]) store.link('$ce-x', { stream, revision });
  await client.deleteStream('b');
  const plain = await all(client.readStream('$ce-x'));
  assert.deepEqual(plain.map(({ event, link }) => [event.type, link]), [['$>', undefined], ['$>', undefined], ['$>', undefined]]);
  const seen = watch(t, client.subscribeToStream('$ce-x', { resolveLinkTos: true }));
  await store.until(() => seen.events.length === 3);
  assert.deepEqual(seen.numbers(), [0, 1, 2]);
  assert.deepEqual(seen.events.map(({ event }) => event && [event.streamId, event.revision]), [['a', 1n], undefined, ['a', 0n]]);
});

test('streams are absent, deleted, truncated, gone for good', LIMIT, async (t) => {
  const store = await standIn(t);
  const client = clientOn(t, store.url);
  await assert.rejects(all(client.readStream('absent')), StreamNotFoundError);
  store.append('soft', events(3));
  await client.deleteStream('soft');
  await assert.rejects(all(client.readStream('soft')), StreamNotFoundError);
  store.append('soft', events(1));
  assert.deepEqual(await numbers(client.readStream('soft')), [3]);
  store.append('cut', events(4));
  store.truncate('cut', 2);
  assert.deepEqual(await numbers(client.readStream('cut')), [2, 3]);
  store.append('far', events(2), { at: 5_000_000_000n });
  assert.deepEqual(await numbers(client.readStream('far', { fromRevision: 5_000_000_001n })), [5_000_000_001]);
  store.append('gone', events(1));
  const live = watch(t, client.subscribeToStream('gone'));
  await store.until(() => live.caughtUp === 1);
  await client.tombstoneStream('gone');
  await store.until(() => live.error);
  assert.ok(live.error instanceof StreamDeletedError && live.error.streamName === 'gone', live.error.message);
  await assert.rejects(all(client.readStream('gone')), StreamDeletedError);
  await assert.rejects(client.appendToStream('gone', json(1)), StreamDeletedError);
});

test('bytes that are no text, and large events, pass as they are', LIMIT, async (t) => {
  const store = await standIn(t);
  const client = clientOn(t, store.url);
  const name = Buffer.from([0x73, 0xff, 0xfe]);
  const data = Buffer.alloc(16 * 1024 * 1024, 0xc3);
  store.append(name, [{ type: 'big', data }]);
  const [{ event }] = await all(client.readAll());
  assert.equal(event.streamId, name.toString());
  assert.ok(data.equals(event.data));
});

// --- Who may ask, and whom ---

test('TLS, a client certificate, names and passwords', LIMIT, async (t) => {
  const certificate = selfSigned(t);
  const mine = selfSigned(t);
  const store = await standIn(t, { tls: { ...certificate, ca: mine.cert, requestCert: true, rejectUnauthorized: true }, users: { ops: 'p:w ä' } });
  store.append('orders', events(1));
  const ask = (user) => clientOn(t, `esdb://${user}127.0.0.1:${store.port}?tlsCAFile=${certificate.certFile}&connectionName=me`
    + `&userCertFile=${mine.certFile}&userKeyFile=${mine.keyFile}`);
  const credentials = { username: 'ops', password: 'p:w ä' };
  assert.equal((await all(ask('').readStream('orders', { credentials }))).length, 1);
  const { headers, connection } = store.requests.at(-1);
  assert.equal(headers.authorization, `Basic ${Buffer.from('ops:p:w ä').toString('base64')}`);
  assert.deepEqual([headers['connection-name'], store.connections[connection].certificate], ['me', '127.0.0.1']);
  await assert.rejects(all(ask('').readStream('orders')), AccessDeniedError);
  await assert.rejects(all(ask('ops:wrong@').readStream('orders')), AccessDeniedError);
  const without = clientOn(t, `esdb://127.0.0.1:${store.port}?tlsCAFile=${certificate.certFile}&defaultDeadline=500`);
  await assert.rejects(all(without.readStream('orders', { credentials })));
});

test('what requires the leader is sent there', LIMIT, async (t) => {
  const [store, leader] = [await standIn(t), await standIn(t)];
  for (const one of [store, leader]) one.append('orders', events(1));
  store.redirect({ host: leader.host, port: leader.port });
  const client = clientOn(t, store.url);
  assert.equal((await all(client.readStream('orders'))).length, 1, 'any node will do');
  await assert.rejects(all(client.readStream('orders', { requiresLeader: true })),
    (error) => error instanceof NotLeaderError && error.leader.port === leader.port);
  assert.equal((await all(client.readStream('orders', { requiresLeader: true }))).length, 1);
  assert.equal(leader.requests.at(-1).headers['requires-leader'], 'true');
});

test('a cluster is found by gossip, with the node that is preferred', LIMIT, async (t) => {
  const nodes = [await standIn(t), await standIn(t), await standIn(t), await standIn(t)];
  const states = ['FOLLOWER', 'LEADER', 'READONLYREPLICA', 'LEADER'];
  const members = nodes.map(({ host, port }, i) => ({ host, port, state: states[i], alive: i < 3 }));
  for (const node of nodes) {
    node.gossip(members);
    node.append('orders', events(1));
  }
  const hosts = nodes.slice(0, 3).map(({ host, port }) => `${host}:${port}`).join(',');
  for (const [preference, i] of [['follower', 0], ['leader', 1], ['read_only_replica', 2]]) {
    const client = clientOn(t, `esdb://${hosts}?tls=false&nodePreference=${preference}`);
    await all(client.readStream('orders'));
    const asked = nodes.map(({ requests }) => requests.filter(({ kind }) => kind === 'read').length);
    assert.equal(asked.findLastIndex((count) => count > 0), i, preference);
  }
  await nodes[0].stop();
  nodes[1].fail({ kind: 'not-ready', on: 'gossip' });
  const client = clientOn(t, `esdb://${hosts}?tls=false&discoveryInterval=10`);
  assert.equal((await all(client.readStream('orders'))).length, 1, 'one seed of three is enough');
  await nodes[0].start();
  assert.equal((await all(clientOn(t, nodes[0].url).readStream('orders'))).length, 1, 'and back on its port');
});

test('an old server has neither features nor batches', LIMIT, async (t) => {
  const store = await standIn(t, { version: '20.10' });
  const client = clientOn(t, store.url);
  await client.appendToStream('orders', json(0));
  assert.deepEqual(store.requests.map(({ path, status }) => [path.split('/')[2], status]), [['GetSupportedMethods', 12], ['Append', 0]]);
  await assert.rejects(client.createPersistentSubscriptionToAll('g', settingsWith()), UnsupportedError);
});

// --- Persistent subscriptions ---

async function groupOn(t, settings = {}, options) {
  const store = await standIn(t, options);
  const client = clientOn(t, store.url);
  await client.createPersistentSubscriptionToStream('jobs', 'workers', settingsWith({ startFrom: 'start', ...settings }));
  const join = (bufferSize = 10) => watch(t, client.subscribeToPersistentSubscriptionToStream('jobs', 'workers', { bufferSize }));
  return { store, client, join };
}

test('a group gives what is not acknowledged again, and parks what it is told to', LIMIT, async (t) => {
  const { store, client, join } = await groupOn(t, { maxRetryCount: 1 });
  store.append('jobs', events(4));
  const worker = join();
  await store.until(() => worker.events.length === 4);
  const [done, parked, skipped, tried] = worker.events;
  await worker.subscription.ack(done);
  await worker.subscription.nack('park', 'bad', parked);
  await worker.subscription.nack('skip', 'old', skipped);
  await worker.subscription.nack('retry', 'later', tried);
  await store.until(() => worker.events.length === 5);
  assert.deepEqual(worker.events.map(({ retryCount }) => retryCount), [0, 0, 0, 0, 1]);
  await worker.subscription.nack('retry', 'later', worker.events[4]);
  await store.until(() => store.acks.length === 5);
  assert.deepEqual(store.group('jobs', 'workers').parked.map(({ revision }) => revision), [1n, 3n], 'a retry too many is parked');
  assert.deepEqual(store.acks.map(({ kind, action, reason }) => [kind, action, reason]), [['ack', undefined, undefined],
    ['nack', 'park', 'bad'], ['nack', 'skip', 'old'], ['nack', 'retry', 'later'], ['nack', 'retry', 'later']]);
  assert.deepEqual(store.acks[0].ids, [done.event.id]);
  await client.replayParkedMessagesToStream('jobs', 'workers');
  await store.until(() => worker.events.length === 7);
});

test('consumers take turns, hold what their buffers take, and leave it to others', LIMIT, async (t) => {
  const { store, join } = await groupOn(t);
  const [a, b] = [join(2), join(2)];
  await store.until(() => store.group('jobs', 'workers').consumers.length === 2);
  store.append('jobs', events(6));
  await store.until(() => a.events.length === 2 && b.events.length === 2);
  await delay(20);
  assert.deepEqual([...a.numbers(), ...b.numbers()].sort(), [0, 1, 2, 3], 'the buffers are full');
  await a.subscription.ack(...a.events);
  await store.until(() => a.events.length === 4);
  await a.subscription.unsubscribe();
  await b.subscription.ack(...b.events);
  await store.until(() => b.events.length === 4);
  assert.deepEqual(b.events.slice(2).map(({ event, retryCount }) => [event.revision, retryCount]), [[4n, 1], [5n, 1]]);
});

test('a group\'s time-out, links, and errors', LIMIT, async (t) => {
  const { store, client, join } = await groupOn(t, { messageTimeout: 50, resolveLinkTos: true, maxSubscriberCount: 1 });
  store.append('a', events(1));
  const link = store.link('jobs', { stream: 'a', revision: 0 });
  const worker = join();
  await store.until(() => worker.events.length === 2, 'the time is over');
  assert.deepEqual([worker.events[1].event.streamId, worker.events[1].retryCount], ['a', 1]);
  await worker.subscription.ack(worker.events[1]);
  await store.until(() => store.acks.length === 1);
  assert.deepEqual(store.acks[0].ids, [link.id], 'the link is acknowledged');
  const second = join();
  await store.until(() => second.error);
  assert.ok(second.error instanceof PersistentSubscriptionMaximumSubscribersReachedError);
  const other = watch(t, client.subscribeToPersistentSubscriptionToStream('jobs', 'others'));
  await store.until(() => other.error);
  assert.ok(other.error instanceof PersistentSubscriptionDoesNotExistError && other.error.groupName === 'others');
  await client.deletePersistentSubscriptionToStream('jobs', 'workers');
  await store.until(() => worker.error);
  assert.ok(worker.error instanceof PersistentSubscriptionDroppedError);
});

// --- Faults ---

async function faulty(t, fault, count = 3) {
  const store = await standIn(t);
  store.append('orders', events(count));
  store.fail(fault);
  const client = clientOn(t, store.url);
  const seen = watch(t, client.subscribeToStream('orders'));
  return { store, client, seen };
}

test('a subscription is dropped behind so many events, with any status', LIMIT, async (t) => {
  const statuses = Array.from({ length: 16 }, (_, i) => ({ kind: 'status', status: i + 1, message: 'grün 100%' }));
  const named = ['access-denied', 'unauthenticated', 'stream-deleted', 'not-ready', 'too-busy', 'too-slow'].map((kind) => ({ kind }));
  const codes = [...statuses.map(({ status }) => status), 7, 16, 9, 14, 14, 10];
  for (const [i, fault] of [...statuses, ...named].entries()) {
    const { store, seen } = await faulty(t, { ...fault, after: 2 });
    await store.until(() => seen.error);
    assert.deepEqual([seen.numbers(), seen.error._raw.code], [[0, 1], codes[i]], JSON.stringify(fault));
    if (fault.message) assert.equal(seen.error._raw.details, fault.message);
    assert.deepEqual([store.requests.at(-1).status, store.requests.at(-1).sent], [codes[i], 2]);
  }
});

test('a refusal in place of any reply, and one at what is open', LIMIT, async (t) => {
  const { store, client, seen } = await faulty(t, { kind: 'status', status: 8 });
  await store.until(() => seen.error);
  assert.deepEqual([seen.events, seen.error._raw.code], [[], 8]);
  const again = watch(t, client.subscribeToStream('orders'));
  await store.until(() => again.caughtUp === 1);
  assert.equal(store.drop({ kind: 'not-leader', host: '127.0.0.1', port: 1 }), 1);
  await store.until(() => again.error);
  assert.ok(again.error instanceof NotLeaderError);
  assert.deepEqual(store.unusedFaults, []);
  assert.throws(() => store.fail({ kind: 'odd' }), /no such fault/);
  assert.throws(() => store.fail({ kind: 'hang', on: 'odd' }), /no such kind of call/);
});

test('RST_STREAM, TCP\'s RST and FIN, a page in place of gRPC', LIMIT, async (t) => {
  const faults = [
    [{ kind: 'rst', code: 7, after: 1 }, 14], [{ kind: 'rst', code: 2, after: 1 }, 13], [{ kind: 'reset', after: 1 }, 14],
    [{ kind: 'close', after: 1 }, 14], [{ kind: 'http', status: 503, body: '<html>' }, 14], [{ kind: 'raw', bytes: Buffer.from([0, 0, 0, 0, 2, 0xff, 0xff]), after: 1 }, 13],
  ];
  for (const [fault, code] of faults) {
    const { store, seen } = await faulty(t, fault);
    await store.until(() => seen.error, JSON.stringify(fault));
    assert.equal(seen.error._raw.code, code, `${JSON.stringify(fault)}: ${seen.error.message}`);
    assert.deepEqual(seen.numbers(), fault.after ? [0] : []);
  }
});

test('GOAWAY leaves the call open, and the next one comes on a new connection', LIMIT, async (t) => {
  const { store, client, seen } = await faulty(t, { kind: 'goaway', after: 1 });
  await store.until(() => seen.caughtUp === 1);
  assert.deepEqual(seen.numbers(), [0, 1, 2]);
  await all(client.readStream('orders'));
  assert.equal(store.requests.at(-1).connection, 1);
});

// A subscription without any client: the bytes of the reply as they come, until condition(chunks).
async function bareChunks(store, condition) {
  const session = http2.connect(`http://127.0.0.1:${store.port}`);
  const request = session.request({ ':method': 'POST', ':path': '/event_store.client.streams.Streams/Read', 'content-type': 'application/grpc', te: 'trailers' });
  request.end(Buffer.from('00000000180a160a0c0a081a066f72646572731a00320042004a021200', 'hex'));
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  await store.until(() => condition(chunks));
  session.destroy();
  return chunks;
}

test('messages flagged as compressed, and DATA frames of one byte', LIMIT, async (t) => {
  const store = await standIn(t);
  store.append('orders', events(2));
  store.fail({ kind: 'compressed', after: 1 });
  const flags = (await bareChunks(store, (chunks) => chunks.length >= 3)).map((chunk) => chunk[0]);
  assert.deepEqual(flags.slice(0, 3), [0, 0, 1], 'the confirmation and an event are plain');
  store.fail({ kind: 'pieces' });
  const pieces = await bareChunks(store, (chunks) => chunks.length > 100);
  assert.ok(pieces.every(({ length }) => length === 1));
});

test('padded frames, one byte in a packet', LIMIT, async (t) => {
  const store = await standIn(t, { padding: true });
  const proxy = await startProxy(store.port);
  t.after(() => proxy.close());
  store.append('orders', events(3));
  proxy.chop();
  const client = clientOn(t, `esdb://127.0.0.1:${proxy.port}?tls=false`);
  assert.deepEqual(await numbers(client.readStream('orders')), [0, 1, 2]);
});

// The one call of the client that has a deadline.
const QUICKLY = { deadline: 300, credentials: { username: 'a', password: 'b' } };

test('silence, and a call that hangs', LIMIT, async (t) => {
  for (const kind of ['silence', 'hang']) {
    const { store, client, seen } = await faulty(t, { kind, after: 1 });
    await store.until(() => seen.events.length === 1);
    const appended = client.appendToStream('orders', json(1), QUICKLY);
    if (kind === 'silence') await assert.rejects(appended, DeadlineExceededError);
    else await appended;
    assert.equal(store.requests.length, kind === 'silence' ? 1 : 2);
    assert.deepEqual([seen.events.length, seen.error], [1, undefined]);
    assert.equal(store.connections[0].closed_ms, undefined);
  }
});

test('connections are refused, or accepted and left alone', LIMIT, async (t) => {
  for (const [kind, error] of [['refuse', UnavailableError], ['mute', DeadlineExceededError]]) {
    const store = await standIn(t);
    store.fail({ kind, on: 'connection' });
    await assert.rejects(clientOn(t, store.url).appendToStream('orders', json(1), QUICKLY), error);
    assert.deepEqual([store.requests, store.unusedFaults], [[], []]);
  }
});

test('the server goes and comes, with its streams', LIMIT, async (t) => {
  const store = await standIn(t);
  store.append('orders', events(1));
  const live = watch(t, clientOn(t, store.url).subscribeToStream('orders'));
  await store.until(() => live.caughtUp === 1);
  await store.stop();
  await store.until(() => live.error instanceof UnavailableError);
  await store.start();
  assert.equal((await bareChunks(store, (chunks) => chunks.length >= 2)).length, 2, 'the confirmation and the event');
});

test('the stand-in sends PINGs, and ends what does not answer', LIMIT, async (t) => {
  const store = await standIn(t, { keepAliveMs: 20, keepAliveTimeoutMs: 60 });
  const proxy = await startProxy(store.port);
  t.after(() => proxy.close());
  store.append('orders', events(1));
  const live = watch(t, clientOn(t, `esdb://127.0.0.1:${proxy.port}?tls=false`).subscribeToStream('orders'));
  await store.until(({ connections }) => connections[0]?.pongs >= 3);
  proxy.freeze();
  await store.until(({ connections }) => connections[0].isKilled);
  proxy.thaw();
  proxy.cut();
  await store.until(() => live.error instanceof UnavailableError);
});
