// Persistent subscriptions at the stand-in EventStoreDB: groups whose consumers share the events of a stream or of $all.
//
// As the server does: round robin, at most buffer_size events that are not acknowledged at each consumer; what one leaves
// behind (by its end, a time-out, or a nack with retry) is given again with retry_count one higher, and parked when that
// would be more than max_retry_count.

import { randomUUID } from 'node:crypto';
import { firstOf, keyOf, nextOf, visibleStream } from './eventstore_log.mjs';
import { finish, messages, send, sendCounted } from './eventstore_call.mjs';
import { filterOf, passes, resolved } from './eventstore_read.mjs';
import { Refusal, STATUS, eventMessage, groups, shared, streamOfIdentifier, textOfUuid } from './eventstore_wire.mjs';

const {
  CreateReq, CreateResp, DeleteReq, DeleteResp, GetInfoReq, GetInfoResp, ReadReq, ReadResp, ReplayParkedReq,
  ReplayParkedResp, SubscriptionInfo,
} = groups;
const ACTIONS = ['unknown', 'park', 'retry', 'skip', 'stop'];
const SETTINGS = { resolveLinks: false, maxRetryCount: 10, messageTimeoutMs: 30_000, maxSubscriberCount: 0, from: 'start', filter: undefined };

// stream: bytes or a text; undefined is $all. Settings: as above; from: 'start', 'end', or a revision, where it begins.
export function createGroup(store, stream, name, settings = {}) {
  const key = groupKey(stream, name);
  if (store.groups.has(key)) throw missing(stream, name, STATUS.alreadyExists, 'persistent-subscription-exists');
  const group = {
    stream: stream === undefined ? undefined : Buffer.from(stream), name, settings: { ...SETTINGS, ...settings },
    next: undefined, consumers: [], retries: [], parked: [], isPumping: false,
  };
  group.next = startOf(store.log, group);
  store.groups.set(key, group);
  return group;
}

export function findGroup(store, stream, name) {
  return store.groups.get(groupKey(stream, name));
}

export async function answerGroupRead(store, call) {
  let consumer;
  try {
    for await (const bytes of messages(call)) {
      const request = ReadReq.deserializeBinary(bytes);
      if (request.hasOptions()) consumer = await join(store, call, request.getOptions());
      else settle(store, consumer, request);
    }
  } catch (error) {
    if (error instanceof Refusal) throw error; // else the client went away
  } finally {
    if (consumer) part(store, consumer);
  }
  return finish(call);
}

// Create, Delete, GetInfo and ReplayParked.
export async function answerGroupAdmin(store, call, method) {
  for await (const bytes of messages(call)) await send(call, ADMIN[method](store, bytes));
  return finish(call);
}

// --- Consumers ---

async function join(store, call, options) {
  const stream = options.hasAll() ? undefined : streamOfIdentifier(options.getStreamIdentifier());
  const name = options.getGroupName();
  Object.assign(call.request, {
    stream: stream?.toString(), group: name, bufferSize: options.getBufferSize(),
    uuid: options.getUuidOption()?.hasStructured() ? 'structured' : 'string',
  });
  const group = findGroup(store, stream, name);
  if (!group) throw missing(stream, name, STATUS.notFound, 'persistent-subscription-does-not-exist');
  const most = group.settings.maxSubscriberCount;
  if (most > 0 && group.consumers.length >= most) throw missing(stream, name, STATUS.failedPrecondition, 'maximum-subscribers-reached');
  const confirmation = new ReadResp.SubscriptionConfirmation();
  confirmation.setSubscriptionId(randomUUID());
  const response = new ReadResp();
  response.setSubscriptionConfirmation(confirmation);
  await sendCounted(call, response, false);
  const consumer = { group, call, held: new Map(), slots: options.getBufferSize() };
  group.consumers.push(consumer);
  call.signal.addEventListener('abort', () => part(store, consumer));
  pump(store, group);
  return consumer;
}

function part(store, consumer) {
  const { group } = consumer;
  if (!group.consumers.includes(consumer)) return;
  group.consumers.splice(group.consumers.indexOf(consumer), 1);
  for (const [id, delivery] of [...consumer.held]) again(consumer, id, delivery);
  pump(store, group);
}

// An ack or a nack. Ids that the consumer does not hold are noted down, and change nothing.
function settle(store, consumer, request) {
  const isAck = request.hasAck();
  const body = isAck ? request.getAck() : request.getNack();
  const ids = body.getIdsList().map(textOfUuid);
  const { group } = consumer;
  const action = isAck ? undefined : ACTIONS[body.getAction()];
  store.acks.push({
    kind: isAck ? 'ack' : 'nack', stream: group.stream?.toString(), group: group.name, ids, action,
    reason: isAck ? undefined : body.getReason(), connection: consumer.call.connection.index,
  });
  for (const id of ids) {
    const delivery = consumer.held.get(id);
    if (!delivery) continue;
    if (action === 'retry') again(consumer, id, delivery);
    else if (action !== 'stop') release(consumer, id, delivery);
    if (action === 'park') group.parked.push(delivery.record);
  }
  pump(store, group);
}

function release(consumer, id, { timer }) {
  clearTimeout(timer);
  consumer.held.delete(id);
}

function again(consumer, id, delivery) {
  release(consumer, id, delivery);
  const { group } = consumer;
  const { record, retries } = delivery;
  if (retries >= group.settings.maxRetryCount) group.parked.push(record);
  else group.retries.push({ record, retries: retries + 1 });
}

// --- Delivery ---

// Sends what there is to whom has room, and returns.
export async function pump(store, group) {
  if (group.isPumping) return;
  group.isPumping = true;
  for (;;) {
    const consumer = group.consumers.find(({ held, slots }) => held.size < slots);
    const delivery = consumer && (group.retries.shift() ?? nextDelivery(store, group));
    if (!delivery) break;
    group.consumers.push(...group.consumers.splice(group.consumers.indexOf(consumer), 1)); // the next one's turn
    await deliver(store, consumer, delivery);
  }
  group.isPumping = false;
}

async function deliver(store, consumer, { record, retries }) {
  const { group, call, held } = consumer;
  const delivery = { record, retries };
  held.set(record.id, delivery);
  delivery.timer = setTimeout(() => {
    again(consumer, record.id, delivery);
    pump(store, group);
  }, group.settings.messageTimeoutMs);
  const write = { structured: call.request.uuid === 'structured', withPosition: group.stream === undefined || store.can.streamPositions };
  const event = eventMessage(ReadResp, resolved(store.log, record, group.settings.resolveLinks), write);
  if (retries > 0) event.setRetryCount(retries);
  else event.setNoRetryCount(new shared.Empty());
  const response = new ReadResp();
  response.setEvent(event);
  await sendCounted(call, response);
}

function startOf(log, { stream, settings: { from } }) {
  if (stream === undefined) return from === 'end' ? log.all.length : 0;
  const held = visibleStream(log, stream);
  return from === 'end' ? (held ? nextOf(held) : 0n) : from === 'start' ? 0n : BigInt(from);
}

function nextDelivery({ log }, group) {
  if (group.stream === undefined) {
    while (group.next < log.all.length) {
      const record = log.all[group.next];
      group.next += 1;
      if (passes(group.settings.filter, record)) return { record, retries: 0 };
    }
    return undefined;
  }
  const held = visibleStream(log, group.stream);
  if (!held) return undefined;
  if (group.next < firstOf(held)) group.next = firstOf(held);
  const record = held.events[Number(group.next - held.first)];
  if (record) group.next += 1n;
  return record && { record, retries: 0 };
}

export function replayParked(store, group) {
  group.retries.push(...group.parked.splice(0).map((record) => ({ record, retries: 0 })));
  pump(store, group);
}

// --- Administration ---

const ADMIN = {
  create(store, bytes) {
    const options = CreateReq.deserializeBinary(bytes).getOptions();
    const isAll = options.hasAll();
    const source = isAll ? options.getAll() : options.getStream();
    const stream = isAll ? undefined : streamOfIdentifier(source?.getStreamIdentifier() ?? options.getStreamIdentifier());
    const settings = options.getSettings();
    createGroup(store, stream, options.getGroupName(), {
      resolveLinks: settings.getResolveLinks(), maxRetryCount: settings.getMaxRetryCount(),
      messageTimeoutMs: settings.hasMessageTimeoutMs() ? settings.getMessageTimeoutMs() : Number(settings.getMessageTimeoutTicks()) / 10_000,
      maxSubscriberCount: settings.getMaxSubscriberCount(),
      from: source?.hasEnd() ? 'end' : !isAll && source?.hasRevision() ? BigInt(source.getRevision()) : 'start',
      filter: isAll && source.hasFilter() ? filterOf(source.getFilter()) : undefined,
    });
    return new CreateResp();
  },
  delete(store, bytes) {
    const group = groupOf(store, DeleteReq.deserializeBinary(bytes).getOptions());
    store.groups.delete(groupKey(group.stream, group.name));
    for (const { call } of [...group.consumers]) {
      finish(call, missing(group.stream, group.name, STATUS.cancelled, 'persistent-subscription-dropped'));
    }
    return new DeleteResp();
  },
  replayparked(store, bytes) {
    replayParked(store, groupOf(store, ReplayParkedReq.deserializeBinary(bytes).getOptions()));
    return new ReplayParkedResp();
  },
  getinfo(store, bytes) {
    const group = groupOf(store, GetInfoReq.deserializeBinary(bytes).getOptions());
    const info = new SubscriptionInfo();
    info.setEventSource(group.stream?.toString() ?? '$all');
    info.setGroupName(group.name);
    info.setStatus('Live');
    info.setNamedConsumerStrategy('RoundRobin');
    info.setParkedMessageCount(String(group.parked.length));
    info.setTotalInFlightMessages(group.consumers.reduce((sum, { held }) => sum + held.size, 0));
    const response = new GetInfoResp();
    response.setSubscriptionInfo(info);
    return response;
  },
};

function groupOf(store, options) {
  const stream = options.hasAll() ? undefined : streamOfIdentifier(options.getStreamIdentifier());
  const name = options.getGroupName();
  const group = findGroup(store, stream, name);
  if (!group) throw missing(stream, name, STATUS.notFound, 'persistent-subscription-does-not-exist');
  return group;
}

const groupKey = (stream, name) => `${stream === undefined ? '$all' : keyOf(stream)}::${name}`;
const missing = (stream, name, code, exception) => Refusal.group(code, exception, stream ?? '$all', name);

// New events reach the groups, too.
export function pumpAll(store) {
  for (const group of store.groups.values()) pump(store, group);
}
