// slack-serve --check: the bot's file and what its handlers need here, Slack's tokens, the port, the clock.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSocketMode } from '../standin/socket_mode.mjs';
import { BOT } from '../standin/slack_rules.mjs';
import { assertFound, assertHidden, assertNothingSent } from './check.mjs';
import { binary, file, folder, run, slackFor } from './support.mjs';

const SECRET = '0123456789abcdef0123456789abcdef';
const SCOPES = ['chat:write', 'channels:read', 'channels:history', 'commands', 'files:write', 'users:read'];
const ECHO = 'name: wheatley\nhandlers:\n- echo: true\n';

function serve(t, slack, bot, args = [], { env = {}, ...options } = {}) {
  return run(['slack-serve', '--check', '--config', file(t, 'bot.yaml', bot), '--port', '0', '--bind', '127.0.0.1', ...args], {
    ...options,
    env: { PATH: process.env.PATH, SLACK_SIGNING_SECRET: SECRET, SLACK_BOT_TOKEN: slack.token, SLACK_API_URL: slack.apiUrl, ...env },
  });
}

async function looked(t, slack, bot, ...more) {
  const result = await serve(t, slack, bot, ...more);
  assertNothingSent(slack);
  assertHidden(result, slack.token, SECRET);
  return result;
}

const program = (t, mode = 0o755) => {
  const path = file(t, 'answer.sh', '#!/bin/sh\necho x\n');
  chmodSync(path, mode);
  return path;
};

test('all is well', async (t) => {
  const slack = await slackFor(t, { scopes: SCOPES });
  const board = join(folder(t), 'env.db');
  const bot = `name: wheatley
handlers:
- {match: '^deploy', users: [ada], channels: ["#ops"], run: [${program(t)}]}
- {command: /tell, run: [sh, -c, 'exit 0']}
- state: {file: ${board}, name: env}
`;
  assertFound(await looked(t, slack, bot), 0, [
    ['bot file', 'ok', /^wheatley, with 3 handlers$/], ['program of handler 1', 'ok', /answer\.sh$/],
    ['program of handler 2', 'ok', /\/sh$/], ['board of env', 'ok', /can be written/], ['signing secret', 'ok', /shape/],
    ['token', 'ok', /^opsbelt of/], ['scopes', 'ok', /chat:write, commands, users:read, channels:read, files:write/],
    ['channel #ops', 'ok', /member/], ['clock', 'ok', /s (behind|ahead of) Slack's$/], ['port', 'ok', /127\.0\.0\.1/],
    ['descriptors', 'ok', /./],
  ]);
});

test('a broken bot file: 65, and the rest is looked at', async (t) => {
  const slack = await slackFor(t, { scopes: SCOPES });
  assertFound(await looked(t, slack, 'handlers: [{match: "("}]'), 65, [['bot file', 'WRONG', /bot\.yaml, at \/handlers\/0/],
    ['token', 'ok', /./], ['port', 'ok', /./]]);
});

test('programs that are not there, or not executable', async (t) => {
  const slack = await slackFor(t, { scopes: SCOPES });
  const bot = (path) => `handlers:\n- {match: x, run: [${path}]}\n`;
  for (const path of ['./no-such.sh', 'no-such-program-anywhere']) {
    assertFound(await looked(t, slack, bot(path)), 66, [['program of handler 1', 'WRONG', /No such file or directory; is it there/]]);
  }
  assertFound(await looked(t, slack, bot(program(t, 0o644))), 74, [['program of handler 1', 'WRONG', /Permission denied; chmod \+x it/]]);
});

test('a variable that a program would get and that is not set is warned of', async (t) => {
  const slack = await slackFor(t, { scopes: SCOPES });
  assertFound(await looked(t, slack, 'handlers:\n- {match: x, run: [sh], env: [NO_SUCH]}\n'), 0,
    [['program of handler 1', 'warning', /NO_SUCH, which is not set/]]);
});

test('a board whose folder is not there: 74', async (t) => {
  const slack = await slackFor(t, { scopes: SCOPES });
  assertFound(await looked(t, slack, 'handlers:\n- state: {file: /no/such/env.db, name: env}\n'), 74,
    [['board of env', 'WRONG', /can't write to \/no\/such\/env\.db: No such file or directory; its folder must exist/]]);
});

// --- Secrets and tokens ---

test('no secrets: 64, each is told', async (t) => {
  const slack = await slackFor(t);
  const result = await serve(t, slack, ECHO, [], { env: { SLACK_SIGNING_SECRET: '', SLACK_BOT_TOKEN: '' } });
  assertFound(result, 64, [['secrets', 'WRONG', /--signing-secret/], ['secrets', 'WRONG', /--token/]]);
});

const SECRETS = [
  ['a token', 'xoxb-1-2', 78, 'WRONG'], ['an address', 'https://hooks.slack.com/x', 78, 'WRONG'], ['two words', 'two words', 78, 'WRONG'],
  ['of a wrong length', SECRET.slice(1), 0, 'warning'], ['no hexadecimal digits', SECRET.replace('0', 'x'), 0, 'warning'],
];
for (const [name, secret, code, state] of SECRETS) {
  test(`a signing secret that is ${name}: ${state}`, async (t) => {
    const slack = await slackFor(t, { scopes: SCOPES });
    const result = await looked(t, slack, ECHO, [], { env: { SLACK_SIGNING_SECRET: secret } });
    assertFound(result, code, [['signing secret', state, /./]]);
    assertHidden(result, secret);
  });
}

test('the scopes that the handlers need', async (t) => {
  const slack = await slackFor(t, { scopes: ['team:read'] });
  const bot = `handlers:
- {match: x, users: [ada], channels: ["#ops"], reply: y}
- {command: /tell, run: [sh]}
- {match: z, run: [sh], files: /tmp}
`;
  const needed = ['chat:write', 'users:read', 'channels:read', 'commands', 'files:write'];
  assertFound(await looked(t, slack, bot), 77, [...needed.map((name) => [`scope ${name}`, 'WRONG', /add it under/]),
    ['scopes', 'warning', /no message will come/], ['channel #ops', 'not checked', /./]]);
});

test('long output needs files:write only as a warning', async (t) => {
  const slack = await slackFor(t, { scopes: ['chat:write', 'im:history'] });
  assertFound(await looked(t, slack, 'handlers:\n- {match: x, run: [sh]}\n'), 0, [['scope files:write', 'warning', /long output of handler 1/]]);
});

for (const [off_s, code, state] of [[-400, 78, 'WRONG'], [400, 78, 'WRONG'], [120, 0, 'warning'], [-20, 0, 'ok']]) {
  test(`a clock that is ${off_s} s off: ${state}`, async (t) => {
    const slack = await slackFor(t, { scopes: SCOPES });
    const headers = { date: new Date(Date.now() - off_s * 1000).toUTCString(), 'x-oauth-scopes': SCOPES.join(',') };
    slack.fail({ kind: 'status', status: 200, on: 'auth.test', body: { ok: true, user: BOT.user, team: BOT.team }, headers });
    assertFound(await looked(t, slack, ECHO), code, [['clock', state, off_s < 0 ? /behind Slack's/ : /ahead of Slack's/]]);
  });
}

// --- Socket Mode ---

test('Socket Mode: Slack is asked for an address, and no connection is opened', async (t) => {
  const socket = await startSocketMode();
  t.after(() => socket.close());
  const at = { env: { SLACK_BOT_TOKEN: '', SLACK_SIGNING_SECRET: '', SLACK_APP_TOKEN: socket.token, SLACK_API_URL: socket.apiUrl } };
  const bot = 'handlers:\n- {http: {path: /x}, reply: y}\n';
  const well = await serve(t, { token: '' }, bot, ['--socket-mode'], at);
  assertFound(well, 0, [['app token', 'ok', /none was opened/]]);
  const wrong = await serve(t, { token: '' }, bot, ['--socket-mode'], { env: { ...at.env, SLACK_APP_TOKEN: 'xapp-wrong' } });
  assertFound(wrong, 77, [['app token', 'WRONG', /invalid_auth/]]);
  assert.deepEqual([socket.opens.length, socket.connections.length], [2, 0]);
  assertHidden(well, socket.token, 'ws://');
  const none = await serve(t, { token: '' }, ECHO, ['--socket-mode'], { env: { ...at.env, SLACK_APP_TOKEN: '' } });
  assertFound(none, 64, [['secrets', 'WRONG', /--app-token/], ['secrets', 'WRONG', /--token/]]);
});

// --- The machine ---

test('a port that is taken: 69; that of an Azure Functions host', async (t) => {
  const slack = await slackFor(t, { scopes: SCOPES });
  const server = net.createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const taken = String(server.address().port);
  assertFound(await looked(t, slack, ECHO, ['--port', taken]), 69, [['port', 'WRONG', new RegExp(taken)]]);
  const azure = await run(['slack-serve', '--check', '--config', file(t, 'bot.yaml', ECHO)], {
    env: { SLACK_SIGNING_SECRET: SECRET, SLACK_BOT_TOKEN: slack.token, SLACK_API_URL: slack.apiUrl, FUNCTIONS_CUSTOMHANDLER_PORT: taken },
  });
  assertFound(azure, 69, [['port', 'WRONG', new RegExp(taken)]]);
});

test('a low limit of descriptors is warned of', async (t) => {
  const slack = await slackFor(t, { scopes: SCOPES });
  const config = file(t, 'bot.yaml', ECHO);
  const result = await run(['-c', 'ulimit -n 500 && exec "$@"', 'sh', binary, 'slack-serve', '--check',
    '--config', config, '--port', '0'], {
    program: '/bin/sh', env: { SLACK_SIGNING_SECRET: SECRET, SLACK_BOT_TOKEN: slack.token, SLACK_API_URL: slack.apiUrl },
  });
  assertFound(result, 0, [['descriptors', 'warning', /^500 may be open.*ulimit -n/]]);
});

test('nothing is made: neither board nor folder', async (t) => {
  const slack = await slackFor(t, { scopes: SCOPES });
  const place = folder(t);
  mkdirSync(join(place, 'b'));
  writeFileSync(join(place, 'b', 'kept'), 'x');
  await looked(t, slack, `handlers:\n- state: {file: ${join(place, 'b', 'env.db')}, name: env}\n`);
  assert.deepEqual(readdirSync(join(place, 'b')), ['kept']);
});
