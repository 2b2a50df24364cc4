// slack-serve under load and faults: over HTTP and in Socket Mode, a process each, with one stand-in Slack behind both.
// Slack's requests are good, doubled, unsigned, stale or nonsense; other clients break off, send nothing, send too much;
// answers to Slack meet 429s, resets, 5xx, slow and broken replies. Programs are run, also such as fail or take too long.

import { writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { startSlack } from '../standin/slack.mjs';
import { SIGNING_SECRET, deliver, messageEvent, signed, slashCommand } from '../standin/slack_events.mjs';
import { startSocketMode } from '../standin/socket_mode.mjs';
import { every, start } from './process.mjs';

const BOT = (board) => `
name: soak
handlers:
  - echo: true
  - help: true
  - match: '^run (\\S+)$'
    run: [echo, "ran $1"]
  - match: '^fail$'
    run: [sh, -c, "echo no >&2; exit 3"]
  - match: '^late$'
    run: [sleep, "5"]
    timeout: 200ms
  - match: '^long$'
    run: [seq, "3000"]
  - state: {file: ${JSON.stringify(board)}, name: env}
  - command: /tell
    reply: "told \${text}"
  - http: {path: /status, methods: [GET]}
    run: [echo, up]
`;
const ID_BYTES = 160; // it remembers an event's identifier for an hour, that none is answered twice
const PATIENT = ['--retry-budget', '5', '--timeout', '2', '--workers', '4', '--queue', '200', '--drain-timeout', '15s'];

const now = () => Math.floor(Date.now() / 1000);
// Slack takes a message a second in each channel: as one of many.
const CHANNELS = Array.from({ length: 40 }, (_, i) => ({ id: `C000000${10 + i}`, name: `soak-${i}`, is_member: true, is_archived: false }));
let spoken = 0;
const channel = () => CHANNELS[(spoken += 1) % CHANNELS.length].id;
const say = (text, options) => messageEvent({ text, channel: channel(), ...options });
const SAID = ['echo a', 'help', 'run b', 'env web is v1.2', 'echo <b> & c', 'nobody hears this', 'env web', 'list env', 'fail',
  'echo ü', 'late', 'env summary', 'long'];

// What Slack, and what is not Slack, sends. Those without a new event come more often: of an event something is kept.
const REQUESTS = [
  (i) => signed(say(SAID[i % SAID.length])),
  (i, hook) => signed(slashCommand({ command: '/tell', text: 'x', channel_id: channel(), response_url: hook })),
  (i) => signed(say('echo again', { event_id: `Ev0SOAK${Math.floor(i / 100)}` })),
  () => signed(say('echo no'), { secret: 'another' }),
  () => signed(say('echo no'), { timestamp: now() - 600 }),
  () => signed('not JSON', { contentType: 'application/json' }),
  (i, hook) => signed(slashCommand({ command: '/unknown', text: 'y'.repeat(2000), response_url: hook })),
  () => signed(say('echo no'), { headers: { 'x-slack-signature': undefined } }),
];

// What comes from no HTTP client that means well: written to a connection of its own, which is then left or reset.
const RUDE = [
  { text: 'POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Le', then: 'reset' },
  { text: 'POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n{"half":', then: 'reset' },
  { text: 'POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n', then: 'wait' },
  { text: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', then: 'wait' },
  { text: `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(70_000)}\r\n\r\n`, then: 'wait' },
  { text: 'GET /status HTTP/1.1\r\nHost: a\r\n\r\n', then: 'reset' },
  { text: '', then: 'wait' },
];
const MOST_RUDE = 20;

const OF_WEB_API = [
  { kind: 'ratelimited', retryAfter: 1 }, { kind: 'status', status: 503 }, { kind: 'reset-before-body' }, { kind: 'slow', delay_ms: 300 },
  { kind: 'reset-after-body' }, { kind: 'drip', delay_ms: 2 }, { kind: 'truncated-json' }, { kind: 'html' }, { kind: 'hang' },
  { kind: 'word', word: 'channel_not_found' }, { kind: 'reset-in-reply' }, { kind: 'status', status: 500 }, { kind: 'reset-in-body', after: 10 },
];
const OF_SOCKET = [
  { kind: 'cut', after_ms: 500 }, { kind: 'status', status: 503 }, { kind: 'fragments', size: 7 }, { kind: 'refuse', status: 502 },
  { kind: 'not-json' }, { kind: 'close', code: 1001, after_ms: 700 }, { kind: 'wrong-accept' }, { kind: 'bytewise' },
  { kind: 'ping', every_ms: 100 }, { kind: 'coalesced' }, { kind: 'word', word: 'internal_error' },
];

export async function soakSlackServe(signal, folder) {
  const slack = await startSlack({ keepRequests: false, channels: CHANNELS });
  const socket = await startSocketMode();
  const front = await startFront(socket, slack);
  const counts = { requests: 0, refused: 0, unanswered: 0, rude: 0, faults: 0, envelopes: 0 };
  const bot = (name) => {
    const path = join(folder, `${name}.yaml`);
    writeFileSync(path, BOT(join(folder, `${name}.db`)));
    return path;
  };
  // Should anything ask for another address than these, then through a proxy that is not there.
  const env = { SLACK_BOT_TOKEN: slack.token, SLACK_API_URL: front.apiUrl, HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: '127.0.0.1' };
  const byHttp = start(['slack-serve', '--config', bot('http'), '--port', '0', '--bind', '127.0.0.1', ...PATIENT],
    { env: { ...env, SLACK_SIGNING_SECRET: SIGNING_SECRET } });
  const bySocket = start(['slack-serve', '--config', bot('socket'), '--socket-mode', ...PATIENT],
    { env: { ...env, SLACK_APP_TOKEN: socket.token } });
  const [, port] = await byHttp.wait(/listens on [\d.]+:(\d+)/);
  const loads = [
    every(signal, 40, (i) => sendTo(port, REQUESTS[i % REQUESTS.length](i, slack.webhookUrl), counts)),
    every(signal, 300, (i) => askStatus(port, i, counts)),
    every(signal, 400, (i) => beRude(signal, port, RUDE[i % RUDE.length], counts)),
    every(signal, 700, (i) => addFault(slack, { on: 'chat.postMessage', ...OF_WEB_API[i % OF_WEB_API.length] }, counts)),
    every(signal, 250, (i) => {
      counts.envelopes += 1;
      if (socket.waiting.length > 100) return;
      socket.send(i % 3 === 0 ? { type: 'slash_commands', payload: Object.fromEntries(slashCommand({ command: '/tell', text: 'y', channel_id: channel(),
        response_url: slack.webhookUrl })), accepts_response_payload: true } : { type: 'events_api', payload: say(SAID[i % SAID.length]) });
    }),
    every(signal, 15_000, (i) => {
      addFault(socket, OF_SOCKET[i % OF_SOCKET.length], counts);
      if (i % 2 === 0) socket.disconnect('refresh_requested', { closeAfterMs: 500 });
      else socket.cut();
    }),
  ];
  return {
    parts: [
      { name: 'slack-serve, HTTP', process: byHttp, handled: () => counts.requests, remembers_bytes: ID_BYTES / REQUESTS.length,
        errors: () => `${counts.refused} refused, ${counts.unanswered} unanswered`,
        faults: () => `${counts.rude} rude connections, ${counts.faults} faults of Slack` },
      { name: 'slack-serve, Socket Mode', process: bySocket, handled: () => socket.acknowledged.size, remembers_bytes: ID_BYTES,
        errors: () => `${socket.connections.length} connections`, faults: () => `${counts.faults} faults of Slack` },
    ],
    async close() {
      await Promise.all(loads);
      const ended = await Promise.all([byHttp.stop(), bySocket.stop()]);
      await Promise.all([front.close(), socket.close(), slack.close()]);
      return [...ended, ...(slack.counts.accepted > 0 ? [] : [{ problem: 'no answer came to Slack' }])];
    },
  };
}

async function sendTo(port, request, counts) {
  try {
    const { status } = await deliver(`http://127.0.0.1:${port}/slack/events`, request, { timeout_ms: 10_000 });
    counts.requests += 1;
    if (status >= 400) counts.refused += 1;
  } catch {
    counts.unanswered += 1;
  }
}

const alive = new http.Agent({ keepAlive: true, maxSockets: 2 });

async function askStatus(port, i, counts) {
  const path = ['/status', '/healthz', '/metrics', '/nothing'][i % 4];
  await new Promise((resolve) => {
    const over = (way) => () => { counts[way] += 1; resolve(); };
    http.get({ port, host: '127.0.0.1', path, agent: alive }, (response) => response.resume().on('end', over('requests')))
      .on('error', over('unanswered'));
  });
}

let rudeNow = 0;

function beRude(signal, port, { text, then }, counts) {
  if (rudeNow >= MOST_RUDE) return;
  rudeNow += 1;
  counts.rude += 1;
  const socket = net.connect(port, '127.0.0.1', () => {
    socket.write(text, 'latin1', () => then === 'reset' && setTimeout(() => socket.resetAndDestroy(), 20));
  });
  const leave = () => socket.destroy();
  signal.addEventListener('abort', leave);
  socket.on('error', () => {}).resume().on('close', () => {
    rudeNow -= 1;
    signal.removeEventListener('abort', leave);
  });
}

function addFault(standIn, fault, counts) {
  if (standIn.unusedFaults.length > 1) return;
  standIn.fail(fault);
  counts.faults += 1;
}

// One address for both stand-ins: apps.connections.open is Socket Mode's, the rest the Web API's.
async function startFront(socket, slack) {
  const server = http.createServer((request, response) => {
    const to = request.url.endsWith('/apps.connections.open') ? socket.url : slack.url;
    const passed = http.request(to + request.url, { method: request.method, headers: request.headers, agent: false }, (reply) => {
      reply.on('error', () => response.destroy());
      response.writeHead(reply.statusCode, reply.headers);
      reply.pipe(response);
    });
    passed.on('error', () => response.destroy());
    request.on('error', () => {}).pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    apiUrl: `http://127.0.0.1:${server.address().port}/api/`,
    close: () => { server.closeAllConnections(); return new Promise((resolve) => { server.close(resolve); }); },
  };
}
