// The peer of es-tail: the official client reads all events of a stream by a subscription, as it does by default (JSON
// parsed), and counts them. Prints { events, wall_ms, events_per_s, peak_rss_mib } as JSON.
//
//   node eventstore_client.mjs PORT STREAM EVENTS

import { EventStoreDBClient, START } from '@eventstore/db-client';

const [port, stream, wanted] = process.argv.slice(2);
const client = EventStoreDBClient.connectionString(`esdb://127.0.0.1:${port}?tls=false`);
const started = process.hrtime.bigint();
let events = 0;
for await (const { event } of client.subscribeToStream(stream, { fromRevision: START })) {
  if (!event.isJson) throw new Error(`event ${event.revision} is no JSON`);
  events += 1;
  if (events === Number(wanted)) break;
}
const wall_ms = Number(process.hrtime.bigint() - started) / 1e6;
console.log(JSON.stringify({
  events, wall_ms: Math.round(wall_ms), events_per_s: Math.round(events / wall_ms * 1000),
  peak_rss_mib: Math.round(process.resourceUsage().maxRSS / 1024),
}));
process.exit(0);
