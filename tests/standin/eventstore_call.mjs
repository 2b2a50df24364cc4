// One gRPC call at the stand-in EventStoreDB: its reply, its end, and the fault that it meets.
//
// A call: { kind, path, headers, stream (HTTP/2's), connection, request (what is noted down), fault, signal, events,
// flag, pieceBytes }. `signal` tells that it is over, from whichever side.

import http2 from 'node:http2';
import { Refusal, STATUS, escaped, frame, messagesOf } from './eventstore_wire.mjs';

const CONTENT_TYPE = { ':status': 200, 'content-type': 'application/grpc' };

export const CALLS = ['subscribe', 'read', 'append', 'delete', 'group', 'group-admin', 'gossip', 'features'];
const TAILING = ['subscribe', 'read', 'group'];

// Fault -> what comes of it; the head of eventstore.mjs says more.
const REFUSALS = {
  status: ({ status, message = '', trailers }) => new Refusal(status, message, trailers),
  'not-leader': (fault) => Refusal.notLeader(fault),
  'access-denied': () => Refusal.accessDenied(),
  unauthenticated: () => new Refusal(STATUS.unauthenticated, 'Unauthenticated'),
  'stream-deleted': (_, call) => Refusal.streamDeleted(call.request.stream ?? ''),
  'not-ready': () => new Refusal(STATUS.unavailable, 'Server Is Not Ready'),
  'too-busy': () => new Refusal(STATUS.unavailable, 'Server Is Too Busy'),
  'too-slow': () => new Refusal(STATUS.aborted, 'Consumer too slow to handle event while live. Client resubscription required.'),
  'group-dropped': (_, call) => groupRefusal(call, STATUS.cancelled, 'persistent-subscription-dropped'),
  'group-failed': (_, call) => groupRefusal(call, STATUS.unknown, 'persistent-subscription-failed'),
  'group-full': (_, call) => groupRefusal(call, STATUS.failedPrecondition, 'maximum-subscribers-reached'),
};
const ACTIONS = {
  rst: (fault, { stream }) => stream.close(fault.code ?? http2.constants.NGHTTP2_INTERNAL_ERROR),
  goaway: (fault, { stream }) => stream.session.goaway(fault.code ?? 0, fault.lastStreamId ?? stream.id),
  reset: (_, { connection }) => connection.raw.resetAndDestroy(),
  close: (_, { connection }) => connection.raw.destroy(),
  hang: (_, call) => leave(call),
  silence: (_, call) => {
    leave(call);
    silence(call.connection);
  },
  compressed: (_, call) => { call.flag = 1; },
  pieces: ({ bytes = 1 }, call) => { call.pieceBytes = bytes; },
  raw: async ({ bytes, end = true }, call) => {
    await writeOut(call, bytes);
    if (end) finish(call);
  },
  http: ({ status, body = '', contentType = 'text/html' }, call) => {
    leave(call);
    call.stream.respond({ ':status': status, 'content-type': contentType });
    call.stream.end(body);
  },
};

export function checkFault({ kind, on }) {
  if (!REFUSALS[kind] && !ACTIONS[kind]) throw new Error(`no such fault: ${kind}`);
  if (on !== undefined && !CALLS.includes(on)) throw new Error(`no such kind of call: ${on}`);
}

export function takeFault(faults, kind) {
  const at = faults.findIndex(({ on }) => (on === undefined ? TAILING.includes(kind) : on === kind));
  return at < 0 ? undefined : faults.splice(at, 1)[0];
}

export const isTailing = ({ kind }) => TAILING.includes(kind);

export async function meet(call, fault) {
  if (call.signal.aborted) return;
  if (REFUSALS[fault.kind]) return finish(call, REFUSALS[fault.kind](fault, call));
  return ACTIONS[fault.kind](fault, call);
}

// No byte is read any more, not even a PING, and none is written; the connection stays.
export function silence(connection) {
  connection.isSilent = true;
  connection.raw._handle?.readStop();
}

const groupRefusal = ({ request }, code, exception) => Refusal.group(code, exception, request.stream ?? '$all', request.group ?? '');

// --- The reply ---

export const messages = (call) => messagesOf(call.stream);

// One message. Resolves when there is room for more, with a fault to come when it is on its way.
export async function send(call, message) {
  if (call.signal.aborted || call.stream.destroyed) return;
  const bytes = frame(message.serializeBinary(), call.flag);
  if (!call.pieceBytes) return writeOut(call, bytes);
  for (let at = 0; at < bytes.length && !call.signal.aborted; at += call.pieceBytes) {
    await writeOut(call, bytes.subarray(at, at + call.pieceBytes), true);
  }
}

// Confirmations and events: a fault may be waiting for so many of them.
export async function sendCounted(call, message, isEvent = true) {
  await send(call, message);
  if (isEvent) call.events += 1;
  call.request.sent = call.events;
  if (call.fault?.after === call.events) await meet(call, call.fault);
}

// The end, without a refusal a good one. One that comes before anything else is a reply of trailers only.
export function finish(call, { code = STATUS.ok, message = '', trailers = {} } = {}) {
  if (call.signal.aborted || call.stream.destroyed) return;
  call.trailers = { 'grpc-status': String(code), 'grpc-message': escaped(message), ...trailers };
  call.request.status = code;
  leave(call);
  if (call.stream.headersSent) return call.stream.end();
  return call.stream.respond({ ...CONTENT_TYPE, ...call.trailers }, { endStream: true });
}

function open({ stream }) {
  if (!stream.headersSent) stream.respond(CONTENT_TYPE, { waitForTrailers: true });
}

async function writeOut(call, bytes, isAlone = false) {
  open(call);
  let written;
  const done = new Promise((resolve) => { written = resolve; });
  const hasRoom = call.stream.write(bytes, written);
  if (!hasRoom || isAlone || call.fault?.after !== undefined) await Promise.race([done, call.over]);
}

// Nothing more is sent on it.
function leave(call) {
  call.abort.abort();
}

export function newCall(fields) {
  const abort = new AbortController();
  const { stream } = fields;
  const over = new Promise((resolve) => { abort.signal.addEventListener('abort', resolve); });
  const call = { events: 0, flag: 0, pieceBytes: 0, trailers: {}, abort, signal: abort.signal, over, ...fields };
  stream.on('wantTrailers', () => stream.sendTrailers(call.trailers));
  stream.on('error', () => {}); // of a client that went away
  stream.on('close', () => abort.abort());
  return call;
}
