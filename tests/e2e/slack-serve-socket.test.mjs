// slack-serve --socket-mode: the same bot behind a firewall.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { messageEvent, slashCommand } from '../standin/slack_events.mjs';
import { startSocketMode } from '../standin/socket_mode.mjs';
import { frontFor, until } from './serve.mjs';
import { binary, errorLine, file, run, slackFor } from './support.mjs';

const ECHO = 'handlers:\n- echo: true\n- command: /deploy\n  reply: "deploying ${text}"\n';
const texts = (slack) => slack.accepted.map(({ payload }) => payload.text);

async function start(t, { bot = ECHO, args = [], faults = [] } = {}) {
  const slack = await slackFor(t);
  const socket = await startSocketMode();
  t.after(() => socket.close());
  for (const fault of faults) socket.fail(fault);
  const api = await frontFor(t, socket, slack);
  const child = spawn(binary, ['slack-serve', '--config', file(t, 'bot.yaml', bot), '--socket-mode', ...args], {
    env: { PATH: process.env.PATH, SLACK_APP_TOKEN: socket.token, SLACK_BOT_TOKEN: slack.token, SLACK_API_URL: api },
  });
  const out = { stderr: '' };
  child.stderr.on('data', (data) => { out.stderr += data; });
  const closed = once(child, 'close').then(([code]) => ({ code, ...out }));
  t.after(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await closed;
  });
  const say = (text, options) => socket.send({ type: 'events_api', payload: messageEvent({ text, ...options }) });
  return { slack, socket, say, out, closed, stop: () => { child.kill('SIGTERM'); return closed; } };
}

test('messages and commands are acknowledged and answered; SIGTERM ends it with 0', async (t) => {
  const { slack, socket, say, stop } = await start(t);
  const id = say('echo hi');
  await until('the answer', () => slack.accepted.length === 1);
  await until('the acknowledgement', () => socket.acknowledged.has(id));
  assert.deepEqual(texts(slack), ['hi']);
  const fields = Object.fromEntries(slashCommand({ command: '/deploy', text: 'web', response_url: slack.webhookUrl }));
  socket.send({ type: 'slash_commands', payload: fields, accepts_response_payload: true });
  await until('the answer', () => slack.accepted.length === 2);
  assert.equal(slack.accepted[1].payload.text, 'deploying web');
  socket.send({ type: 'interactive', payload: { type: 'block_actions' } });
  await until('all are acknowledged', () => socket.waiting.length === 0);
  const { code, stderr } = await stop();
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /xapp|xoxb|ticket/);
});

test('a connection that Slack renews, cuts or breaks up loses no message and answers none twice', async (t) => {
  const { slack, socket, say } = await start(t, { faults: [{ kind: 'bytewise' }, { kind: 'fragments', size: 7 }] });
  const said = [];
  for (const [i, happens] of [() => socket.disconnect('refresh_requested', { closeAfterMs: 300 }), () => socket.cut(), () => {}].entries()) {
    for (let k = 0; k < 3; k += 1) {
      said.push(`${i}.${k}`);
      say(`echo ${i}.${k}`, { channel: ['C00000001', 'C00000003', 'D00000001'][k] });
    }
    happens();
  }
  await until('the answers', () => slack.accepted.length >= said.length, 30_000);
  await until('all are acknowledged', () => socket.waiting.length === 0);
  assert.deepEqual(texts(slack).toSorted(), said.toSorted());
});

test('a full queue acknowledges nothing: Slack delivers it again', async (t) => {
  const bot = 'handlers:\n- match: ^say (.*)$\n  run: [sh, -c, "sleep 0.3; echo $$0", "$1"]\n';
  const { slack, socket, say } = await start(t, { bot, args: ['--workers', '1', '--queue', '1'] });
  const channels = ['C00000001', 'C00000002', 'C00000003', 'D00000001'];
  for (const [i, channel] of channels.entries()) say(`say ${i}`, { channel });
  await until('some are not acknowledged', () => socket.connections.length > 0 && socket.connections[0].sent.length === 4);
  await until('an answer', () => slack.accepted.length >= 1);
  assert.ok(socket.waiting.length > 0);
  for (let i = 0; socket.waiting.length > 0 && i < 5; i += 1) {
    socket.cut();
    await delay(1500);
  }
  await until('the answers', () => slack.accepted.length === channels.length);
  assert.deepEqual(texts(slack).toSorted(), ['0', '1', '2', '3']);
});

test('Socket Mode is switched off while work waits: what was acknowledged is answered before the end', async (t) => {
  const bot = 'handlers:\n- match: ^say (.*)$\n  run: [sh, -c, "sleep 0.3; echo $$0", "$1"]\n';
  const { slack, socket, say, closed } = await start(t, { bot, args: ['--workers', '1'] });
  for (const [i, channel] of ['C00000001', 'C00000002', 'C00000003'].entries()) say(`say ${i}`, { channel });
  await until('all are acknowledged', () => socket.acknowledged.size === 3);
  socket.disconnect('link_disabled');
  const { code, stderr } = await closed;
  assert.equal(code, 78, stderr);
  assert.deepEqual(texts(slack).toSorted(), ['0', '1', '2']);
});

test('--ack-after handler does not go with it', async (t) => {
  const result = await run(['slack-serve', '--config', file(t, 'bot.yaml', ECHO), '--socket-mode', '--ack-after', 'handler'],
    { env: { SLACK_BOT_TOKEN: 'x', SLACK_APP_TOKEN: 'y' } });
  assert.equal(result.code, 64);
  assert.match(errorLine(result), /--socket-mode acknowledges what is queued: drop --ack-after handler/);
});

test('a page in place of Slack is no message to be looked for', async (t) => {
  const { closed } = await start(t, { faults: [{ kind: 'status', status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Sign in</html>' }] });
  const { code, stderr } = await closed;
  assert.equal(code, 76, stderr);
  assert.match(stderr, /apps\.connections\.open: HTTP 200 without Slack's word for it, but with: <html>Sign in<\/html>; check the address\n$/);
});

test('a wrong app token is 77, Socket Mode that is off 78, no token 64', async (t) => {
  const refused = await start(t, { faults: [{ kind: 'word', word: 'invalid_auth' }] });
  const wrong = await refused.closed;
  assert.equal(wrong.code, 77, wrong.stderr);
  assert.match(wrong.stderr, /invalid_auth/);
  const disabled = await start(t);
  await until('the connection', () => disabled.socket.connections.length === 1);
  disabled.socket.disconnect('link_disabled');
  assert.equal((await disabled.closed).code, 78);
  const none = await run(['slack-serve', '--config', file(t, 'bot.yaml', ECHO), '--socket-mode'], { env: { SLACK_BOT_TOKEN: 'x' } });
  assert.equal(none.code, 64);
  assert.match(errorLine(none), /--socket-mode needs --app-token \(SLACK_APP_TOKEN\)/);
});
