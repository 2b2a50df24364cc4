// es-tail beside @eventstore/db-client in node (the official client) and a bare reader on nghttp2 that only counts, all
// three on one server that sends ready events of 200 bytes of JSON from memory.
//
//   node tests/bench/es-tail.mjs

import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bench, binary, count, folder, inTurn, measure, root, runOnce, startStandin } from './support.mjs';

const EVENTS = count(200_000, 20_000);
const ROUNDS = count(5, 1);
const CLIENT_ROUNDS = count(3, 1); // each takes seconds
const GROWTH = count([200_000, 2_000_000, 10_000_000], [20_000, 200_000]);
const LONGEST_MS = 90_000;
const [reader, answerer, processors, checkpoints] =
  ['reader', 'answerer', 'processors.yaml', 'checkpoints.db'].map((name) => join(folder, name));
const how = `${EVENTS.toLocaleString('en')} events of 200 bytes of JSON, which a server sends ready from memory, subscribed to from the beginning; median \
of ${ROUNDS} runs in turn (the client ${CLIENT_ROUNDS}). es-tail decodes all and prints JSON Lines, to /dev/null or into a pipe that \`wc\` reads; its \
time is that of the whole process, the others' begins when they connect. The client parses the JSON and counts, and so does the bare \
reader on nghttp2 without parsing. Growth: CPU time an event with ever more events; the server makes these on the way, so the wall \
time would be the server's.`;

function prepare() {
  const compile = (to, source, ...libraries) =>
    execFileSync('gcc', ['-O2', '-o', to, join(root, 'tests/bench', source), ...libraries], { stdio: ['ignore', 'ignore', 'inherit'] });
  compile(reader, 'eventstore_reader.c', '-l:libnghttp2.a');
  compile(answerer, 'eventstore_answerer.c');
  writeFileSync(processors, JSON.stringify({ processors: [{ name: 'answerer', events: ['OrderPlaced'], pipe: [answerer] }] }));
}

const startServer = (events) => startStandin(['bench/eventstore_server.mjs', '--events', String(events)]);

// --- The contestants ---

const TO_NULL = '"$@" >/dev/null';
const TO_PIPE = '"$@" | wc -l';

// { events_per_s, peak_mib, cpu_ms, wall_ms, stdout } of a whole process.
async function ours(events, way, args) {
  const result = await measure([binary, 'es-tail', ...args], { way });
  return { ...result, events_per_s: events / result.wall_ms * 1000 };
}

const url = (port) => ['orders', '--url', `esdb://127.0.0.1:${port}?tls=false`, '--exit', '--quiet'];

async function print(port, way, events = EVENTS) {
  const result = await ours(events, way, [...url(port), '--offset', 'beginning', '--json']);
  if (way === TO_PIPE && Number(result.stdout) !== events) throw new Error(`es-tail printed ${result.stdout} events`);
  return result;
}

async function pipe(port) {
  rmSync(checkpoints, { force: true });
  const result = await ours(EVENTS, TO_NULL, [...url(port), '--processors', processors, '--checkpoints', checkpoints, '--sync-interval', '500ms']);
  const { stdout } = runOnce([binary, 'es-tail', 'checkpoints', 'list', '--checkpoints', checkpoints], {});
  if (!stdout.includes(` ${EVENTS - 1} `)) throw new Error(`the checkpoint is ${stdout}`);
  return result;
}

// A program that tells its own figures.
function peer(command, port) {
  const result = JSON.parse(runOnce([...command, String(port), 'orders', String(EVENTS)], { PATH: process.env.PATH }).stdout);
  return { events_per_s: result.events_per_s, peak_mib: result.peak_rss_mib };
}

// --- The figures ---

async function compare() {
  const { port, stop } = await startServer(EVENTS);
  const contestants = [
    { run: () => print(port, TO_NULL) },
    { run: () => print(port, TO_PIPE) },
    { run: () => pipe(port) },
    { run: () => peer([process.execPath, 'bench/eventstore_client.mjs'], port), rounds: CLIENT_ROUNDS },
    { run: () => peer([reader], port) },
  ];
  await inTurn(contestants, ROUNDS, async ({ run }) => {
    const { events_per_s, peak_mib } = await run();
    return { thousands: events_per_s / 1000, peak_mib };
  });
  await stop();
  const [toNull, toPipe, processor, client, bare] = contestants;
  const rate = (value, against) => ({ value: value.thousands, unit: 'thousand/s', better: 'more', ...against });
  const toClient = { peer: 'the client in node', peer_value: client.thousands };
  const toBare = { peer: 'bare nghttp2, counts only', peer_value: bare.thousands };
  const memory = ({ peak_mib }) => ({ value: peak_mib, unit: 'MiB', peer: 'the client in node', peer_value: client.peak_mib });
  return [
    { what: 'events to /dev/null', ...rate(toNull, toClient), target: { ratio: 12 } },
    { what: 'the same', ...rate(toNull, toBare) },
    { what: 'peak memory, to /dev/null', ...memory(toNull), target: { value: 20 } },
    { what: 'events into a pipe that is read', ...rate(toPipe, toClient), target: { ratio: 12 } },
    { what: 'peak memory, into a pipe that is read', ...memory(toPipe), target: { value: 20 } },
    { what: 'events to a pipe processor, checkpoints each 500 ms', ...rate(processor, toClient), target: { value: 100 } },
    { what: 'peak memory, to a pipe processor', ...memory(processor) },
  ];
}

// The CPU time of an event of a long stream beside that of a short one.
async function grow() {
  const rows = [];
  let last;
  let first_us;
  for (const events of GROWTH) {
    const what = `CPU of an event, of ${events.toLocaleString('en')}`;
    const expected_ms = last ? last.wall_ms * events / last.events : 0;
    if (expected_ms > LONGEST_MS) {
      rows.push({ what, target: { ratio: 1.25 }, left_out: `would take about ${(expected_ms / 1000).toFixed(0)} s` });
      break;
    }
    const { port, stop } = await startServer(events);
    const { cpu_ms, peak_mib, wall_ms } = await print(port, TO_NULL, events);
    await stop();
    const each_us = cpu_ms / events * 1000;
    last = { events, wall_ms };
    if (first_us === undefined) first_us = each_us;
    else {
      const peer = `of ${GROWTH[0].toLocaleString('en')}`;
      rows.push({ what, value: each_us, unit: 'us', peer, peer_value: first_us, target: { ratio: 1.25 } },
        { what: `peak memory with ${events.toLocaleString('en')}`, value: peak_mib, unit: 'MiB', target: { value: 20 } });
    }
  }
  return rows;
}

await bench('es-tail', how, async () => {
  prepare();
  return [...await compare(), ...await grow()];
});
