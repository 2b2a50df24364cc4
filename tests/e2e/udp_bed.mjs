// A test bed for udp-load: two network namespaces, and between them the relay of standin/udp_relay.c, which delays, drops,
// duplicates and reorders, and knows how much. The client's side has thousands of addresses; the server's has one. It
// goes away with the test, also when the test fails.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { binary, root, run } from './support.mjs';

export const PORT = 5001;
export const SERVER = '10.99.0.1';
export const SERVER6 = 'fd99::1';
export const CALLERS = '10.77.0.1'; // the first of 10.77.0.0/16, all of them the client's
export const CALLERS6 = 'fd77::1'; // the first of 100

const has = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error?.code !== 'ENOENT';
const succeeds = (program, args) => spawnSync(program, args, { stdio: 'ignore' }).status === 0;

// Why a bed can't be made on this machine, for { skip: missing() }; false when it can.
export function missing(...programs) {
  if (process.getuid() !== 0) return 'needs root, to make network namespaces';
  for (const program of ['ip', 'gcc', ...programs]) if (!has(program)) return `no ${program} command`;
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
  } catch {
    return 'no /dev/net/tun';
  }
  if (!succeeds('unshare', ['--net', 'true'])) return 'no network namespace may be made here';
  return false;
}

// --- Namespaces ---

let made = 0;

// Namespaces of this test's own, in which only their loopback is up. { name, path, ip, exec, spawn, run }
export function namespaceFor(t, kind) {
  made += 1;
  const name = `ob-${kind}-${process.pid}-${made}`;
  execFileSync('ip', ['netns', 'add', name]);
  const children = new Set();
  t.after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all([...children].map((child) => once(child, 'close')));
    execFileSync('ip', ['netns', 'del', name]);
  });
  const within = (program, args) => ['netns', 'exec', name, program, ...args];
  const ip = (line) => execFileSync('ip', ['-n', name, ...line.split(' ')], { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
  ip('link set lo up');
  return {
    name, ip, path: `/run/netns/${name}`,
    // A program's output; throws when it fails.
    exec: (program, args, options = {}) =>
      execFileSync('ip', within(program, args), { stdio: ['pipe', 'pipe', 'pipe'], ...options }).toString(),
    // A program that is killed at the test's end if it still runs.
    spawn: (program, args, options = {}) => {
      const child = spawn('ip', within(program, args), options);
      children.add(child);
      child.on('close', () => children.delete(child));
      return child;
    },
    // As support.mjs's run().
    run: (program, args, options = {}) => run(within(program, args), { program: 'ip', env: { PATH: process.env.PATH }, ...options }),
  };
}

// --- The relay ---

let relay;

function relayProgram() {
  if (relay) return relay;
  const folder = mkdtempSync(join(tmpdir(), 'udp-relay-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'udp_relay');
  execFileSync('gcc', ['-O2', '-o', program, join(root, 'tests/standin/udp_relay.c')], { stdio: ['ignore', 'ignore', 'inherit'] });
  relay = program;
  return relay;
}

const words = (faults) => Object.entries(faults).map(([name, value]) => `${name}=${value}`).join(',');

async function startRelay(t, client, server, { tunnels, out, back, seed }) {
  const args = [client.path, server.path, PORT, tunnels, words(out), words(back), seed].map(String);
  const child = spawn(relayProgram(), args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(async () => {
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  });
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value, done } = await lines.next();
  assert.ok(!done && value === 'ready', 'the relay did not start');
  const say = (word) => child.stdin.write(`${word}\n`);
  // Once nothing is on the way any more.
  const truth = async () => {
    for (;;) {
      say('truth');
      const counters = JSON.parse((await lines.next()).value);
      if (counters.waiting === 0) return counters;
      await sleep(20);
    }
  };
  return { say, truth, stop: () => child.kill('SIGSTOP'), goOn: () => child.kill('SIGCONT') };
}

// --- The bed ---

// out, back: what the relay does to packets to the server and from it, see there. tunnels: how many TUNs (ob0, ob1, …)
// there are; with more than one, ob0 leads to the server and each has one address, tunnelAddress(i), but no route.
// mtu: of the client's devices.
export async function bedFor(t, { out = {}, back = {}, tunnels = 1, mtu = 1500, seed = 1, tunnelAddress = scattered } = {}) {
  const client = namespaceFor(t, 'c');
  const server = namespaceFor(t, 's');
  const wire = await startRelay(t, client, server, { tunnels, out, back, seed });
  for (let i = 0; i < tunnels; i += 1) {
    client.ip(`link set ob${i} mtu ${mtu} txqueuelen 10000 up`);
    server.ip(`link set ob${i} txqueuelen 10000 up`);
    if (tunnels > 1) {
      client.ip(`addr add ${tunnelAddress(i)}/32 dev ob${i}`);
      server.ip(`route add ${tunnelAddress(i)} dev ob${i}`);
    }
  }
  server.ip(`addr add ${SERVER}/32 dev ob0`);
  server.ip(`-6 addr add ${SERVER6}/128 dev ob0 nodad`);
  client.ip(`route add ${SERVER} dev ob0${tunnels > 1 ? ` src ${tunnelAddress(0)}` : ''}`);
  if (tunnels === 1) {
    client.ip(`addr add ${CALLERS}/32 dev ob0`);
    client.ip('route add local 10.77.0.0/16 dev lo');
    server.ip('route add 10.77.0.0/16 dev ob0');
  }
  if (tunnels === 1 && mtu >= 1280) { // the least that IPv6 takes
    // A local route is not enough for a bind in IPv6.
    const addresses = Array.from({ length: 100 }, (_, i) => `addr add fd77::${(i + 1).toString(16)}/128 dev ob0 nodad\n`);
    client.exec('ip', ['-batch', '-'], { input: addresses.join('') });
    client.ip(`-6 route add ${SERVER6} dev ob0`);
    server.ip('-6 route add fd77::/64 dev ob0');
  }
  const sides = { client, server, wire, truth: wire.truth, tunnelAddress };
  return { ...sides, startServer: (args) => startServer(t, server, args), load: (args, options) => load(client, args, options) };
}

// Addresses as a VPN's leases are: no two of them neighbours.
export const scattered = (i) => `10.88.${(i * 37 + 4) % 250}.${(i * 101 + 15) % 250 + 1}`;

// A server for one session. { ended: its result, kill }
export async function startServer(t, namespace, args = []) {
  const child = namespace.spawn(binary, ['udp-load', 'server', '--once', '--output', 'json', ...args], { env: {} });
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (data) => { out[name] += data; });
  const ended = once(child, 'close').then(([code]) => ({ code, ...out }));
  await listening(namespace, child, out);
  return { ended, kill: (signal) => child.kill(signal) };
}

async function listening(namespace, child, out) {
  for (let i = 0; i < 250; i += 1) {
    if (child.exitCode !== null) assert.fail(`the server ended: ${out.stderr}`);
    if (/:1389 /.test(`${listeners(namespace, 'tcp')} `) && /:1389 /.test(`${listeners(namespace, 'udp')} `)) return;
    await sleep(20);
  }
  assert.fail(`the server does not listen: ${out.stderr}`);
}

// What listens in a namespace, by /proc: ports are in hexadecimal there, 5001 is 1389.
const listeners = (namespace, protocol) =>
  namespace.exec('cat', [`/proc/net/${protocol}`, `/proc/net/${protocol}6`]);

// The client's run, with its report. { code, stderr, report }
// files: how many it may have open.
export async function load(namespace, args, { host = SERVER, files, ...options } = {}) {
  const command = [binary, 'udp-load', 'client', '--host', host, '--output', 'json', ...args];
  const limited = files ? ['sh', '-c', `ulimit -n ${files}; exec "$@"`, 'sh', ...command] : command;
  const result = await namespace.run(limited[0], limited.slice(1), options);
  let report;
  try {
    report = JSON.parse(result.stdout);
  } catch {
    assert.fail(`no report, code ${result.code}: ${result.stdout}${result.stderr}`);
  }
  return { ...result, report };
}

// --- A run over a bed, and what it is held against ---

export const CLIENTS = 60;
export const from = (first, count) => ['--clients', String(count), '--min-client-addr', first, '--client-addrs', String(count)];
export const SHORT = ['--seconds', '2', '--ramp', '200ms', '--max-late', '2s']; // this machine may be busy

// Server and client over a bed. { bed, client, server, truth }
export async function measure(t, { faults = {}, args = [], first = CALLERS, clients = CLIENTS, host = SERVER, serverArgs = [], time = SHORT, onStart } = {}) {
  const bed = await bedFor(t, faults);
  const server = await bed.startServer(serverArgs);
  const started = onStart ? () => void onStart(bed) : undefined;
  const client = await bed.load([...from(first, clients), ...time, ...args], { host, onStart: started });
  return { bed, client, server, truth: await bed.truth() };
}

const COUNTS = ['lost', 'duplicated', 'reordered'];
export const truthOf = ({ dropped, duplicated, reordered }) => ({ lost: dropped, duplicated, reordered });
export const countsOf = (figures) => Object.fromEntries(COUNTS.map((name) => [name, figures[name]]));

// In all and of each caller.
export function assertTrue({ client, truth }) {
  const { report, code, stderr } = client;
  assert.equal(code, 0, stderr);
  assert.deepEqual(countsOf(report.totals), truthOf(truth.out));
  assert.equal(report.totals.sent, truth.out.seen);
  assert.equal(report.totals.received, truth.out.forwarded);
  assert.equal(report.clients.length, truth.out.flows.length);
  const flows = new Map(truth.out.flows.map((flow) => [flow.address, flow]));
  for (const caller of report.clients) {
    const flow = flows.get(caller.address);
    assert.deepEqual({ address: caller.address, sent: caller.sent, ...countsOf(caller) },
      { address: flow.address, sent: flow.seen, ...truthOf(flow) });
  }
}
