// The benchmark's event store: one stream of many events, sent from memory as fast as the client takes them.
//
//   node eventstore_server.mjs [--events 200000] [--stream orders]      prints { "port", "events", "stream" } as JSON;
//                                                                       the end of stdin ends it
//
// Knows Streams/Read of one stream, forwards: reads with a count, subscriptions (then caught_up, and it stays open), from
// the start or a revision. All else is answered UNIMPLEMENTED. More than a million events are made on the way, and not
// before it starts.

import http2 from 'node:http2';
import { parseArgs } from 'node:util';
import { frame, messagesOf, streams } from '../standin/eventstore_wire.mjs';
import { BLOCK_EVENTS, eventMaker } from './eventstore_events.mjs';

const READ = '/event_store.client.streams.Streams/Read';
const GRPC = { ':status': 200, 'content-type': 'application/grpc' };
const KEPT_EVENTS = 1_000_000;

const { values } = parseArgs({ options: { events: { type: 'string', default: '200000' }, stream: { type: 'string', default: 'orders' } } });
const EVENTS = Number(values.events);
const makers = { string: eventMaker(values.stream, false), structured: eventMaker(values.stream, true) };
const kept = { string: new Map(), structured: new Map() };

function blockOf(ids, number) {
  const known = kept[ids].get(number);
  if (known) return known;
  const first = number * BLOCK_EVENTS;
  const made = makers[ids](first, Math.min(BLOCK_EVENTS, EVENTS - first));
  if (EVENTS <= KEPT_EVENTS) kept[ids].set(number, made);
  return made;
}

function reply(setter, value) {
  const message = new streams.ReadResp();
  message[setter](value);
  return frame(message.serializeBinary());
}

function confirmation() {
  const message = new streams.ReadResp.SubscriptionConfirmation();
  message.setSubscriptionId('bench');
  return reply('setConfirmation', message);
}

async function serve(stream, headers) {
  stream.on('error', () => {}); // of a client that has seen enough
  if (headers[':path'] !== READ) return stream.respond({ ...GRPC, 'grpc-status': '12' }, { endStream: true });
  for await (const message of messagesOf(stream)) {
    const options = streams.ReadReq.deserializeBinary(message).getOptions();
    const isSubscription = options.hasSubscription();
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.respond(GRPC, { waitForTrailers: true });
    if (isSubscription) stream.write(confirmation());
    await sendEvents(stream, options, isSubscription);
    if (isSubscription) stream.write(reply('setCaughtUp', new streams.ReadResp.CaughtUp()));
    else stream.end();
  }
  return undefined;
}

// In whole blocks of more than a MiB: http2 carries five times as much by them as by writes of 64 KiB.
async function sendEvents(stream, options, isSubscription) {
  const source = options.getStream();
  const ids = options.getUuidOption().hasStructured() ? 'structured' : 'string';
  const asked = source.hasEnd() ? EVENTS : Number(source.getRevision());
  let next = source.hasStart() ? 0 : asked + (isSubscription ? 1 : 0);
  const end = isSubscription ? EVENTS : Math.min(EVENTS, next + Number(options.getCount()));
  while (next < end && !stream.destroyed) {
    const number = Math.floor(next / BLOCK_EVENTS);
    const { bytes, ends } = blockOf(ids, number);
    const first = number * BLOCK_EVENTS;
    const last = Math.min(end, first + ends.length);
    const hasRoom = stream.write(bytes.subarray(next === first ? 0 : ends[next - first - 1], ends[last - first - 1]));
    next = last;
    if (!hasRoom) await new Promise((resolve) => { stream.once('drain', resolve); });
  }
}

const server = http2.createServer();
server.on('stream', (stream, headers) => serve(stream, headers).catch((error) => {
  if (!stream.destroyed) throw error;
}));
server.on('sessionError', () => {});
server.listen(0, '127.0.0.1', () => {
  if (EVENTS <= KEPT_EVENTS) for (let number = 0; number * BLOCK_EVENTS < EVENTS; number += 1) blockOf('string', number);
  console.log(JSON.stringify({ port: server.address().port, events: EVENTS, stream: values.stream }));
});
process.stdin.once('end', () => process.exit(0)).resume();
