// udp-load beside iperf3 (8 processes of 125 streams, as one takes no more than 128) and iperf 2 (--incr-srcip), all on
// the loopback of this machine.
//
//   [REAL_TIME=1] node tests/bench/udp-load.mjs

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { missing, namespaceFor } from '../e2e/udp_bed.mjs';
import { bench, binary, count, folder, inTurn, median, sum } from './support.mjs';

const SECONDS = count(20, 2);
const ROUNDS = count(3, 1);
const CEILING_SECONDS = count(4, 1);
const RULES_SECONDS = count(10, 2);
const CALLERS = 1000;
const PACKETS_PER_S = 65_000 / 8 / 160; // of a caller
const PLANNED = Math.round(CALLERS * SECONDS * PACKETS_PER_S);
const LOAD = ['--bps', '65000', '--packet-size', '160'];
const FROM = ['--min-client-addr', '127.1.0.1', '--client-addrs', String(CALLERS)];
const PROCESSES = 8;

// REAL_TIME=1: all of them, the peers too, at real-time priority, for a machine that does other things as well. A starved
// iperf3 takes less CPU time, as it then sends many packets at each wake-up.
const isRealTime = process.env.REAL_TIME === '1';
const ALONE = isRealTime ? ['chrt', '-r', '20'] : [];
let runs = 0;
const how = `1,000 callers of 65,000 bit/s in packets of 160 bytes for ${SECONDS} s on loopback${isRealTime ? ', all at real-time priority' : ''}: CPU time (user + system) of \
client and server, median of ${ROUNDS} runs in turn with iperf3 (8 processes of 125 streams, as one takes no more than 128); iperf 2 \
(\`--incr-srcip\`) once. The ceiling: what one core sends, the receiver pinned to another, udp-load with more callers' load than it can \
serve and iperf3 with \`-b 0\` and one stream; nearly all of it is the kernel's send() for both, and 1,000 sockets keep its caches less \
warm than one. The rules: through a veth between two namespaces, without, with, with, without, ${RULES_SECONDS} s each.`;

// --- Processes ---

// A program with its CPU time, by GNU time. { ended: { cpu_s, stdout, stderr, code }, stop }
function start([program, ...args], prefix = []) {
  runs += 1;
  const times = join(folder, `time-${runs}`);
  const [first, ...rest] = [...prefix, '/usr/bin/time', '-q', '-f', '%U %S', '-o', times, program, ...args];
  const child = spawn(first, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, LC_ALL: 'C' } });
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (data) => { out[name] += data; });
  const ended = once(child, 'close').then(([code]) => {
    const [user_s, system_s] = readFileSync(times, 'utf8').trim().split('\n').at(-1).split(' ').map(Number);
    return { ...out, code, cpu_s: user_s + system_s };
  });
  // GNU time does not pass signals on: its child gets it.
  const stop = (signal) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const [inner] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ');
    if (inner) process.kill(Number(inner), signal);
  };
  return { ended, stop };
}

// Below those that the kernel gives to clients: iperf3's server opens its port anew for each stream, and a client's
// socket may have it by then.
let lastPort = 20_000 + (process.pid % 100) * 100;
async function freePort() {
  for (;;) {
    lastPort += 1;
    const socket = createSocket('udp4');
    const isFree = await new Promise((resolve) => {
      socket.once('error', () => resolve(false)).bind(lastPort, '0.0.0.0', () => resolve(true));
    });
    if (!isFree) continue;
    socket.close();
    await once(socket, 'close');
    return lastPort;
  }
}

// --- The contestants: { client_s, server_s } and what else they tell ---

async function udpLoad(args, { host = '127.0.0.1', clientPrefix = [], serverPrefix = [] } = {}) {
  const port = String(await freePort());
  const server = start([binary, 'udp-load', 'server', '--once', '--quiet', '--output', 'json', '--port', port], serverPrefix);
  await sleep(500);
  const client = await start([binary, 'udp-load', 'client', '--host', host, '--port', port, '--output', 'json', '--quiet', ...args],
    clientPrefix).ended;
  if (client.stdout === '') {
    server.stop('SIGKILL');
    throw new Error(`udp-load ended with ${client.code}: ${client.stderr}`);
  }
  const { cpu_s: server_s } = await server.ended;
  const report = JSON.parse(client.stdout);
  return { client_s: client.cpu_s, server_s, report };
}

async function iperf3(seconds, rate, streams, processes, pins = [[], []]) {
  const ports = [];
  for (let i = 0; i < processes; i += 1) ports.push(String(await freePort()));
  const servers = ports.map((port) => start(['iperf3', '-s', '-1', '-p', port], pins[1]));
  await sleep(500);
  const clients = ports.map((port) => start(['iperf3', '-c', '127.0.0.1', '-p', port, '-u', '-b', String(rate), '-l', '160',
    '-t', String(seconds), '-P', String(streams), '--json'], pins[0]));
  const ends = await Promise.all(clients.map(({ ended }) => ended));
  for (const [i, end] of ends.entries()) if (end.code !== 0) servers[i].stop('SIGKILL');
  const served = await Promise.all(servers.map(({ ended }) => ended));
  const sums = ends.map(({ code, stdout, stderr }) => {
    const sum_of_streams = code === 0 && JSON.parse(stdout).end.sum; // without it when it met an error on the way
    if (!sum_of_streams) throw new Error(`iperf3 failed: ${stdout.slice(-300)}${stderr}`);
    return sum_of_streams;
  });
  return {
    client_s: sum(ends.map(({ cpu_s }) => cpu_s)), server_s: sum(served.map(({ cpu_s }) => cpu_s)),
    sent: sum(sums.map(({ packets }) => packets)), received: sum(sums.map(({ packets, lost_packets: lost }) => packets - lost)),
    sent_per_s: sum(sums.map(({ packets, seconds: took }) => packets / took)),
  };
}

// Its server's lines of CSV: the 11th field is what was lost, the 12th what was sent.
async function iperf2(seconds) {
  const port = String(await freePort());
  const server = start(['iperf', '-s', '-u', '-p', port, '-y', 'C'], ALONE);
  await sleep(500);
  const client = await start(['iperf', '-c', '127.0.0.1', '-p', port, '-u', '-b', '65000', '-l', '160', '-t', String(seconds),
    '-P', String(CALLERS), '-B', '127.1.0.1', '--incr-srcip'], ALONE).ended;
  await sleep(2000);
  server.stop('SIGTERM');
  const killed = setTimeout(() => server.stop('SIGKILL'), 5000);
  const { stdout, cpu_s: server_s } = await server.ended;
  clearTimeout(killed);
  const rows = stdout.split('\n').map((line) => line.split(',')).filter((row) => row.length >= 12 && Number(row[5]) > 0);
  return { client_s: client.cpu_s, server_s, received: sum(rows.map((row) => Number(row[11]) - Number(row[10]))) };
}

// --- The figures ---

// The first second, from 1, in which all callers sent.
function rampUp(seconds) {
  const second = seconds.findIndex(({ sent }) => sent >= CALLERS * PACKETS_PER_S * 0.99);
  return second < 0 ? Infinity : second;
}

const ownNumbers = ({ client_s, server_s, report: { totals, seconds } }) => ({
  client_s, server_s, rate_error: Math.abs(totals.rate_error_percent), jitter_us: totals.jitter_ms.p50 * 1000,
  late_us: totals.lateness_ms.p99 * 1000, ramp_s: rampUp(seconds),
});

async function compare() {
  const load = ['--clients', String(CALLERS), '--seconds', String(SECONDS), ...FROM, ...LOAD];
  let lost = 0; // in all runs
  const ours = {
    run: async () => {
      const result = await udpLoad(load, { clientPrefix: ALONE, serverPrefix: ALONE });
      lost += result.report.totals.lost;
      return ownNumbers(result);
    },
  };
  const peer = {
    run: async () => {
      const { client_s, server_s } = await iperf3(SECONDS, 65_000, CALLERS / PROCESSES, PROCESSES, [ALONE, ALONE]);
      return { client_s, server_s };
    },
  };
  await inTurn([ours, peer], ROUNDS, ({ run }) => run(), { warm: true });
  const against = (name, what) => ({ what, value: ours[name], unit: 's', peer: 'iperf3', peer_value: peer[name] });
  return [
    { ...against('client_s', "client's CPU"), target: { ratio: 0.28 } },
    { ...against('server_s', "server's CPU"), target: { ratio: 0.45 } },
    ...await besideIperf2(ours),
    { what: `lost packets, of ${ROUNDS} runs`, value: lost, unit: '', target: { value: 0 } },
    { what: 'rate error', value: ours.rate_error, unit: '%', target: { value: 0.1 } },
    { what: 'own jitter, p50 of the callers', value: ours.jitter_us, unit: 'us', target: { value: 50 } },
    { what: 'sent late, p99', value: ours.late_us, unit: 'us' },
    { what: 'seconds until all callers send', value: ours.ramp_s, unit: 's', target: { value: 1 } },
  ];
}

async function besideIperf2(ours) {
  const what = ["client's CPU beside iperf 2", "server's CPU beside iperf 2"];
  try {
    const peer = await iperf2(SECONDS);
    const name = `iperf 2, which received ${(peer.received / PLANNED * 100).toFixed(1)} %`;
    return [
      { what: what[0], value: ours.client_s, unit: 's', peer: name, peer_value: peer.client_s },
      { what: what[1], value: ours.server_s, unit: 's', peer: name, peer_value: peer.server_s },
    ];
  } catch (error) {
    return [{ what: what[0], left_out: error.message }];
  }
}

// Packets a second that one core sends, the receiver on another.
async function ceiling() {
  const pins = [['taskset', '-c', '1', ...ALONE], ['taskset', '-c', '0']];
  const load = ['--clients', String(CALLERS), '--seconds', String(CEILING_SECONDS), '--ramp', '0s', ...FROM, '--bps', '780000', '--packet-size', '160'];
  const ours = {
    run: async () => (await udpLoad(load, { clientPrefix: pins[0], serverPrefix: pins[1] })).report.totals.rate_bps * CALLERS / 8 / 160,
  };
  const peer = { run: async () => (await iperf3(CEILING_SECONDS, 0, 1, 1, pins)).sent_per_s };
  await inTurn([ours, peer], ROUNDS, async ({ run }) => ({ thousands: await run() / 1000 }), { warm: true });
  return [{
    what: 'packets that one core sends', value: ours.thousands, unit: 'thousand/s', better: 'more', target: { ratio: 0.8 },
    peer: 'iperf3 -b 0', peer_value: peer.thousands,
  }];
}

// Rules count only for packets that leave, so the server is in another namespace.
function twoNamespaces(t) {
  const [client, server] = [namespaceFor(t, 'bc'), namespaceFor(t, 'bs')];
  client.ip(`link add wire type veth peer name wire netns ${server.name}`);
  for (const { ip } of [client, server]) ip('link set wire up');
  client.ip('addr add 10.77.0.1/32 dev wire');
  client.ip('route add local 10.77.0.0/16 dev lo');
  client.ip('route add 10.99.0.1 dev wire');
  server.ip('addr add 10.99.0.1/32 dev wire');
  server.ip('route add 10.77.0.0/16 dev wire');
  return { client, server };
}

async function rules() {
  const what = `client's CPU with ${CALLERS.toLocaleString('en')} policy rules`;
  const reason = missing();
  if (reason) return [{ what, target: { ratio: 1.1 }, left_out: reason }];
  const cleanups = [];
  try {
    const { client, server } = twoNamespaces({ after: (cleanup) => cleanups.unshift(cleanup) });
    const within = ({ name }) => ['ip', 'netns', 'exec', name];
    const load = async () => (await udpLoad(['--clients', String(CALLERS), '--seconds', String(RULES_SECONDS), '--min-client-addr', '10.77.0.1',
      '--client-addrs', String(CALLERS), ...LOAD], { host: '10.99.0.1', clientPrefix: within(client), serverPrefix: within(server) })).client_s;
    const addresses = Array.from({ length: CALLERS }, (_, i) => `10.77.${(i + 1) >> 8}.${(i + 1) & 255}`);
    const batch = (doing) => addresses.map((address, i) => `rule ${doing} from ${address} table ${1000 + i}\n`).join('');
    client.exec('ip', ['-batch', '-'], { input: addresses.map((_, i) => `route add default dev wire table ${1000 + i}\n`).join('') });
    const without = [await load()];
    client.exec('ip', ['-batch', '-'], { input: batch('add') });
    const withRules = [await load(), await load()];
    client.exec('ip', ['-batch', '-'], { input: batch('del') });
    without.push(await load());
    return [{ what, value: median(withRules), unit: 's', peer: 'without', peer_value: median(without), target: { ratio: 1.1 } }];
  } finally {
    for (const cleanup of cleanups) await cleanup();
  }
}

await bench('udp-load', how, async () => [...await compare(), ...await ceiling(), ...await rules()]);
