// What the stand-in EventStoreDB keeps: streams of events, and all of them in one order.
//
// A record: { stream (bytes), key, revision, commit, prepare, id, type, contentType, data, metadata, created_ticks };
// numbers are BigInt. A stream: { name, first, events, before, isTombstoned }: `first` is the revision of events[0], those
// below `before` are truncated away. Throws a Refusal where the server refuses.

import { randomUUID } from 'node:crypto';
import { Refusal } from './eventstore_wire.mjs';

const LAST_REVISION = 2n ** 63n - 1n;
const FIRST_POSITION = 4096n;
const EMPTY = Buffer.alloc(0);

export const newLog = () => ({ all: [], streams: new Map(), next: FIRST_POSITION, waiting: new Set() });

// Names are bytes; as a key each byte is a character.
export const keyOf = (stream) => Buffer.from(stream).toString('latin1');

// Puts events at the end of a stream; the records. An event: { type, data, metadata, id, contentType, created (Date),
// prepare }, all optional; data: bytes, a text or anything for JSON. at: the revision of the first one, as if what stands
// before it had been scavenged. expected: 'any', 'exists', 'none' or a revision.
export function append(log, stream, events, { expected = 'any', at } = {}) {
  const held = streamOf(log, stream);
  checkExpected(held, expected);
  if (at !== undefined && held.events.length === 0) held.first = BigInt(at);
  const records = events.map((event) => {
    const record = newRecord(log, held, event);
    held.events.push(record);
    log.all.push(record);
    followMetadata(log, held, record);
    return record;
  });
  wake(log);
  return records;
}

// An entry that points to another event: target { stream, revision }.
export function link(log, stream, target) {
  const data = Buffer.concat([Buffer.from(`${target.revision}@`), Buffer.from(target.stream)]);
  return append(log, stream, [{ type: '$>', data, contentType: 'application/octet-stream' }])[0];
}

// What the link stands for: a record, or undefined when there is none any more.
export function targetOf(log, record) {
  const at = record.data.indexOf('@');
  const held = log.streams.get(record.data.subarray(at + 1).toString('latin1'));
  const revision = BigInt(record.data.subarray(0, at).toString());
  return held && !held.isTombstoned && revision >= held.before ? held.events[Number(revision - held.first)] : undefined;
}

// Hides what stands in the stream; it may be written to again.
export function softDelete(log, stream, expected = 'any') {
  const held = streamOf(log, stream);
  checkExpected(held, expected);
  return setMetadata(log, stream, { $tb: Number(LAST_REVISION) });
}

export function truncate(log, stream, before) {
  return setMetadata(log, stream, { $tb: Number(before) });
}

// For good.
export function tombstone(log, stream, expected = 'any') {
  const held = streamOf(log, stream);
  checkExpected(held, expected);
  const record = { ...newRecord(log, held, { type: '$streamDeleted' }), revision: LAST_REVISION };
  held.isTombstoned = true;
  log.all.push(record);
  wake(log);
  return record;
}

// The stream as a reader sees it; undefined when there is none.
export function visibleStream(log, stream) {
  const held = log.streams.get(keyOf(stream));
  if (held?.isTombstoned) throw Refusal.streamDeleted(stream);
  return held && nextOf(held) > held.before ? held : undefined;
}

export const nextOf = (held) => held.first + BigInt(held.events.length);
export const firstOf = (held) => (held.before > held.first ? held.before : held.first);

// Ends with the next change of the log, or with the signal.
export function changed(log, signal) {
  return new Promise((resolve) => {
    const done = () => {
      log.waiting.delete(done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    log.waiting.add(done);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}

export function wake(log) {
  for (const done of [...log.waiting]) done();
}

function streamOf(log, stream) {
  const key = keyOf(stream);
  if (!log.streams.has(key)) {
    log.streams.set(key, { name: Buffer.from(stream), key, first: 0n, events: [], before: 0n, isTombstoned: false });
  }
  return log.streams.get(key);
}

function newRecord(log, held, event) {
  const { data = {}, metadata, created = new Date() } = event;
  const isBytes = data instanceof Uint8Array;
  const bytes = isBytes ? Buffer.from(data) : Buffer.from(typeof data === 'string' ? data : JSON.stringify(data));
  const commit = log.next;
  const record = {
    stream: held.name, key: held.key, revision: nextOf(held), commit, prepare: event.prepare ?? commit,
    id: event.id ?? randomUUID(), type: event.type ?? 'event',
    contentType: event.contentType ?? (isBytes ? 'application/octet-stream' : 'application/json'),
    data: bytes, metadata: metadata === undefined ? EMPTY : asBytes(metadata),
    created_ticks: BigInt(created.getTime()) * 10_000n,
  };
  log.next += BigInt(record.data.length + record.metadata.length + record.stream.length + 100);
  return record;
}

function asBytes(value) {
  return value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}

function setMetadata(log, stream, metadata) {
  const name = Buffer.concat([Buffer.from('$$'), Buffer.from(stream)]);
  return append(log, name, [{ type: '$metadata', data: metadata }])[0];
}

// $tb in the metadata stream of a stream. Nothing is left of what stood there; what comes later counts on from it.
function followMetadata(log, held, record) {
  if (!held.key.startsWith('$$') || record.type !== '$metadata') return;
  const about = streamOf(log, held.name.subarray(2));
  const before = BigInt(JSON.parse(record.data.toString()).$tb ?? 0);
  about.before = before > nextOf(about) ? nextOf(about) : before;
}

function checkExpected(held, expected) {
  if (held.isTombstoned) throw Refusal.streamDeleted(held.name);
  const next = nextOf(held);
  const isThere = next > held.before;
  const fits = expected === 'any' || (expected === 'none' && !isThere) || (expected === 'exists' && isThere)
    || (typeof expected === 'bigint' && expected === next - 1n);
  if (!fits) throw Refusal.wrongVersion(held.name, expected, isThere ? next - 1n : undefined);
}
