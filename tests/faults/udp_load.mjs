// udp-load: a client whose server or network fails, and a server among strangers. Ten callers send eight packets each,
// or forty when something happens in the middle.

import dgram from 'node:dgram';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { clientArgs, control, datagrams, hello, openSession, packet, runClient, startServer } from '../e2e/udp_faults.mjs';
import { binary, run } from '../e2e/support.mjs';
import { NO_SUCH_NAME, brokenOutput, refusing, until } from './stage.mjs';

const FEW = ['--packets', '8'];
const MANY = ['--packets', '150'];

// --- The client ---

// One port for both, as a network with that fault: spoil(message, i) -> the datagrams that arrive. cut(): no TCP any more.
async function networkFor(t, server, spoil) {
  const pairs = new Set();
  const network = { isCut: false, passed: 0 };
  const tcp = net.createServer((near) => {
    near.on('error', () => {});
    if (network.isCut) return near.destroy();
    const far = net.connect(server.port, '127.0.0.1').on('error', () => {});
    pairs.add(near).add(far);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    return near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address();
  const [udp, onward] = [dgram.createSocket('udp4'), dgram.createSocket('udp4')];
  udp.on('message', (message) => {
    network.passed += 1;
    for (const one of spoil(message, network.passed)) onward.send(one, server.port, '127.0.0.1');
  }).bind(port, '127.0.0.1');
  await once(udp, 'listening');
  network.cut = () => {
    network.isCut = true;
    for (const socket of pairs) socket.destroy();
  };
  t.after(() => {
    network.cut();
    tcp.close();
    udp.close();
    onward.close();
  });
  return Object.assign(network, { port });
}

async function serving(t, listener) {
  const sockets = new Set();
  const server = (listener.length === 2 ? http.createServer(listener) : net.createServer(listener)).listen(0, '127.0.0.1');
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return server.address().port;
}

const forged = (message) => Buffer.concat([message.subarray(0, 8), Buffer.alloc(8, 7), message.subarray(16)]);
const portOf = async (url) => new URL(await url).port;

// Name -> { at: the port in place of a server's }, { network: its spoil } or { in the middle: what happens then }
const CLIENT_FAULTS = {
  'name does not resolve': { host: NO_SUCH_NAME },
  'connection refused': { at: () => portOf(refusing()) },
  'HTML instead of an answer': { at: (t) => serving(t, (request, response) => response.end('<html>hello</html>')) },
  'malformed JSON': { at: (t) => serving(t, (socket) => socket.write('{"session":,}\n')) },
  'oversized reply (9 MiB)': { at: (t) => serving(t, (socket) => socket.write('x'.repeat(9 << 20))) },
  'reset before the request is read': { at: (t) => serving(t, (socket) => socket.resetAndDestroy()) },
  'no reply in time': { at: (t) => serving(t, () => {}) },
  'server full (--max-sessions)': { server: ['--max-sessions', '1'], before: async (t, { port }) => openSession(t, port) },
  'not allowed (--allow)': { server: ['--allow', '127.0.0.7'] },
  'packets lost': { network: (message, i) => (i % 4 === 0 ? [] : [message]), args: ['--max-loss', '10%'] },
  'packets doubled': { network: (message) => [message, message] },
  'packets truncated': { network: (message, i) => [i % 4 === 0 ? message.subarray(0, 20) : message], args: ['--max-loss', '10%'] },
  'packets forged': { network: (message, i) => (i % 4 === 0 ? [message, forged(message)] : [message]) },
  'server killed in the middle': { args: MANY, middle: ({ server }) => server.kill('SIGKILL') },
  'control connection cut in the middle': { args: MANY, middle: ({ network }) => network.cut() },
  'SIGINT while it waits': { args: MANY, middle: ({ child }) => child.kill('SIGINT') },
  'SIGTERM while it waits': { args: MANY, middle: ({ child }) => child.kill('SIGTERM') },
  'standard output full': { output: 'full' },
  'standard output closed': { output: 'closed' },
  'report on a full disk': { args: ['--report', '/dev/full'] },
  'summary on a full disk': { env: { GITHUB_STEP_SUMMARY: '/dev/full' } },
  'outputs file not writable': { env: { GITHUB_OUTPUT: '/proc/version' } },
};

async function clientRow(stage, fault) {
  const { t } = stage;
  const server = fault.at || fault.host ? undefined : await startServer(t, fault.server);
  await fault.before?.(t, server);
  const isSpoiled = fault.network || fault.middle;
  const network = isSpoiled ? await networkFor(t, server, fault.network ?? ((message) => [message])) : undefined;
  const port = fault.at ? await fault.at(t) : network?.port ?? server?.port ?? 5001;
  const words = clientArgs(port, [...(fault.args?.includes('--packets') ? [] : FEW), ...(fault.args ?? [])]);
  if (fault.host) words[words.indexOf('--host') + 1] = fault.host;
  const env = { ...stage.env, ...fault.env };
  const onStart = fault.middle && ((child) => {
    until(() => network.passed > 300, 'packets').then(() => fault.middle({ child, server, network }));
  });
  const { program, args } = fault.output ? brokenOutput(binary, words, fault.output) : { program: binary, args: words };
  const result = await run(args, { program, env, onStart });
  const totals = result.stdout === '' ? {} : JSON.parse(result.stdout).totals;
  return { ...result, ...countsOf(fault, totals) };
}

// Of a test that is stopped in the middle it is not known beforehand how many there are.
function countsOf(fault, { sent, received }) {
  if (fault.middle) return { sent: sent > 300 ? 'some' : sent, done: received === undefined ? 'not known' : received === sent ? 'all' : received };
  return { sent: sent ?? 'nothing', done: received ?? 'nothing' };
}

const CLIENT = {
  'name does not resolve': [69, 'nothing', 'nothing'], 'connection refused': [69, 'nothing', 'nothing'],
  'HTML instead of an answer': [76, 'nothing', 'nothing'], 'malformed JSON': [76, 'nothing', 'nothing'],
  'oversized reply (9 MiB)': [69, 'nothing', 'nothing'], 'reset before the request is read': [69, 'nothing', 'nothing'],
  'no reply in time': [69, 'nothing', 'nothing'], 'server full (--max-sessions)': [69, 'nothing', 'nothing'],
  'not allowed (--allow)': [69, 'nothing', 'nothing'], 'packets lost': [1, 80, 60], 'packets doubled': [0, 80, 80],
  'packets truncated': [1, 80, 60], 'packets forged': [0, 80, 80],
  'server killed in the middle': [69, 'some', 'not known'], 'control connection cut in the middle': [69, 'some', 'not known'],
  'SIGINT while it waits': [130, 'some', 'all'], 'SIGTERM while it waits': [130, 'some', 'all'],
  'standard output full': [74, 'nothing', 'nothing'], 'standard output closed': [0, 'nothing', 'nothing'],
  'report on a full disk': [74, 80, 80], 'summary on a full disk': [74, 80, 80], 'outputs file not writable': [74, 80, 80],
};

// --- The server ---

// Each happens to a server that serves somebody else afterwards; [0, 80, 80] is what that one sends and is counted.
const SERVER_FAULTS = {
  'packets forged': async (t, { port }) => {
    const stranger = await datagrams(t);
    for (let i = 0; i < 50; i += 1) await stranger.send(packet({ sequence: i }), port);
    await delay(100);
    if (stranger.answers.length > 0) throw new Error('it answered a stranger');
  },
  'packets truncated': async (t, { port }) => {
    const { cookie, connection } = await openSession(t, port);
    connection.write({ begin_ns: 1 });
    const caller = await datagrams(t);
    for (let size = 0; size < 32; size += 1) await caller.send(packet({ cookie }).subarray(0, size), port);
    connection.socket.destroy();
  },
  'malformed JSON': async (t, { port }) => {
    const connection = await control(t, port);
    connection.write('{"hello":,}\n');
    await connection.closed();
  },
  'oversize request': async (t, { port }) => {
    const connection = await control(t, port);
    connection.write(hello({ clients: 100, padding: 'x'.repeat(2 << 20) }));
    await connection.closed();
  },
  'slow client': async (t, { port }) => {
    const connection = await control(t, port);
    connection.write('{"hello"');
  },
  'flood': async (t, { port }) => {
    const crowd = await Promise.all(Array.from({ length: 200 }, () => control(t, port)));
    const stranger = await datagrams(t);
    for (let i = 0; i < 2000; i += 1) await stranger.send(packet({ sequence: i }), port);
    for (const { socket } of crowd) socket.destroy();
  },
  'client vanishes in the middle': async (t, { port }) => {
    const { connection } = await openSession(t, port);
    connection.write({ begin_ns: 1 });
    connection.socket.destroy();
  },
  'SIGINT while it waits': { signal: 'SIGINT' },
  'SIGTERM while it waits': { signal: 'SIGTERM' },
};

async function serverRow(stage, fault) {
  const { t } = stage;
  const server = await startServer(t);
  if (typeof fault === 'function') await fault(t, server);
  const { report, stderr } = await runClient(server.port, FEW);
  if (!report) throw new Error(`it serves no more: ${stderr}`);
  server.child.kill(fault.signal ?? 'SIGTERM');
  const [code] = await once(server.child, 'close');
  return { code, ...server.said, sent: report.totals.sent, done: report.totals.received };
}

const SERVER = Object.fromEntries(Object.keys(SERVER_FAULTS).map((name) => [name, [0, 80, 80]]));

const rowsOf = (way, faults, act, expected) => Object.entries(expected).map(([name, [code, sent, done]]) => ({
  way, fault: name, code, sent, done, act: (stage) => act(stage, faults[name]),
}));

export const udpLoad = {
  command: 'udp-load',
  about: 'Ten callers. Client: what it sent and what the server counted (each packet once, forged and doubled ones apart). '
    + 'Server: the fault happens, then a client of ten callers is served; SIGTERM.',
  counts: ['packets sent', 'packets received'],
  concurrency: 3, // a caller that has to wait sends late
  rows: [...rowsOf('client', CLIENT_FAULTS, clientRow, CLIENT), ...rowsOf('server', SERVER_FAULTS, serverRow, SERVER)],
};
