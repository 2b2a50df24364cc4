// slack-serve over HTTP: what it takes for Slack's, when it says so, what the handlers answer.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startBolt } from '../standin/bolt_receiver.mjs';
import {
  SIGNING_SECRET, appMention, appRateLimited, deliver, deliverAsSlack, eventCallback, messageEvent, signed, slashCommand,
  sslCheck, urlVerification,
} from '../standin/slack_events.mjs';
import { BOT } from '../standin/slack_rules.mjs';
import { startServe, until } from './serve.mjs';
import { binary, errorLine, file, folder, run, slackFor } from './support.mjs';

const ECHO = 'handlers:\n- echo: true\n';
const texts = (slack) => slack.accepted.map(({ payload }) => payload.text);
const now = () => Math.floor(Date.now() / 1000);

// --- Whose request it is ---

const message = () => messageEvent({ text: 'echo x' });
const REQUESTS = [
  ['a message', () => signed(message()), 200],
  ['a mention', () => signed(appMention({ text: `<@${BOT.user_id}> echo x` })), 200],
  ['a command', () => signed(slashCommand({ command: '/x', text: 'y' })), 200],
  ['another secret', () => signed(message(), { secret: 'another' }), 401],
  ['299 s ago', () => signed(message(), { timestamp: now() - 299 }), 200],
  ['302 s ago', () => signed(message(), { timestamp: now() - 302 }), 401],
  ['without a timestamp', () => signed(message(), { headers: { 'x-slack-request-timestamp': undefined } }), 401],
  ['without a signature', () => signed(message(), { headers: { 'x-slack-signature': undefined } }), 401],
  ['a timestamp that is no number', () => signed(message(), { timestamp: 'now' }), 401],
  ['a signature of another version', () => {
    const request = signed(message());
    request.headers['x-slack-signature'] = request.headers['x-slack-signature'].replace('v0', 'v1');
    return request;
  }, 401],
  ['one byte changed', () => {
    const request = signed(message());
    const body = Buffer.from(request.body);
    body[body.length - 3] ^= 1;
    return { ...request, body };
  }, 401],
  ['a body that is no JSON', () => signed('not JSON', { contentType: 'application/json' }), 400],
];
for (const [name, make, status] of REQUESTS) {
  test(`${name}: ${status}, as @slack/bolt has it`, async (t) => {
    const slack = await slackFor(t);
    const serve = await startServe(t, slack, ECHO);
    const bolt = await startBolt({});
    t.after(() => bolt.close());
    const request = make();
    const ours = await deliver(`${serve.url}/slack/events`, request);
    const theirs = await deliver(bolt.url, request);
    assert.equal(ours.status, status, ours.body);
    assert.equal(theirs.status < 300, ours.status < 300, `bolt says ${theirs.status}`);
  });
}

test('a program that can\'t be started is told of at the start', async (t) => {
  const serve = await startServe(t, await slackFor(t), 'handlers:\n- match: x\n  run: [./nowhere.sh]\n- match: y\n  run: ["true"]\n');
  await serve.told(/handler 1: can't run \.\/nowhere\.sh: No such file or directory/);
  assert.doesNotMatch(serve.out.stderr, /handler 2/);
});

test('a timestamp in the future is refused too, which bolt forgets', async (t) => {
  const serve = await startServe(t, await slackFor(t), ECHO);
  assert.equal((await serve.send(message(), { timestamp: now() + 290 })).status, 200);
  const ahead = await serve.send(message(), { timestamp: now() + 310 });
  assert.deepEqual([ahead.status, ahead.body], [401, 'this is not signed by Slack: stale\n']);
});

test('url_verification is verified, then answered with the challenge as text', async (t) => {
  const serve = await startServe(t, await slackFor(t), ECHO);
  const { status, headers, body } = await serve.send(urlVerification({ challenge: 'abc<1>' }));
  assert.deepEqual([status, headers['content-type'], body], [200, 'text/plain; charset=utf-8', 'abc<1>']);
  assert.equal((await serve.send(urlVerification(), { secret: 'another' })).status, 401);
});

test('the verification token counts only without a signing secret, and with a warning', async (t) => {
  const slack = await slackFor(t);
  const env = { SLACK_SIGNING_SECRET: '', SLACK_VERIFICATION_TOKEN: 'stand-in-verification-token' };
  const serve = await startServe(t, slack, ECHO, [], env);
  await serve.told(/the verification token is deprecated and proves little; give --signing-secret/);
  assert.equal((await serve.send(message(), { secret: 'unknown' })).status, 200);
  assert.equal((await serve.send({ ...message(), token: 'wrong' })).status, 401);
  const both = await startServe(t, slack, ECHO, [], { SLACK_VERIFICATION_TOKEN: 'stand-in-verification-token' });
  assert.equal((await both.send(message(), { secret: 'another' })).status, 401);
});

test('a body over 1 MiB is refused, and no bot without a secret or token starts', async (t) => {
  const serve = await startServe(t, await slackFor(t), ECHO);
  const padding = 'x'.repeat(1 << 20);
  assert.equal((await serve.send({ padding })).status, 413);
  for (const [env, remedy] of [[{ SLACK_BOT_TOKEN: 'x' }, /give --signing-secret \(SLACK_SIGNING_SECRET\)/],
    [{ SLACK_SIGNING_SECRET: 'x' }, /no way to answer: give --token \(SLACK_BOT_TOKEN\)/]]) {
    const result = await run(['slack-serve', '--config', file(t, 'bot.yaml', ECHO)], { env });
    assert.equal(result.code, 64);
    assert.match(errorLine(result), remedy);
  }
});

// --- What is nothing to answer ---

const IGNORED = [
  ['another bot', messageEvent({ text: 'echo x', bot_id: 'B00000099' })],
  ['a bot\'s message of the old form', messageEvent({ text: 'echo x', subtype: 'bot_message', bot_id: 'B1' })],
  ['its own message', messageEvent({ text: 'echo x', user: BOT.user_id })],
  ['an edit', messageEvent({ text: 'echo x', subtype: 'message_changed' })],
  ['a deletion', messageEvent({ text: 'echo x', subtype: 'message_deleted' })],
  ['somebody who joined', messageEvent({ text: 'echo x', subtype: 'channel_join' })],
  ['an event of another kind', eventCallback({ type: 'reaction_added', user: 'U00000001', reaction: 'x' })],
  ['a type that nobody knows', { type: 'brand_new', token: 'x' }],
  ['app_rate_limited', appRateLimited()],
  ['a check of the certificate', sslCheck()],
];
test('what nobody said is acknowledged and not answered', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, ECHO);
  for (const [name, body] of IGNORED) assert.equal((await serve.send(body)).status, 200, name);
  await serve.say('echo last');
  await until('the answer', () => slack.accepted.length > 0);
  assert.deepEqual(texts(slack), ['last']);
  assert.equal((await serve.metrics()).ignored_total, IGNORED.length);
});

test('two bots that hear each other do not talk for ever', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, `hear_bots: true\n${ECHO}`);
  await serve.say('echo x', { bot_id: 'B00000099', user: 'U00000008' });
  await until('the answer', () => slack.accepted.length === 1);
  await serve.say('echo x', { bot_id: BOT.bot_id, user: BOT.user_id });
  await delay(300);
  assert.equal(slack.accepted.length, 1, 'its own message is never answered');
});

test('a delivery that comes again, also at the same time, is answered once', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, ECHO);
  const request = signed(messageEvent({ text: 'echo once', event_id: 'Ev1' }));
  const all = await Promise.all(Array.from({ length: 20 }, () => deliver(`${serve.url}/slack/events`, request)));
  assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([200]));
  await until('the answer', () => slack.accepted.length > 0);
  await delay(200);
  assert.deepEqual(texts(slack), ['once']);
  assert.equal((await serve.metrics()).duplicates_total, 19);
});

test('a mention comes as message and as app_mention, and is answered once', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, ECHO);
  const said = { text: `<@${BOT.user_id}>: echo hi`, ts: '1700000001.000100', channel: 'C00000002' };
  await serve.send(messageEvent(said));
  await serve.send(appMention(said));
  await until('the answer', () => slack.accepted.length > 0);
  await delay(200);
  assert.deepEqual(texts(slack), ['hi']);
});

// --- When Slack is told ---

const SLOW = 'handlers:\n- match: ^slow$\n  run: [sleep, "0.7"]\n- match: ^long$\n  run: [sleep, "4"]\n';
test('--ack-after queue: at once; handler: when it is done, after 2.5 s at the latest', async (t) => {
  const slack = await slackFor(t);
  const queue = await startServe(t, slack, SLOW);
  assert.ok((await queue.say('slow')).ms < 400);
  const handler = await startServe(t, slack, SLOW, ['--ack-after', 'handler']);
  const slow = await handler.say('slow');
  assert.ok(slow.ms >= 690 && slow.ms < 2400, `${slow.ms} ms`);
  assert.equal(handler.log().length, 1, 'a line for each request');
  const long = await handler.say('long');
  assert.ok(long.ms >= 2400 && long.ms < 3000, `${long.ms} ms`);
  assert.equal(long.status, 200);
});

test('a full queue is 503, and what Slack delivers again is answered: nothing is lost, nothing doubled', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, 'handlers:\n- match: ^say (.*)$\n  run: [sh, -c, "sleep 0.2; echo $$0", "$1"]\n',
    ['--workers', '1', '--queue', '1']);
  const channels = ['C00000001', 'C00000002', 'C00000003', 'D00000001', 'D00000002'];
  const deliveries = channels.map((channel, i) => deliverAsSlack(`${serve.url}/slack/events`,
    signed(messageEvent({ text: `say ${i}`, channel, ts: `170000000${i}.000100` })), { retryDelays_ms: Array(12).fill(250) }));
  const ended = await Promise.all(deliveries);
  assert.ok(ended.every(({ delivered }) => delivered));
  assert.ok(ended.some(({ attempts }) => attempts[0].status === 503), 'it was full');
  assert.ok(ended.flatMap(({ attempts }) => attempts).every(({ headers }) => !('x-slack-no-retry' in headers)));
  await until('the answers', () => slack.accepted.length + slack.requests.filter(({ path }) => path.endsWith('postMessage')).length >= 8);
  const said = texts(slack);
  assert.equal(new Set(said).size, said.length, 'none twice');
});

// --- Handlers ---

const BOT_FILE = `
name: wheatley
handlers:
- help: true
- hello: true
- sound_off: true
- match: '^deploy (?P<what>\\S+) to (\\S+)$'
  name: deploy
  description: deploy WHAT to WHERE
  reply: "deploying *\${what}* to $2, $$5"
  users: [ADA, U00000008, linus@example.com]
  refusal: "ask <@U00000002>"
- match: weather
  channels: ["#ops"]
  reply: "rain"
- match: '^first$'
  reply: "one"
  stop: true
- match: '^(first|second)$'
  reply: "two of $1"
- command: /deploy
  run: [printf, 'deploying %s', "$0"]
- match: '^args (.*)$'
  run: [printf, '[%s]', '--', "$1", "$1"]
- match: '^dash (.*)$'
  run: [printf, '[%s]', "$1"]
- match: '^input$'
  run: [cat]
- match: '^env$'
  run: [env]
  env: [ALLOWED]
- match: '^crash$'
  run: [sh, -c, 'echo half; echo why >&2; exit 3']
- match: '^killed$'
  run: [sh, -c, 'kill -9 $$$$']
- match: '^hang$'
  run: [sh, -c, 'echo begun; sleep 100']
  timeout: 500ms
- match: '^flood$'
  run: [sh, -c, 'yes flood']
  timeout: 700ms
  max_output: 2KiB
- match: '^fork$'
  run: [sh, -c, 'sleep 100 & echo parent']
- match: '^missing$'
  run: [no-such-program]
- match: '^silent$'
  run: ["true"]
- match: '^lines (\\d+)$'
  run: [seq, "$1"]
- match: '^in thread$'
  reply: here
  thread: true
`;

// Says it and gives the answers back, in order.
async function ask(t, text, options = {}, { env, count = 1 } = {}) {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, BOT_FILE, [], env);
  await serve.say(text, options);
  if (count > 0) await until('the answers', () => slack.accepted.length >= count);
  await delay(150);
  return { slack, serve, said: texts(slack) };
}

const ANSWERS = [
  ['deploy web to prod', ['deploying *web* to prod, $5']],
  ['DEPLOY web to prod', ['deploying *web* to prod, $5']],
  [`<@${BOT.user_id}> deploy web to prod`, ['deploying *web* to prod, $5']],
  ['deploy &lt;!channel&gt; to <http://x.example|x.example>', ['deploying *&lt;!channel&gt;* to x.example, $5']],
  ['hello', ['wheatley is alive and well']],
  ['first', ['one']],
  ['second', ['two of second']],
  ['crash', ['handler 13 failed (exit code 3)\nhalf']],
  ['killed', ['handler 14 failed (exit code 137)']],
  ['fork', ['parent']],
  ['missing', ['handler 18 does not work here']],
  ['silent', ['handler 19 is done']],
  ['args ; rm -rf / $(id) `id` | x', ['[--][; rm -rf / $(id) `id` | x][; rm -rf / $(id) `id` | x]']],
  ['dash -rf', ['no: what I am to pass on may not begin with a dash']],
];
for (const [text, said] of ANSWERS) {
  test(`${JSON.stringify(text)} is answered ${JSON.stringify(said)}`, async (t) => {
    const answered = await ask(t, text);
    assert.deepEqual(answered.said, said);
    assert.equal(answered.slack.accepted[0].channel, 'C00000002');
  });
}

test('state: a board that people write on, by itself or by --say, kept in a file', async (t) => {
  const slack = await slackFor(t);
  const board = join(folder(t), 'env.db');
  const bot = `handlers:\n- state: {file: '${board}', name: env}\n  users: [U00000001]\n  refusal: not you\n`;
  const serve = await startServe(t, slack, bot, [], {});
  const said = async (text, options) => {
    const before = slack.accepted.length;
    await serve.say(text, options);
    await until('the answer', () => slack.accepted.length > before);
    return slack.accepted.at(-1).payload.text;
  };
  assert.equal(await said('env summary', { channel: 'D00000001' }), 'nothing is known yet');
  assert.equal(await said('env Web is &lt;v1&gt; &amp; up', { channel: 'C00000001' }), 'Web is &lt;v1&gt; &amp; up');
  assert.equal(await said('ENV db is down'), 'db is down');
  assert.match(await said('env web', { channel: 'C00000003' }), /^Web is &lt;v1&gt; &amp; up \(since 20\d\d-/);
  assert.equal(await said('list env', { channel: 'D00000002' }), 'db\nWeb');
  assert.equal(await said('env db is up', { user: 'U00000002', channel: 'D00000001' }), 'not you');
  const config = file(t, 'bot.yaml', bot);
  const cli = await run(['slack-serve', '--config', config, '--say', 'env summary', '--as', 'U00000001']);
  assert.match(cli.stdout, /^db is down \(since .*\nWeb is <v1> & up \(since/);
  assert.equal((await run(['slack-serve', '--config', config, '--say', 'env x', '--as', 'U00000001'])).stdout, 'x is not known\n');
});

test('a handler that hangs is ended, with what it had said; its children too', async (t) => {
  const { said } = await ask(t, 'hang');
  assert.match(said[0], /^handler 15 was ended: it took longer than 500 ms\nbegun$/);
});

test('a handler that floods is cut, and ended with its time', async (t) => {
  const { said } = await ask(t, 'flood');
  assert.match(said[0], /^handler 16 was ended/);
  assert.ok(said[0].length < 2200);
});

test('a program gets the message on its standard input, and no environment but PATH and what is named', async (t) => {
  const { said } = await ask(t, 'input', { user: 'U00000001', ts: '1700000009.000100' });
  const got = JSON.parse(said[0].replaceAll('&amp;', '&'));
  assert.deepEqual([got.text, got.user, got.channel, got.ts, got.captures], ['input', 'U00000001', 'C00000002', '1700000009.000100', { 0: 'input' }]);
  const { said: [environment] } = await ask(t, 'env', {}, { env: { ALLOWED: 'yes', SECRET: 'no' } });
  assert.match(environment, /^ALLOWED=yes$/m);
  assert.doesNotMatch(environment, /SECRET|SLACK/);
});

test('allow-lists: an ID, a name in any case, an address; names are looked up once; the others get the refusal', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, BOT_FILE);
  const from = (user, i) => serve.say('deploy web to prod', { user, channel: 'D00000001', ts: `17000000${i}.000100` });
  for (const [i, user] of ['U00000008', 'U00000001', 'U00000001', 'U00000002'].entries()) {
    await from(user, i);
    await until('the answer', () => slack.accepted.length === i + 1);
  }
  assert.deepEqual(new Set(texts(slack)), new Set(['deploying *web* to prod, $5']));
  assert.equal(slack.requests.filter(({ path }) => path.endsWith('users.info')).length, 2);
});

test('who is not on the list gets the refusal', async (t) => {
  const slack = await slackFor(t, { users: [{ id: 'U00000007', name: 'eve', email: 'eve@example.com' }] });
  const serve = await startServe(t, slack, BOT_FILE);
  await serve.say('deploy web to prod', { user: 'U00000007' });
  await until('the answer', () => slack.accepted.length === 1);
  assert.deepEqual(texts(slack), ['ask <@U00000002>']);
  await serve.say('help', { user: 'U00000007' });
  await until('the answer', () => slack.accepted.length === 2);
  assert.doesNotMatch(texts(slack)[1], /deploy WHAT/, 'help lists what this user may do');
});

test('a channel of the allow-list is found by its name; elsewhere nothing is said', async (t) => {
  const { said } = await ask(t, 'the weather?', { channel: 'C00000002' });
  assert.deepEqual(said, ['rain']);
  assert.deepEqual((await ask(t, 'the weather?', { channel: 'C00000001' }, { count: 0 })).said, []);
});

test('a thread is answered in the thread; thread: true begins one', async (t) => {
  const { slack } = await ask(t, 'hello', { thread_ts: '1700000000.000900' });
  assert.equal(slack.requests.at(-1).form.thread_ts, '1700000000.000900');
  const { slack: begun } = await ask(t, 'in thread', { ts: '1700000000.000800' });
  assert.equal(begun.requests.at(-1).form.thread_ts, '1700000000.000800');
});

test('a slash command is answered at its own address, for all to see; a refusal for one', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, BOT_FILE);
  const { status, body } = await serve.send(slashCommand({ command: '/deploy', text: 'web & db', response_url: slack.webhookUrl }));
  assert.deepEqual([status, body], [200, '']);
  await until('the answer', () => slack.accepted.length === 1);
  const { via, payload } = slack.accepted[0];
  assert.deepEqual([via, payload.text, payload.response_type], ['webhook', 'deploying web &amp; db', 'in_channel']);
});

test('a long answer goes in parts, a very long one as a file', async (t) => {
  const { said } = await ask(t, 'lines 1500', {}, { count: 2 });
  assert.equal(said.join('\n'), Array.from({ length: 1500 }, (_, i) => i + 1).join('\n'));
  const { slack } = await ask(t, 'lines 9000', {}, { count: 1 });
  assert.equal(slack.files[0].filename, 'handler 20.txt');
  assert.equal(slack.files[0].shared[0].channel, 'C00000002');
});

test('files that a program names are uploaded, with its text', async (t) => {
  const slack = await slackFor(t);
  const report = file(t, 'report.csv', 'a,b\n');
  const answer = JSON.stringify({ files: [{ filename: 'r.csv', title: 'Report', path: report }], text: 'the <report>' });
  const serve = await startServe(t, slack, `handlers:\n- match: report\n  run: [printf, '%s', '${answer}']\n  files: '${dirname(report)}'\n`);
  await serve.say('report');
  await until('the file', () => slack.accepted.length === 1);
  const [{ filename, shared: [{ channel, title, initial_comment: comment }] }] = slack.files;
  assert.deepEqual([filename, channel, title, comment], ['r.csv', 'C00000002', 'Report', 'the &lt;report&gt;']);
});

test('what people write can\'t make a program\'s output name files', async (t) => {
  const slack = await slackFor(t);
  const outside = file(t, 'secret.txt', 'secret');
  const inside = folder(t);
  symlinkSync(outside, join(inside, 'link'));
  const bot = `handlers:\n- match: ^say (.*)$\n  run: [echo, "$1"]\n- match: ^send (.*)$\n  run: [echo, "$1"]\n  files: '${inside}'\n`;
  const serve = await startServe(t, slack, bot);
  const named = (path) => JSON.stringify({ files: [{ path }] });
  await serve.say(`say ${named(outside)}`, { channel: 'C00000001' });
  await until('the answer', () => slack.accepted.length === 1);
  assert.equal(texts(slack)[0], named(outside), 'it is text');
  for (const path of [outside, join(inside, 'link'), join(inside, '..', 'x'), '-', '/dev/zero', '/proc/self/environ', inside]) {
    const before = (await serve.metrics()).failures_total;
    await serve.say(`send ${named(path)}`, { channel: 'C00000003' });
    await until(path, async () => (await serve.metrics()).failures_total > before);
  }
  assert.equal(slack.files.length, 0);
});

test('the same command delivered again is run once', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, 'handlers:\n- command: /x\n  reply: "done"\n');
  const request = signed(slashCommand({ command: '/x', text: 'y', response_url: slack.webhookUrl }));
  for (let i = 0; i < 3; i += 1) assert.equal((await deliver(`${serve.url}/slack/events`, request)).status, 200);
  await until('the answer', () => slack.accepted.length > 0);
  await delay(1500);
  assert.equal(slack.accepted.length, 1);
});

test('who can\'t be found out is nobody on a list, and the other handlers answer', async (t) => {
  const slack = await slackFor(t, { scopes: ['chat:write'] });
  const serve = await startServe(t, slack, 'handlers:\n- match: go\n  users: [ada]\n  reply: secret\n- match: go\n  reply: open\n');
  await serve.say('go', { user: 'U00000001' });
  await until('the answer', () => slack.accepted.length > 0);
  await delay(200);
  assert.deepEqual(texts(slack), ['open']);
  await serve.told(/U00000001: who this is can't be found out, so no name fits: .*missing_scope/);
});

test('a namesake of another workspace is nobody on a list', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, 'handlers:\n- match: go\n  users: [ada]\n  reply: secret\n- match: go\n  reply: open\n');
  await serve.say('go', { user: 'U00000001', team: 'T0EVIL001' });
  await until('the answer', () => slack.accepted.length > 0);
  await delay(200);
  assert.deepEqual(texts(slack), ['open']);
});

test('a channel that is not there is told at the start, and the bot serves all the same', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, `${ECHO}- match: go\n  channels: ["#nowhere"]\n  reply: x\n`);
  await serve.told(/handler 2 answers nowhere: no channel that the bot can see is named nowhere/);
  await serve.say('go');
  await serve.say('echo x');
  await until('the answer', () => slack.accepted.length > 0);
  assert.deepEqual(texts(slack), ['x']);
});

test('elsewhere than on Azure nothing is unwrapped: an envelope opens no path of the bot', async (t) => {
  const serve = await startServe(t, await slackFor(t), `${ECHO}- http: {path: /internal}\n  reply: secret\n`);
  const body = JSON.stringify({ Data: { req: { Url: 'http://x/internal', Method: 'POST', Headers: {}, Body: '' } }, Metadata: {} });
  for (const path of ['/slack/events', '/healthz', '/x']) {
    const reply = await fetch(serve.url + path, { method: 'POST', body });
    assert.ok(reply.status >= 400, `${path}: ${reply.status}`);
  }
});

test('Slack fails while it is answered: the answer is kept and sent again', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'status', status: 503, body: 'x y', on: 'chat.postMessage' });
  slack.fail({ kind: 'ratelimited', retryAfter: 1, on: 'chat.postMessage' });
  const serve = await startServe(t, slack, ECHO);
  await serve.say('echo kept');
  await until('the answer', () => slack.accepted.length === 1);
  assert.deepEqual(texts(slack), ['kept']);
});

test('an answer that Slack refuses is told and counted, and the bot lives on', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'word', word: 'not_in_channel', on: 'chat.postMessage' });
  const serve = await startServe(t, slack, ECHO);
  await serve.say('echo lost');
  await until('the failure', async () => (await serve.metrics()).failures_total === 1);
  await serve.told(/C00000002: echo got no answer: Slack says not_in_channel; invite the bot/);
  await serve.say('echo next');
  await until('the answer', () => slack.accepted.length === 1);
});

// --- Beside Slack ---

test('paths of the bot\'s own, readiness, health, metrics; nothing else', async (t) => {
  const bot = `${ECHO}- http: {path: /testfunction, methods: [GET, POST]}\n  reply: testing testing 1,2,3\n`
    + '- http: {path: /run}\n  run: [cat]\n- http: {path: /broken}\n  run: ["false"]\n';
  const serve = await startServe(t, await slackFor(t), bot);
  const get = async (path, options) => {
    const reply = await fetch(serve.url + path, options);
    return [reply.status, await reply.text()];
  };
  assert.deepEqual(await get('/testfunction'), [200, 'testing testing 1,2,3']);
  assert.deepEqual(await get('/api/testfunction', { method: 'POST', body: 'x' }), [200, 'testing testing 1,2,3']);
  assert.equal((await get('/testfunction', { method: 'DELETE' }))[0], 405);
  const [status, body] = await get('/run?a=b', { method: 'POST', body: 'x' });
  const { method, path, query, body: sent } = JSON.parse(body);
  assert.deepEqual([status, method, path, query, sent], [200, 'POST', '/run', 'a=b', 'x']);
  assert.deepEqual(await get('/broken'), [500, 'this failed\n']);
  assert.deepEqual(await get('/'), [200, 'the bot is here\n']);
  assert.deepEqual(await get('/healthz'), [200, 'ok\n']);
  assert.equal((await get('/nothing'))[0], 404);
  assert.equal((await get('/slack/events'))[0], 405);
  assert.equal((await serve.send(message(), { path: '/events-endpoint' })).status, 200);
  assert.equal((await serve.send(message(), { path: '/api/whatever' })).status, 200);
});

test('the access log is JSON lines, without secrets and without what people said', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, ECHO);
  await serve.say('echo private words');
  await fetch(`${serve.url}/nothing?token=SECRET`);
  await until('the log', () => serve.log().length === 2);
  const [first, second] = serve.log();
  assert.deepEqual([first.method, first.path, first.status, second.path, second.status], ['POST', '/slack/events', 200, '/nothing', 404]);
  for (const secret of ['private words', 'SECRET', slack.token, SIGNING_SECRET]) assert.ok(!serve.out.stderr.includes(secret), secret);
});

test('SIGTERM: what has begun is answered, nothing new is taken, 0', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, SLOW);
  await serve.say('slow');
  const { code, stderr } = await serve.stop();
  assert.equal(code, 0, stderr);
  assert.equal(slack.accepted.length, 1);
  await assert.rejects(fetch(`${serve.url}/healthz`));
});

test('SIGTERM with work that takes longer than --drain-timeout: 75 and how much was not answered', async (t) => {
  const serve = await startServe(t, await slackFor(t), SLOW, ['--drain-timeout', '500ms']);
  await serve.say('long');
  const started = Date.now();
  const { code, stderr } = await serve.stop();
  assert.equal(code, 75, stderr);
  assert.match(stderr, /1 messages were not answered within --drain-timeout/);
  assert.ok(Date.now() - started < 3500, 'its programs are ended');
});

test('SIGTERM while Slack does not answer: the end comes with --drain-timeout all the same', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'hang', on: 'chat.postMessage' });
  const serve = await startServe(t, slack, ECHO, ['--drain-timeout', '300ms']);
  await serve.say('echo x');
  await until('the request', () => slack.requests.length === 1);
  const started = Date.now();
  const { code, stderr } = await serve.stop();
  assert.equal(code, 75, stderr);
  assert.ok(Date.now() - started < 3000);
});

test('a flood in one channel does not keep others from their answers', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, ECHO);
  for (let i = 0; i < 40; i += 1) await serve.say(`echo flood ${i}`, { channel: 'C00000001', ts: `17000000${10 + i}.000100` });
  const started = Date.now();
  await serve.say('echo other', { channel: 'C00000003' });
  await until('the answer', () => texts(slack).includes('other'));
  assert.ok(Date.now() - started < 1500);
});

test('SIGTERM while names of channels are looked up: the end comes at once', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'hang', on: 'conversations.list' });
  const child = spawn(binary, ['slack-serve', '--config', file(t, 'bot.yaml', `${ECHO}- match: x\n  channels: ["#ops"]\n  reply: y\n`), '--port', '0'],
    { env: { SLACK_SIGNING_SECRET: 'x', SLACK_BOT_TOKEN: slack.token, SLACK_API_URL: slack.apiUrl } });
  const closed = once(child, 'close');
  await until('the request', () => slack.requests.length === 1);
  const started = Date.now();
  child.kill('SIGTERM');
  assert.equal((await closed)[0], 0);
  assert.ok(Date.now() - started < 3000);
});

test('what anybody asks of the bot\'s paths holds half of the workers at most', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, `${ECHO}- http: {path: /slow}\n  run: [sleep, "3"]\n`);
  const asked = Array.from({ length: 24 }, () => fetch(`${serve.url}/slow`).then(({ status }) => status));
  await delay(200);
  const started = Date.now();
  await serve.say('echo through');
  await until('the answer', () => slack.accepted.length === 1);
  assert.ok(Date.now() - started < 1500);
  assert.ok((await Promise.all(asked)).includes(503), 'the rest is refused');
});

test('a program is awaited also where its end was set to be ignored', async (t) => {
  const config = file(t, 'bot.yaml', 'handlers:\n- match: t\n  run: [echo, hi]\n  timeout: 5s\n');
  const result = await run(['-e', '$SIG{CHLD} = "IGNORE"; exec @ARGV', binary, 'slack-serve', '--config', config, '--say', 't'],
    { program: 'perl', env: { PATH: process.env.PATH } });
  assert.deepEqual([result.code, result.stdout], [0, 'hi\n'], result.stderr);
});

test('a program that leaves a daemon behind is answered when it ends', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, 'handlers:\n- match: ^go$\n  run: [sh, -c, "setsid sleep 5 & echo begun"]\n');
  const started = Date.now();
  await serve.say('go');
  await until('the answer', () => slack.accepted.length === 1);
  assert.deepEqual(texts(slack), ['begun']);
  assert.ok(Date.now() - started < 3000);
});

test('kill -9 in the middle: what was not acknowledged comes again and is answered once; what was is lost', async (t) => {
  const slack = await slackFor(t);
  const bot = 'handlers:\n- match: ^slow$\n  run: [sh, -c, "sleep 0.5; echo done"]\n';
  const first = await startServe(t, slack, bot, ['--ack-after', 'handler']);
  const port = new URL(first.url).port;
  const delivery = deliverAsSlack(`${first.url}/slack/events`, signed(messageEvent({ text: 'slow' })), { retryDelays_ms: Array(40).fill(100) });
  await delay(200);
  await first.stop('SIGKILL');
  const second = await startServe(t, slack, bot, ['--ack-after', 'handler', '--port', port]);
  assert.ok((await delivery).delivered);
  assert.deepEqual(texts(slack), ['done']);
  await second.stop();
  const queue = await startServe(t, slack, bot);
  assert.equal((await queue.say('slow')).status, 200);
  await queue.stop('SIGKILL');
  await startServe(t, slack, bot);
  await delay(800);
  assert.equal(slack.accepted.length, 1, 'as the documents say');
});

test('500 connections at once, and clients that drip, do not keep a message from its answer', async (t) => {
  const slack = await slackFor(t);
  const serve = await startServe(t, slack, ECHO);
  const port = Number(new URL(serve.url).port);
  const sockets = Array.from({ length: 500 }, () => net.connect(port, '127.0.0.1'));
  for (const socket of sockets) socket.on('error', () => {});
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const socket of sockets) socket.write('POST /slack/events HTTP/1.1\r\nHost: x\r\n');
  const { status, ms } = await serve.say('echo through');
  assert.equal(status, 200);
  assert.ok(ms < 1000, `${ms} ms`);
  await until('the answer', () => slack.accepted.length === 1);
  for (const socket of sockets) socket.destroy();
});

test('a port that is taken is 69 with the address', async (t) => {
  const serve = await startServe(t, await slackFor(t), ECHO);
  const port = new URL(serve.url).port;
  const result = await run(['slack-serve', '--config', file(t, 'bot.yaml', ECHO), '--bind', '127.0.0.1', '--port', port],
    { env: { SLACK_BOT_TOKEN: 'x', SLACK_SIGNING_SECRET: 'x' } });
  assert.equal(result.code, 69, result.stderr);
  assert.match(errorLine(result), new RegExp(`127\\.0\\.0\\.1.*${port}`));
});

// --- The bot's file, and trying it ---

const MISTAKES = [
  ['handlers: []\n', /bot\.yaml, at \/handlers: this is no list of handlers/],
  ['- a\n', /describes no bot/],
  ['handlers:\n- mach: x\n  reply: y\n', /at \/handlers\/0\/mach: this name is not known; did you mean match\?/],
  ['handlers:\n- match: "("\n  reply: y\n', /at \/handlers\/0\/match: no regular expression: missing \)/],
  ['handlers:\n- match: x\n', /at \/handlers\/0: give one of reply, run/],
  ['handlers:\n- reply: x\n', /at \/handlers\/0: nothing makes it act/],
  ['handlers:\n- match: x\n  command: /x\n  reply: y\n', /at \/handlers\/0: give one of match, command, http and function/],
  ['handlers:\n- match: x\n  reply: $1\n', /at \/handlers\/0\/reply: nothing is captured as 1; \$\$ is a dollar sign/],
  ['handlers:\n- match: (?P<who>x)\n  reply: hi $who\n', /at \/handlers\/0\/reply: write \$\{who\} for what is captured as who/],
  ['handlers:\n- match: (.*)\n  run: [$1]\n', /at \/handlers\/0\/run: a message can't choose the program/],
  ['handlers:\n- match: (.*)\n  run: [sh, -c, "echo $1"]\n', /at \/handlers\/0\/run: what people write would be a part of the script behind -c/],
  ['handlers:\n- http: {path: /x}\n  users: [ada]\n  reply: y\n', /at \/handlers\/0\/users: http and function know no users/],
  ['handlers:\n- http: {path: /healthz}\n  reply: y\n', /at \/handlers\/0\/http\/path: this path is taken/],
  ['handlers:\n- match: x\n  reply: y\n  refusal: z\n', /at \/handlers\/0\/refusal: this has no effect without users or channels/],
  ['handlers:\n- match: x\n  reply: y\n  timeout: 5s\n', /at \/handlers\/0\/timeout: this has no effect without run/],
  ['handlers:\n- match: x\n  match: z\n  reply: y\n', /at \/handlers\/0\/match: this name stands twice/],
  ['handlers:\n- match: x\n  run: ./deploy.sh web\n', /at \/handlers\/0\/run: this is no shell: give the program and its arguments as a list/],
  ['handlers:\n- match: x\n  run: [a]\n  env: [A=b]\n', /at \/handlers\/0\/env: this wants names of variables/],
  ['handlers:\n- command: /x y\n  reply: z\n', /at \/handlers\/0\/command: a command is one word/],
  ['handlers:\n- match: (.*)\n  reply: <$1|here>\n', /at \/handlers\/0\/reply: right behind < people could write what calls everybody/],
  ['handlers:\n- match: (.*)\n  run: [bash, -lc, "echo $1"]\n', /at \/handlers\/0\/run: what people write would be a part of the script behind -lc/],
  ['handlers:\n- match: (.*)\n  run: [perl, -e, "$1"]\n', /at \/handlers\/0\/run: what people write would be a part of the script behind -e/],
  ['handlers:\n- match: x\n  state: {file: a.db}\n', /at \/handlers\/0: state has an expression of its own/],
  ['handlers:\n- command: /x\n  state: {file: a.db}\n', /at \/handlers\/0: state has an expression of its own/],
  ['handlers:\n- match: x\n  run: [a, 1]\n', /at \/handlers\/0\/run: this list holds something that is no text/],
  ['handlers:\n- match: x\n  reply: y\n  timeout: soon\n', /at \/handlers\/0\/timeout: this is no time like 30s or 5m/],
  ['handlers:\n- match: x\n  reply: y\n  max_output: lots\n', /at \/handlers\/0\/max_output: this is no size like 64KiB/],
  ['handlers:\n- http: {path: x}\n  reply: y\n', /at \/handlers\/0\/http\/path: a path begins with \//],
  ['handlers:\n- match: x\n  reply: y\n  stop: maybe\n', /at \/handlers\/0\/stop: this is neither true nor false/],
];
for (const [bot, expected] of MISTAKES) {
  test(`--check: ${expected.source}`, async (t) => {
    const result = await run(['slack-serve', '--check', '--config', file(t, 'bot.yaml', bot)]);
    assert.equal(result.code, 65, result.stdout);
    const [first] = result.stdout.split('\n');
    assert.match(first, /^bot file: WRONG: /);
    assert.match(first, expected);
  });
}

test('--say tries a message without Slack; --as and --in say who and where', async (t) => {
  const config = file(t, 'bot.yaml', BOT_FILE);
  const say = async (text, ...args) => {
    const result = await run(['slack-serve', '--config', config, '--say', text, ...args], { env: { PATH: process.env.PATH } });
    return [result.code, result.stdout];
  };
  assert.deepEqual(await say('deploy web to prod', '--as', 'ada'), [0, 'deploying *web* to prod, $5\n']);
  assert.deepEqual(await say('deploy web to prod', '--as', 'U0EVE'), [1, 'ask @U00000002\n']);
  assert.deepEqual(await say('weather', '--in', '#ops'), [0, 'rain\n']);
  assert.deepEqual(await say('/deploy a b'), [0, 'deploying a b\n']);
  assert.deepEqual(await say('nothing of it'), [1, '']);
  assert.match((await say('help'))[1], /• sound off/);
});
