// How the stand-in EventStoreDB speaks: the official generated messages, the frames of gRPC, and its refusals.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

// Both official clients keep their classes under one global name, so a process can use those of one only: EventStoreDB's
// when that client is here already (its test imports it first), else KurrentDB's, which know more fields.
const OLDER = '@eventstore/db-client/generated';
const isOlder = Object.keys(require.cache).some((path) => path.includes(OLDER));
const load = (newer, older = newer) =>
  require(isOlder ? `${OLDER}/${older}_pb.js` : `@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/${newer}_pb.js`);
export const streams = load('streams');
export const groups = load('persistentsubscriptions', 'persistent');
export const shared = load('shared');
export const status = load('status');
export const gossip = load('gossip');
export const features = load('serverfeatures');
export const { Timestamp } = require('google-protobuf/google/protobuf/timestamp_pb.js');
export const { Any } = require('google-protobuf/google/protobuf/any_pb.js');
export const protobufEmpty = require('google-protobuf/google/protobuf/empty_pb.js').Empty;

export const NO_POSITION = 2n ** 64n - 1n;
export const STATUS = {
  ok: 0, cancelled: 1, unknown: 2, invalidArgument: 3, deadlineExceeded: 4, notFound: 5, alreadyExists: 6,
  permissionDenied: 7, failedPrecondition: 9, aborted: 10, unimplemented: 12, unavailable: 14, unauthenticated: 16,
};

// What the server says no with: a gRPC status and its trailers.
export class Refusal extends Error {
  constructor(code, message, trailers = {}) {
    super(message);
    Object.assign(this, { code, trailers });
  }

  static notLeader({ host, port }) {
    return new Refusal(STATUS.notFound, 'Leader info available',
      { exception: 'not-leader', 'leader-endpoint-host': host, 'leader-endpoint-port': String(port) });
  }

  static streamDeleted(stream) {
    return new Refusal(STATUS.failedPrecondition, `Event stream '${stream}' is deleted.`,
      { exception: 'stream-deleted', 'stream-name': escaped(stream) });
  }

  static accessDenied() {
    return new Refusal(STATUS.permissionDenied, 'Access Denied', { exception: 'access-denied' });
  }

  static wrongVersion(stream, expected, actual) {
    const refusal = new Refusal(STATUS.failedPrecondition, 'WrongExpectedVersion',
      { exception: 'wrong-expected-version', 'stream-name': escaped(stream) });
    return Object.assign(refusal, { isWrongVersion: true, expected, actual });
  }

  // Of a persistent subscription: 'persistent-subscription-does-not-exist' and the like.
  static group(code, exception, stream, group) {
    return new Refusal(code, `Subscription group ${group} on stream ${stream}: ${exception}.`,
      { exception, 'stream-name': escaped(stream), 'group-name': escaped(group) });
  }
}

// Into a header: bytes that may not stand there are percent-encoded, as grpc-message asks.
export const escaped = (text) => [...Buffer.from(text)]
  .map((byte) => (byte > 31 && byte < 127 && byte !== 37 ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`)).join('');

// --- Frames ---

export function frame(message, flag = 0) {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

// The messages in a stream of bytes, which stays whole when the reader stops before its end.
export async function* messagesOf(bytes) {
  let held = Buffer.alloc(0);
  for await (const chunk of bytes.iterator({ destroyOnReturn: false })) {
    held = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
    while (held.length >= 5 && held.length >= 5 + held.readUInt32BE(1)) {
      const end = 5 + held.readUInt32BE(1);
      yield held.subarray(5, end);
      held = held.subarray(end);
    }
  }
}

// --- Parts of messages ---

export function uuid(text, structured = false) {
  const message = new shared.UUID();
  if (!structured) return message.setString(text) && message;
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  const parts = new shared.UUID.Structured();
  parts.setMostSignificantBits(String(bytes.readBigInt64BE(0)));
  parts.setLeastSignificantBits(String(bytes.readBigInt64BE(8)));
  message.setStructured(parts);
  return message;
}

export function textOfUuid(message) {
  if (message.hasString()) return message.getString();
  const bytes = Buffer.alloc(16);
  bytes.writeBigInt64BE(BigInt(message.getStructured().getMostSignificantBits()), 0);
  bytes.writeBigInt64BE(BigInt(message.getStructured().getLeastSignificantBits()), 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export function identifier(stream) {
  const message = new shared.StreamIdentifier();
  message.setStreamName(Buffer.from(stream));
  return message;
}

export const streamOfIdentifier = (message) => Buffer.from(message.getStreamName_asU8());

export function position(Type, { commit, prepare }) {
  const message = new Type();
  message.setCommitPosition(String(commit));
  message.setPreparePosition(String(prepare));
  return message;
}

// The event field of a reply, Resp being that of a catch-up read or of a persistent one.
export function eventMessage(Resp, { record, link }, { structured, withPosition }) {
  const event = new Resp.ReadEvent();
  const recorded = (one) => recordedEvent(Resp.ReadEvent.RecordedEvent, one, { structured, withPosition });
  if (record) event.setEvent(recorded(record));
  if (link) event.setLink(recorded(link));
  if (withPosition) event.setCommitPosition(String((link ?? record).commit));
  else event.setNoPosition(new shared.Empty());
  return event;
}

function recordedEvent(Type, record, { structured, withPosition }) {
  const message = new Type();
  message.setId(uuid(record.id, structured));
  message.setStreamIdentifier(identifier(record.stream));
  message.setStreamRevision(String(record.revision));
  message.setPreparePosition(String(withPosition ? record.prepare : NO_POSITION));
  message.setCommitPosition(String(withPosition ? record.commit : NO_POSITION));
  const metadata = message.getMetadataMap();
  metadata.set('type', record.type);
  metadata.set('content-type', record.contentType);
  metadata.set('created', String(record.created_ticks));
  message.setCustomMetadata(record.metadata);
  message.setData(record.data);
  return message;
}

// What an append proposes, as log.append() takes it.
export function proposed(message) {
  const metadata = message.getMetadataMap();
  return {
    id: textOfUuid(message.getId()), type: metadata.get('type'), contentType: metadata.get('content-type'),
    data: Buffer.from(message.getData_asU8()), metadata: Buffer.from(message.getCustomMetadata_asU8()),
  };
}
