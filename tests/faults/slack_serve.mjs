// slack-serve when strangers ask, when Slack fails while it is answered, and when the host or the network does. The bot
// lives on; what is acknowledged is answered once.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { frontFor, startServe } from '../e2e/serve.mjs';
import { binary, run } from '../e2e/support.mjs';
import { startHost } from '../standin/functions_host.mjs';
import { deliver, messageEvent, signed } from '../standin/slack_events.mjs';
import { startSocketMode } from '../standin/socket_mode.mjs';
import { SLACK_FAULTS, slackStage } from './slack_faults.mjs';
import { until } from './stage.mjs';

const MESSAGES = 2;
const now_s = () => Math.floor(Date.now() / 1000);

// A bot that echoes, and whose program notes what it was started with.
const botIn = ({ folder }) => `handlers:
- echo: true
- match: ^note$
  run: [sh, -c, "cat /proc/self/cmdline /proc/self/environ >> ${join(folder, 'children')}; echo noted"]
`;

// { serve, slack, secret, send(body, options) }
async function httpStage(stage, fault = {}) {
  const place = await slackStage(stage, fault, 'chat.postMessage');
  const secret = stage.secrets.mark('signing secret');
  const env = { ...place.env, SLACK_SIGNING_SECRET: secret, SLACK_BOT_TOKEN: place.token, INPUT_API: place.apiUrl };
  const serve = await startServe(stage.t, undefined, botIn(stage), fault.args ?? [], env);
  const send = (body, options = {}) => deliver(`${serve.url}/slack/events`, signed(body, { secret, ...options }), { timeout_ms: 60_000 });
  return { ...place, serve, send };
}

const echo = (text) => messageEvent({ text: `echo ${text}` });
const told = (status, answers) => ({ sent: status, done: answers });

// --- What strangers send, by HTTP ---

// Each returns the status that the sender was told.
const INBOUND = {
  'bad signature': async ({ send }) => (await send(echo('x'), { secret: 'another' })).status,
  'no signature': async ({ send }) => (await send(echo('x'), { headers: { 'x-slack-signature': undefined } })).status,
  'signature of six minutes ago': async ({ send }) => (await send(echo('x'), { timestamp: now_s() - 360 })).status,
  'replay of a request': async ({ send }) => {
    const event = echo('replayed');
    const statuses = [await send(event), await send(event)].map(({ status }) => status);
    return statuses.join(', ');
  },
  'oversize request': async ({ send }) => (await send({ padding: 'x'.repeat(1 << 20) })).status,
  'malformed JSON': async ({ send }) => (await send('{"type":,}', { contentType: 'application/json' })).status,
  'slow client': async ({ serve, send }) => {
    const port = new URL(serve.url).port;
    const sockets = Array.from({ length: 100 }, () => net.connect(port, '127.0.0.1').on('error', () => {}));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const socket of sockets) socket.write('POST /slack/events HTTP/1.1\r\nHost: x\r\n');
    const { status } = await send(echo('through'));
    for (const socket of sockets) socket.destroy();
    return status;
  },
  'flood': async ({ send }) => {
    const replies = await Promise.all(Array.from({ length: 300 }, () => send(echo('x'), { secret: 'another' })));
    return [...new Set(replies.map(({ status }) => status))].join(', ');
  },
};
// fault: [exit code after SIGTERM, status that was told, answers posted before the last one]
const INBOUND_EXPECTED = {
  'bad signature': [0, 401, 0], 'no signature': [0, 401, 0], 'signature of six minutes ago': [0, 401, 0],
  'replay of a request': [0, '200, 200', 1], 'oversize request': [0, 413, 0], 'malformed JSON': [0, 400, 0],
  'slow client': [0, 200, 1], 'flood': [0, '401', 0],
};

// Afterwards it answers somebody else, whose answer is not counted.
async function inbound(stage, meet) {
  const place = await httpStage(stage);
  const status = await meet(place);
  await until(async () => (await place.send(messageEvent({ text: 'note', channel: 'C00000003' }))).status === 200, 'it serves on');
  await until(() => texts(place).includes('noted'), 'the last answer');
  const result = await place.serve.stop();
  return { ...result, ...told(status, place.slack.accepted.length - 1) };
}

const texts = ({ slack }) => slack.accepted.map(({ payload }) => payload.text);

// --- Slack, while it is answered ---

async function outbound(stage, name) {
  const place = await httpStage(stage, SLACK_FAULTS[name]);
  await place.send(echo('kept'));
  const posts = () => place.slack.requests.filter(({ path }) => path.endsWith('chat.postMessage')).length;
  await until(async () => {
    const { failures_total: failed, handled_total: handled } = await place.serve.metrics();
    return failed > 0 || (place.slack.accepted.length > 0 && handled > 0);
  }, () => `an end: ${place.serve.out.stderr}`);
  const result = await place.serve.stop();
  if (place.other.asked > 0) throw new Error('it followed a redirect to another host');
  return { ...result, ...told(`200; ${posts()} requests`, place.slack.accepted.length) };
}
// fault: [exit code after SIGTERM, posts, answers]
const OUTBOUND = {
  'HTTP 401': [0, 1, 0], 'HTTP 403': [0, 1, 0], 'HTTP 404': [0, 1, 0], 'HTTP 429, Retry-After 1, once': [0, 2, 1],
  'HTTP 429, Retry-After over the budget': [0, 1, 0], 'HTTP 500, once': [0, 2, 1], 'HTTP 503, once': [0, 2, 1],
  'HTTP 503 until the budget is spent': [0, 2, 0], 'HTTP 504': [0, 1, 0], 'Slack says invalid_auth': [0, 1, 0],
  'Slack says channel_not_found': [0, 1, 0], 'Slack says missing_scope': [0, 1, 0], 'Slack says msg_too_long': [0, 1, 0],
  'Slack says ratelimited (HTTP 200), once': [0, 2, 1], 'name does not resolve': [0, 0, 0], 'connection refused': [0, 0, 0],
  'reset before the request is read': [0, 1, 0], 'reset when the request was taken': [0, 1, 1],
  'no reply in time': [0, 1, 0], 'malformed JSON': [0, 1, 0], 'HTML instead of an answer': [0, 1, 0],
  'oversized reply (9 MiB)': [0, 1, 0], 'redirect to elsewhere': [0, 1, 0], 'reply that repeats the secret': [0, 1, 0],
  'error that repeats the secret': [0, 1, 0], 'TLS: unknown CA': [0, 0, 0], 'proxy refuses (407)': [0, 0, 0],
};

// --- Socket Mode ---

// Name -> { faults of the stand-in, then what happens }
const SOCKET_FAULTS = {
  'Slack says invalid_auth': { faults: [{ kind: 'word', word: 'invalid_auth' }] },
  'Slack says missing_scope': { faults: [{ kind: 'word', word: 'missing_scope' }] },
  'HTTP 429, Retry-After 1, once': { faults: [{ kind: 'status', status: 429, headers: { 'retry-after': '1' } }] },
  'HTTP 503, once': { faults: [{ kind: 'status', status: 503, body: '<html>busy</html>' }] },
  'HTML instead of an answer': { faults: [{ kind: 'status', status: 200, body: '<html>hello</html>' }] },
  'WebSocket refused (HTTP 403)': { faults: [{ kind: 'refuse', status: 403 }] },
  'WebSocket with a wrong key': { faults: [{ kind: 'wrong-accept' }] },
  'WebSocket closed': { faults: [{ kind: 'close', after_ms: 50 }] },
  'reset in the middle of the reply': { faults: [{ kind: 'cut', after_ms: 50 }] },
  'malformed JSON': { faults: [{ kind: 'not-json' }] },
  'oversized reply (9 MiB)': { faults: [{ kind: 'huge', bytes: 9 << 20 }] },
  'Socket Mode is switched off': { happens: (socket) => socket.disconnect('link_disabled') },
  'SIGINT while it waits': { signal: 'SIGINT' },
  'SIGTERM while it waits': { signal: 'SIGTERM' },
};

async function bySocket(stage, { faults = [], happens, signal = 'SIGTERM' }) {
  const { t, secrets } = stage;
  const { slack, token, env } = await slackStage(stage, {}, 'chat.postMessage');
  const socket = await startSocketMode({ token: secrets.mark('app token', 'xapp-1-') });
  t.after(() => socket.close());
  for (const fault of faults) socket.fail(fault);
  const words = ['slack-serve', '--config', stage.file('bot.yaml', botIn(stage)), '--socket-mode'];
  const child = spawn(binary, words, { env: { ...env, SLACK_APP_TOKEN: socket.token, SLACK_BOT_TOKEN: token, SLACK_API_URL: await frontFor(stage.t, socket, slack) } });
  t.after(() => child.kill('SIGKILL'));
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (data) => { out[name] += data; });
  let isOver = false;
  const closed = once(child, 'close').then(([code]) => {
    isOver = true;
    return code;
  });
  for (let i = 0; i < MESSAGES; i += 1) socket.send({ payload: messageEvent({ text: 'note', channel: ['C00000001', 'C00000003'][i] }) });
  await until(() => isOver || (slack.accepted.length === MESSAGES && socket.waiting.length === 0 && socket.unusedFaults.length === 0), () => `the answers: ${out.stderr}`);
  happens?.(socket);
  if (!happens) child.kill(signal);
  const code = await closed;
  await delay(0);
  return { code, ...out, sent: `${socket.acknowledged.size} acknowledged`, done: slack.accepted.length };
}
// fault: [exit code, acknowledged, answers]
const SOCKET = {
  'Slack says invalid_auth': [77, 0, 0], 'Slack says missing_scope': [77, 0, 0], 'HTTP 429, Retry-After 1, once': [0, 2, 2],
  'HTTP 503, once': [0, 2, 2], 'HTML instead of an answer': [76, 0, 0], 'WebSocket refused (HTTP 403)': [0, 2, 2],
  'WebSocket with a wrong key': [0, 2, 2], 'WebSocket closed': [0, 2, 2], 'reset in the middle of the reply': [0, 2, 2],
  'malformed JSON': [0, 2, 2], 'oversized reply (9 MiB)': [0, 2, 2],
  'Socket Mode is switched off': [78, 2, 2], 'SIGINT while it waits': [0, 2, 2], 'SIGTERM while it waits': [0, 2, 2],
};

// --- Azure Functions ---

const FUNCTION_FAULTS = {
  'bad signature': { options: { secret: 'another' } },
  'oversize request': { body: { padding: 'x'.repeat(1 << 20) } },
  'malformed JSON': { body: '{"type":,}' },
  'HTTP 503, once': { slack: 'HTTP 503, once' },
  'Slack says channel_not_found': { slack: 'Slack says channel_not_found' },
  'connection refused': { slack: 'connection refused' },
};

async function inFunctions(stage, { body = echo('x'), options = {}, slack: name }) {
  const place = await slackStage(stage, SLACK_FAULTS[name] ?? {}, 'chat.postMessage');
  const secret = stage.secrets.mark('signing secret');
  const app = join(stage.folder, 'app');
  const made = await run(['slack-serve', '--config', stage.file('b.yaml', botIn(stage)), '--write-function-app', app], { env: { ...place.env, SLACK_SIGNING_SECRET: secret, SLACK_BOT_TOKEN: place.token } });
  if (made.code !== 0) throw new Error(made.stderr);
  const packed = ['host.json', 'bot.yaml'].map((one) => readFileSync(join(app, one), 'utf8')).join('\n');
  const env = { ...place.env, SLACK_SIGNING_SECRET: secret, SLACK_BOT_TOKEN: place.token, SLACK_API_URL: place.apiUrl };
  const host = await startHost(app, { env, args: ['--retry-budget', name === 'connection refused' ? '0' : '3'] });
  stage.t.after(() => host.stop());
  const { status } = await deliver(`${host.url}/api/events-endpoint`, signed(body, { secret, contentType: 'application/json', ...options }), { timeout_ms: 60_000 });
  await delay(200);
  const { code } = await host.stop();
  const said = (wanted) => host.lines.filter(({ stream }) => stream === wanted).map((line) => `${line.text}\n`).join('');
  const children = `${packed}\n${host.logs.map(({ message }) => message).join('\n')}`;
  return { code, stdout: said('stdout'), stderr: said('stderr'), children, ...told(status, place.slack.accepted.length) };
}
const FUNCTIONS = {
  'bad signature': [0, 401, 0], 'oversize request': [0, 413, 0], 'malformed JSON': [0, 400, 0], 'HTTP 503, once': [0, 200, 1],
  'Slack says channel_not_found': [0, 200, 0], 'connection refused': [0, 200, 0],
};

// --- What keeps it from serving ---

async function ends(stage, args, env, make) {
  const { token, env: of, apiUrl, slack } = await slackStage(stage, {}, 'chat.postMessage');
  const words = ['slack-serve', '--config', stage.file('bot.yaml', botIn(stage)), ...args];
  const result = await run(words, { env: { ...of, SLACK_SIGNING_SECRET: stage.secrets.mark('signing secret'), SLACK_BOT_TOKEN: token, SLACK_API_URL: apiUrl, ...env } });
  return { ...result, sent: make ?? 'nothing', done: slack.accepted.length };
}
const STARTS = {
  'port is taken': async (stage) => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    stage.t.after(() => taken.close());
    return ends(stage, ['--bind', '127.0.0.1', '--port', String(taken.address().port)], {});
  },
  'no signing secret': (stage) => ends(stage, ['--port', '0'], { SLACK_SIGNING_SECRET: '' }),
  'package on a full disk': (stage) => ends(stage, ['--zip', '/dev/full'], {}),
};
const STARTS_EXPECTED = { 'port is taken': [69, 'nothing', 0], 'no signing secret': [64, 'nothing', 0], 'package on a full disk': [74, 'nothing', 0] };

const rowsOf = (way, act, expected) => Object.entries(expected).map(([name, [code, sent, done]]) => ({
  way, fault: name, code, sent, done, act: (stage) => act(stage, name), packs: way === 'Functions' || name.startsWith('package'),
}));
const mapped = (expected, shown) => Object.fromEntries(Object.entries(expected).map(([name, [code, sent, done]]) => [name, [code, shown(sent), done]]));

export const slackServe = {
  command: 'slack-serve',
  about: 'A bot among strangers, and while Slack fails; it is stopped by SIGTERM, and has served somebody else before. '
    + 'Sent: what whoever asked was told.',
  counts: ['told, or sent', 'answers posted'],
  rows: [
    ...rowsOf('HTTP', (stage, name) => inbound(stage, INBOUND[name]), INBOUND_EXPECTED),
    ...rowsOf('answer', outbound, mapped(OUTBOUND, (posts) => `200; ${posts} requests`)),
    ...rowsOf('Socket Mode', (stage, name) => bySocket(stage, SOCKET_FAULTS[name]), mapped(SOCKET, (count) => `${count} acknowledged`)),
    ...rowsOf('Functions', (stage, name) => inFunctions(stage, FUNCTION_FAULTS[name]), FUNCTIONS),
    ...rowsOf('start', (stage, name) => STARTS[name](stage), STARTS_EXPECTED),
  ],
};
