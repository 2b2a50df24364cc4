// gollum-notify on the way to Slack: success only when Slack said so, sent again only what certainly
// was not taken, the error names Slack's word and the remedy.

import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { closedPort, errorLine, fixture, folder, proxyFor, readOutputs, run, selfSigned, slackFor } from './support.mjs';

const EVENT = ['gollum-notify', '--event', fixture('gollum/two_pages.json')];
const byWebhook = (slack, args = []) => run([...EVENT, ...args], { env: { SLACK_WEBHOOK: slack.webhookUrl } });
const byToken = (slack, args = []) => run([...EVENT, '--api', slack.apiUrl, '--channel', '#ops', ...args],
  { env: { SLACK_BOT_TOKEN: slack.token } });

// --- Slack's words: way, fault, exit code, line ---

const WORDS = [
  [byWebhook, { word: 'invalid_payload' }, 65, /Slack says invalid_payload \(HTTP 400\); look at the place Slack names/],
  [byWebhook, { word: 'invalid_blocks' }, 65, /invalid_blocks/],
  [byWebhook, { word: 'user_not_found' }, 78, /user_not_found/],
  [byWebhook, { word: 'action_prohibited' }, 77, /action_prohibited \(HTTP 403\); the workspace's administrators forbid it/],
  [byWebhook, { word: 'channel_not_found' }, 78, /channel_not_found \(HTTP 404\); check the channel's name/],
  [byWebhook, { word: 'channel_is_archived' }, 78, /channel_is_archived \(HTTP 410\); unarchive the channel/],
  [byWebhook, { word: 'no_service' }, 78, /no_service \(HTTP 404\); check the address; a new incoming webhook/],
  [byWebhook, { word: 'no_team' }, 78, /no_team/],
  [byWebhook, { word: 'invalid_token' }, 77, /invalid_token/],
  [byToken, { word: 'invalid_auth' }, 77, /Slack says invalid_auth; make a new bot token/],
  [byToken, { word: 'not_in_channel' }, 78, /not_in_channel; invite the bot: \/invite/],
  [byToken, { word: 'channel_not_found' }, 78, /channel_not_found/],
  [byToken, { word: 'is_archived' }, 78, /is_archived/],
  [byToken, { word: 'msg_blocks_too_long' }, 65, /msg_blocks_too_long; the message is over Slack's limits/],
  [byToken, { word: 'missing_scope', needed: 'chat:write', provided: 'identify' }, 77,
    /missing_scope \(needed: chat:write; provided: identify\); add the needed scope/],
  [byToken, { word: 'invalid_blocks', errors: ['must be less than 3001 characters [json-pointer:/blocks/0/text/text]'] }, 65,
    /invalid_blocks \(must be less than 3001 characters \[json-pointer:\/blocks\/0\/text\/text\]\)/],
  [byToken, { word: 'fatal_error' }, 69, /fatal_error; it may have been posted: look in the channel before you send it again/],
  [byToken, { word: 'never_heard_of' }, 1, /never_heard_of/],
];
for (const [send, fault, code, message] of WORDS) {
  test(`${send.name}: ${fault.word}: ${code}`, async (t) => {
    const slack = await slackFor(t);
    slack.fail({ kind: 'word', ...fault });
    const result = await send(slack);
    assert.equal(result.code, code, result.stderr);
    assert.match(errorLine(result), message);
    assert.equal(slack.requests.length, 1, 'a refusal is not sent again');
    assert.ok(!result.stderr.includes(slack.webhookUrl) && !result.stderr.includes(slack.token), 'a secret in the error');
  });
}

// --- Sent again: nothing of it was taken ---

const AGAIN = [
  [byWebhook, { kind: 'ratelimited', retryAfter: 1, as: 'text' }],
  [byWebhook, { kind: 'ratelimited', retryAfter: 1, as: 'json' }],
  [byWebhook, { kind: 'ratelimited', retryAfter: null, as: 'text' }],
  [byToken, { kind: 'ratelimited', retryAfter: 1, as: 'json' }],
  [byToken, { kind: 'word', word: 'ratelimited' }],
  [byWebhook, { kind: 'status', status: 500, body: 'rollup_error' }],
  [byToken, { kind: 'status', status: 503, body: '<html>Service Unavailable</html>' }],
];
for (const [send, fault] of AGAIN) {
  test(`${send.name}: sent again after ${JSON.stringify(fault)}`, async (t) => {
    const slack = await slackFor(t);
    slack.fail(fault);
    const result = await send(slack);
    assert.equal(result.code, 0, result.stderr);
    assert.equal(slack.accepted.length, 1);
    assert.equal(slack.requests.length, 2);
    assert.ok(slack.requests[1].at_ms - slack.requests[0].at_ms >= 990, 'it waited');
    assert.equal(slack.requests[0].body, slack.requests[1].body);
    assert.match(result.stderr, /next attempt in 1 s/);
  });
}

test('the budget spent: 75 with Slack\'s status; a longer wait than the budget is not begun', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'ratelimited', retryAfter: 120, as: 'json' });
  const started = Date.now();
  const limited = await byWebhook(slack, ['--retry-budget', '60']);
  assert.equal(limited.code, 75);
  assert.ok(Date.now() - started < 10_000, 'gave up at once');
  assert.match(errorLine(limited), /rate_?limited \(HTTP 429\) \(Retry-After: 120\); wait, or give --retry-budget more seconds/);
  slack.fail({ kind: 'status', status: 502, body: 'x y' });
  slack.fail({ kind: 'status', status: 502, body: 'x y' });
  const outputs = join(folder(t), 'outputs');
  const failing = await run([...EVENT, '--retry-budget', '2'],
    { env: { SLACK_WEBHOOK: slack.webhookUrl, GITHUB_OUTPUT: outputs } });
  assert.equal(failing.code, 75);
  assert.match(errorLine(failing), /HTTP 502/);
  assert.equal(slack.accepted.length, 0);
  assert.equal(readOutputs(outputs).ok, 'false');
});

// --- Not sent again: it may have been taken ---

const ONCE = [
  [{ kind: 'reset-before-body' }, 75, /no whole reply from http:\/\/127/],
  [{ kind: 'reset-after-body', accepted: true }, 75, /no whole reply from .*; it may have been done: look before you send it again/],
  [{ kind: 'reset-in-reply' }, 76, /no whole reply from/],
  [{ kind: 'status', status: 504, body: 'x y', accepted: true }, 75, /HTTP 504.*it may have been posted: look in the channel before you send it again/],
  [{ kind: 'hang' }, 75, /no whole reply from http:\/\/127\.0\.0\.1:\d+ within 1000 ms/],
  [{ kind: 'html' }, 76, /HTTP 200 without Slack's word for it, but with: <.*; look in the channel whether it was posted, and check the address/],
  [{ kind: 'status', status: 200, body: '' }, 76, /HTTP 200 without Slack's word/],
  [{ kind: 'status', status: 302, body: '', headers: { location: 'http://127.0.0.1:1/' } }, 76, /HTTP 302 without/],
  [{ kind: 'status', status: 200, body: '{"ok":"yes"}' }, 76, /HTTP 200 without Slack's word/],
];
for (const send of [byWebhook, byToken]) {
  for (const [fault, code, message] of ONCE) {
    test(`${send.name}: not sent again after ${JSON.stringify(fault)}`, async (t) => {
      const slack = await slackFor(t);
      slack.fail(fault);
      const result = await send(slack, ['--timeout', '1']);
      assert.equal(result.code, code, result.stderr);
      assert.match(errorLine(result), message);
      assert.equal(slack.requests.length, 1);
    });
  }
}

test('not sent again either when an earlier request went well on the way', async (t) => {
  for (const lost of [{ kind: 'reset-after-body', accepted: true }, { kind: 'reset-before-body' }]) {
    const slack = await slackFor(t);
    slack.fail({ kind: 'slow', delay_ms: 1 });
    slack.fail(lost);
    const result = await run([...EVENT, '--api', slack.apiUrl, '--channel', '#general,#ops'],
      { env: { SLACK_BOT_TOKEN: slack.token } });
    assert.equal(result.code, 75, result.stderr);
    assert.equal(slack.requests.length, 2, 'one request a channel');
    const limited = await slackFor(t);
    limited.fail({ kind: 'ratelimited', retryAfter: 1, as: 'text' });
    limited.fail(lost);
    assert.equal((await byWebhook(limited)).code, 75);
    assert.equal(limited.requests.length, 2, 'the one that was refused, the one that was lost');
  }
});

test('a full disk behind the outputs hides neither Slack\'s word nor that the message was taken', async (t) => {
  const slack = await slackFor(t);
  const env = { SLACK_WEBHOOK: slack.webhookUrl, GITHUB_STEP_SUMMARY: '/dev/full' };
  const taken = await run(EVENT, { env });
  assert.equal(taken.code, 74);
  assert.equal(taken.stdout, 'told webhook of 2 pages\n');
  slack.fail({ kind: 'word', word: 'channel_is_archived' });
  const refused = await run(EVENT, { env });
  assert.equal(refused.code, 74);
  assert.match(refused.stderr, /Slack says channel_is_archived[\s\S]*can't write to \/dev\/full/);
});

test('byToken: half a JSON reply is 76', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'truncated-json' });
  const result = await byToken(slack);
  assert.equal(result.code, 76, result.stderr);
});

for (const fault of [{ kind: 'slow', delay_ms: 300 }, { kind: 'drip', delay_ms: 5 }]) {
  test(`a ${fault.kind} reply is still a reply`, async (t) => {
    const slack = await slackFor(t);
    slack.fail(fault);
    assert.equal((await byToken(slack)).code, 0);
    assert.equal(slack.requests.length, 1);
  });
}

test('Slack\'s warnings are passed on', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'warning', warning: 'message_truncated' });
  const result = await byToken(slack);
  assert.equal(result.code, 0);
  assert.equal(errorLine(result), 'opsbelt: gollum-notify: Slack warns: message_truncated');
});

// --- Nobody there ---

test('never connected: 69 after the budget, with the number of attempts', async () => {
  const port = await closedPort();
  const result = await run([...EVENT, '--retry-budget', '2'],
    { env: { SLACK_WEBHOOK: `http://127.0.0.1:${port}/services/T/B/SECRET` } });
  assert.equal(result.code, 69);
  assert.match(errorLine(result), /can't connect to http:\/\/127\.0\.0\.1:\d+: .*\(2 attempts\)/);
  assert.ok(!result.stderr.includes('SECRET'));
});

test('a host that does not exist is 69', async () => {
  const result = await run([...EVENT, '--retry-budget', '0', '--timeout', '5'],
    { env: { SLACK_WEBHOOK: 'https://no-such-host.invalid/services/T/B/SECRET' } });
  assert.equal(result.code, 69);
  assert.match(errorLine(result), /can't connect to https:\/\/no-such-host\.invalid: /);
  assert.ok(!result.stderr.includes('SECRET'));
});

test('a service that comes up within the budget gets the message, once', async (t) => {
  const port = await closedPort();
  const starting = new Promise((resolve) => { setTimeout(() => resolve(slackFor(t, { port })), 500); });
  const result = await run([...EVENT, '--retry-budget', '10'],
    { env: { SLACK_WEBHOOK: `http://127.0.0.1:${port}/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX` } });
  const slack = await starting;
  assert.equal(result.code, 0, result.stderr);
  assert.equal(slack.accepted.length, 1);
});

test('a peer that speaks neither HTTP nor TLS', async (t) => {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.end('220 mail ready\r\n');
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address();
  const plain = await run([...EVENT, '--retry-budget', '0'], { env: { SLACK_WEBHOOK: `http://127.0.0.1:${port}/x` } });
  assert.equal(plain.code, 76, plain.stderr);
  const tls = await run([...EVENT, '--retry-budget', '0'], { env: { SLACK_WEBHOOK: `https://127.0.0.1:${port}/x`,
    SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt' } });
  assert.equal(tls.code, 69, tls.stderr);
});

test('through a proxy, as curl does it; NO_PROXY goes around it', async (t) => {
  const slack = await slackFor(t);
  const proxy = await proxyFor(t);
  const env = { SLACK_WEBHOOK: slack.webhookUrl, http_proxy: proxy.url };
  assert.equal((await run(EVENT, { env })).code, 0);
  assert.match(proxy.seen[0], /^POST http:\/\/127\.0\.0\.1:\d+\/services\//);
  assert.equal((await run(EVENT, { env: { ...env, NO_PROXY: '127.0.0.1' } })).code, 0);
  assert.equal(proxy.seen.length, 1);
  assert.equal(slack.accepted.length, 2);
});

test('TLS through a proxy\'s tunnel; a proxy that refuses it is told', async (t) => {
  const tls = selfSigned(t);
  const slack = await slackFor(t, { tls });
  const env = { SLACK_WEBHOOK: slack.webhookUrl, SSL_CERT_FILE: tls.certFile };
  const open = await proxyFor(t);
  const tunnelled = await run(EVENT, { env: { ...env, HTTPS_PROXY: open.url } });
  assert.equal(tunnelled.code, 0, tunnelled.stderr);
  assert.match(open.seen[0], /^CONNECT 127\.0\.0\.1:\d+ /);
  assert.equal(slack.accepted.length, 1);
  for (const address of ['http://svc:hunt er2@127.0.0.1:1', 'svc:hunt er2@127.0.0.1:1', 'http://svc:hunter2@127.0.0.1:99999']) {
    const bad = await run([...EVENT, '--retry-budget', '0'], { env: { ...env, HTTPS_PROXY: address } });
    assert.equal(bad.code, 69, bad.stderr);
    assert.doesNotMatch(bad.stderr, /hunt/, address);
  }
  const closed = await proxyFor(t, { refuse: '407 Proxy Authentication Required' });
  const refused = await run([...EVENT, '--retry-budget', '0'], { env: { ...env, HTTPS_PROXY: closed.url } });
  assert.equal(refused.code, 69);
  assert.match(errorLine(refused), /407/);
});
