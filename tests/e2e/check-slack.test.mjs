// gollum-notify --check and slack-post --check: every fault is told with its remedy, and nothing is sent.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertFound, assertHidden, assertNothingSent, findingsOf } from './check.mjs';
import { closedPort, file, fixture, folder, readOutputs, run, selfSigned, slackFor } from './support.mjs';

const EVENT = ['--event', fixture('gollum/two_pages.json')];
const by = (slack, more = {}) => ({ env: { SLACK_BOT_TOKEN: slack.token, SLACK_API_URL: slack.apiUrl, ...more } });
const gollum = (args, options) => run(['gollum-notify', '--check', ...args], options);
const post = (args, options) => run(['slack-post', '--check', ...args], options);
const ALL_WELL = [['token', 'ok', /^opsbelt of the workspace Stand-in$/], ['scopes', 'ok', /chat:write/]];

// Looks, and holds it to have sent nothing and shown no secret.
async function looked(slack, command, args, options = by(slack)) {
  const result = await command(args, options);
  assertNothingSent(slack);
  assertHidden(result, slack.token);
  return result;
}

// --- gollum-notify ---

test('all is well: the event, the token, its scopes, the channel', async (t) => {
  const slack = await slackFor(t);
  const result = await looked(slack, gollum, [...EVENT, '--channel', '#ops']);
  assertFound(result, 0, [['event', 'ok', /^2 pages of /], ...ALL_WELL, ['channel #ops', 'ok', /member of C00000002/]]);
});

test('without an event, outside of a run, that is not checked', async (t) => {
  const slack = await slackFor(t);
  const result = await looked(slack, gollum, ['--channel', '#ops']);
  assertFound(result, 0, [['event', 'not checked', /outside of a workflow/]]);
});

const EVENTS = [
  ['no such file', () => '/no/such.json', 66, /\/no\/such\.json/],
  ['no JSON', (t) => file(t, 'event.json', '{'), 65, /event\.json/],
  ['of another kind', (t) => file(t, 'event.json', '{"ref":"main"}'), 65, /not a wiki event \(gollum\)/],
];
for (const [name, path, code, text] of EVENTS) {
  test(`an event file that is ${name}: ${code}, and the rest is looked at`, async (t) => {
    const slack = await slackFor(t);
    const result = await looked(slack, gollum, ['--event', path(t), '--channel', '#ops']);
    assertFound(result, code, [['event', 'WRONG', text], ...ALL_WELL]);
  });
}

test('filters that let nothing through are warned of', async (t) => {
  const slack = await slackFor(t);
  const result = await looked(slack, gollum, [...EVENT, '--channel', '#ops', '--pages', 'none*']);
  assertFound(result, 0, [['event', 'warning', /2 pages, of which the filters let 0 through/]]);
});

test('every wrong thing is told, and the first gives the exit code', async (t) => {
  const slack = await slackFor(t, { token: 'xoxb-another' });
  const result = await looked(slack, gollum, ['--event', '/no/such.json', '--diff', '/no/diff', '--mentions',
    file(t, 'm.yml', '- x'), '--channel', '#ops'], { env: { SLACK_BOT_TOKEN: 'xoxb-revoked-0123', SLACK_API_URL: slack.apiUrl } });
  assertFound(result, 66, [['event', 'WRONG', /./], ['diff', 'WRONG', /./], ['mentions', 'WRONG', /./],
    ['token', 'WRONG', /invalid_auth; make a new bot token/]]);
  assertHidden(result, 'xoxb-revoked-0123');
});

test('the channels of routes are looked at too', async (t) => {
  const slack = await slackFor(t);
  const result = await looked(slack, gollum, [...EVENT, '--channel', '#ops', '--route', 'run*=#runbooks', '--route', '*=C00000004']);
  assertFound(result, 78, [['channel #runbooks', 'ok', /./], ['channel C00000004', 'WRONG', /archived; unarchive/]]);
});

// --- Tokens, scopes and channels ---

for (const [word, code] of [['token_revoked', 77], ['account_inactive', 77], ['ratelimited', 75]]) {
  test(`a token of which Slack says ${word}: ${code}`, async (t) => {
    const slack = await slackFor(t);
    slack.fail(word === 'ratelimited' ? { kind: 'ratelimited', retryAfter: 1 } : { kind: 'word', word, on: 'auth.test' });
    assertFound(await looked(slack, gollum, ['--channel', '#ops']), code, [['token', 'WRONG', new RegExp(word)]]);
  });
}

test('a missing scope is named with what needs it: 77', async (t) => {
  const slack = await slackFor(t, { scopes: ['channels:read'] });
  const result = await looked(slack, gollum, ['--channel', '#ops', '--username', 'wiki']);
  assertFound(result, 77, [
    ['scope chat:write', 'WRONG', /the token lacks it, and it is needed to post; add it under OAuth & Permissions/],
    ['scope chat:write.customize', 'WRONG', /needed to obey --username/],
  ]);
});

test('a token without any scope: 77; when Slack does not say which there are, they are not checked', async (t) => {
  const none = await slackFor(t, { scopes: [] });
  assertFound(await looked(none, gollum, ['--channel', '#ops']), 77, [['scope chat:write', 'WRONG', /./]]);
  const slack = await slackFor(t, { scopes: ['chat:write'] });
  slack.fail({ kind: 'status', status: 200, on: 'auth.test', body: { ok: true, user: 'u', team: 't' } });
  assertFound(await looked(slack, gollum, ['--channel', '#ops']), 0,
    [['scopes', 'not checked', /did not say/], ['channel #ops', 'not checked', /channels:read/]]);
});

test('channels are not looked at without the scope for it', async (t) => {
  const slack = await slackFor(t, { scopes: ['chat:write'] });
  const result = await looked(slack, gollum, ['--channel', '#ops,C00000001']);
  assertFound(result, 0, [['channel #ops', 'not checked', /channels:read/], ['channel C00000001', 'not checked', /channels:read/]]);
});

test('a channel that is not there: a warning when private ones are out of sight, else 78', async (t) => {
  const slack = await slackFor(t);
  assertFound(await looked(slack, gollum, ['--channel', '#nowhere,C99999999']), 0,
    [['channel #nowhere', 'warning', /groups:read/], ['channel C99999999', 'warning', /groups:read/]]);
  const seeing = await slackFor(t, { scopes: ['chat:write', 'channels:read', 'groups:read'] });
  assertFound(await looked(seeing, gollum, ['--channel', '#nowhere,C99999999'], by(seeing)), 78,
    [['channel #nowhere', 'WRONG', /no channel/], ['channel C99999999', 'WRONG', /channel_not_found/]]);
});

test('a channel that the bot is not in: 78, but for chat:write.public', async (t) => {
  const slack = await slackFor(t);
  assertFound(await looked(slack, gollum, ['--channel', '#boardroom']), 78,
    [['channel #boardroom', 'WRONG', /invite it: \/invite @opsbelt .*or give it the scope chat:write\.public/]]);
  const open = await slackFor(t, { scopes: ['chat:write', 'chat:write.public', 'channels:read', 'files:write'] });
  assertFound(await looked(open, gollum, ['--channel', '#boardroom'], by(open)), 0, [['channel #boardroom', 'ok', /by chat:write\.public/]]);
  const upload = await looked(open, post, ['--channel', '#boardroom', '--file', fixture('gollum/two_pages.json')], by(open));
  assertFound(upload, 78, [['channel #boardroom', 'WRONG', /invite it/]]);
});

test('Slack that nobody can reach: 69, at once', async () => {
  const port = await closedPort();
  const begun = Date.now();
  const result = await gollum(['--channel', '#ops'], { env: { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_API_URL: `http://127.0.0.1:${port}/api/` } });
  assertFound(result, 69, [['token', 'WRONG', /can't connect to http:\/\/127\.0\.0\.1/]]);
  assert.ok(Date.now() - begun < 20_000);
});

// --- Webhooks ---

const SECRET = 'XXXXXXXXXXXXXXXXXXXXXXXX';
const hook = (path) => `https://hooks.slack.com/${path}`;
const SHAPES = [
  ['services/T00000000/B00000000', /its URL is none that Slack gives/],
  [`services/T00000000/${SECRET}`, /its URL is none that Slack gives/],
  ['', /its URL is none that Slack gives/],
  [`triggers/T00000000/1111111111111/${SECRET}`, /starts a workflow in Slack; give --webhook-type webhook-trigger/],
  [`workflows/T00000000/A00000000/11111111/${SECRET}`, /starts a workflow in Slack/],
];
for (const [path, text] of SHAPES) {
  test(`a webhook of a wrong shape: 78: /${path.replace(SECRET, '…')}`, async () => {
    const result = await gollum(EVENT, { env: { SLACK_WEBHOOK: hook(path) } });
    assertFound(result, 78, [['webhook', 'WRONG', text]]);
    assertHidden(result, SECRET);
  });
}

test('an incoming webhook is none for a workflow, and http is none of Slack\'s', async () => {
  const workflow = await post(['--webhook-type', 'webhook-trigger', '--payload', '{a: b}'],
    { env: { SLACK_WEBHOOK: hook(`services/T00000000/B00000000/${SECRET}`) } });
  assertFound(workflow, 78, [['webhook', 'WRONG', /leave --webhook-type webhook-trigger out/]]);
  const plain = await gollum([], { env: { SLACK_WEBHOOK: hook(`services/T00000000/B00000000/${SECRET}`).replace('https', 'http') } });
  assertFound(plain, 78, [['webhook', 'WRONG', /none that Slack gives/]]);
});

test('the webhook\'s host is reached without a request', async (t) => {
  const slack = await slackFor(t);
  const result = await gollum(EVENT, { env: { SLACK_WEBHOOK: slack.webhookUrl } });
  assertFound(result, 0, [['webhook', 'warning', /not at hooks\.slack\.com but at http:\/\/127\.0\.0\.1/],
    ['webhook\'s host', 'ok', /no request was sent/], ['delivery', 'not checked', /only by posting/]]);
  assert.deepEqual(slack.requests, []);
  assertHidden(result, SECRET);
});

test('the webhook\'s host with a certificate that nobody trusts: 69', async (t) => {
  const tls = selfSigned(t);
  const slack = await slackFor(t, { tls });
  const wrong = await gollum(EVENT, { env: { SLACK_WEBHOOK: slack.webhookUrl, SSL_CERT_FILE: selfSigned(t).certFile } });
  assertFound(wrong, 69, [['webhook', 'warning', /./], ['webhook\'s host', 'WRONG', /TLS with .* failed.*SSL_CERT_FILE/]]);
  const right = await gollum(EVENT, { env: { SLACK_WEBHOOK: slack.webhookUrl, SSL_CERT_FILE: tls.certFile } });
  assertFound(right, 0, [['webhook', 'warning', /./], ['webhook\'s host', 'ok', /./]]);
  assert.deepEqual(slack.requests, []);
});

test('a webhook\'s host that nobody answers at: 69', async () => {
  const port = await closedPort();
  const result = await gollum(EVENT, { env: { SLACK_WEBHOOK: `http://127.0.0.1:${port}/services/T00000000/B00000000/${SECRET}` } });
  assertFound(result, 69, [['webhook', 'warning', /./], ['webhook\'s host', 'WRONG', /can't connect/]]);
  assertHidden(result, SECRET);
});

// --- slack-post ---

test('slack-post: a text, a payload, files', async (t) => {
  const slack = await slackFor(t);
  assertFound(await looked(slack, post, ['--channel', '#ops', 'hello']), 0, [['message', 'ok', /^1 call for #ops$/], ...ALL_WELL]);
  assertFound(await looked(slack, post, ['--payload', '{channel: C00000002, text: x}']), 0,
    [['payload', 'ok', /2 parts/], ['channel C00000002', 'ok', /./]]);
  const upload = await looked(slack, post, ['--channel', '#ops', '--file', fixture('gollum/two_pages.json')]);
  assertFound(upload, 0, [['message', 'ok', /^1 call, 1 file for #ops$/], ['scopes', 'ok', /files:write, channels:read/]]);
});

test('slack-post reads no standard input', async (t) => {
  const slack = await slackFor(t);
  for (const args of [[], ['-'], ['--stream'], ['--file', '-', '--filename', 'x']]) {
    const result = await looked(slack, post, ['--channel', '#ops', ...args], { ...by(slack), stdin: 'never read' });
    assertFound(result, 0, [['message', 'not checked', /standard input/]]);
  }
  const payload = await looked(slack, post, ['--payload-file-path', '-'], { ...by(slack), stdin: '{' });
  assertFound(payload, 0, [['payload', 'not checked', /standard input/], ['channels', 'not checked', /payload/]]);
});

const CONTENTS = [
  ['a payload that is none', ['--channel', '#ops', '--payload', '{a: ['], 65, 'payload', /./],
  ['a payload file that is not there', ['--channel', '#ops', '--payload-file-path', '/no/such'], 66, 'payload', /\/no\/such/],
  ['a template without a value', ['--channel', '#ops', '--payload', '{text: "${{ env.NO_SUCH }}"}', '--payload-templated'], 65, 'payload', /NO_SUCH/],
  ['a file that is not there', ['--channel', '#ops', '--file', '/no/such'], 66, 'message', /\/no\/such/],
  ['too many blocks', ['--channel', '#ops', '--payload', JSON.stringify({ text: 'x', blocks: Array(51).fill({ type: 'divider' }) })], 65, 'message',
    /51 blocks, and Slack takes 50/],
  ['a text that may not be cut', ['--channel', '#ops', '--overflow', 'fail', 'x'.repeat(4001)], 65, 'message', /4001 characters/],
];
for (const [name, args, code, finding, text] of CONTENTS) {
  test(`slack-post: ${name}: ${code}, and the token is looked at all the same`, async (t) => {
    const slack = await slackFor(t);
    assertFound(await looked(slack, post, args), code, [[finding, 'WRONG', text], ['token', 'ok', /./]]);
  });
}

test('slack-post: the scopes for what was asked', async (t) => {
  const slack = await slackFor(t, { scopes: ['chat:write'] });
  const lacks = async (scope, args) => assertFound(await looked(slack, post, args), 77, scope.map((name) => [`scope ${name}`, 'WRONG', /./]));
  await lacks(['files:write', 'channels:read'], ['--channel', '#ops', '--file', fixture('gollum/two_pages.json')]);
  await lacks(['reactions:write'], ['--method', 'reactions.add', '--payload', '{channel: C00000002, timestamp: "1.1", name: tada}']);
  await lacks(['users:read.email'], ['--channel', 'ada@example.com', 'x']);
  await lacks(['users:read.email'], ['--channel', 'C00000002', '--ephemeral', 'ada@example.com', 'x']);
  await lacks(['files:write'], ['--channel', 'C00000002', '--overflow', 'file', 'x']);
});

test('slack-post: an e-mail address that nobody has: 78', async (t) => {
  const slack = await slackFor(t);
  assertFound(await looked(slack, post, ['--channel', 'ada@example.com,none@example.com', 'x']), 78,
    [['channel ada@example.com', 'ok', /U00000001/], ['channel none@example.com', 'WRONG', /users_not_found/]]);
});

test('slack-post: options that contradict each other are a wrong command line: 64', async (t) => {
  const slack = await slackFor(t);
  const result = await post(['--channel', '#ops,#docs', '--thread-ts', '1.1', 'x'], by(slack));
  assert.equal(result.code, 64);
  assert.deepEqual([result.stdout, slack.requests], ['', []]);
});

// --- Output ---

test('JSON: a list, with the code of what is wrong', async (t) => {
  const slack = await slackFor(t);
  for (const [command, args] of [[gollum, []], [post, ['x']]]) {
    const result = await command(['--channel', '#ops', '--json', ...args], by(slack));
    const list = JSON.parse(result.stdout);
    assert.equal(result.code, 0, result.stdout);
    assert.ok(list.every(({ name, ok, finding, state }) => name && ok && finding && state));
    const wrong = await command(['--channel', '#ops', '--output', 'json', ...args], { env: { SLACK_BOT_TOKEN: 'xoxb-no', SLACK_API_URL: slack.apiUrl } });
    const found = JSON.parse(wrong.stdout).find(({ name }) => name === 'token');
    assert.deepEqual({ ...found, finding: '' }, { name: 'token', ok: false, state: 'wrong', finding: '', code: 77 });
    assert.equal(wrong.code, 77);
  }
});

test('as a step: by the input check; no outputs, and nothing the runner would obey', async (t) => {
  const slack = await slackFor(t, { channels: [{ id: 'C00000001', name: 'ops', is_member: true, is_archived: false }] });
  const outputs = join(folder(t), 'outputs');
  const result = await run([], {
    env: { GITHUB_ACTIONS: 'true', INPUT_CHECK: 'true', INPUT_CHANNEL: '::error::x', GITHUB_OUTPUT: outputs, ...by(slack).env },
  });
  assert.equal(result.code, 0, result.stdout + result.stderr);
  assert.match(result.stderr, /^::add-mask::/m);
  assert.deepEqual(readOutputs(outputs), {});
  assert.ok(!/^\s*::(error|warning)/m.test(result.stdout), result.stdout);
  assert.ok(findingsOf({ stdout: result.stdout.split('\n').filter((line) => /^token: /.test(line)).join('\n'), stderr: '' }).length === 1);
});
