// What the tests of udp-load's faults share: a server that says its port, a client, a raw control connection, and a proxy
// whose TCP side can be cut while its datagrams go on.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { binary, run } from './support.mjs';

const PATIENCE_MS = 20_000;

// Waits until look() is truthy, and returns what it was.
export async function until(look, what) {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const seen = await look();
    if (seen) return seen;
    await sleep(20);
  }
  throw new Error(`never came: ${what}`);
}

// A server on a port of its own, ended with the test. reports(): one for each test so far.
// files: how many it may have open.
export async function startServer(t, args = [], { port = 0, files } = {}) {
  const command = [binary, 'udp-load', 'server', '--port', String(port), '--output', 'json', ...args];
  const [program, ...words] = files ? ['/bin/sh', '-c', `ulimit -n ${files}; exec "$@"`, 'sh', ...command] : command;
  const child = spawn(program, words, { env: {} });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (data) => { said[name] += data; });
  const ended = once(child, 'close');
  t.after(async () => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await ended;
  });
  const match = await until(() => said.stderr.match(/waiting for tests at \S+ port (\d+)/) ?? child.exitCode !== null, 'the server');
  assert.ok(match[1], `the server ended: ${said.stderr}`);
  const reports = () => said.stdout.split('\n').slice(0, -1).map((line) => JSON.parse(line));
  return {
    child, said, reports, port: Number(match[1]),
    isAlive: () => child.exitCode === null && child.signalCode === null,
    memory: () => Number(readFileSync(`/proc/${child.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024, // MiB
    // Its reports once there are so many.
    report: (count = 1) => until(() => reports().length >= count && reports(), `report ${count}`),
    kill: async (signal) => {
      child.kill(signal);
      await ended;
    },
  };
}

// Of 10 callers that begin at once, however late they are, unless args say another thing.
export function clientArgs(port, args = []) {
  const usual = Object.entries({ '--clients': '10', '--ramp': '0s', '--max-late': '20s' }).filter(([name]) => !args.includes(name));
  return ['udp-load', 'client', '--host', `127.0.0.1:${port}`, '--output', 'json', ...usual.flat(), ...args];
}

// A client to its end: { code, stderr, report }; report: what it printed as JSON, null when it printed nothing.
export async function runClient(port, args = [], options = {}) {
  const result = await run(clientArgs(port, args), options);
  return { ...result, report: result.stdout === '' ? null : JSON.parse(result.stdout) };
}

// A test that nothing disturbs: the server serves.
export async function assertServes(server, args = []) {
  const { code, report, stderr } = await runClient(server.port, ['--packets', '5', ...args]);
  assert.equal(code, 0, stderr);
  assert.equal(report.totals.received, 50);
}

// --- Words ---

export const hello = (change = {}) => ({ hello: 1, clients: 1, packet_size: 160, bps: 68_000, seconds: 1, echo: false,
  jitter_buffer_ms: 60, codec: { name: 'g711', ie: 0, bpl: 25.1, frame_ms: 20 }, ...change });

// A connection to the control channel. lines: what the server said, parsed; isClosed().
export async function control(t, port) {
  const socket = net.connect(port, '127.0.0.1');
  const state = { text: '', closed: false };
  socket.setEncoding('utf8').on('data', (data) => { state.text += data; });
  socket.on('error', () => {}).on('close', () => { state.closed = true; });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  const lines = () => state.text.split('\n').slice(0, -1).map((line) => JSON.parse(line));
  return {
    socket, lines,
    write: (words) => socket.write(typeof words === 'object' && !Buffer.isBuffer(words) ? `${JSON.stringify(words)}\n` : words),
    isClosed: () => state.closed,
    line: (count = 1) => until(() => lines().length >= count && lines()[count - 1], `line ${count}`),
    closed: () => until(() => state.closed, 'the end of the connection'),
  };
}

// Opens a session; its cookie as 8 bytes.
export async function openSession(t, port, change = {}) {
  const connection = await control(t, port);
  connection.write(hello(change));
  const { session, error } = await connection.line();
  assert.equal(error, undefined);
  return { connection, cookie: Buffer.from(session, 'hex') };
}

// --- Datagrams ---

export function packet({ cookie = Buffer.alloc(8), client = 0, sequence = 0, kind = 0, version = 1, size = 160 } = {}) {
  const bytes = Buffer.alloc(size);
  bytes.write('OB');
  bytes[2] = version;
  bytes[3] = kind;
  bytes.writeUInt32BE(client, 4);
  cookie.copy(bytes, 8);
  bytes.writeUInt32BE(sequence, 16);
  return bytes;
}

// A socket that notes what comes back, and sends one after another.
export async function datagrams(t, address = '127.0.0.1') {
  const socket = dgram.createSocket('udp4');
  const answers = [];
  socket.on('message', (message) => answers.push(message));
  socket.bind(0, address);
  await once(socket, 'listening');
  t.after(() => socket.close());
  const send = (bytes, port) => new Promise((resolve, reject) => {
    socket.send(bytes, port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
  });
  return { send, answers };
}

// --- A proxy ---

// One port for both; datagrams are passed on always, connections until cut(); again() takes new ones.
export async function startProxy(t, server) {
  const pairs = new Set();
  let isOpen = true;
  let connections = 0;
  const tcp = net.createServer((near) => {
    near.on('error', () => {});
    if (!isOpen) return near.destroy();
    connections += 1;
    const far = net.connect(server.port, '127.0.0.1');
    far.on('error', () => {});
    pairs.add(near).add(far);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    return near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address();
  const udp = dgram.createSocket('udp4');
  const onward = dgram.createSocket('udp4');
  udp.on('message', (message) => onward.send(message, server.port, '127.0.0.1'));
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  const cut = () => {
    isOpen = false;
    for (const socket of pairs) socket.destroy();
    pairs.clear();
  };
  t.after(() => {
    cut();
    tcp.close();
    udp.close();
    onward.close();
  });
  return { port, cut, again: () => { isOpen = true; }, connections: () => connections };
}
