// Shows the stand-in for Socket Mode right by Slack's own client, @slack/socket-mode: what the stand-in sends is read as
// meant and acknowledged, and its faults are met as faults. The frames are those of ws, an implementation of its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { LogLevel, SocketModeClient } from '@slack/socket-mode';
import { startSocketMode } from '../standin/socket_mode.mjs';

const LIMIT = { timeout: 30_000 };

async function standIn(...faults) {
  const slack = await startSocketMode();
  for (const fault of faults) slack.fail(fault);
  return slack;
}

// Slack's client on the stand-in; what it is given is kept in `events`, and acknowledged unless acknowledge says no.
async function clientOn(t, slack, { appToken = slack.token, acknowledge = () => ({}), ...options } = {}) {
  const logger = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel: () => LogLevel.ERROR, setName() {} };
  const client = new SocketModeClient({
    appToken, logger, clientPingTimeout: 200, serverPingTimeout: 60_000,
    clientOptions: { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } }, ...options,
  });
  const events = [];
  client.on('slack_event', async (event) => {
    events.push(event);
    const answer = acknowledge(event);
    if (answer) await event.ack(answer);
  });
  client.on('error', () => {});
  t.after(() => leave(client, slack));
  return { client, events };
}

// Before the stand-in goes, or the client would come again and leave rejections and timers of 30 s behind (mended in
// its later versions: slackapi/node-slack-sdk#2656, #2771).
async function leave(client, slack) {
  client.autoReconnectEnabled = false;
  const { websocket } = client;
  await Promise.race([client.disconnect(), delay(200)]);
  await slack.close();
  clearTimeout(websocket?.closeHandshakeTimeout);
}

// The client is at home on its second connection: it has acknowledged something there.
async function movedOn(slack) {
  await slack.until(({ connections }) => connections.length >= 2 && connections.at(-1).sent.length > 0
    && connections.at(-1).received.length > 0, 'a second connection in use');
}

test('envelopes of all kinds are read and acknowledged, with a payload where one is accepted', LIMIT, async (t) => {
  const slack = await standIn();
  const { client, events } = await clientOn(t, slack, {
    acknowledge: ({ accepts_response_payload }) => (accepts_response_payload ? { text: 'Grüße' } : {}),
  });
  await client.start();
  const event = { type: 'event_callback', event: { type: 'message', text: 'a &amp; b 🚀' } };
  const first = slack.send({ payload: event });
  const second = slack.send({ type: 'slash_commands', payload: { command: '/x' }, accepts_response_payload: true });
  await slack.until(({ acknowledged }) => acknowledged.size === 2);
  assert.deepEqual(events.map(({ envelope_id, type }) => [envelope_id, type]),
    [[first, 'events_api'], [second, 'slash_commands']]);
  assert.deepEqual(events[0].body, event);
  assert.equal(events[0].retry_num, 0);
  assert.deepEqual(slack.acknowledged.get(second), { payload: { text: 'Grüße' }, connection: 0, times: 1 });
  assert.deepEqual(slack.waiting, []);
  assert.equal(slack.opens[0].token, slack.token);
});

for (const fault of [
  { kind: 'bytewise' }, { kind: 'fragments', size: 7 }, { kind: 'coalesced' }, { kind: 'ping', every_ms: 10 },
  { kind: 'not-json' }, { kind: 'huge', bytes: 2 * 1024 * 1024 },
]) {
  test(`what is awkward but allowed is read all the same: ${fault.kind}`, LIMIT, async (t) => {
    const slack = await standIn(fault);
    const { client, events } = await clientOn(t, slack, { clientPingTimeout: 5_000 });
    const payload = { event: { type: 'message', text: 'é'.repeat(100) } };
    const id = slack.send({ payload });
    await client.start();
    await slack.until(({ acknowledged }) => acknowledged.has(id));
    assert.deepEqual(events.findLast(({ envelope_id }) => envelope_id === id).body, payload);
    assert.deepEqual(slack.unusedFaults, []);
    if (fault.kind === 'ping') await slack.until(({ connections }) => connections[0].pongs > 2);
    assert.equal(slack.connections.length, 1);
  });
}

test('what was not acknowledged comes again on the next connection', LIMIT, async (t) => {
  const slack = await standIn();
  const { client, events } = await clientOn(t, slack, {
    acknowledge: ({ retry_num }) => (retry_num > 0 ? {} : undefined),
  });
  await client.start();
  const id = slack.send({ payload: { event: { type: 'message' } } });
  await slack.until(() => events.length === 1);
  slack.cut();
  await slack.until(({ acknowledged }) => acknowledged.has(id));
  assert.deepEqual(events.map(({ envelope_id, retry_num }) => [envelope_id, retry_num]), [[id, 0], [id, 1]]);
  assert.equal(slack.acknowledged.get(id).connection, 1);
});

for (const reason of ['warning', 'refresh_requested', 'too_many_websockets']) {
  test(`disconnect for ${reason}, with envelopes on the way`, LIMIT, async (t) => {
    const slack = await standIn();
    const { client } = await clientOn(t, slack);
    await client.start();
    const ids = [slack.send({ payload: { event: { type: 'message' } } })];
    slack.disconnect(reason, { closeAfterMs: -1 });
    for (let i = 0; i < 5; ++i) ids.push(slack.send({ payload: { event: { type: 'message' } } }));
    await slack.until(({ connections }) => connections.length === 2 && !connections[0].open);
    ids.push(slack.send({ payload: { event: { type: 'message' } } }));
    await movedOn(slack);
    await slack.until(({ waiting }) => waiting.length === 0);
    assert.deepEqual([...slack.acknowledged.keys()].sort(), ids.sort());
  });
}

for (const fault of [{ kind: 'cut' }, { kind: 'close', code: 1011 }, { kind: 'wrong-accept' }, { kind: 'refuse', status: 503 }]) {
  test(`after ${fault.kind} the client comes again`, LIMIT, async (t) => {
    const slack = await standIn(fault);
    const { client } = await clientOn(t, slack);
    const id = slack.send({ payload: { event: { type: 'message' } } });
    client.start().catch(() => {});
    await slack.until(({ acknowledged, opens }) => acknowledged.has(id) && opens.length >= 2);
    if (fault.kind === 'cut' || fault.kind === 'close') {
      await slack.until(({ connections }) => !connections[0].open);
      slack.send({ payload: { event: { type: 'message' } } });
      await movedOn(slack);
    }
    if (fault.kind === 'cut') assert.equal(slack.connections[0].code, 1006);
    if (fault.kind === 'close') assert.equal(slack.connections[0].code, 1011);
  });
}

test('silence is seen by pings without answers', LIMIT, async (t) => {
  const slack = await standIn({ kind: 'silence' });
  const { client } = await clientOn(t, slack);
  await client.start();
  const id = slack.send({ payload: { event: { type: 'message' } } });
  await slack.until(({ acknowledged }) => acknowledged.has(id), 'another connection', 20_000);
  assert.ok(slack.connections[0].pings > 0);
  assert.deepEqual(slack.connections[0].sent, []);
});

test('without a hello the client does not start', LIMIT, async (t) => {
  const slack = await standIn({ kind: 'no-hello' });
  const { client } = await clientOn(t, slack);
  const started = client.start().then(() => 'started', () => 'refused');
  await slack.until(({ connections }) => connections.length === 1);
  assert.equal(await Promise.race([started, delay(300, 'waits')]), 'waits');
});

for (const [what, fault, token, expected] of [
  ['a word', { kind: 'word', word: 'invalid_auth' }, undefined, /invalid_auth/],
  ['401', { kind: 'status', status: 401 }, undefined, /401/],
  ['429', { kind: 'status', status: 429, headers: { 'retry-after': '7' } }, undefined, /7|429|rate/],
  ['another token', undefined, 'xapp-other', /invalid_auth/],
  ['a bot token', undefined, 'xoxb-1', /not_allowed_token_type/],
]) {
  test(`apps.connections.open refuses with ${what}`, LIMIT, async (t) => {
    const slack = await standIn(...(fault ? [fault] : []));
    const { client } = await clientOn(t, slack, {
      ...(token && { appToken: token }), autoReconnectEnabled: false,
      clientOptions: { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true },
    });
    await assert.rejects(client.start(), expected);
    assert.equal(slack.opens.length, 1);
    assert.equal(slack.connections.length, 0);
  });
}

test('a URL is for one connection, and ten connections are the most', LIMIT, async (t) => {
  const slack = await standIn();
  t.after(() => slack.close());
  const open = async () => {
    const reply = await fetch(`${slack.apiUrl}apps.connections.open`,
      { method: 'POST', headers: { authorization: `Bearer ${slack.token}` } });
    return (await reply.json()).url;
  };
  const said = (url) => new Promise((done) => {
    const socket = new WebSocket(url);
    socket.onmessage = ({ data }) => done(JSON.parse(data));
    socket.onerror = () => done('refused');
  });
  const url = await open();
  assert.equal((await said(url)).type, 'hello');
  assert.equal(await said(url), 'refused');
  for (let i = 2; i <= 10; ++i) assert.equal((await said(await open())).num_connections, i);
  assert.equal((await said(await open())).reason, 'too_many_websockets');
});

test('a mistake in a fault is told at once', async (t) => {
  const slack = await standIn();
  t.after(() => slack.close());
  assert.throws(() => slack.fail({ kind: 'sielnce' }), /no such fault/);
});
