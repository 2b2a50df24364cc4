// slack-serve under signed events on loopback, each another one, beside @slack/bolt in node.
//
//   node tests/bench/slack-serve.mjs

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SIGNING_SECRET, messageEvent, signed } from '../standin/slack_events.mjs';
import { pace, push } from './load.mjs';
import { bench, binary, count, folder, inTurn, median, tests } from './support.mjs';

const ROUNDS = count(5, 1);
const EVENTS_A_ROUND = count(30_000, 1_000);
const BOLT_EVENTS_A_ROUND = count(6_000, 500);
const REMEMBERED = count(1_000_000, 5_000);
const RATE_PER_S = 2_000;
const PACED_ROUNDS = count(10, 1);
const MOST_LATE_US = 1_000;
const TICK_MS = 10; // of /proc/PID/stat, on every Linux
const bot = join(folder, 'bot.yaml');
const how = `Signed events, each another one, over 16 connections on loopback. Slack is never called: there is no handler for an \
event, or ("queued") there is one, but it may not answer in that channel. CPU time is that of the server's process, median of ${ROUNDS} \
rounds in turn after one that warms up; who makes the load, and how fast, does not count. @slack/bolt runs as a whole App that asks \
one listener, as ours asks one handler, and as its HTTPReceiver alone, which verifies, parses and acknowledges. The waits: \
${RATE_PER_S.toLocaleString('en')} requests a second, p99 of a second, median of ${PACED_ROUNDS} in turn, beside a bare 200 (\`GET /healthz\`) of the same server; when \
they can't be sent in time (p99 later than ${MOST_LATE_US} us), there is no verdict. Memory: after a tenth of ${REMEMBERED.toLocaleString('en')} queued events \
(it remembers the last 50,000) and after all.`;
writeFileSync(bot, 'name: bench\nhandlers:\n- match: ^deploy (\\w+)$\n  channels: [C00000099]\n  reply: deploying $1\n');

// --- The servers ---

const servers = [];

// { name, pid, port } of a server that writes where it listens, with `announced`, into its log.
async function start(name, [program, ...args], announced) {
  const path = join(folder, `log-${servers.length}.txt`);
  const fd = openSync(path, 'w');
  const env = { PATH: process.env.PATH, NODE_ENV: 'production', SLACK_SIGNING_SECRET: SIGNING_SECRET, SLACK_BOT_TOKEN: 'xoxb-none' };
  const child = spawn(program, args, { env, cwd: tests, stdio: ['ignore', fd, fd] });
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
  const server = await startOurs('opsbelt slack-serve', '--access-log', 'false');
  const logging = await startOurs('the same, access log on');
  const bolt = await startBolt('@slack/bolt', `${app} app.message(/^deploy (\\w+)$/, async () => {});`);
  const receiver = await startBolt('its HTTPReceiver alone', 'receiver.init({ processEvent: (event) => event.ack() });');
  const contestants = [
    { ...server, events: EVENTS_A_ROUND, make: () => nextEvent() },
    { ...server, events: EVENTS_A_ROUND, make: nextQueued },
    { ...logging, events: EVENTS_A_ROUND, make: () => nextEvent() },
    { ...server, events: EVENTS_A_ROUND, make: () => healthz },
    { ...bolt, events: BOLT_EVENTS_A_ROUND, make: () => nextEvent() },
    { ...receiver, events: BOLT_EVENTS_A_ROUND, make: () => nextEvent() },
  ];
  await inTurn(contestants, ROUNDS, async ({ pid, port, events, make }) => {
    const before_ms = cpuMs(pid);
    await push(port, events, make);
    return { cpu_us: (cpuMs(pid) - before_ms) / events * 1000 };
  });
  const expected = (ROUNDS + 1) * 2 * EVENTS_A_ROUND;
  const verified = await counted(server.port, 'verified') - await counted(server.port, 'duplicates');
  if (verified !== expected) throw new Error(`${verified} events were verified and new, of ${expected}`);
  const [ours, queued, logged, bare, whole, alone] = contestants.map(({ cpu_us }) => cpu_us);
  const perSecond = (cpu_us) => 1e6 / cpu_us;
  const [peer, peerAlone] = ['@slack/bolt in node', "bolt's HTTPReceiver alone"];
  return [
    { what: 'verified events in a CPU second', value: perSecond(ours), unit: '', peer, peer_value: perSecond(whole), target: { ratio: 10 }, better: 'more' },
    { what: 'CPU of an event', value: ours, unit: 'us', peer, peer_value: whole },
    { what: 'the same', value: ours, unit: 'us', peer: peerAlone, peer_value: alone },
    { what: 'CPU of an event, access log on', value: logged, unit: 'us', peer, peer_value: whole },
    { what: 'CPU of an event, queued', value: queued, unit: 'us', peer, peer_value: whole },
    { what: 'CPU of an event', value: ours, unit: 'us', peer: 'a bare 200 of ours', peer_value: bare },
    { what: 'peak memory', value: mib(server.pid, 'VmHWM'), unit: 'MiB', peer, peer_value: mib(bolt.pid, 'VmHWM') },
  ];
}

const percentile = (sorted, share) => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] * 1000;

async function compareWaits() {
  const { port } = await startOurs('opsbelt slack-serve', '--access-log', 'false');
  const contestants = [{ make: () => nextEvent() }, { make: nextQueued }, { make: () => healthz }];
  await inTurn(contestants, PACED_ROUNDS, async ({ make }) => {
    const { waits_ms, delays_ms } = await pace(port, Array.from({ length: RATE_PER_S }, make), RATE_PER_S);
    return { wait_us: percentile(waits_ms, 0.99), late_us: percentile(delays_ms, 0.99) };
  });
  const [event, queued, bare] = contestants;
  const late_us = Math.max(...contestants.map((contestant) => contestant.late_us));
  const left_out = late_us > MOST_LATE_US ? `the machine was too busy to send in time (${late_us.toFixed(0)} us late)` : undefined;
  const against = { unit: 'us', peer: 'a bare 200 of ours', peer_value: bare.wait_us, target: { ratio: 5 }, left_out };
  return [
    { what: 'p99 of the acknowledgement', value: event.wait_us, ...against },
    { what: 'p99 of it, queued', value: queued.wait_us, ...against },
  ];
}

async function watchMemory() {
  const { port, pid } = await startOurs('opsbelt slack-serve', '--access-log', 'false', '--queue', '10000');
  await push(port, REMEMBERED / 10, nextQueued);
  const after_a_tenth = mib(pid, 'VmHWM');
  await push(port, REMEMBERED * 9 / 10, nextQueued);
  return [{
    what: `peak memory after ${REMEMBERED.toLocaleString('en')} events`, value: mib(pid, 'VmHWM'), unit: 'MiB',
    peer: 'after a tenth of them', peer_value: after_a_tenth, target: { ratio: 1.1 },
  }];
}

try {
  await bench('slack-serve', how, async () => [...await compareCpu(), ...await compareWaits(), ...await watchMemory()]);
} finally {
  await stopAll();
}
