// slack-serve under signed events on loopback, each another one. Slack is never called: no handler is there for an
// event, or ("queued") one is, but may not answer in that channel.
// - CPU time of the server's process an event, beside @slack/bolt's HTTPReceiver in node, in turn, in one run. Bolt is
//   there with a whole App that asks one listener, as ours asks one handler, and alone: it verifies, parses and
//   acknowledges. Who generates the load and how fast does not count;
// - the acknowledgement at 2,000 events a second beside a bare 200 (GET /healthz) of the same server at the same rate,
//   in turn: of each percentile the median of the rounds, as one stall of the machine spoils a round's;
// - memory after a tenth of EVENTS (queued, so that they are remembered: the last 50,000) and after all; it takes
//   500,000 to be full by the tenth.
// It takes about two minutes on two cores that do nothing else.
//
//   node tests/bench/slack-serve.mjs [EVENTS]

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SIGNING_SECRET, messageEvent, signed } from '../standin/slack_events.mjs';
import { pace, push } from './load.mjs';
import { machine, median, root, verdict } from './support.mjs';

const EVENTS = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = 5;
const RATE_PER_S = 2_000;
const PACED_ROUNDS = 10;
const MOST_LATE_US = 1_000;
const TICK_MS = 10; // of /proc/PID/stat, on every Linux
const binary = join(root, 'build/release/opsbelt');
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const bot = join(folder, 'bot.yaml');
writeFileSync(bot, 'name: bench\nhandlers:\n- match: ^deploy (\\w+)$\n  channels: [C00000099]\n  reply: deploying $1\n');

// --- The servers ---

const servers = [];

// { name, pid, port } of a server that writes where it listens, with `announced`, into its log.
async function start(name, [program, ...args], announced) {
  const path = join(folder, `log-${servers.length}.txt`);
  const fd = openSync(path, 'w');
  const env = { PATH: process.env.PATH, NODE_ENV: 'production', SLACK_SIGNING_SECRET: SIGNING_SECRET, SLACK_BOT_TOKEN: 'xoxb-none' };
  const child = spawn(program, args, { env, cwd: join(root, 'tests'), stdio: ['ignore', fd, fd] });
  closeSync(fd);
  servers.push(child);
  for (const end_ms = Date.now() + 10_000; ; await delay(10)) {
    const port = announced.exec(readFileSync(path, 'utf8'))?.[1];
    if (port) return { name, pid: child.pid, port: Number(port) };
    if (child.exitCode !== null || Date.now() > end_ms) throw new Error(`${name} does not listen: ${readFileSync(path, 'utf8')}`);
  }
}

const startOurs = (name, ...args) => start(name,
  [binary, 'slack-serve', '--config', bot, '--bind', '127.0.0.1', '--port', '0', ...args], /listens on [\d.]+:(\d+)/);

// `app` is JavaScript that makes what HTTPReceiver gives its events to.
const startBolt = (name, app) => start(name, [process.execPath, '-e', `
  const { App, HTTPReceiver } = require('@slack/bolt');
  const receiver = new HTTPReceiver({ signingSecret: process.env.SLACK_SIGNING_SECRET });
  ${app}
  receiver.start({ port: 0, host: '127.0.0.1' }).then((server) => console.log('listens on ' + server.address().port));`],
/listens on (\d+)/);

async function stopAll() {
  for (const child of servers) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  rmSync(folder, { recursive: true });
}

const stat = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
const cpuMs = (pid) => (Number(stat(pid)[11]) + Number(stat(pid)[12])) * TICK_MS;
const mib = (pid, name) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

async function counted(port, name) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } })).text();
  return Number(new RegExp(`^opsbelt_${name}_total (\\d+)`, 'm').exec(text)[1]);
}

// --- The requests ---

const template = (text) => signed(messageEvent({ text, event_id: 'EVENT_ID', ts: 'TS' })).body.toString();
const UNHEARD = template('is anybody here? the wiki is slow');
const QUEUED = template('deploy web');
const START_S = Math.floor(Date.now() / 1000);
let made = 0;

function wire(line, headers, body) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${line} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('')}\r\n${body}`, 'latin1');
}

function nextEvent(text = UNHEARD) {
  made += 1;
  const ts = `${START_S}.${String(made).padStart(6, '0').slice(-6)}`;
  const id = `Ev${made.toString(36).toUpperCase().padStart(9, '0')}`;
  const { headers, body } = signed(text.replace('EVENT_ID', id).replaceAll('TS', ts));
  return wire('POST /slack/events', { ...headers, 'content-length': body.length }, body);
}

const healthz = wire('GET /healthz', {}, '');

const nextQueued = () => nextEvent(QUEUED);

// --- The figures ---

async function compareCpu() {
  const app = "const app = new App({ receiver, authorize: async () => ({ botToken: 'xoxb-none', botId: 'B1', botUserId: 'U1' }) });";
  const ours = { ...await startOurs('opsbelt slack-serve', '--access-log', 'false'), count: 30_000 };
  const logged = { ...await startOurs('the same, access log on'), count: 30_000 };
  const queued = { ...ours, name: 'the same, queued', make: nextQueued };
  const bare = { ...ours, name: 'the same, GET /healthz', make: () => healthz };
  const bolt = { ...await startBolt('@slack/bolt in node', `${app} app.message(/^deploy (\\w+)$/, async () => {});`), count: 6_000 };
  const alone = { ...await startBolt('its HTTPReceiver alone', 'receiver.init({ processEvent: (event) => event.ack() });'), count: 6_000 };
  const all = [ours, queued, logged, bare, bolt, alone];
  for (const contestant of all) {
    contestant.cpus_ms = [];
    await push(contestant.port, contestant.count / 2, contestant.make ?? (() => nextEvent()));
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { pid, port, count, make = () => nextEvent(), cpus_ms } of all) {
      const before_ms = cpuMs(pid);
      await push(port, count, make);
      cpus_ms.push((cpuMs(pid) - before_ms) / count);
    }
  }
  for (const contestant of all) {
    contestant.cpu_ms = contestant.cpus_ms.reduce((a, b) => a + b) / ROUNDS;
    contestant.peak_mib = mib(contestant.pid, 'VmHWM');
  }
  console.log(`slack-serve: CPU time of the server an event (${nextEvent().length} bytes), ${ROUNDS} rounds in turn, ${machine}`);
  for (const { name, cpu_ms, cpus_ms, peak_mib } of all) {
    const [least, most] = [Math.min(...cpus_ms), Math.max(...cpus_ms)].map((ms) => (ms * 1000).toFixed(0));
    console.log(`  ${name.padEnd(24)} ${(cpu_ms * 1000).toFixed(1).padStart(7)} us (${least} to ${most})  ${(1000 / cpu_ms).toFixed(0).padStart(6)} a CPU second  ${(cpu_ms / bolt.cpu_ms).toFixed(3).padStart(6)} x bolt's CPU  ${peak_mib.toFixed(1).padStart(6)} MiB`);
  }
  console.log(`  CPU against bolt: ${verdict(ours.cpu_ms / bolt.cpu_ms, 0.1, ' x')}`);
  const expected = (ROUNDS + 0.5) * (ours.count + queued.count);
  const verified = await counted(ours.port, 'verified') - await counted(ours.port, 'duplicates');
  if (verified !== expected) throw new Error(`${verified} events were verified and new, of ${expected}`);
}

const percentile = (sorted, share) => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] * 1000;

async function compareWaits() {
  const ours = await startOurs('opsbelt slack-serve', '--access-log', 'false');
  const kinds = [
    { name: 'an event', make: () => nextEvent() },
    { name: 'an event, queued', make: nextQueued },
    { name: 'GET /healthz', make: () => healthz },
  ];
  for (const kind of kinds) kind.rounds = [];
  for (let round = 0; round <= PACED_ROUNDS; round += 1) {
    for (const kind of kinds) {
      const result = await pace(ours.port, Array.from({ length: RATE_PER_S }, kind.make), RATE_PER_S);
      if (round > 0) kind.rounds.push(result); // the first warms up
    }
  }
  console.log(`slack-serve: the wait at ${RATE_PER_S} a second, ${PACED_ROUNDS} rounds of a second each in turn, ${machine}`);
  for (const kind of kinds) {
    const over = (name, share) => kind.rounds.map((round) => percentile(round[name], share));
    kind.p99_us = median(over('waits_ms', 0.99));
    kind.late_us = median(over('delays_ms', 0.99));
    const [least, most] = [Math.min(...over('waits_ms', 0.99)), Math.max(...over('waits_ms', 0.99))].map((us) => us.toFixed(0));
    console.log(`  ${kind.name.padEnd(24)} p50 ${median(over('waits_ms', 0.5)).toFixed(0).padStart(5)} us  p99 ${kind.p99_us.toFixed(0).padStart(5)} us (${least} to ${most})  sent late by ${kind.late_us.toFixed(0)} us (p99)`);
  }
  const [event, queued, bare] = kinds;
  if (Math.max(...kinds.map((kind) => kind.late_us)) > MOST_LATE_US) {
    console.log(`  NO VERDICT: the machine was too busy to send in time (${MOST_LATE_US} us), so these are its waits, not the server's`);
    return;
  }
  console.log(`  p99 against the bare answer: ${verdict(event.p99_us / bare.p99_us, 5, ' x')}`);
  console.log(`  p99 against it, queued: ${verdict(queued.p99_us / bare.p99_us, 5, ' x')}`);
}

async function watchMemory() {
  const ours = await startOurs('opsbelt slack-serve', '--access-log', 'false', '--queue', '10000');
  const rows = [{ events: 0 }, { events: EVENTS / 10 }, { events: EVENTS }];
  let sent = 0;
  for (const row of rows) {
    await push(ours.port, Math.max(row.events - sent, 1), nextQueued);
    sent = Math.max(row.events, 1);
    Object.assign(row, { now_mib: mib(ours.pid, 'VmRSS'), peak_mib: mib(ours.pid, 'VmHWM') });
  }
  console.log(`slack-serve: memory, ${machine}`);
  for (const { events, now_mib, peak_mib } of rows) {
    console.log(`  after ${String(events).padStart(8)} events ${now_mib.toFixed(1).padStart(11)} MiB  peak ${peak_mib.toFixed(1).padStart(6)} MiB`);
  }
  console.log(`  peak after all against after a tenth: ${verdict(rows[2].peak_mib / rows[1].peak_mib, 1.1, ' x')}`);
}

try {
  await compareCpu();
  await compareWaits();
  await watchMemory();
} finally {
  await stopAll();
}
