// Shows the stand-in Slack right by Slack's own clients: what they post arrives, and every refusal and fault
// surfaces in them as the error they document. What the clients can't send goes over plain fetch or node:https.
// Needs openssl on the PATH for the TLS test, which is skipped without it.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ErrorCode, WebClient } from '@slack/web-api';
import { IncomingWebhook, WebhookTrigger } from '@slack/webhook';
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
      await new Promise(setImmediate); // fetch must see the end of its connections: the next test may get the port
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

const WITH_PRIVATE = [
  { id: 'C00000001', name: 'general', is_member: false, is_archived: false },
  { id: 'C00000002', name: 'secret', is_member: true, is_archived: true, is_private: true },
  { id: 'C00000003', name: 'hidden', is_member: false, is_archived: false, is_private: true },
];

slackTest('conversations.info tells of public channels, and of private ones with their scope', {
  channels: WITH_PRIVATE, scopes: ['channels:read', 'groups:read'],
}, async (slack, web) => {
  const info = async (channel) => (await web.conversations.info({ channel })).channel;
  assert.deepEqual(await info('C00000001'), { ...WITH_PRIVATE[0], is_private: false });
  assert.deepEqual(await info('C00000002'), WITH_PRIVATE[1]);
  for (const channel of ['C00000003', 'C00000009']) {
    await assert.rejects(web.conversations.info({ channel }), platformError('channel_not_found'));
  }
});

slackTest('conversations.info needs its scope', { channels: WITH_PRIVATE, scopes: ['channels:read'] }, async (slack, web) => {
  await assert.rejects(web.conversations.info({ channel: 'C00000002' }), platformError('missing_scope'));
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

slackTest('a text over 40,000 is refused where nothing cuts it', {}, async (slack, web) => {
  const { channel, ts } = await web.chat.postMessage({ channel: '#ops', text: 'x' });
  const post_at = Math.floor(Date.now() / 1000) + 60;
  const calls = [
    (text) => web.chat.update({ channel, ts, text }),
    (text) => web.chat.postEphemeral({ channel, user: 'U00000001', text }),
    (text) => web.chat.scheduleMessage({ channel, post_at, text }),
  ];
  for (const call of calls) {
    await assert.rejects(call('x'.repeat(40001)), platformError('msg_too_long'));
    assert.equal((await call('x'.repeat(40000))).ok, true);
  }
});

// --- Direct messages, scheduled messages, links, reactions, lists ---

slackTest('direct messages: by the D id and by the user id', {}, async (slack, web) => {
  const { channel: { id } } = await web.conversations.open({ users: 'U00000002' });
  assert.match(id, /^D[A-Z0-9]{8}$/);
  assert.equal((await web.conversations.open({ users: 'U00000002' })).channel.id, id);
  assert.notEqual((await web.conversations.open({ users: 'U00000001' })).channel.id, id);
  const byId = await web.chat.postMessage({ channel: id, text: 'psst' });
  const byUser = await web.chat.postMessage({ channel: 'U00000002', text: 'psst' });
  assert.deepEqual([byId.channel, byUser.channel], [id, id]);
  assert.equal((await web.chat.update({ channel: id, ts: byUser.ts, text: 'hush' })).channel, id);
  assert.deepEqual(slack.accepted.map(({ channel }) => channel), [id, id, id]);

  await assert.rejects(web.chat.update({ channel: 'U00000002', ts: byUser.ts, text: 'hush' }),
    platformError('channel_not_found'));
  await assert.rejects(web.chat.postMessage({ channel: 'U00000099', text: 'x' }), platformError('channel_not_found'));
  await assert.rejects(web.conversations.open({ users: 'U00000099' }), platformError('user_not_found'));
  await assert.rejects(web.conversations.open({}), platformError('users_list_not_supplied'));
  await assert.rejects(web.conversations.open({ users: 'U00000001,U00000002' }), (error) =>
    platformError('missing_scope')(error) && error.data.needed === 'mpim:write');
});

slackTest('chat.scheduleMessage', {}, async (slack, web) => {
  const post_at = Math.floor(Date.now() / 1000) + 3600;
  const sent = await web.chat.scheduleMessage({ channel: '#ops', text: 'later', post_at });
  assert.deepEqual([sent.channel, sent.post_at, sent.message.text], ['C00000002', post_at, 'later']);
  assert.match(sent.scheduled_message_id, /^Q\d+$/);
  const { via, channel, ts, payload } = slack.accepted[0];
  assert.deepEqual([via, channel, ts, payload.text], ['chat.scheduleMessage', 'C00000002', undefined, 'later']);

  const refusals = [
    ['invalid_arguments', { post_at: undefined }],
    ['invalid_time', { post_at: 'tomorrow' }],
    ['invalid_time', { post_at: post_at + 0.5 }],
    ['time_in_past', { post_at: post_at - 7200 }],
    ['time_too_far', { post_at: post_at + 120 * 86400 }],
    ['no_text', { text: '' }],
    ['is_archived', { channel: '#attic' }],
  ];
  for (const [word, change] of refusals) {
    const message = { channel: '#ops', text: 'x', post_at, ...change };
    await assert.rejects(web.chat.scheduleMessage(message), platformError(word), word);
  }
  assert.equal(slack.accepted.length, 1);
});

slackTest('chat.getPermalink and reactions.add', {}, async (slack, web) => {
  const { channel, ts } = await web.chat.postMessage({ channel: '#ops', text: 'x' });
  const reply = await web.chat.postMessage({ channel, thread_ts: ts, text: 'y' });
  const link = await web.chat.getPermalink({ channel, message_ts: ts });
  assert.match(link.permalink, new RegExp(`/archives/${channel}/p${ts.replace('.', '')}$`));
  const inThread = await web.chat.getPermalink({ channel, message_ts: reply.ts });
  assert.ok(inThread.permalink.endsWith(`?thread_ts=${ts}&cid=${channel}`));
  await assert.rejects(web.chat.getPermalink({ channel, message_ts: '1.1' }), platformError('message_not_found'));
  const inJson = await callJson(slack, 'chat.getPermalink', { channel, message_ts: ts });
  assert.equal(inJson.json.error, 'invalid_arguments');

  const reaction = { channel, timestamp: ts, name: 'eyes' };
  assert.equal((await web.reactions.add(reaction)).ok, true);
  await assert.rejects(web.reactions.add(reaction), platformError('already_reacted'));
  await web.reactions.add({ ...reaction, name: 'thumbsup::skin-tone-3' });
  await web.reactions.add({ ...reaction, timestamp: reply.ts });
  await assert.rejects(web.reactions.add({ ...reaction, name: ':eyes:' }), platformError('invalid_name'));
  await assert.rejects(web.reactions.add({ ...reaction, timestamp: '1.1' }), platformError('message_not_found'));
  await assert.rejects(web.reactions.add({ ...reaction, channel: '#ops' }), platformError('channel_not_found'));
  assert.deepEqual(slack.accepted.slice(2).map(({ via, ts, payload }) => `${via} ${ts} ${payload.name}`), [
    `reactions.add ${ts} eyes`, `reactions.add ${ts} thumbsup::skin-tone-3`, `reactions.add ${reply.ts} eyes`,
  ]);
});

const MANY = Array.from({ length: 1002 }, (_, i) => {
  return { id: `C${String(i).padStart(8, '0')}`, name: `c${i}`, is_member: true, is_private: i % 2 === 1 };
});
const SECRET = { id: 'C99999999', name: 'secret', is_member: false, is_private: true };

slackTest('conversations.list: types, scopes, limits', {
  channels: [...MANY, SECRET], scopes: ['chat:write', 'channels:read', 'groups:read'],
}, async (slack, web) => {
  const list = async (args) => {
    const pages = [];
    for await (const page of web.paginate('conversations.list', args)) pages.push(page.channels);
    return pages;
  };
  const open = await list({ limit: 200 });
  assert.deepEqual(open.map(({ length }) => length), [200, 200, 101]);
  assert.equal(new Set(open.flat().map(({ id }) => id)).size, 501);
  assert.ok(open.flat().every(({ is_private }) => !is_private));
  const both = await list({ limit: 999, types: 'public_channel,private_channel' });
  assert.deepEqual(both.map(({ length }) => length), [999, 3]);
  assert.equal((await list({ limit: 999, types: 'private_channel' })).flat().length, 501);

  for (const limit of [1000, 0, -1, 'ten', 1.5]) {
    await assert.rejects(web.conversations.list({ limit }), platformError('invalid_limit'), String(limit));
  }
  await assert.rejects(web.conversations.list({ types: 'channel' }), platformError('invalid_types'));
  await assert.rejects(web.conversations.list({ types: 'im' }), (error) => error.data.needed === 'im:read');
  await assert.rejects(web.conversations.list({ cursor: 'bm9uZQ' }), platformError('invalid_cursor'));
  await assert.rejects(web.chat.postMessage({ channel: 'secret', text: 'x' }), platformError('channel_not_found'));
});

slackTest('private channels need groups:read', {}, async (slack, web) => {
  await assert.rejects(web.conversations.list({ types: 'public_channel,private_channel' }), (error) =>
    platformError('missing_scope')(error) && error.data.needed === 'groups:read');
});

// --- Workflow Builder's trigger ---

slackTest('the trigger takes flat strings', {}, async (slack) => {
  const trigger = new WebhookTrigger(slack.triggerUrl);
  assert.deepEqual(await trigger.send({ status: 'failed', run: '7' }), { ok: true });
  assert.deepEqual(await trigger.send(), { ok: true });
  assert.deepEqual(slack.accepted.map(({ via, channel, payload }) => ({ via, channel, payload })), [
    { via: 'trigger', channel: undefined, payload: { status: 'failed', run: '7' } },
    { via: 'trigger', channel: undefined, payload: {} },
  ]);

  const body = '{"ok":false,"error":"invalid_workflow_input"}';
  for (const value of [7, true, null, ['x'], { x: 'y' }]) {
    await assert.rejects(trigger.send({ value }), { statusCode: 400, body });
  }
  for (const wrong of ['["x"]', '{"x":', '']) assert.deepEqual((await post(slack.triggerUrl, wrong)).body, body);
  const unknown = new WebhookTrigger(slack.triggerUrl.replace('/1111', '/2222'));
  await assert.rejects(unknown.send({}), { statusCode: 404 });
  slack.fail({ kind: 'word', word: 'internal_error', status: 500 });
  await assert.rejects(trigger.send({}), { statusCode: 500, body: '{"ok":false,"error":"internal_error"}' });
  assert.equal(slack.accepted.length, 2);
});

// --- Files ---

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

// A ticket for an upload of that many bytes: { upload_url, file_id }.
const ticket = (web, length) => web.files.getUploadURLExternal({ filename: 'log.txt', length });

slackTest('a file by the official client, in a thread with a comment', {}, async (slack, web) => {
  const { channel, ts } = await web.chat.postMessage({ channel: '#ops', text: 'see below' });
  const bytes = Buffer.from(`\0\r\n--x\r\n${'log line\n'.repeat(20)}`);
  const sent = await web.filesUploadV2({
    file: bytes, filename: 'build.log', title: 'The log', channel_id: channel, thread_ts: ts, initial_comment: 'here',
  });
  const [{ id, title, name, mimetype, size, permalink }] = sent.files[0].files;
  assert.deepEqual([title, name, mimetype, size], ['The log', 'build.log', 'text/plain', bytes.length]);
  assert.match(id, /^F\d{8}$/);
  assert.ok(permalink.endsWith(`/${id}/build.log`));

  const { head, ...file } = slack.files[0];
  assert.deepEqual(file, {
    id, filename: 'build.log', length: bytes.length, received: bytes.length, sha256: sha256(bytes), completed: true,
    shared: [{ channel, thread_ts: ts, initial_comment: 'here', title: 'The log' }],
  });
  assert.deepEqual(head, bytes.subarray(0, 64));
  const shared = slack.accepted[1];
  assert.deepEqual([shared.via, shared.channel, shared.thread_ts], ['files.completeUploadExternal', channel, ts]);
  assert.deepEqual(shared.payload.files, [{ id, title: 'The log' }]);
  assert.equal((await web.reactions.add({ channel, timestamp: shared.ts, name: 'eyes' })).ok, true);
  const upload = slack.requests.find(({ path }) => path.startsWith('/upload/'));
  assert.ok(upload.body.includes('log line') && upload.bytes > bytes.length && upload.json === undefined);
});

slackTest('two files are one message; a file without a channel is private', {}, async (slack, web) => {
  await web.filesUploadV2({
    channel_id: 'C00000002', initial_comment: 'both',
    file_uploads: [{ content: 'one', filename: 'a.txt' }, { content: '{}', filename: 'b.json' }],
  });
  await web.filesUploadV2({ content: 'mine', filename: 'c.bin' });
  assert.deepEqual(slack.files.map(({ filename }) => filename).sort(), ['a.txt', 'b.json', 'c.bin']);
  assert.deepEqual(slack.accepted.map(({ channel, payload }) => [channel, payload.files.length]),
    [['C00000002', 2], [undefined, 1]]);
  assert.deepEqual(slack.files.map(({ shared }) => shared.length), [1, 1, 0]);
});

slackTest('completing with JSON or a form, into several channels, once', {}, async (slack, web) => {
  for (const [i, type] of ['json', 'form'].entries()) {
    const { upload_url, file_id } = await ticket(web, 3);
    const args = { files: [{ id: file_id }], channels: 'C00000001,U00000001' };
    const complete = async () => {
      if (type === 'json') return (await callJson(slack, 'files.completeUploadExternal', args)).json;
      const form = new URLSearchParams({ ...args, files: JSON.stringify(args.files), token: slack.token });
      return (await post(`${slack.apiUrl}files.completeUploadExternal`, form)).json;
    };
    assert.equal((await complete()).error, 'file_not_found', 'nothing was uploaded yet');
    const uploaded = await post(upload_url, 'abc');
    assert.deepEqual([uploaded.status, uploaded.body], [200, 'OK - 3']);
    assert.equal((await post(upload_url, 'abd')).status, 200, 'again, as after a lost reply');
    assert.equal((await complete()).files[0].title, 'log.txt');
    assert.equal((await complete()).error, 'file_not_found');
    assert.equal((await post(upload_url, 'abc')).status, 404);
    assert.equal(slack.files.length, i + 1);
    assert.equal(slack.files[i].sha256, sha256('abd'));
    assert.deepEqual(slack.files[i].shared.map(({ channel }) => channel), ['C00000001', 'D00000001']);
  }
  assert.equal(slack.accepted.length, 4);
});

slackTest('uploads that Slack refuses', {}, async (slack, web) => {
  for (const length of [0, -1, 1.5, 'ten']) {
    await assert.rejects(ticket(web, length), platformError('invalid_arguments'));
  }
  await assert.rejects(web.files.getUploadURLExternal({ length: 3 }), platformError('invalid_arguments'));
  const inJson = await callJson(slack, 'files.getUploadURLExternal', { filename: 'x', length: 3 });
  assert.equal(inJson.json.error, 'invalid_arguments');

  const { upload_url, file_id } = await ticket(web, 3);
  for (const body of ['ab', 'abcd', '']) {
    const refused = await post(upload_url, body);
    assert.deepEqual([refused.status, refused.body], [400, `wrong length: 3 announced, ${body.length} received`]);
  }
  assert.equal((await post(`${upload_url}0`, 'abc')).status, 404);
  assert.equal((await fetch(upload_url)).status, 405);
  assert.equal(slack.files.length, 0);
  await post(upload_url, 'abc');

  const refusals = [
    ['invalid_arguments', { files: [] }],
    ['invalid_arguments', { files: [{ title: 'x' }] }],
    ['file_not_found', { files: [{ id: file_id }, { id: 'F99999999' }] }],
    ['file_not_found', { files: [{ id: file_id }, { id: file_id }] }],
    ['invalid_arguments', { channel_id: 'U00000001' }],
    ['channel_not_found', { channel_id: 'C99999999' }],
    ['is_archived', { channel_id: 'C00000004' }],
    ['not_in_channel', { channel_id: 'C00000005' }],
    ['channel_not_found', { channels: 'C00000001,general' }],
  ];
  for (const [word, args] of refusals) {
    const sent = web.files.completeUploadExternal({ files: [{ id: file_id }], ...args });
    await assert.rejects(sent, platformError(word), word);
  }
  await assert.rejects(web.filesUploadV2({ content: 'x', filename: 'x', channel_id: '#ops' }), (error) =>
    error.data.error === 'invalid_arguments' && error.data.response_metadata.messages[0] ===
      '[ERROR] input must match regex pattern: ^[CGDZ][A-Z0-9]{8,}$ [json-pointer:/channel_id]');
  assert.equal(slack.accepted.length, 0);
});

slackTest('files need their scope', { scopes: ['chat:write'] }, async (slack, web) => {
  await assert.rejects(web.filesUploadV2({ content: 'x', filename: 'x' }), (error) =>
    platformError('missing_scope')(error) && error.data.needed === 'files:write');
});

// POST in chunks: { status, body }.
async function postStream(url, chunks, headers) {
  const request = http.request(url, { method: 'POST', headers, agent: false });
  const [[response]] = await Promise.all([once(request, 'response'), pipeline(Readable.from(chunks), request)]);
  return { status: response.statusCode, body: Buffer.concat(await response.toArray()).toString() };
}

slackTest('multipart is read whatever way it is cut into pieces', {}, async (slack, web) => {
  const file = Buffer.from('first\r\n--\r\n--frontier no end\r\nlast\r\n');
  const whole = Buffer.concat([
    Buffer.from('--frontier!\r\nContent-Disposition: form-data; name="n"\r\n\r\nvalue\r\n--frontier!\r\n'),
    Buffer.from('Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n'), file,
    Buffer.from('\r\n--frontier!--\r\n'),
  ]);
  const headers = { 'content-type': 'multipart/form-data; boundary="frontier!"' };
  for (const size of [1, 7, whole.length]) {
    const { upload_url } = await ticket(web, file.length);
    const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
      whole.subarray(i * size, (i + 1) * size));
    assert.equal((await postStream(upload_url, chunks, headers)).body, `OK - ${file.length}`);
    assert.equal(slack.files.at(-1).sha256, sha256(file));
  }
  const { upload_url } = await ticket(web, file.length);
  assert.equal((await postStream(upload_url, [whole.subarray(0, -16)], headers)).status, 400, 'cut off');
});

slackTest('100 MB arrive, and are not kept', {}, async (slack, web) => {
  const chunk = Buffer.alloc(1_000_000, 'opsbelt ');
  const { upload_url } = await ticket(web, 100 * chunk.length);
  const sent = await postStream(upload_url, Array(100).fill(chunk));
  assert.deepEqual(sent, { status: 200, body: 'OK - 100000000' });
  const { body, bytes, complete } = slack.requests.at(-1);
  assert.deepEqual([body, bytes, complete], ['', 100_000_000, true]);
  const hash = createHash('sha256');
  for (let i = 0; i < 100; i += 1) hash.update(chunk);
  assert.equal(slack.files[0].sha256, hash.digest('hex'));
});

// --- Faults ---

slackTest('every fault meets uploads too', {}, async (slack, web) => {
  const upload = (content = 'x') => web.filesUploadV2({ content, filename: 'x.txt', channel_id: 'C00000002' });
  const meet = async (fault, expected) => {
    slack.fail({ ...fault, on: 'upload' });
    await assert.rejects(upload(), expected, fault.kind);
    assert.equal(slack.files.length, fault.accepted ? 1 : 0, fault.kind);
    assert.deepEqual([slack.accepted, slack.unusedFaults], [[], []]);
  };
  await meet({ kind: 'reset-before-body' }, requestError);
  await meet({ kind: 'reset-after-body' }, requestError);
  await meet({ kind: 'status', status: 503, body: 'busy' }, { code: ErrorCode.HTTPError, statusCode: 503 });
  await meet({ kind: 'word', word: 'too big', status: 413 }, { statusCode: 413, body: 'too big' });
  await meet({ kind: 'ratelimited', retryAfter: 9 }, { code: ErrorCode.RateLimitedError, retryAfter: 9 });
  slack.fail({ kind: 'hang', on: 'upload' });
  const { upload_url } = await ticket(web, 1);
  await assert.rejects(fetch(upload_url, { method: 'POST', body: 'x', signal: AbortSignal.timeout(50) }));
  await meet({ kind: 'reset-after-body', accepted: true }, requestError);
  for (const kind of ['slow', 'drip']) {
    slack.fail({ kind, delay_ms: 1, on: 'upload' });
    assert.equal((await upload()).ok, true);
  }
});

slackTest('a reset in the body surfaces as a request error', {}, async (slack, web, webhook) => {
  assert.throws(() => slack.fail({ kind: 'reset-in-body' }), /reset-in-body after undefined bytes/);
  const after = 300_000;
  slack.fail({ kind: 'reset-in-body', after, on: 'upload' });
  const content = Buffer.alloc(20_000_000, 'x');
  await assert.rejects(web.filesUploadV2({ file: content, filename: 'x.txt' }), requestError);
  const { path, bytes, body, complete } = slack.requests.at(-1);
  assert.deepEqual([path.slice(0, 11), bytes, body.length, complete], ['/upload/v1/', after, after, false]);
  assert.equal(slack.files.length, 0);

  slack.fail({ kind: 'reset-in-body', after: 5 });
  await assert.rejects(web.chat.postMessage({ channel: '#ops', text: 'x' }), requestError);
  assert.equal(slack.requests.at(-1).body, 'chann');
  slack.fail({ kind: 'reset-in-body', after: 1000 });
  await assert.rejects(webhook.send('shorter'), { code: 'slack_webhook_request_error' });
  assert.equal(slack.accepted.length, 0);
});

slackTest('a fault with "on" waits for its kind of request', {}, async (slack, web, webhook) => {
  assert.throws(() => slack.fail({ kind: 'html', on: 'chat.postMesage' }), /no such kind of request: chat.postMesage/);
  slack.fail({ kind: 'word', word: 'fatal_error', on: 'chat.postMessage' });
  slack.fail({ kind: 'word', word: 'no_team', on: 'webhook' });
  slack.fail({ kind: 'word', word: 'internal_error', on: 'trigger' });
  slack.fail({ kind: 'word', word: 'request_timeout' });
  await assert.rejects(web.auth.test(), platformError('request_timeout'));
  assert.equal((await web.auth.test()).ok, true);
  await assert.rejects(webhook.send('x'), { body: 'no_team' });
  await assert.rejects(new WebhookTrigger(slack.triggerUrl).send({}), { statusCode: 400 });
  assert.equal(slack.unusedFaults.length, 1);
  await assert.rejects(web.chat.postMessage({ channel: '#ops', text: 'x' }), platformError('fatal_error'));
  assert.equal((await web.chat.postMessage({ channel: '#ops', text: 'x' })).ok, true);
});

slackTest('a standing rate limit for each channel', { perChannelMs: 300 }, async (slack, web, webhook) => {
  const send = (channel) => web.chat.postMessage({ channel, text: 'x' });
  await send('#ops');
  await assert.rejects(send('C00000002'), { code: ErrorCode.RateLimitedError, retryAfter: 1 });
  await webhook.send('x');
  const limited = await post(slack.webhookUrl, '{"text":"x"}');
  assert.deepEqual([limited.status, limited.headers.get('retry-after'), limited.body], [429, '1', 'rate_limited']);
  await assert.rejects(send('#general'), { code: ErrorCode.RateLimitedError });
  await new Promise((resolve) => { setTimeout(resolve, 310); });
  await send('#ops');
  assert.equal(slack.accepted.length, 3);
});

slackTest('it can forget everything but the counts', { keepRequests: false }, async (slack, web, webhook) => {
  await webhook.send('häh');
  await assert.rejects(webhook.send({}));
  assert.deepEqual([slack.requests, slack.accepted], [[], []]);
  assert.deepEqual(slack.counts, { requests: 2, accepted: 1, text_bytes: 4 });
});

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
      const { url, webhookUrl, triggerUrl, apiUrl, token } = JSON.parse(line);
      assert.ok(webhookUrl.startsWith(`${url}/services/`) && triggerUrl.startsWith(`${url}/triggers/`));
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

for (const [name, stop] of Object.entries(ENDINGS)) {
  test(`with --forget it prints the counts, ended by ${name}`, async () => {
    const child = spawn(process.execPath, [STANDIN, '--forget']);
    try {
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      const { webhookUrl } = JSON.parse((await lines.next()).value);
      for (let i = 0; i < 3; i += 1) await post(webhookUrl, '{"text":"four"}');
      stop(child);
      assert.deepEqual(JSON.parse((await lines.next()).value), { requests: 3, accepted: 3, text_bytes: 12 });
      assert.equal((await lines.next()).done, true);
    } finally {
      child.kill('SIGKILL');
    }
  });
}
