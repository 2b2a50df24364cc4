// udp-load beside iperf3 (8 processes of 125 streams, as one takes no more than 128) and iperf 2 (--incr-srcip), all on
// the loopback of this machine:
// - 1,000 callers of 65,000 bit/s in packets of 160 bytes for SECONDS: CPU time (user + system) of client and server,
//   packets received, how true the rate is, udp-load's own jitter and its ramp-up;
// - what one core sends at most: udp-load with a higher rate than it can serve, iperf3 without a rate, both pinned;
// - the price of 1,000 policy rules, in namespaces of their own (root only).
// It takes about two minutes.
//
//   [REAL_TIME=1] node tests/bench/udp-load.mjs [SECONDS]

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { missing, namespaceFor } from '../e2e/udp_bed.mjs';
import { machine, root, verdict } from './support.mjs';

const SECONDS = Number(process.argv[2] ?? 20);
const CALLERS = 1000;
const LOAD = ['--bps', '65000', '--packet-size', '160'];
const FROM = ['--min-client-addr', '127.1.0.1', '--client-addrs', String(CALLERS)];
const PLANNED = Math.round(CALLERS * SECONDS * 65_000 / 8 / 160);
const PROCESSES = 8;
const binary = process.env.OPSBELT_BINARY ?? join(root, 'build/release/opsbelt');
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
let runs = 0;

// REAL_TIME=1: all of them, the peers too, at real-time priority, for a machine that does other things as well. A starved
// iperf3 takes less CPU time, as it then sends many packets at each wake-up.
const isRealTime = process.env.REAL_TIME === '1';
const ALONE = isRealTime ? ['chrt', '-r', '20'] : [];

// --- Processes ---

// A program with its CPU time, by GNU time. { pid, ended: { cpu_s, wall_s, stdout, stderr, code } }
function start([program, ...args], prefix = []) {
  runs += 1;
  const times = join(folder, `time-${runs}`);
  const [first, ...rest] = [...prefix, '/usr/bin/time', '-q', '-f', '%U %S %e', '-o', times, program, ...args];
  const child = spawn(first, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, LC_ALL: 'C' } });
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (data) => { out[name] += data; });
  const ended = once(child, 'close').then(([code]) => {
    const [user_s, system_s, wall_s] = readFileSync(times, 'utf8').trim().split('\n').at(-1).split(' ').map(Number);
    return { ...out, code, cpu_s: user_s + system_s, wall_s };
  });
  // GNU time does not pass signals on: its child gets it.
  const stop = (signal) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const [inner] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ');
    if (inner) process.kill(Number(inner), signal);
  };
  return { ended, stop };
}

const sum = (values) => values.reduce((a, b) => a + b, 0);

async function freePort() {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

// --- The contestants. { client_s, server_s, received, expected } ---

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
  return { client_s: client.cpu_s, server_s, wall_s: client.wall_s, received: report.totals.received, report };
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
  const failed = ends.find(({ code }) => code !== 0);
  if (failed) throw new Error(`iperf3 failed: ${failed.stdout.slice(-300)}${failed.stderr}`);
  const sums = ends.map(({ stdout }) => JSON.parse(stdout).end.sum);
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

const atLeast = (value, target, unit) => `${value.toFixed(2)}${unit}, target at least ${target}${unit}: ${value >= target ? 'kept' : 'MISSED'}`;

const line = (name, { client_s, server_s, received }) =>
  console.log(`  ${name.padEnd(22)} client ${client_s.toFixed(2).padStart(6)} CPU s  server ${server_s.toFixed(2).padStart(6)} CPU s  received ${(received / PLANNED * 100).toFixed(2).padStart(6)} % of ${PLANNED}`);

// The first second, from 1, in which all callers sent.
const rampUp = (seconds) => seconds.findIndex(({ sent }) => sent >= CALLERS * 65_000 / 8 / 160 * 0.99);

async function compare() {
  console.log(`udp-load: ${CALLERS} callers of 65,000 bit/s in packets of 160 bytes, ${SECONDS} s, loopback, ${isRealTime ? 'all at real-time priority, ' : ''}${machine}`);
  const ours = await udpLoad(['--clients', String(CALLERS), '--seconds', String(SECONDS), ...FROM, ...LOAD],
    { clientPrefix: ALONE, serverPrefix: ALONE });
  const peer = await iperf3(SECONDS, 65_000, CALLERS / PROCESSES, PROCESSES, [ALONE, ALONE]);
  line('udp-load', ours);
  line('iperf3, 8 processes', peer);
  try {
    line('iperf 2, --incr-srcip', await iperf2(SECONDS));
  } catch (error) {
    console.log(`  iperf 2 is left out: ${error.message}`);
  }
  const { totals, seconds } = ours.report;
  console.log(`  client's CPU time against iperf3's: ${verdict(ours.client_s / peer.client_s, 0.28, ' x')}`);
  console.log(`  server's CPU time against iperf3's: ${verdict(ours.server_s / peer.server_s, 0.45, ' x')}`);
  console.log(`  lost packets: ${verdict(totals.lost, 0, '')}`);
  console.log(`  rate error: ${verdict(Math.abs(totals.rate_error_percent), 0.1, ' %')}`);
  console.log(`  own jitter, p50 of the callers: ${verdict(totals.jitter_ms.p50 * 1000, 50, ' µs')} (sender's lateness p99 ${(totals.lateness_ms.p99 * 1000).toFixed(0)} µs)`);
  console.log(`  ramp-up, seconds until all callers send: ${verdict(rampUp(seconds) < 0 ? Infinity : rampUp(seconds), 1, ' s')}`);
}

// Packets a second that one core sends, the receiver on another. Nearly all of it is the kernel's send() for both, and
// 1,000 sockets keep its caches less warm than the one of iperf3.
async function ceiling() {
  const pins = [['taskset', '-c', '1', ...ALONE], ['taskset', '-c', '0']];
  const options = { clientPrefix: pins[0], serverPrefix: pins[1] };
  let [ours_per_s, peer_per_s] = [0, 0];
  for (let i = 0; i < 2; i += 1) { // the better of two, in turns
    const { report } = await udpLoad(['--clients', String(CALLERS), '--seconds', '4', '--ramp', '0s', ...FROM, '--bps', '780000', '--packet-size', '160'], options);
    ours_per_s = Math.max(ours_per_s, report.totals.rate_bps * CALLERS / 8 / 160);
    peer_per_s = Math.max(peer_per_s, (await iperf3(4, 0, 1, 1, pins)).sent_per_s);
  }
  console.log('udp-load: what one core sends at most, the receiver on another');
  console.log(`  udp-load ${(ours_per_s / 1000).toFixed(0)} thousand packets/s from 1,000 callers, iperf3 -b 0 ${(peer_per_s / 1000).toFixed(0)} thousand from one`);
  console.log(`  against iperf3's: ${atLeast(ours_per_s / peer_per_s, 0.8, ' x')}`);
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
  const reason = missing();
  if (reason) return console.log(`udp-load: the price of policy rules is left out: ${reason}`);
  const cleanups = [];
  try {
    const { client, server } = twoNamespaces({ after: (cleanup) => cleanups.unshift(cleanup) });
    const within = ({ name }) => ['ip', 'netns', 'exec', name];
    const load = async () => (await udpLoad(['--clients', String(CALLERS), '--seconds', '10', '--min-client-addr', '10.77.0.1',
      '--client-addrs', String(CALLERS), ...LOAD], { host: '10.99.0.1', clientPrefix: within(client), serverPrefix: within(server) })).client_s;
    const addresses = Array.from({ length: CALLERS }, (_, i) => `10.77.${(i + 1) >> 8}.${(i + 1) & 255}`);
    const batch = addresses.map((address, i) => `rule add from ${address} table ${1000 + i}\nroute add default dev wire table ${1000 + i}\n`);
    const without = await load();
    client.exec('ip', ['-batch', '-'], { input: batch.join('') });
    const withRules = await load();
    console.log(`udp-load: ${CALLERS} callers for 10 s through a veth: client ${without.toFixed(2)} CPU s, with ${CALLERS} rules ${withRules.toFixed(2)}`);
    console.log(`  CPU time with the rules against without: ${verdict(withRules / without, 1.1, ' x')}`);
  } finally {
    for (const cleanup of cleanups) await cleanup();
  }
  return undefined;
}

try {
  await compare();
  await ceiling();
  await rules();
} finally {
  rmSync(folder, { recursive: true });
}
