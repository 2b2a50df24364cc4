// A stand-in for Slack's Socket Mode: apps.connections.open, and the WebSocket server that its URLs lead to.
//
//   const slack = await startSocketMode({ token, tls, port, pingMs, redeliverMs });
//   slack.url, .apiUrl, .token   where it is, and the app-level token it takes
//   slack.opens         every request for a URL: { at_ms, token, status }
//   slack.connections   every WebSocket in order: { at_ms, closed_ms, code, sent, received, pings, pongs, open }.
//                       sent: the envelopes' ids; received: what the client sent, parsed if it is JSON, else text;
//                       pings and pongs: how many came from the client; code: of its close frame, 1006 without one
//   slack.acknowledged  Map: envelope_id -> { payload, connection (its index), times }
//   slack.waiting       ids that were sent or are to be sent, and are not acknowledged
//   slack.send(envelope)      { type, payload, accepts_response_payload }, all optional -> its envelope_id. Goes to the
//                       newest connection that has said hello, or waits for one. Not acknowledged when that connection
//                       ends, it is sent to the next, retry_attempt one more, the envelope_id the same
//   slack.disconnect(reason, { closeAfterMs })   says disconnect on every open connection: 'warning',
//                       'refresh_requested', 'link_disabled', 'too_many_websockets'…; ends it then (10 s; -1: never)
//   slack.raw(bytes)    bytes to the newest connection, as they are (a frame of one's own making)
//   slack.cut()         ends every connection without a frame
//   slack.fail(fault)   the next open or connection without a fault meets this one; slack.unusedFaults: those to come
//   await slack.until(condition, what)   waits for condition(slack) to be true, 10 s at most
//   await slack.close()
//
// Faults of apps.connections.open, each for one request:
//   { kind: 'status', status, headers, body }   { kind: 'word', word }   (invalid_auth, ratelimited…)
// Faults of a WebSocket, each for one connection:
//   { kind: 'refuse', status }      the upgrade is answered so          { kind: 'hang' }   no answer to it
//   { kind: 'wrong-accept' }        a wrong Sec-WebSocket-Accept
//   { kind: 'no-hello' }            everything but the hello             { kind: 'silence' }   hello, then nothing: no
//                                   pongs either
//   { kind: 'bytewise' }            each byte in a segment of its own, frames' headers too
//   { kind: 'fragments', size }     each message in fragments of so many bytes, with a ping between them
//   { kind: 'coalesced' }           the head of the reply, the hello and what waits in one segment
//   { kind: 'huge', bytes }         after the hello a message of so many bytes
//   { kind: 'not-json', text }      after the hello a message that is none
//   { kind: 'cut', after_ms }       the connection ends without a frame   { kind: 'close', code, after_ms }
//   { kind: 'ping', every_ms }      pings, every so often
//
// As Slack does: a URL is for one connection; more than 10 connections are too_many_websockets. Asserts nothing.
// Unverified, for no live Slack was asked: that an envelope delivered again keeps its envelope_id, and to which
// connection of several Slack sends (here the newest).

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocketServer } from 'ws';

const OPEN_PATH = '/api/apps.connections.open';
const MOST_CONNECTIONS = 10;
const WARNING_MS = 10_000;
const OPEN_FAULTS = ['status', 'word'];
const SOCKET_FAULTS = ['refuse', 'hang', 'wrong-accept', 'no-hello', 'silence', 'bytewise', 'fragments', 'coalesced',
  'huge', 'not-json', 'cut', 'close', 'ping'];

export async function startSocketMode(options = {}) {
  const slack = {
    token: options.token ?? 'xapp-stand-in-not-a-secret',
    opens: [], connections: [], acknowledged: new Map(), faults: [], tickets: new Set(), envelopes: new Map(),
    started_ms: performance.now(), stop: new AbortController(), sockets: new Set(),
  };
  const server = options.tls ? https.createServer(options.tls) : http.createServer();
  const webSockets = new WebSocketServer({ noServer: true, autoPong: false });
  server.on('request', (req, res) => answerOpen(slack, req, res));
  server.on('upgrade', (req, socket, head) => upgrade(slack, webSockets, req, socket, head));
  server.on('connection', (socket) => {
    slack.sockets.add(socket);
    socket.on('close', () => slack.sockets.delete(socket));
    socket.on('error', () => {}); // of a client that went away
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const place = `127.0.0.1:${server.address().port}`;
  slack.webSocketUrl = `${options.tls ? 'wss' : 'ws'}://${place}`;
  const url = `${options.tls ? 'https' : 'http'}://${place}`;
  return {
    url, apiUrl: `${url}/api/`, token: slack.token, opens: slack.opens, connections: slack.connections,
    acknowledged: slack.acknowledged,
    get waiting() { return [...slack.envelopes.keys()]; },
    get unusedFaults() { return [...slack.faults]; },
    send: (envelope) => send(slack, envelope),
    disconnect: (reason, { closeAfterMs = WARNING_MS } = {}) => disconnect(slack, reason, closeAfterMs),
    raw: (bytes) => newest(slack)?.socket.write(bytes),
    cut: () => openOnes(slack).forEach(({ socket }) => socket.destroy()),
    fail(fault) {
      if (![...OPEN_FAULTS, ...SOCKET_FAULTS].includes(fault.kind)) throw new Error(`no such fault: ${fault.kind}`);
      slack.faults.push(fault);
    },
    async until(condition, what = String(condition), wait_ms = 10_000) {
      for (const end = performance.now() + wait_ms; !condition(this);) {
        if (performance.now() > end) throw new Error(`did not happen within ${wait_ms} ms: ${what}`);
        await delay(5);
      }
    },
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      slack.stop.abort();
      server.close();
      for (const socket of slack.sockets) socket.destroy();
      await closed;
    },
  };
}

const since = (slack) => performance.now() - slack.started_ms;

function takeFault(slack, kinds) {
  const at = slack.faults.findIndex(({ kind }) => kinds.includes(kind));
  return at < 0 ? undefined : slack.faults.splice(at, 1)[0];
}

// Does something later, unless the stand-in is closed by then.
function later(slack, ms, action) {
  delay(ms, undefined, { signal: slack.stop.signal }).then(action, () => {});
}

// --- apps.connections.open ---

function answerOpen(slack, req, res) {
  req.resume();
  const answer = answerFor(slack, req);
  slack.opens.push({ at_ms: since(slack), token: bearer(req), status: answer.status });
  const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  res.writeHead(answer.status, { 'content-type': 'application/json; charset=utf-8', ...answer.headers });
  res.end(body);
}

const bearer = (req) => (req.headers.authorization ?? '').replace(/^Bearer /, '');

function answerFor(slack, req) {
  const refuse = (error) => ({ status: 200, body: { ok: false, error } });
  if (req.url !== OPEN_PATH || req.method !== 'POST') return { status: 404, body: '<html>not found</html>' };
  const fault = takeFault(slack, OPEN_FAULTS);
  if (fault?.kind === 'status') return { status: fault.status, headers: fault.headers, body: fault.body ?? '' };
  if (fault?.kind === 'word') return refuse(fault.word);
  if (!bearer(req)) return refuse('not_authed');
  if (bearer(req).startsWith('xoxb-')) return refuse('not_allowed_token_type');
  if (bearer(req) !== slack.token) return refuse('invalid_auth');
  const ticket = randomUUID();
  slack.tickets.add(ticket);
  return { status: 200, body: { ok: true, url: `${slack.webSocketUrl}/link/?ticket=${ticket}&app_id=A1` } };
}

// --- The WebSocket ---

function upgrade(slack, webSockets, req, socket, head) {
  const ticket = new URL(req.url, slack.webSocketUrl).searchParams.get('ticket');
  const fault = takeFault(slack, SOCKET_FAULTS) ?? {};
  const refusal = slack.tickets.delete(ticket) ? fault.kind === 'refuse' && fault.status : 403;
  if (fault.kind === 'hang') return;
  if (refusal) return void socket.end(`HTTP/1.1 ${refusal} Refused\r\nContent-Length: 0\r\n\r\n`);
  if (fault.kind === 'wrong-accept') {
    const accept = createHash('sha1').update(randomBytes(8)).digest('base64');
    return void socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
      + `Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
  }
  socket.setNoDelay(true);
  if (fault.kind === 'bytewise') writeBytewise(socket);
  if (fault.kind === 'coalesced') socket.cork();
  webSockets.handleUpgrade(req, socket, head, (webSocket) => serve(slack, webSocket, socket, fault));
}

// Each byte is written a turn of the event loop after the one before.
function writeBytewise(socket) {
  const write = socket.write.bind(socket);
  let last = Promise.resolve();
  socket.write = (data, encoding, callback) => {
    const bytes = Buffer.from(data, typeof encoding === 'string' ? encoding : undefined);
    last = last.then(async () => {
      for (const byte of bytes) {
        if (!socket.writable) break;
        write(Buffer.of(byte));
        await new Promise(setImmediate);
      }
      (typeof encoding === 'function' ? encoding : callback)?.();
    });
    return true;
  };
}

function serve(slack, webSocket, socket, fault) {
  const connection = {
    at_ms: since(slack), closed_ms: undefined, code: undefined, sent: [], received: [], pings: 0, pongs: 0, open: true,
  };
  hide(connection, { webSocket, socket, fault, greeted: false });
  const index = slack.connections.push(connection) - 1;
  webSocket.on('error', () => {});
  webSocket.on('message', (data) => takeMessage(slack, connection, index, data.toString()));
  webSocket.on('pong', () => { connection.pongs += 1; });
  webSocket.on('ping', (data) => {
    connection.pings += 1;
    if (fault.kind !== 'silence') webSocket.pong(data);
  });
  webSocket.on('close', (code) => {
    Object.assign(connection, { open: false, code, closed_ms: since(slack) });
    for (const envelope of slack.envelopes.values()) {
      if (envelope.on === connection) Object.assign(envelope, { on: undefined, retry_attempt: envelope.retry_attempt + 1 });
    }
    deliver(slack);
  });
  greet(slack, connection);
}

// What tests need not see when they print a connection.
function hide(connection, members) {
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(connection, name, { value, writable: true, enumerable: false });
  }
}

function greet(slack, connection) {
  const { webSocket, socket, fault } = connection;
  const count = openOnes(slack).length;
  if (count > MOST_CONNECTIONS) {
    say(connection, { type: 'disconnect', reason: 'too_many_websockets', debug_info: { host: 'stand-in' } });
    return webSocket.close(1008);
  }
  if (fault.kind === 'no-hello') return;
  say(connection, {
    type: 'hello', num_connections: count, connection_info: { app_id: 'A1' },
    debug_info: { host: 'stand-in', build_number: 1, approximate_connection_time: 18_060 },
  });
  if (fault.kind === 'silence') return;
  connection.greeted = true;
  if (fault.kind === 'huge') webSocket.send(JSON.stringify({ type: 'huge', text: 'x'.repeat(fault.bytes) }));
  if (fault.kind === 'not-json') webSocket.send(fault.text ?? 'this is <no> JSON');
  if (fault.kind === 'cut') later(slack, fault.after_ms ?? 0, () => socket.destroy());
  if (fault.kind === 'close') later(slack, fault.after_ms ?? 0, () => webSocket.close(fault.code ?? 1000, 'bye'));
  if (fault.kind === 'ping') pingOn(slack, connection);
  deliver(slack);
  if (fault.kind === 'coalesced') socket.uncork();
}

function pingOn(slack, connection) {
  if (!connection.open) return;
  connection.webSocket.ping(`Ping from the stand-in (${Math.round(since(slack))})`);
  later(slack, connection.fault.every_ms ?? 20, () => pingOn(slack, connection));
}

function say({ webSocket, fault }, message) {
  const bytes = Buffer.from(JSON.stringify(message));
  if (fault.kind !== 'fragments') return webSocket.send(bytes, { binary: false });
  for (let at = 0; at < bytes.length; at += fault.size) {
    webSocket.send(bytes.subarray(at, at + fault.size), { binary: false, fin: at + fault.size >= bytes.length });
    webSocket.ping('between');
  }
}

const openOnes = (slack) => slack.connections.filter(({ open, webSocket }) => open && webSocket.readyState === 1);
const newest = (slack) => openOnes(slack).findLast(({ greeted }) => greeted);

// --- Envelopes ---

function send(slack, { type = 'events_api', payload = {}, accepts_response_payload = false, ...more } = {}) {
  const envelope_id = randomUUID();
  slack.envelopes.set(envelope_id, { message: { envelope_id, type, payload, accepts_response_payload, ...more },
    on: undefined, retry_attempt: 0 });
  deliver(slack);
  return envelope_id;
}

function deliver(slack) {
  const connection = newest(slack);
  if (!connection) return;
  for (const [id, envelope] of slack.envelopes) {
    if (envelope.on) continue;
    envelope.on = connection;
    connection.sent.push(id);
    const retry = envelope.retry_attempt > 0 ? { retry_reason: 'timeout' } : { retry_reason: '' };
    say(connection, { ...envelope.message, retry_attempt: envelope.retry_attempt, ...retry });
  }
}

function takeMessage(slack, connection, index, text) {
  let message = text;
  try {
    message = JSON.parse(text);
  } catch {
    // kept as text
  }
  connection.received.push(message);
  const id = message?.envelope_id;
  if (typeof id !== 'string') return;
  const times = (slack.acknowledged.get(id)?.times ?? 0) + 1;
  slack.acknowledged.set(id, { payload: message.payload, connection: index, times });
  slack.envelopes.delete(id);
}

function disconnect(slack, reason, closeAfterMs) {
  for (const connection of openOnes(slack)) {
    say(connection, { type: 'disconnect', reason, debug_info: { host: 'stand-in' } });
    connection.greeted = closeAfterMs < 0; // what is new goes to the next connection
    if (closeAfterMs >= 0) later(slack, closeAfterMs, () => connection.webSocket.close(1000));
  }
}
