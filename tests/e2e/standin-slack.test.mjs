// Shows the stand-in Slack right by Slack's own clients: what they post arrives, and every refusal and fault
// surfaces in them as the error they document. What the clients can't send goes over plain fetch or node:https.
// Needs openssl on the PATH for the TLS test, which is skipped without it.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ErrorCode, WebClient } from '@slack/web-api';
import { IncomingWebhook } from '@slack/webhook';
import { startSlack } from '../standin/slack.mjs';

const SILENT = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel: () => 'error', setName() {} };
const STANDIN = fileURLToPath(new URL('../standin/slack.mjs', import.meta.url));

// A test with a stand-in of its own, which is closed whatever happens.
function slackTest(name, options, body) {
  test(name, async () => {
    const slack = await startSlack(options);
    const settings = {
      slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true, logger: SILENT,
    };
    try {
      await body(slack, new WebClient(slack.token, settings), new IncomingWebhook(slack.webhookUrl), settings);
    } finally {
      await slack.close();
    }
  });
}

const section = (text, type = 'mrkdwn') => ({ type: 'section', text: { type, text } });
const platformError = (word) => (error) => error.code === ErrorCode.PlatformError && error.data.error === word;
const requestError = { code: ErrorCode.RequestError };

// POST by fetch: { status, headers, body, json }.
async function post(url, body, headers = {}) {
  const response = await fetch(url, { method: 'POST', body, headers });
  const text = await response.text();
  const json = text.startsWith('{') ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, body: text, json };
}

function callJson(slack, method, args, type = 'application/json; charset=utf-8') {
  const headers = { authorization: `Bearer ${slack.token}`, 'content-type': type };
  return post(slack.apiUrl + method, JSON.stringify(args), headers);
}

// --- Posting ---

slackTest('chat.postMessage returns what the client expects', {}, async (slack, web) => {
  const first = await web.chat.postMessage({ channel: '#ops', text: 'deployed' });
  assert.equal(first.ok, true);
  assert.equal(first.channel, 'C00000002');
  assert.match(first.ts, /^\d{10}\.\d{6}$/);
  assert.equal(first.message.text, 'deployed');
  assert.equal(first.message.ts, first.ts);
  assert.ok(first.response_metadata.scopes.includes('chat:write'));
  assert.deepEqual(first.response_metadata.acceptedScopes, ['chat:write']);

  const second = await web.chat.postMessage({ channel: 'C00000002', text: 'and again', blocks: [section('*again*')] });
  assert.ok(second.ts > first.ts);
  assert.equal(second.message.blocks[0].text.text, '*again*');
  assert.deepEqual(slack.accepted.map(({ via, channel, ts }) => [via, channel, ts]), [
    ['chat.postMessage', 'C00000002', first.ts], ['chat.postMessage', 'C00000002', second.ts],
  ]);
  assert.deepEqual(slack.accepted[1].payload.blocks, [section('*again*')]);
});

slackTest('thread_ts comes back inside the message', {}, async (slack, web) => {
  const parent = await web.chat.postMessage({ channel: 'general', text: 'outage' });
  const reply = await web.chat.postMessage({ channel: parent.channel, thread_ts: parent.ts, text: 'over' });
  assert.equal(reply.message.thread_ts, parent.ts);
  assert.notEqual(reply.ts, parent.ts);
  assert.equal(parent.message.thread_ts, undefined);
  assert.equal(slack.accepted[1].thread_ts, parent.ts);
});

slackTest('the webhook takes text, blocks and attachments', {}, async (slack, web, webhook) => {
  assert.deepEqual(await webhook.send('plain'), { text: 'ok' });
  assert.deepEqual(await webhook.send({ blocks: [section('b')] }), { text: 'ok' });
  assert.deepEqual(await webhook.send({ attachments: [{ fallback: 'a' }] }), { text: 'ok' });
  assert.deepEqual(slack.accepted.map(({ via, channel }) => `${via} ${channel}`), Array(3).fill('webhook C00000001'));
  assert.equal(slack.accepted[0].payload.text, 'plain');
  assert.equal(slack.requests.length, 3);
  const [{ method, path, headers, json, form, complete }] = slack.requests;
  assert.deepEqual({ method, path, type: headers['content-type'], json, form, complete }, {
    method: 'POST', path: new URL(slack.webhookUrl).pathname, type: 'application/json', json: { text: 'plain' },
    form: undefined, complete: true,
  });
  assert.ok(slack.requests[2].at_ms >= slack.requests[0].at_ms && slack.requests[0].at_ms >= 0);
});

slackTest('the webhook takes a form, and says ok as text', {}, async (slack) => {
  const sent = await post(slack.webhookUrl, new URLSearchParams({ payload: '{"text":"form"}' }));
  assert.deepEqual([sent.status, sent.body, sent.headers.get('content-type')], [200, 'ok', 'text/plain']);
  assert.equal(slack.accepted[0].payload.text, 'form');
});

slackTest('auth.test, and the other methods', {}, async (slack, web) => {
  const who = await web.auth.test();
  assert.match(who.user_id, /^U/);
  assert.match(who.bot_id, /^B/);
  assert.match(who.team_id, /^T/);

  const { channel, ts } = await web.chat.postMessage({ channel: '#ops', text: '1' });
  assert.equal((await web.chat.update({ channel, ts, text: '2' })).message.text, '2');
  assert.equal((await web.chat.delete({ channel, ts })).ts, ts);
  await assert.rejects(web.chat.delete({ channel, ts }), platformError('message_not_found'));
  await assert.rejects(web.chat.update({ channel: '#ops', ts, text: '2' }), platformError('channel_not_found'));

  const { user } = await web.users.lookupByEmail({ email: 'ada@example.com' });
  assert.equal((await web.users.info({ user: user.id })).user.profile.email, 'ada@example.com');
  assert.match((await web.chat.postEphemeral({ channel, user: user.id, text: 'psst' })).message_ts, /^\d+\.\d+$/);
  const stranger = web.chat.postEphemeral({ channel, user: 'U0', text: 'psst' });
  await assert.rejects(stranger, platformError('user_not_in_channel'));
  await assert.rejects(web.users.lookupByEmail({ email: 'nobody@example.com' }), platformError('users_not_found'));
  await assert.rejects(web.users.info({ user: 'U0' }), platformError('user_not_found'));
  await assert.rejects(web.apiCall('chat.shout'), platformError('unknown_method'));
  assert.deepEqual(slack.accepted.map(({ via }) => via),
    ['chat.postMessage', 'chat.update', 'chat.delete', 'chat.postEphemeral']);
});

slackTest('conversations.list goes page by page', {}, async (slack, web) => {
  const names = [];
  for await (const page of web.paginate('conversations.list', { limit: 2, exclude_archived: true })) {
    names.push(page.channels.map(({ name }) => name));
  }
  assert.deepEqual(names, [['general', 'ops'], ['runbooks', 'boardroom']]);
});

// --- Refusals ---

slackTest('channels and content that Slack refuses', {}, async (slack, web) => {
  const refusals = [
    ['channel_not_found', { channel: '#nowhere', text: 'x' }],
    ['is_archived', { channel: '#attic', text: 'x' }],
    ['not_in_channel', { channel: 'C00000005', text: 'x' }],
    ['invalid_arguments', { text: 'x' }],
    ['no_text', { channel: '#ops' }],
    ['no_text', { channel: '#ops', text: '', blocks: [] }],
    ['invalid_blocks_format', { channel: '#ops', text: 'x', blocks: '[{' }],
    ['too_many_attachments', { channel: '#ops', attachments: Array(101).fill({ fallback: 'x' }) }],
    ['msg_blocks_too_long', { channel: '#ops', blocks: Array(5).fill(section('x'.repeat(2641))) }],
    ['msg_blocks_too_long', {
      channel: '#ops', blocks: Array(4).fill(section('x'.repeat(2640))),
      attachments: [{ blocks: [section('x'.repeat(2641))] }],
    }],
  ];
  for (const [word, message] of refusals) {
    await assert.rejects(web.chat.postMessage(message), platformError(word), word);
  }
  assert.equal(slack.accepted.length, 0);
  await web.chat.postMessage({ channel: '#ops', blocks: Array(5).fill(section('x'.repeat(2640))) });
  await web.chat.postMessage({ channel: '#ops', attachments: Array(100).fill({ fallback: 'x' }) });
});

// One block over each limit -> the detail Slack gives; and the same message at the limit, which passes.
const text = (length, type = 'mrkdwn') => ({ type, text: 'x'.repeat(length) });
const BLOCK_CASES = [
  ['must be less than 3001 characters [json-pointer:/blocks/0/text/text]',
    { type: 'section', text: text(3001) }, { type: 'section', text: text(3000) }],
  ['must be more than 0 characters [json-pointer:/blocks/0/text/text]',
    { type: 'section', text: text(0) }, { type: 'section', text: text(1) }],
  ['must be less than 151 characters [json-pointer:/blocks/0/text/text]',
    { type: 'header', text: text(151, 'plain_text') }, { type: 'header', text: text(150, 'plain_text') }],
  ['must be a valid enum value [json-pointer:/blocks/0/text/type]',
    { type: 'header', text: text(1) }, { type: 'header', text: text(1, 'plain_text') }],
  ['must be a valid enum value [json-pointer:/blocks/0/text/type]',
    { type: 'section', text: text(1, 'markdown') }, { type: 'section', text: text(1) }],
  ['no more than 10 items allowed [json-pointer:/blocks/0/elements]',
    { type: 'context', elements: Array(11).fill(text(1)) }, { type: 'context', elements: Array(10).fill(text(1)) }],
  ['no more than 10 items allowed [json-pointer:/blocks/0/fields]',
    { type: 'section', fields: Array(11).fill(text(1)) }, { type: 'section', fields: Array(10).fill(text(1)) }],
  ['must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]',
    { type: 'section', fields: [text(2001)] }, { type: 'section', fields: [text(2000)] }],
  ['must be less than 12001 characters [json-pointer:/blocks/0/text]',
    { type: 'markdown', text: 'x'.repeat(12001) }, { type: 'markdown', text: 'x'.repeat(12000) }],
  ['must be less than 256 characters [json-pointer:/blocks/0/block_id]',
    { type: 'divider', block_id: 'x'.repeat(256) }, { type: 'divider', block_id: 'x'.repeat(255) }],
  ['no more than 25 items allowed [json-pointer:/blocks/0/elements]',
    { type: 'actions', elements: Array(26).fill({}) }, { type: 'actions', elements: Array(25).fill({}) }],
  ['missing required field: image_url [json-pointer:/blocks/0]',
    { type: 'image', alt_text: 'x' }, { type: 'image', alt_text: 'x', image_url: 'https://example.com/x.png' }],
  ['must be less than 2001 characters [json-pointer:/blocks/0/alt_text]',
    { type: 'image', alt_text: 'x'.repeat(2001), image_url: 'https://example.com/x.png' },
    { type: 'image', alt_text: 'x'.repeat(2000), image_url: 'https://example.com/x.png' }],
  ['missing required field: text or fields [json-pointer:/blocks/0]',
    { type: 'section' }, { type: 'section', fields: [text(1)] }],
  ['unsupported type: sektion [json-pointer:/blocks/0/type]', { type: 'sektion' }, { type: 'divider' }],
  ['missing required field: type [json-pointer:/blocks/0]', {}, { type: 'divider' }],
];

slackTest('invalid_blocks says what and where', {}, async (slack, web) => {
  for (const [detail, wrong, right] of BLOCK_CASES) {
    await assert.rejects(web.chat.postMessage({ channel: '#ops', text: 'x', blocks: [wrong] }), (error) => {
      assert.equal(error.data.error, 'invalid_blocks');
      assert.ok(error.data.errors.includes(detail), `${detail} not in ${error.data.errors}`);
      assert.ok(error.data.response_metadata.messages.includes(`[ERROR] ${detail}`));
      return true;
    });
    assert.equal((await web.chat.postMessage({ channel: '#ops', text: 'x', blocks: [right] })).ok, true, detail);
  }
});

slackTest('limits count UTF-16 units, also inside attachments', {}, async (slack, web, webhook) => {
  const blocks = [section('\u{1F600}'.repeat(1501))];
  await assert.rejects(web.chat.postMessage({ channel: '#ops', text: 'x', blocks }), platformError('invalid_blocks'));
  await assert.rejects(webhook.send({ attachments: [{ blocks }] }), { body: 'invalid_blocks' });
  await web.chat.postMessage({ channel: '#ops', text: 'x', blocks: [section('\u{1F600}'.repeat(1500))] });
});

slackTest('51 blocks are refused in both ways', {}, async (slack, web, webhook) => {
  const blocks = Array(51).fill({ type: 'divider' });
  await assert.rejects(web.chat.postMessage({ channel: '#ops', text: 'x', blocks }), (error) =>
    error.data.errors[0] === 'no more than 50 items allowed [json-pointer:/blocks]');
  await assert.rejects(webhook.send({ blocks }), {
    code: 'slack_webhook_http_error', statusCode: 400, body: 'invalid_blocks',
  });
  await webhook.send({ blocks: blocks.slice(1) });
});

slackTest('the webhook refuses in words', {}, async (slack) => {
  const refusals = [
    [400, 'invalid_payload', '{"text":'],
    [400, 'invalid_payload', ''],
    [400, 'invalid_payload', '"text"'],
    [400, 'invalid_payload', Buffer.from('{"text":"\xff"}', 'latin1')],
    [400, 'no_text', '{}'],
    [400, 'no_text', '{"text":""}'],
    [400, 'invalid_blocks_format', '{"text":"x","blocks":{"type":"divider"}}'],
    [400, 'msg_blocks_too_long', JSON.stringify({ blocks: Array(5).fill(section('x'.repeat(2641))) })],
  ];
  for (const [status, word, body] of refusals) {
    const sent = await post(slack.webhookUrl, body, { 'content-type': 'application/json' });
    assert.deepEqual([sent.status, sent.body], [status, word]);
  }
  const unknown = slack.webhookUrl.replace('B00000000', 'B00000001');
  await assert.rejects(new IncomingWebhook(unknown).send('x'), { statusCode: 404, body: 'no_service' });
  assert.equal((await fetch(slack.webhookUrl)).status, 405);
  assert.equal(slack.accepted.length, 0);
});

slackTest('tokens and scopes', { scopes: ['users:read'] }, async (slack, web, webhook, settings) => {
  const message = { channel: '#ops', text: 'x' };
  await assert.rejects(new WebClient(undefined, settings).auth.test(), platformError('not_authed'));
  await assert.rejects(new WebClient('xoxb-wrong', settings).auth.test(), platformError('invalid_auth'));
  assert.equal((await new WebClient(undefined, settings).auth.test({ token: slack.token })).ok, true);
  await assert.rejects(web.chat.postMessage(message), (error) => {
    const { needed, provided } = error.data;
    return platformError('missing_scope')(error) && needed === 'chat:write' && provided === 'users:read';
  });
  const form = await post(`${slack.apiUrl}auth.test`, new URLSearchParams({ token: slack.token }));
  assert.equal(form.json.ok, true);
});

slackTest('JSON bodies: charset, parsing, and the methods that only read forms', {}, async (slack) => {
  const message = { channel: '#ops', text: 'x' };
  const right = await callJson(slack, 'chat.postMessage', message);
  assert.deepEqual([right.json.ok, right.json.warning], [true, undefined]);
  const { json } = await callJson(slack, 'chat.postMessage', message, 'application/json');
  assert.deepEqual([json.ok, json.warning], [true, 'missing_charset']);
  assert.deepEqual(json.response_metadata.warnings, ['missing_charset']);
  assert.equal((await callJson(slack, 'chat.postMessage', [message])).json.error, 'json_not_object');
  assert.equal((await callJson(slack, 'chat.postMessage', message, 'text/plain')).json.error, 'invalid_post_type');

  const headers = { authorization: `Bearer ${slack.token}`, 'content-type': 'application/json; charset=utf-8' };
  assert.equal((await post(`${slack.apiUrl}chat.postMessage`, '{"text', headers)).json.error, 'invalid_json');
  assert.equal((await callJson(slack, 'users.info', { user: 'U00000001' })).json.error, 'invalid_arguments');
  const listed = await callJson(slack, 'conversations.list', { limit: 1 });
  assert.equal(listed.json.channels.length, 5);
});

slackTest('a text over 40,000 is cut and warned of', {}, async (slack, web, webhook) => {
  const long = await web.chat.postMessage({ channel: '#ops', text: 'x'.repeat(40001) });
  assert.equal(long.message.text.length, 40000);
  assert.deepEqual([long.warning, long.response_metadata.warnings], ['message_truncated', ['message_truncated']]);
  const fits = await web.chat.postMessage({ channel: '#ops', text: 'x'.repeat(40000) });
  assert.equal(fits.warning, undefined);
  await webhook.send('x'.repeat(40001));
  assert.deepEqual(slack.accepted.map(({ payload }) => payload.text.length), [40000, 40000, 40000]);
});

// --- Faults ---

slackTest('words on request', {}, async (slack, web, webhook) => {
  const words = {
    user_not_found: 400, action_prohibited: 403, channel_not_found: 404, channel_is_archived: 410, rollup_error: 500,
  };
  for (const [word, statusCode] of Object.entries(words)) {
    slack.fail({ kind: 'word', word });
    await assert.rejects(webhook.send('x'), { code: 'slack_webhook_http_error', statusCode, body: word });
  }
  slack.fail({ kind: 'word', word: 'missing_scope', needed: 'chat:write.public', provided: 'chat:write' });
  await assert.rejects(web.chat.postMessage({ channel: '#ops', text: 'x' }), (error) =>
    platformError('missing_scope')(error) && error.data.needed === 'chat:write.public');
  slack.fail({ kind: 'word', word: 'internal_error', status: 500 });
  await assert.rejects(web.auth.test(), { code: ErrorCode.HTTPError, statusCode: 500 });
  assert.equal(slack.accepted.length, 0);
});

slackTest('rate limits carry Retry-After', {}, async (slack, web, webhook) => {
  slack.fail({ kind: 'ratelimited', retryAfter: 30 });
  const sent = web.chat.postMessage({ channel: '#ops', text: 'x' });
  await assert.rejects(sent, { code: ErrorCode.RateLimitedError, retryAfter: 30 });
  slack.fail({ kind: 'ratelimited', retryAfter: 7, as: 'json' });
  const body = '{"retry_after":7,"ok":false,"error":"rate_limited"}';
  await assert.rejects(webhook.send('x'), { statusCode: 429, body });
  slack.fail({ kind: 'ratelimited', retryAfter: 7, as: 'text' });
  const limited = await post(slack.webhookUrl, '{"text":"x"}');
  assert.deepEqual([limited.status, limited.headers.get('retry-after'), limited.body], [429, '7', 'rate_limited']);
  slack.fail({ kind: 'ratelimited', retryAfter: null });
  assert.equal((await post(`${slack.apiUrl}auth.test`, '')).headers.get('retry-after'), null);
  assert.deepEqual(slack.accepted, []);
});

slackTest('resets surface as request errors', {}, async (slack, web, webhook) => {
  const message = { channel: '#ops', text: 'x' };
  slack.fail({ kind: 'reset-before-body' });
  await assert.rejects(web.chat.postMessage(message), requestError);
  assert.equal(slack.requests[0].complete, false);
  slack.fail({ kind: 'reset-after-body' });
  await assert.rejects(web.chat.postMessage(message), requestError);
  assert.equal(slack.requests[1].complete, true);
  assert.equal(slack.accepted.length, 0);

  slack.fail({ kind: 'reset-after-body', accepted: true });
  await assert.rejects(web.chat.postMessage(message), (error) => error.original.cause.code === 'ECONNRESET');
  assert.equal(slack.accepted.length, 1);
  slack.fail({ kind: 'reset-after-body', accepted: true });
  await assert.rejects(webhook.send('x'), { code: 'slack_webhook_request_error' });
  slack.fail({ kind: 'reset-in-reply' });
  await assert.rejects(web.chat.postMessage(message), { message: 'terminated' });
  assert.equal(slack.accepted.length, 3);
  assert.equal((await web.chat.postMessage(message)).ok, true);
});

slackTest('odd replies', {}, async (slack, web, webhook) => {
  slack.fail({ kind: 'truncated-json' });
  await assert.rejects(web.auth.test(), (error) => error.data.error.startsWith('{"ok":true'));
  slack.fail({ kind: 'html' });
  await assert.rejects(web.auth.test(), (error) => error.data.error.startsWith('<html>'));
  slack.fail({ kind: 'html' });
  assert.match((await webhook.send('x')).text, /^<html>/);
  slack.fail({ kind: 'status', status: 503, body: { down: true }, headers: { 'x-cause': 'test' } });
  await assert.rejects(web.auth.test(), (error) => {
    const { code, statusCode, headers, body } = error;
    assert.deepEqual([code, statusCode, headers['x-cause'], body], [ErrorCode.HTTPError, 503, 'test', { down: true }]);
    return true;
  });
  slack.fail({ kind: 'warning', warning: 'message_truncated' });
  const warned = await web.chat.postMessage({ channel: '#ops', text: 'x' });
  assert.deepEqual(warned.response_metadata.warnings, ['message_truncated']);
});

slackTest('slow, drip and hang', {}, async (slack, web, webhook) => {
  slack.fail({ kind: 'slow', delay_ms: 60 });
  const start_ms = performance.now();
  assert.deepEqual(await webhook.send('late'), { text: 'ok' });
  assert.ok(performance.now() - start_ms >= 50);
  slack.fail({ kind: 'drip', delay_ms: 1 });
  assert.equal((await web.chat.postMessage({ channel: '#ops', text: 'x' })).message.text, 'x');
  slack.fail({ kind: 'hang' });
  const impatient = new IncomingWebhook(slack.webhookUrl, { timeout: 50 });
  await assert.rejects(impatient.send('x'), { code: 'slack_webhook_request_error' });
  assert.equal(slack.accepted.length, 2);
});

slackTest('faults meet requests in order, and a typo in a fault throws', {}, async (slack, web, webhook) => {
  assert.throws(() => slack.fail({ kind: 'hnag' }), /no such fault: hnag/);
  slack.fail({ kind: 'word', word: 'no_team' });
  slack.fail({ kind: 'word', word: 'invalid_token' });
  slack.fail({ kind: 'html' });
  await assert.rejects(webhook.send('x'), { statusCode: 404, body: 'no_team' });
  await assert.rejects(webhook.send('x'), { statusCode: 403, body: 'invalid_token' });
  assert.deepEqual(slack.unusedFaults, [{ kind: 'html' }]);
});

test('close() ends hanging, slow and idle connections', async () => {
  const slack = await startSlack();
  const webhook = new IncomingWebhook(slack.webhookUrl);
  await webhook.send('idle');
  slack.fail({ kind: 'hang' });
  slack.fail({ kind: 'slow', delay_ms: 60_000 });
  const waiting = [webhook.send('x'), webhook.send('x')].map((sent) => assert.rejects(sent));
  while (slack.requests.filter(({ complete }) => complete).length < 3) await new Promise(setImmediate);
  await slack.close();
  await slack.close();
  await Promise.all(waiting);
});

// --- TLS and the command line ---

function selfSigned() {
  const folder = mkdtempSync(join(tmpdir(), 'standin-slack-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const args = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=127.0.0.1';
    const more = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
    execFileSync('openssl', [...args.split(' '), ...more], { stdio: 'ignore' });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('over TLS, with a reset under it', async (t) => {
  const tls = selfSigned();
  if (!tls) return t.skip('no openssl here');
  const slack = await startSlack({ tls });
  try {
    assert.match(slack.webhookUrl, /^https:/);
    const send = async () => {
      const request = https.request(slack.webhookUrl, { method: 'POST', ca: tls.cert, agent: false });
      request.end('{"text":"x"}');
      const [response] = await once(request, 'response');
      return Buffer.concat(await response.toArray()).toString();
    };
    assert.equal(await send(), 'ok');
    slack.fail({ kind: 'reset-after-body', accepted: true }); // a mere hang-up would carry no syscall
    await assert.rejects(send(), { code: 'ECONNRESET', syscall: 'read' });
    slack.fail({ kind: 'reset-before-body' });
    await assert.rejects(send(), { code: 'ECONNRESET', syscall: 'read' });
    assert.equal(slack.accepted.length, 2);
  } finally {
    await slack.close();
  }
});

const ENDINGS = { SIGTERM: (child) => child.kill('SIGTERM'), 'the end of stdin': (child) => child.stdin.end() };
for (const [name, stop] of Object.entries(ENDINGS)) {
  test(`alone it prints its addresses, takes faults, and ends on ${name}`, async () => {
    const child = spawn(process.execPath, [STANDIN, '--port', '0', '--fault', '{"kind":"word","word":"no_team"}']);
    try {
      const [line] = await once(createInterface(child.stdout), 'line');
      const { url, webhookUrl, apiUrl, token } = JSON.parse(line);
      assert.ok(webhookUrl.startsWith(`${url}/services/`));
      await assert.rejects(new IncomingWebhook(webhookUrl).send('x'), { body: 'no_team' });
      assert.equal((await new WebClient(token, { slackApiUrl: apiUrl, logger: SILENT }).auth.test()).ok, true);
      const exit = once(child, 'exit');
      stop(child);
      assert.deepEqual(await exit, [0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
}
