// slack-post beside Slack's own clients: @slack/web-api and @slack/webhook ask the same stand-in for the
// same things, and the requests are compared field by field.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { WebClient } from '@slack/web-api';
import { IncomingWebhook, WebhookTrigger } from '@slack/webhook';
import { file, fixture, readFixture, run, slackFor } from './support.mjs';

const FIRST_TS = '1700000000.000100'; // of the message that is there before
const OPS = 'C00000002';
const TEXT = 'Grüße, "ops" = 50 % + 1\n*x* 🎉';
const BLOCKS = readFixture('slack/blocks.json');
const ATTACHMENTS = [{ color: '#36a64f', fallback: 'x', fields: [{ title: 'a', value: 'b', short: true }] }];
const POST_AT = Math.floor(Date.now() / 1000) + 3600;
const EVENT = readFileSync(fixture('slack/push.json'));

// Where we differ on purpose.
//   mrkdwn=false         a text of ours is shown as written; the peers send markup
//   unfurl_links=false   no previews unless they are asked for
//   charset, user-agent, accept…   headers; the charset keeps Slack from warning of missing_charset
//   the upload           raw bytes without a token; the peer sends a form, whose bytes Slack takes out
const TEXT_ALONE = { mrkdwn: 'false', unfurl_links: 'false' };
const FORMATTED = { unfurl_links: 'false' };

// The stand-in after one message in #ops, so that there is something to answer and to change.
async function slackWithMessage(t) {
  const slack = await slackFor(t);
  const reply = await fetch(`${slack.apiUrl}chat.postMessage`, { method: 'POST',
    body: new URLSearchParams({ channel: OPS, text: 'first' }),
    headers: { authorization: `Bearer ${slack.token}` } });
  assert.equal((await reply.json()).ts, FIRST_TS);
  slack.requests.length = 0;
  slack.accepted.length = 0;
  return slack;
}

const clientOf = (slack) => new WebClient(slack.token, { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } });
const mediaType = (request) => request.headers['content-type'].split(';')[0];

// What a request says, whoever sent it: JSON inside of form fields as values.
function said(request) {
  const { method, path, headers, form } = request;
  const fields = Object.fromEntries(Object.entries(form ?? {}).map(([name, value]) => {
    return [name, /^[[{]/.test(value) ? JSON.parse(value) : value];
  }));
  return { method, path, authorization: headers.authorization, type: mediaType(request), fields };
}

const CALLS = [
  ['chat.postMessage, a text', TEXT_ALONE,
    (client) => client.chat.postMessage({ channel: OPS, text: TEXT }), ['--channel', OPS, TEXT]],
  ['chat.postMessage, markup', FORMATTED,
    (client) => client.chat.postMessage({ channel: OPS, text: '*b* <https://x.example|l>' }),
    ['--channel', OPS, '--mrkdwn', '*b* <https://x.example|l>']],
  ['chat.postMessage, a channel by name', TEXT_ALONE,
    (client) => client.chat.postMessage({ channel: '#ops', text: 'x' }), ['--channel', '#ops', 'x']],
  ['chat.postMessage, in a thread and shown outside', TEXT_ALONE,
    (client) => client.chat.postMessage({ channel: OPS, text: 'x', thread_ts: FIRST_TS, reply_broadcast: true }),
    ['--channel', OPS, '--thread-ts', FIRST_TS, '--broadcast', 'x']],
  ['chat.postMessage, blocks', FORMATTED,
    (client) => client.chat.postMessage({ channel: OPS, text: 'x', blocks: BLOCKS }),
    ['--channel', OPS, '--blocks', fixture('slack/blocks.json'), 'x']],
  ['chat.postMessage, Markdown', FORMATTED,
    (client) => client.chat.postMessage({ channel: OPS, text: '# x', blocks: [{ type: 'markdown', text: '# x' }] }),
    ['--channel', OPS, '--markdown', '# x']],
  ['chat.postMessage, looks', TEXT_ALONE,
    (client) => client.chat.postMessage({ channel: OPS, text: 'x', username: 'bot', icon_emoji: ':bell:',
      link_names: true }),
    ['--channel', OPS, '--username', 'bot', '--icon-emoji', 'bell', '--link-names', 'x']],
  ['chat.postMessage, previews', { mrkdwn: 'false' },
    (client) => client.chat.postMessage({ channel: OPS, text: 'x', unfurl_links: true }),
      ['--channel', OPS, '--unfurl-links', 'x']],
  ['chat.postMessage, a payload', {},
    (client) => client.chat.postMessage({ channel: OPS, text: TEXT, blocks: BLOCKS, attachments: ATTACHMENTS,
      unfurl_media: false }),
    ['--payload', JSON.stringify({ channel: OPS, text: TEXT, blocks: BLOCKS, attachments: ATTACHMENTS,
      unfurl_media: false })]],
  ['chat.postMessage, a payload with nothing in a field', {},
    (client) => client.chat.postMessage({ channel: OPS, text: 'x', blocks: null, thread_ts: undefined, icon_url: '' }),
    ['--payload', JSON.stringify({ channel: OPS, text: 'x', blocks: null, icon_url: '' })]],
  ['chat.postEphemeral', TEXT_ALONE,
    (client) => client.chat.postEphemeral({ channel: OPS, user: 'U00000001', text: 'x' }),
    ['--channel', OPS, '--ephemeral', 'U00000001', 'x']],
  ['chat.update', TEXT_ALONE,
    (client) => client.chat.update({ channel: OPS, ts: FIRST_TS, text: TEXT }),
      ['--channel', OPS, '--update', FIRST_TS, TEXT]],
  ['chat.update, a payload', {},
    (client) => client.chat.update({ channel: OPS, ts: FIRST_TS, text: 'x', blocks: BLOCKS }),
    ['--method', 'chat.update', '--payload', JSON.stringify({ channel: OPS, ts: FIRST_TS, text: 'x',
      blocks: BLOCKS })]],
  ['chat.scheduleMessage', {},
    (client) => client.chat.scheduleMessage({ channel: OPS, post_at: POST_AT, text: 'later' }),
    ['--method', 'chat.scheduleMessage', '--channel', OPS, '--payload',
      JSON.stringify({ post_at: POST_AT, text: 'later' })]],
  ['reactions.add', {},
    (client) => client.reactions.add({ channel: OPS, timestamp: FIRST_TS, name: 'tada' }),
    ['--method', 'reactions.add', '--channel', OPS, '--payload', JSON.stringify({ timestamp: FIRST_TS,
      name: 'tada' })]],
  ['chat.delete', {},
    (client) => client.chat.delete({ channel: OPS, ts: FIRST_TS }),
    ['--method', 'chat.delete', '--payload', `{"channel": "${OPS}", "ts": "${FIRST_TS}"}`]],
  ['users.lookupByEmail', {},
    (client) => client.users.lookupByEmail({ email: 'ada@example.com' }),
    ['--method', 'users.lookupByEmail', '--payload', 'email: ada@example.com']],
];
for (const [name, ours, callPeer, args] of CALLS) {
  test(`the same request as @slack/web-api: ${name}`, async (t) => {
    const [theirs, own] = [await slackWithMessage(t), await slackWithMessage(t)];
    await callPeer(clientOf(theirs));
    const result = await run(['slack-post', ...args], { env: { SLACK_BOT_TOKEN: own.token,
      SLACK_API_URL: own.apiUrl } });
    assert.equal(result.code, 0, result.stderr);
    assert.equal(own.requests.length, 1);
    const expected = said(theirs.requests[0]);
    assert.deepEqual(said(own.requests[0]), { ...expected, fields: { ...expected.fields, ...ours } });
    assert.equal(own.accepted.length, theirs.accepted.length);
    assert.match(own.requests[0].headers['content-type'], /charset=utf-8$/);
    assert.match(own.requests[0].headers['user-agent'], /^opsbelt\/\d/);
  });
}

const UPLOADS = [
  ['files.uploadV2 by payload', () => ['--method', 'files.uploadV2', '--payload', JSON.stringify({
    channel_id: OPS, thread_ts: FIRST_TS, initial_comment: 'see *this*', file: fixture('slack/push.json'),
      filename: 'push.json', title: 'The event' })]],
  ['--file', () => ['--channel', OPS, '--thread-ts', FIRST_TS, '--file', fixture('slack/push.json'), '--title',
    'The event', '--mrkdwn', 'see *this*']],
];
for (const [name, args] of UPLOADS) {
  test(`the same upload as @slack/web-api's filesUploadV2: ${name}`, async (t) => {
    const [theirs, own] = [await slackWithMessage(t), await slackWithMessage(t)];
    await clientOf(theirs).filesUploadV2({ channel_id: OPS, thread_ts: FIRST_TS, initial_comment: 'see *this*',
      file: EVENT, filename: 'push.json', title: 'The event' });
    const result = await run(['slack-post', ...args()], { env: { SLACK_BOT_TOKEN: own.token,
      SLACK_API_URL: own.apiUrl } });
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual([own.requests.length, theirs.requests.length], [3, 3]);
    for (const i of [0, 2]) assert.deepEqual(said(own.requests[i]), said(theirs.requests[i]));
    assert.deepEqual(own.files, theirs.files);
    const upload = own.requests[1];
    assert.deepEqual([mediaType(upload), mediaType(theirs.requests[1])],
      ['application/octet-stream', 'multipart/form-data']);
    assert.equal(upload.bytes, EVENT.length);
    assert.equal(upload.headers.authorization, undefined, 'the upload URL needs no token');
  });
}

test('the same upload of several files in one message', async (t) => {
  const [theirs, own] = [await slackWithMessage(t), await slackWithMessage(t)];
  await clientOf(theirs).filesUploadV2({ channel_id: OPS, initial_comment: 'two',
    file_uploads: [{ content: 'aaa', filename: 'a.txt' }, { content: 'bbbb', filename: 'b.txt' }] });
  const files = ['--file', file(t, 'a.txt', 'aaa'), '--file', file(t, 'b.txt', 'bbbb')];
  const result = await run(['slack-post', '--channel', OPS, ...files, 'two'],
    { env: { SLACK_BOT_TOKEN: own.token, SLACK_API_URL: own.apiUrl } });
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(own.files, theirs.files);
  const completed = ({ requests }) => said(requests.find(({ path }) => path.endsWith('files.completeUploadExternal')));
  assert.deepEqual(completed(own), completed(theirs));
});

const HOOKED = [
  ['a text', { mrkdwn: false, unfurl_links: false }, TEXT, [TEXT]],
  ['markup', { unfurl_links: false }, { text: '*b*' }, ['--mrkdwn', '*b*']],
  ['blocks', { unfurl_links: false }, { text: 'x', blocks: BLOCKS }, ['--blocks', fixture('slack/blocks.json'), 'x']],
  ['looks', { mrkdwn: false, unfurl_links: false }, { text: 'x', channel: '#ops', username: 'bot', icon_emoji: ':bell:',
    link_names: true },
    ['--channel', '#ops', '--username', 'bot', '--icon-emoji', ':bell:', '--link-names', 'x']],
  ['a payload', {}, { text: TEXT, blocks: BLOCKS, attachments: ATTACHMENTS, unfurl_links: true, thread_ts: null },
    ['--payload', JSON.stringify({ text: TEXT, blocks: BLOCKS, attachments: ATTACHMENTS, unfurl_links: true,
      thread_ts: null })]],
];
for (const [name, ours, message, args] of HOOKED) {
  test(`the same body as @slack/webhook's IncomingWebhook: ${name}`, async (t) => {
    const [theirs, own] = [await slackFor(t), await slackFor(t)];
    await new IncomingWebhook(theirs.webhookUrl).send(message);
    const result = await run(['slack-post', ...args], { env: { SLACK_WEBHOOK: own.webhookUrl } });
    assert.equal(result.code, 0, result.stderr);
    compareHooks(theirs.requests, own.requests, ours);
  });
}

const INPUTS = { status: 'ok', note: TEXT, option: 'false' };
test('the same body as @slack/webhook\'s WebhookTrigger', async (t) => {
  const [theirs, own] = [await slackFor(t), await slackFor(t)];
  await new WebhookTrigger(theirs.triggerUrl).send(INPUTS);
  const result = await run(['slack-post', '--webhook-type', 'webhook-trigger', '--payload', JSON.stringify(INPUTS)],
    { env: { SLACK_WEBHOOK: own.triggerUrl } });
  assert.equal(result.code, 0, result.stderr);
  compareHooks(theirs.requests, own.requests, {});
});

function compareHooks([theirs], [own, ...more], ours) {
  assert.equal(more.length, 0);
  assert.deepEqual([own.method, own.path, own.headers.authorization, mediaType(own)],
    [theirs.method, theirs.path, undefined, mediaType(theirs)]);
  assert.deepEqual(own.json, { ...theirs.json, ...ours });
}
