// A stand-in EventStoreDB / KurrentDB: gRPC on one port of the loopback, in h2c or TLS, its streams in memory.
//
//   const store = await startEventStore({ tls, version, users, leader, keepAliveMs, keepAliveTimeoutMs, padding, port });
//   store.url, .host, .port         where it is: url is a connection string of one host
//   store.append(stream, events, { expected, at })   events: { type, data, metadata, id, contentType, created, prepare },
//                       all optional; data: bytes, text, or anything for JSON; at: the revision of the first one, as if
//                       those before it were scavenged. A stream's name is a text or bytes -> the records
//   store.link(stream, { stream, revision })   store.truncate(stream, before)   store.delete(stream)   softly
//   store.tombstone(stream)         for good; subscriptions to it end with stream-deleted
//   store.createGroup(stream, name, settings)  a persistent subscription; stream undefined: $all. Settings: resolveLinks,
//                       maxRetryCount 10, messageTimeoutMs 30000, maxSubscriberCount, from, filter
//   store.group(stream, name)       { parked, consumers, retries… }; store.replayParked(stream, name)
//   store.gossip(members)           what Gossip says from here on: { host, port, state, alive }; at first this node alone
//   store.redirect({ host, port })  this node is no leader from here on: what requires one is sent there
//   store.requests      every call in order: { kind, path, headers, connection (its index), at_ms, sent, status, closed },
//                       reads with what they ask for (eventstore_read.mjs: describeRead). kind is 'subscribe', 'read',
//                       'append', 'delete', 'group', 'group-admin', 'gossip' or 'features'; sent: events; status: with
//                       which gRPC status the stand-in ended it; closed: when it was over, in ms
//   store.connections   every connection: { at_ms, closed_ms, pings (the stand-in's), pongs (answers to them),
//                       clientPings, isKilled (a PING was not answered), certificate (the client's CN) }
//   store.acks          every ack and nack: { kind, stream, group, ids, action, reason, connection }
//   store.fail(fault)   the next call that it can meet meets this one; store.unusedFaults: those still to come
//   store.drop(fault)   all reads and subscriptions that are open now meet this one; how many
//   store.say(what, value)          to all open subscriptions: 'caught-up', 'fell-behind', 'checkpoint' ({ commit,
//                       prepare }), 'bytes' (as they are: frames of one's own making)
//   await store.stop()  nobody listens any more, all connections are reset; await store.start(): again, on the same port
//   await store.until(condition, what)         waits for condition(store), 10 s at most
//   await store.close()
//
// Options, all optional (an unknown one throws): tls { key, cert, ca, requestCert }; version '25.1' ('20.10', '22.10',
// '23.10', '24.2'); users { name: password }: who may do anything, all others nothing; leader { host, port }: as
// redirect(); keepAliveMs 10000, keepAliveTimeoutMs 10000: how often it sends a PING and how long it waits for the
// answer; padding: every DATA frame is padded; keepRequests false: none is noted down.
//
// Faults. With after: K one comes behind the confirmation and K events, else in place of any reply. on: a kind of call,
// else the next read or subscription (to a group, too).
//   { kind: 'status', status, message, trailers }         any gRPC status
//   'not-leader' { host, port }  'access-denied'  'unauthenticated'  'stream-deleted'  'not-ready'  'too-busy'
//   'too-slow'  'group-dropped'  'group-failed'  'group-full'         in the server's words
//   { kind: 'rst', code }  { kind: 'goaway', code, lastStreamId }     HTTP/2's; goaway leaves the call open
//   { kind: 'reset' }  { kind: 'close' }    TCP's RST and FIN
//   { kind: 'hang' }       no more of this call              { kind: 'silence' }   nothing is read or written any more
//   { kind: 'compressed' } what follows is flagged so        { kind: 'pieces', bytes: 1 }   in DATA frames of so many
//   { kind: 'raw', bytes, end: true }       these bytes, then a good end  { kind: 'http', status, body, contentType }
// On the next connection: { kind: 'refuse', on: 'connection' } is reset at once, { kind: 'mute', on: 'connection' } is
// accepted, and that is all.
//
// As the server does: subscriptions begin behind the position asked for, reads at it. Asserts nothing.

import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { append, link, newLog, softDelete, tombstone, truncate } from './eventstore_log.mjs';
import { checkFault, finish, isTailing, meet, messages, newCall, takeFault } from './eventstore_call.mjs';
import { admit, keepAlive, newConnection } from './eventstore_connection.mjs';
import { answerGroupAdmin, answerGroupRead, createGroup, findGroup, pumpAll, replayParked } from './eventstore_groups.mjs';
import { VERSIONS, abilities, answerFeatures, answerGossip } from './eventstore_node.mjs';
import { answerRead, describeRead, sendCaughtUp, sendCheckpoint } from './eventstore_read.mjs';
import { answerAppend, answerBatchAppend, answerDelete, answerTombstone } from './eventstore_write.mjs';
import { Refusal, STATUS } from './eventstore_wire.mjs';

const OPTIONS = ['tls', 'version', 'users', 'leader', 'keepAliveMs', 'keepAliveTimeoutMs', 'padding', 'port', 'keepRequests'];

export async function startEventStore(options = {}) {
  const odd = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (odd) throw new Error(`no such option: ${odd}`);
  const version = options.version ?? VERSIONS.at(-1);
  const store = {
    log: newLog(), groups: new Map(), version, can: abilities(version), users: options.users, leader: options.leader,
    keepAliveMs: options.keepAliveMs ?? 10_000, keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? 10_000,
    keepRequests: options.keepRequests ?? true, requests: [], connections: [], acks: [], faults: [], calls: new Set(),
    raws: new Map(), started_ms: performance.now(), members: () => [{ port: store.port }], options, port: options.port ?? 0,
  };
  await start(store);
  return handle(store);
}

function handle(store) {
  const { log, requests, connections, acks, port } = store;
  const change = (action) => (...args) => {
    const result = action(log, ...args);
    pumpAll(store);
    return result;
  };
  return {
    host: '127.0.0.1', port, url: `esdb://127.0.0.1:${port}${store.options.tls ? '' : '?tls=false'}`,
    requests, connections, acks,
    append: change(append), link: change(link), truncate: change(truncate), delete: change(softDelete),
    tombstone: change(tombstone),
    createGroup: (stream, name, settings) => createGroup(store, stream, name, settings),
    group: (stream, name) => findGroup(store, stream, name),
    replayParked: (stream, name) => replayParked(store, findGroup(store, stream, name)),
    gossip: (members) => { store.members = () => members; },
    redirect: (leader) => { store.leader = leader; },
    get unusedFaults() { return [...store.faults]; },
    fail(fault) {
      if (fault.on !== 'connection') checkFault(fault);
      else if (!['refuse', 'mute'].includes(fault.kind)) throw new Error(`no such fault of a connection: ${fault.kind}`);
      store.faults.push(fault);
    },
    drop(fault) {
      checkFault(fault);
      const open = [...store.calls].filter(isTailing);
      for (const call of open) meet(call, fault);
      return open.length;
    },
    say: (what, value) => say(store, what, value),
    stop: () => stop(store),
    start: () => start(store),
    async until(condition, what = String(condition), wait_ms = 10_000) {
      for (const end = performance.now() + wait_ms; !condition(this);) {
        if (performance.now() > end) throw new Error(`did not happen within ${wait_ms} ms: ${what}`);
        await delay(5);
      }
    },
    close: () => stop(store, (raw) => raw.destroy()),
  };
}

function say(store, what, value) {
  for (const call of [...store.calls].filter(({ kind }) => kind === 'subscribe')) {
    if (what === 'caught-up') sendCaughtUp(store, call, call.request);
    else if (what === 'fell-behind') sendCaughtUp(store, call, call.request, undefined, 'FellBehind');
    else if (what === 'checkpoint') sendCheckpoint(store, call, value);
    else if (what === 'bytes') meet(call, { kind: 'raw', bytes: value, end: false });
    else throw new Error(`can't say ${what}`);
  }
}

// --- The server ---

async function start(store) {
  if (store.server?.listening) return;
  const { tls, padding } = store.options;
  const settings = padding ? { paddingStrategy: http2.constants.PADDING_STRATEGY_MAX } : {};
  const web = tls ? http2.createSecureServer({ ...settings, ...tls }) : http2.createServer(settings);
  const server = net.createServer({ noDelay: true }, (raw) => admit(store, raw) && web.emit('connection', raw));
  web.on('session', (session) => {
    session.on('error', () => {}); // of a client that went away
    const connection = newConnection(store, session);
    keepAlive(store, session, connection);
    session.on('stream', (stream, headers) => serve(store, connection, stream, headers));
  });
  for (const event of ['sessionError', 'tlsClientError']) web.on(event, () => {}); // of a client that is of no use
  server.listen(store.port, '127.0.0.1');
  await once(server, 'listening');
  store.server = server;
  store.port = server.address().port;
}

// A reset behind an end fails, and Node would never come to its own end.
const reset = (raw) => (raw.writableEnded ? raw.destroy() : raw.resetAndDestroy());

async function stop(store, end = reset) {
  if (!store.server?.listening) return;
  const closed = once(store.server, 'close');
  store.server.close();
  for (const raw of store.raws.values()) end(raw);
  await closed;
  for (const { consumers } of store.groups.values()) for (const { held } of consumers) for (const { timer } of held.values()) clearTimeout(timer);
}

// --- One call, start to end ---

const KINDS = {
  '/event_store.client.streams.Streams/Read': ['read', serveRead],
  '/event_store.client.streams.Streams/Append': ['append', answerAppend],
  '/event_store.client.streams.Streams/BatchAppend': ['append', (store, call) => {
    if (!store.can.batchAppend) throw new Refusal(STATUS.unimplemented, 'Method is unimplemented.');
    return answerBatchAppend(store, call);
  }],
  '/event_store.client.streams.Streams/Delete': ['delete', answerDelete],
  '/event_store.client.streams.Streams/Tombstone': ['delete', answerTombstone],
  '/event_store.client.gossip.Gossip/Read': ['gossip', answerGossip],
  '/event_store.client.server_features.ServerFeatures/GetSupportedMethods': ['features', answerFeatures],
  '/event_store.client.persistent_subscriptions.PersistentSubscriptions/Read': ['group', answerGroupRead],
  ...Object.fromEntries(['Create', 'Delete', 'GetInfo', 'ReplayParked'].map((method) => [
    `/event_store.client.persistent_subscriptions.PersistentSubscriptions/${method}`,
    ['group-admin', (store, call) => answerGroupAdmin(store, call, method.toLowerCase())],
  ])),
};

async function serve(store, connection, stream, headers) {
  const path = headers[':path'];
  const [kind, answer] = KINDS[path] ?? ['other', () => { throw new Refusal(STATUS.unimplemented, 'Service is unimplemented.'); }];
  const request = { kind, path, headers: { ...headers }, connection: connection.index, at_ms: since(store), sent: 0, status: undefined, closed: undefined };
  if (store.keepRequests) store.requests.push(request);
  const call = newCall({ kind, path, headers, stream, connection, request });
  store.calls.add(call);
  call.signal.addEventListener('abort', () => store.calls.delete(call));
  stream.on('close', () => { request.closed = since(store); });
  try {
    if (kind !== 'read') takeOne(store, call);
    check(store, call);
    if (call.fault && call.fault.after === undefined) await meet(call, call.fault);
    if (!call.signal.aborted) await answer(store, call);
    pumpAll(store);
  } catch (error) {
    if (error instanceof Refusal) return finish(call, error);
    if (!stream.destroyed && !stream.aborted) console.error('stand-in EventStoreDB:', error);
    if (!stream.destroyed) stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  }
  return undefined;
}

// A read's kind is known when its request is here.
async function serveRead(store, call) {
  for await (const bytes of messages(call)) {
    const read = describeRead(bytes);
    Object.assign(call.request, read);
    call.kind = read.subscription ? 'subscribe' : 'read';
    call.request.kind = call.kind;
    takeOne(store, call);
    if (call.fault && call.fault.after === undefined) await meet(call, call.fault);
    if (!call.signal.aborted) await answerRead(store, call, read);
  }
}

function takeOne(store, call) {
  call.fault = takeFault(store.faults, call.kind);
}

// Who asks, and whether this node is the one to ask.
function check(store, { kind, headers }) {
  if (['gossip', 'features'].includes(kind)) return;
  if (store.users) {
    const [, encoded] = /^Basic (.+)$/.exec(headers.authorization ?? '') ?? [];
    if (!encoded) throw Refusal.accessDenied();
    const [name, ...password] = Buffer.from(encoded, 'base64').toString().split(':');
    if (store.users[name] !== password.join(':')) throw new Refusal(STATUS.unauthenticated, 'Unauthenticated');
  }
  if (store.leader && headers['requires-leader'] === 'true') throw Refusal.notLeader(store.leader);
}

const since = (store) => performance.now() - store.started_ms;
