// Streams/Read at the stand-in EventStoreDB: reads with a count, and catch-up subscriptions.

import { changed, firstOf, nextOf, targetOf, visibleStream } from './eventstore_log.mjs';
import { finish, send, sendCounted } from './eventstore_call.mjs';
import {
  Refusal, STATUS, Timestamp, eventMessage, identifier, position, shared, streamOfIdentifier, streams,
} from './eventstore_wire.mjs';
import { randomUUID } from 'node:crypto';

const { ReadReq, ReadResp } = streams;
const WINDOW = 32; // events that are looked through for a checkpoint's multiple, when the client says none

// A request as it is noted down: { stream (text) | all: true, name (bytes), from: 'start', 'end', a revision or
// { commit, prepare }, backwards, resolveLinks, count | subscription: true, filter: { on: 'stream' | 'type', regex,
// prefixes, max, multiplier }, uuid: 'structured' | 'string', compatibility, mistake }.
export function describeRead(bytes) {
  const options = ReadReq.deserializeBinary(bytes).getOptions();
  const isAll = options.hasAll();
  const source = isAll ? options.getAll() : options.getStream();
  const name = isAll ? undefined : streamOfIdentifier(source.getStreamIdentifier());
  return {
    ...(isAll ? { all: true } : { stream: name.toString() }), name, from: fromOf(source, isAll),
    backwards: options.getReadDirection() === ReadReq.Options.ReadDirection.BACKWARDS,
    resolveLinks: options.getResolveLinks(),
    ...(options.hasSubscription() ? { subscription: true } : { count: Number(options.getCount()) }),
    filter: options.hasFilter() ? filterOf(options.getFilter()) : undefined,
    uuid: options.getUuidOption()?.hasStructured() ? 'structured' : 'string',
    compatibility: options.getControlOption()?.getCompatibility() ?? 0,
    mistake: mistakeOf(options),
  };
}

export async function answerRead(store, call, read) {
  if (read.mistake) throw new Refusal(STATUS.invalidArgument, read.mistake);
  const write = {
    structured: read.uuid === 'structured', withPosition: read.all || store.can.streamPositions,
  };
  if (read.subscription) return subscribe(store, call, read, write);
  const held = read.all ? undefined : visibleStream(store.log, read.name);
  if (!read.all && !held) {
    const notFound = new ReadResp.StreamNotFound();
    notFound.setStreamIdentifier(identifier(read.name));
    await send(call, reply('setStreamNotFound', notFound));
    return finish(call);
  }
  for (const record of read.all ? allRecords(store.log, read) : streamRecords(held, read)) {
    if (call.signal.aborted) return undefined;
    await sendEvent(store, call, read, write, record);
  }
  if (held && read.compatibility > 0) await send(call, reply('setLastStreamPosition', String(nextOf(held) - 1n)));
  return finish(call);
}

// --- Requests ---

function fromOf(source, isAll) {
  if (source.hasStart()) return 'start';
  if (source.hasEnd()) return 'end';
  if (!isAll) return BigInt(source.getRevision());
  const at = source.getPosition();
  return { commit: BigInt(at.getCommitPosition()), prepare: BigInt(at.getPreparePosition()) };
}

export function filterOf(filter) {
  const isType = filter.hasEventType();
  const expression = isType ? filter.getEventType() : filter.getStreamIdentifier();
  return {
    on: isType ? 'type' : 'stream', regex: expression.getRegex(), prefixes: expression.getPrefixList(),
    max: filter.hasMax() ? filter.getMax() : undefined, multiplier: filter.getCheckpointintervalmultiplier(),
  };
}

// What the server refuses, in words of our own.
function mistakeOf(options) {
  if (!options.hasUuidOption()) return 'no UUID option';
  if (!options.hasFilter() && !options.hasNoFilter()) return 'neither filter nor no_filter';
  if (!options.hasCount() && !options.hasSubscription()) return 'neither count nor subscription';
  if (options.hasSubscription() && options.getReadDirection() !== 0) return 'a subscription backwards';
  if (!options.hasFilter()) return undefined;
  const filter = options.getFilter();
  if (!options.hasAll()) return 'a filter on a single stream';
  if (!filter.hasMax() && !filter.hasCount()) return 'a filter without a window';
  if (filter.getCheckpointintervalmultiplier() < 1) return 'a checkpoint interval of 0';
  return undefined;
}

export function passes(filter, record) {
  if (!filter) return true;
  const text = filter.on === 'type' ? record.type : record.stream.toString();
  return filter.regex ? new RegExp(filter.regex, 'u').test(text) : filter.prefixes.some((prefix) => text.startsWith(prefix));
}

// --- Reads with a count: the place asked for is the first that comes ---

function* streamRecords(held, { from, backwards, count }) {
  const last = nextOf(held) - 1n;
  let at = from === 'start' ? 0n : from === 'end' ? last + (backwards ? 0n : 1n) : from;
  if (backwards && at > last) at = last;
  if (!backwards && at < firstOf(held)) at = firstOf(held);
  for (let left = count; left > 0 && at >= firstOf(held) && at <= last; left -= 1) {
    yield held.events[Number(at - held.first)];
    at += backwards ? -1n : 1n;
  }
}

// Backwards, $all gives what stands before a position.
function* allRecords(log, { from, backwards, count, filter }) {
  const step = backwards ? -1 : 1;
  let at = indexIn(log, from, true) - (backwards ? 1 : 0);
  for (let left = count; left > 0 && at >= 0 && at < log.all.length; at += step) {
    if (!passes(filter, log.all[at])) continue;
    yield log.all[at];
    left -= 1;
  }
}

// Where in log.all a reader starts.
function indexIn(log, from, isInclusive) {
  if (from === 'start') return 0;
  if (from === 'end') return log.all.length;
  const isBehind = ({ commit, prepare }) => commit > from.commit
    || (commit === from.commit && (isInclusive ? prepare >= from.prepare : prepare > from.prepare));
  const at = log.all.findIndex(isBehind);
  return at < 0 ? log.all.length : at;
}

// --- Subscriptions: what comes is behind the place asked for ---

async function subscribe(store, call, read, write) {
  const confirmation = new ReadResp.SubscriptionConfirmation();
  confirmation.setSubscriptionId(randomUUID());
  await sendCounted(call, reply('setConfirmation', confirmation), false);
  const next = read.all ? allCursor(store.log, read) : streamCursor(store.log, read);
  const seen = { records: 0, last: undefined };
  for (let isLive = false; !call.signal.aborted;) {
    const record = next();
    if (record) {
      seen.last = record;
      if (passes(read.filter, record)) await sendEvent(store, call, read, write, record);
      await sendDueCheckpoint(store, call, read, seen);
    } else if (!isLive) {
      isLive = true;
      const isThere = read.all || visibleStream(store.log, read.name);
      if (isThere ? store.can.caughtUp : store.can.caughtUpWhenAbsent) await sendCaughtUp(store, call, read, seen.last);
    } else {
      await changed(store.log, call.signal);
    }
  }
}

function streamCursor(log, { name, from }) {
  const held = visibleStream(log, name);
  let at = from === 'start' ? 0n : from === 'end' ? (held ? nextOf(held) : 0n) : from + 1n;
  return () => {
    const now = visibleStream(log, name);
    if (!now) return undefined;
    if (at < firstOf(now)) at = firstOf(now);
    const record = now.events[Number(at - now.first)];
    if (record) at += 1n;
    return record;
  };
}

function allCursor(log, { from }) {
  let at = indexIn(log, from, false);
  return () => {
    const record = log.all[at];
    if (record) at += 1;
    return record;
  };
}

async function sendEvent(store, call, { resolveLinks }, write, record) {
  const event = eventMessage(ReadResp, resolved(store.log, record, resolveLinks), write);
  await sendCounted(call, reply('setEvent', event));
}

export function resolved(log, record, resolveLinks) {
  return resolveLinks && record.type === '$>' ? { record: targetOf(log, record), link: record } : { record };
}

async function sendDueCheckpoint(store, call, { filter }, seen) {
  seen.records += 1;
  if (!filter || seen.records < filter.multiplier * (filter.max ?? WINDOW)) return;
  seen.records = 0;
  await sendCheckpoint(store, call, seen.last);
}

export function sendCheckpoint(store, call, at) {
  const checkpoint = position(ReadResp.Checkpoint, at);
  if (store.can.timestamps) checkpoint.setTimestamp(Timestamp.fromDate(new Date()));
  return send(call, reply('setCheckpoint', checkpoint));
}

export function sendCaughtUp(store, call, { all }, last, field = 'CaughtUp') {
  const message = new ReadResp[field]();
  if (store.can.timestamps) {
    message.setTimestamp(Timestamp.fromDate(new Date()));
    if (all) message.setPosition(position(ReadResp.Position, last ?? store.log.all.at(-1) ?? { commit: 0n, prepare: 0n }));
    else message.setStreamRevision(String(last?.revision ?? -1n));
  }
  return send(call, reply(`set${field}`, message));
}

function reply(setter, value) {
  const message = new ReadResp();
  message[setter](value);
  return message;
}
