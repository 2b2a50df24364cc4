// es-tail beside @eventstore/db-client in node (the official client) and a bare reader on nghttp2 that only counts, all
// three on one server that sends ready events of 200 bytes of JSON from memory:
// - EVENTS as JSON Lines to /dev/null, and to a pipe that is read: events a second and peak memory. es-tail's time is
//   that of the whole process, the others' begins when they connect;
// - the same through a pipe processor that keeps checkpoints;
// - more and more events: CPU time (user + system) of each and peak memory. The server makes these on the way and is
//   slower by that, so the CPU time tells and not the wall time. The last step is left out when it would take too long.
// It takes about a minute.
//
//   node tests/bench/es-tail.mjs [MOST_EVENTS]      steps of up to so many are taken, however long they take

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { machine, median, root, runOnce, verdict } from './support.mjs';

const EVENTS = 200_000;
const ROUNDS = 5;
const CLIENT_ROUNDS = 3; // each takes seconds
const GROWTH = [EVENTS, 2_000_000, 10_000_000];
const LONGEST_MS = 60_000;
const mostEvents = Number(process.argv[2] ?? 0);
const binary = process.env.OPSBELT_BINARY ?? join(root, 'build/release/opsbelt');
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const [reader, answerer, processors, checkpoints] =
  ['reader', 'answerer', 'processors.yaml', 'checkpoints.db'].map((name) => join(folder, name));

function prepare() {
  const compile = (to, source, ...libraries) =>
    execFileSync('gcc', ['-O2', '-o', to, join(root, 'tests/bench', source), ...libraries], { stdio: ['ignore', 'ignore', 'inherit'] });
  compile(reader, 'eventstore_reader.c', '-l:libnghttp2.a');
  compile(answerer, 'eventstore_answerer.c');
  writeFileSync(processors, JSON.stringify({ processors: [{ name: 'answerer', events: ['OrderPlaced'], pipe: [answerer] }] }));
}

// { port, stop }
async function startServer(events) {
  const args = ['bench/eventstore_server.mjs', '--events', String(events)];
  const server = spawn(process.execPath, args, { cwd: join(root, 'tests'), stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: server.stdout }), 'line');
  return { port: JSON.parse(line).port, stop: () => server.stdin.end() };
}

// --- The contestants ---

const TO_NULL = '"$@" >/dev/null';
const TO_PIPE = '"$@" | wc -l';

// { events_per_s, peak_mib, cpu_ms, wall_ms, stdout } of a whole process. bash tells CPU time to the millisecond, but
// with that of a pipe's reader; GNU time the memory.
function ours(events, way, args) {
  const script = `set -o pipefail; TIMEFORMAT='%U %S %R'; time /usr/bin/time -f %M ${way}`;
  const { stdout, stderr } = runOnce(['bash', '-c', script, 'bash', binary, 'es-tail', ...args], { PATH: process.env.PATH, LC_ALL: 'C' });
  const [peak_kib, user_s, system_s, wall_s] = stderr.trim().split(/\s+/).slice(-4).map(Number);
  return { events_per_s: events / wall_s, peak_mib: peak_kib / 1024, cpu_ms: (user_s + system_s) * 1000, wall_ms: wall_s * 1000, stdout };
}

const url = (port) => ['orders', '--url', `esdb://127.0.0.1:${port}?tls=false`, '--exit', '--quiet'];

function print(port, way, events = EVENTS) {
  const result = ours(events, way, [...url(port), '--offset', 'beginning', '--json']);
  if (way === TO_PIPE && Number(result.stdout) !== events) throw new Error(`es-tail printed ${result.stdout} events`);
  return result;
}

function pipe(port) {
  rmSync(checkpoints, { force: true });
  const result = ours(EVENTS, TO_NULL, [...url(port), '--processors', processors, '--checkpoints', checkpoints, '--sync-interval', '500ms']);
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

const atLeast = (value, target, unit) => `${value.toFixed(2)}${unit}, target at least ${target}${unit}: ${value >= target ? 'kept' : 'MISSED'}`;

// Each in turn, after a run of each that is not counted; fills in the medians.
function take(contestants, port) {
  for (const contestant of contestants) contestant.run(port);
  for (const contestant of contestants) contestant.results = [];
  for (let i = 0; i < ROUNDS; i += 1) {
    for (const { run, results, rounds = ROUNDS } of contestants) if (i < rounds) results.push(run(port));
  }
  for (const contestant of contestants) {
    contestant.events_per_s = median(contestant.results.map(({ events_per_s }) => events_per_s));
    contestant.peak_mib = median(contestant.results.map(({ peak_mib }) => peak_mib));
  }
}

async function compare() {
  const server = await startServer(EVENTS);
  const contestants = [
    { name: 'es-tail --json, /dev/null', run: (port) => print(port, TO_NULL) },
    { name: 'es-tail --json, a pipe', run: (port) => print(port, TO_PIPE) },
    { name: 'es-tail, a pipe processor', run: pipe },
    { name: 'the client in node', rounds: CLIENT_ROUNDS, run: (port) => peer([process.execPath, 'bench/eventstore_client.mjs'], port) },
    { name: 'bare nghttp2, counts only', run: (port) => peer([reader], port) },
  ];
  take(contestants, server.port);
  server.stop();
  const [toNull, toPipe, processor, client, bare] = contestants;
  console.log(`es-tail: ${EVENTS} events of 200 bytes of JSON, median of ${ROUNDS} runs, ${machine}`);
  for (const { name, events_per_s, peak_mib } of contestants) {
    console.log(`  ${name.padEnd(26)} ${(events_per_s / 1000).toFixed(0).padStart(5)} thousand events/s ${(events_per_s / client.events_per_s).toFixed(2).padStart(6)} x the client's ${(events_per_s / bare.events_per_s).toFixed(3).padStart(6)} x the bare reader's  ${peak_mib.toFixed(1).padStart(6)} MiB`);
  }
  for (const { name, events_per_s, peak_mib } of [toNull, toPipe]) {
    console.log(`  ${name}, events/s against the client's: ${atLeast(events_per_s / client.events_per_s, 12, ' x')}`);
    console.log(`  ${name}, peak memory: ${verdict(peak_mib, 20, ' MiB')}`);
  }
  console.log(`  ${processor.name}, checkpoints each 500 ms: ${atLeast(processor.events_per_s / 1000, 100, ' thousand events/s')}`);
}

async function grow() {
  const steps = [];
  for (const events of GROWTH) {
    const last = steps.at(-1);
    const expected_ms = last ? last.wall_ms * events / last.events : 0;
    if (expected_ms > LONGEST_MS && events > mostEvents) {
      console.log(`  ${events} events are left out, as they would take about ${(expected_ms / 1000).toFixed(0)} s`);
      break;
    }
    const server = await startServer(events);
    steps.push({ events, ...print(server.port, TO_NULL, events) });
    server.stop();
    const { cpu_ms, peak_mib, wall_ms } = steps.at(-1);
    console.log(`  ${String(events).padStart(8)} events ${(cpu_ms / events * 1000).toFixed(3).padStart(7)} µs CPU each  ${peak_mib.toFixed(1).padStart(6)} MiB ${(wall_ms / 1000).toFixed(2).padStart(7)} s`);
  }
  const each = ({ cpu_ms, events }) => cpu_ms / events;
  console.log(`  CPU time of an event, the last step against the first: ${verdict(each(steps.at(-1)) / each(steps[0]), 1.25, ' x')}`);
}

try {
  prepare();
  await compare();
  console.log(`es-tail --json, /dev/null: more and more events, once each, ${machine}`);
  await grow();
} finally {
  rmSync(folder, { recursive: true });
}
