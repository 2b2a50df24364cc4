// Shows the sender of Slack's events right by Slack's own receiver, @slack/bolt: what it signs is accepted and read as
// meant, what is spoiled is refused. How it delivers again is tried on a plain server.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { startBolt } from '../standin/bolt_receiver.mjs';
import {
  SIGNING_SECRET, appMention, appRateLimited, deliver, deliverAsSlack, eventCallback, messageEvent, signed,
  slashCommand, sslCheck, urlVerification,
} from '../standin/slack_events.mjs';
import { BOT } from '../standin/slack_rules.mjs';

const LIMIT = { timeout: 20_000 };
const now = () => Math.floor(Date.now() / 1000);
const text = 'Grüße &amp; <https://example.com/a|a> 🚀 / "quoted"\nsecond line';

async function boltFor(t, options) {
  const bolt = await startBolt(options);
  t.after(() => bolt.close());
  return bolt;
}

// A server that answers each request by its row of `answers`: (res) => …; its requests are kept.
async function serverFor(t, answers) {
  const requests = [];
  const server = http.createServer(async (req, res) => {
    const body = Buffer.concat(await req.toArray());
    requests.push({ headers: req.headers, names: req.rawHeaders.filter((_, i) => i % 2 === 0), body });
    answers[Math.min(requests.length, answers.length) - 1](res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${server.address().port}/`, requests };
}

const answer = (status, headers = {}) => (res) => res.writeHead(status, headers).end();

// --- Bolt takes it ---

test('bolt sees a message as it was sent', LIMIT, async (t) => {
  const bolt = await boltFor(t);
  const body = messageEvent({
    text, user: 'U00000002', channel: 'C00000003', ts: '1700000000.000100', thread_ts: '1699999999.000100',
    event_id: 'Ev00000001', event_time: 1700000000,
  });
  const { status } = await deliver(bolt.url, signed(body));
  assert.equal(status, 200);
  await bolt.next(1);
  const [{ kind, event, body: received, retryNum }] = bolt.seen;
  assert.deepEqual([kind, retryNum], ['event', undefined]);
  assert.deepEqual(received, JSON.parse(JSON.stringify(body)));
  assert.deepEqual(
    [event.type, event.text, event.user, event.channel, event.channel_type, event.ts, event.thread_ts],
    ['message', text, 'U00000002', 'C00000003', 'channel', '1700000000.000100', '1699999999.000100'],
  );
  assert.deepEqual([received.type, received.event_id, received.event_time],
    ['event_callback', 'Ev00000001', 1700000000]);
});

test('bolt takes raw UTF-8 as well as escaped JSON, and both say the same', LIMIT, async (t) => {
  const bolt = await boltFor(t);
  const body = messageEvent({ text });
  const escaped = signed(body);
  const raw = signed(JSON.stringify(body));
  assert.match(escaped.body.toString(), /^[\x20-\x7e]*$/);
  assert.ok(raw.body.length < escaped.body.length);
  for (const request of [escaped, raw]) assert.equal((await deliver(bolt.url, request)).status, 200);
  await bolt.next(2);
  assert.deepEqual(bolt.seen[0].body, bolt.seen[1].body);
});

const EVENTS = {
  'a mention': [appMention({ text: `<@${BOT.user_id}> status` }), { type: 'app_mention' }],
  'a direct message': [messageEvent({ channel: 'D00000001' }), { channel_type: 'im' }],
  'a file': [messageEvent({ files: [{ id: 'F00000001', name: 'a.txt' }] }), { subtype: 'file_share' }],
  "another bot's message": [messageEvent({ bot_id: 'B00000002', subtype: 'bot_message' }), { bot_id: 'B00000002' }],
  'an edit': [messageEvent({ subtype: 'message_changed', text: 'now' }), { subtype: 'message_changed', hidden: true }],
  'a deletion': [messageEvent({ subtype: 'message_deleted' }), { subtype: 'message_deleted', hidden: true }],
  'a reaction': [
    eventCallback({ type: 'reaction_added', user: 'U00000001', reaction: 'eyes', item: { type: 'message' } }),
    { type: 'reaction_added' },
  ],
};
for (const [name, [body, expected]] of Object.entries(EVENTS)) {
  test(`bolt takes ${name}`, LIMIT, async (t) => {
    const bolt = await boltFor(t, { ignoreSelf: false });
    assert.equal((await deliver(bolt.url, signed(body))).status, 200);
    await bolt.next(1);
    const { event } = bolt.seen[0];
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, event[key]])), expected);
  });
}

test("bolt knows the bot's own messages, and drops them", LIMIT, async (t) => {
  const bolt = await boltFor(t);
  const own = messageEvent({ user: BOT.user_id, bot_id: BOT.bot_id });
  assert.equal((await deliver(bolt.url, signed(own))).status, 200);
  assert.equal((await deliver(bolt.url, signed(messageEvent()))).status, 200);
  await bolt.next(1);
  assert.deepEqual(bolt.seen.map(({ event }) => event.user), ['U00000001']);
});

test('bolt reads a slash command, and its answer comes back', LIMIT, async (t) => {
  const bolt = await boltFor(t, { reply: 'done' });
  const command = slashCommand({ command: '/deploy', text: 'api & "web" + ü=1', user_name: 'linus' });
  const reply = await deliver(bolt.url, signed(command));
  assert.deepEqual([reply.status, reply.body], [200, 'done']);
  assert.ok(reply.ms > 0 && reply.ms < 3000);
  const [{ kind, command: seen }] = bolt.seen;
  assert.equal(kind, 'command');
  assert.deepEqual({ ...seen }, Object.fromEntries(command));
});

test('bolt answers a url_verification and an ssl_check', LIMIT, async (t) => {
  const bolt = await boltFor(t);
  const verification = await deliver(bolt.url, signed(urlVerification({ challenge: 'abc' })));
  assert.deepEqual([verification.status, JSON.parse(verification.body)], [200, { challenge: 'abc' }]);
  const refused = await deliver(bolt.url, signed(urlVerification(), { secret: 'another' }));
  assert.deepEqual([refused.status, refused.body], [401, '']);
  assert.equal((await deliver(bolt.url, signed(sslCheck()))).status, 200);
});

test('every message has a ts and an event_id of its own', () => {
  const bodies = Array.from({ length: 1000 }, () => messageEvent());
  assert.equal(new Set(bodies.map(({ event }) => event.ts)).size, 1000);
  assert.equal(new Set(bodies.map(({ event_id }) => event_id)).size, 1000);
  for (const { event, event_id } of bodies) {
    assert.match(event.ts, /^\d{10}\.\d{6}$/);
    assert.match(event_id, /^Ev[A-Z0-9]{9}$/);
  }
  assert.equal(appRateLimited({ minute: 60 }).minute_rate_limited, 60);
});

// --- Bolt refuses it ---

const body = messageEvent({ text });
const good = signed(body);
const spoilt = Buffer.from(good.body);
spoilt[spoilt.length - 2] ^= 1;
const without = (name) => signed(body, { headers: { [name]: undefined } });
const signature = good.headers['x-slack-signature'];
const REFUSED = {
  'a changed body': { ...good, body: spoilt },
  'a byte more': { ...good, body: Buffer.concat([good.body, Buffer.from(' ')]) },
  'no body': { ...good, body: '' },
  'the wrong secret': signed(body, { secret: `${SIGNING_SECRET}x` }),
  'an old timestamp': signed(body, { timestamp: now() - 305 }),
  'a changed timestamp': signed(body, { headers: { 'x-slack-request-timestamp': String(now() - 1) } }),
  'a timestamp that is no number': signed(body, { timestamp: 'yesterday', secret: 'x' }),
  'no signature': without('x-slack-signature'),
  'no timestamp': without('x-slack-request-timestamp'),
  'an empty signature': signed(body, { headers: { 'x-slack-signature': '' } }),
  'a cut signature': signed(body, { headers: { 'x-slack-signature': signature.slice(0, -1) } }),
  'no version': signed(body, { headers: { 'x-slack-signature': signature.slice(3) } }),
  'another version': signed(body, { headers: { 'x-slack-signature': signature.replace('v0', 'v1') } }),
  'the version alone': signed(body, { headers: { 'x-slack-signature': 'v0=' } }),
};
for (const [name, request] of Object.entries(REFUSED)) {
  test(`bolt refuses ${name}`, LIMIT, async (t) => {
    const bolt = await boltFor(t);
    const reply = await deliver(bolt.url, request);
    assert.deepEqual([reply.status, reply.body, bolt.seen], [401, '', []]);
  });
}

test('bolt takes what is 295 s old, and (its gap) what is an hour ahead', LIMIT, async (t) => {
  const bolt = await boltFor(t);
  for (const timestamp of [now() - 295, now() + 3600]) {
    assert.equal((await deliver(bolt.url, signed(body, { timestamp }))).status, 200);
  }
});

test('bolt answers 400 to a signed body that is not JSON', LIMIT, async (t) => {
  const bolt = await boltFor(t);
  assert.equal((await deliver(bolt.url, signed('{"type":'))).status, 400);
});

// --- Delivery, again and again ---

test('the first answer in the 200s ends it', LIMIT, async (t) => {
  const { url, requests } = await serverFor(t, [answer(204)]);
  const { delivered, attempts } = await deliverAsSlack(url, signed(body));
  assert.deepEqual([delivered, attempts.length, requests.length], [true, 1, 1]);
  assert.deepEqual(requests[0].body, good.body);
  assert.ok(requests[0].names.includes('X-Slack-Request-Timestamp'));
});

test('a failure is delivered again, with its number and reason, and signed anew', LIMIT, async (t) => {
  const { url, requests } = await serverFor(t, [answer(500), (res) => res.destroy(), () => {}, answer(200)]);
  const options = { retryDelays_ms: [0, 20, 40], timeout_ms: 200 };
  const { delivered, attempts } = await deliverAsSlack(url, signed(body), options);
  assert.equal(delivered, true);
  assert.deepEqual(attempts.map(({ status, reason }) => [status, reason]),
    [[500, 'http_error'], [undefined, 'connection_failed'], [undefined, 'http_timeout'], [200, undefined]]);
  assert.deepEqual(requests.map(({ headers }) => [headers['x-slack-retry-num'], headers['x-slack-retry-reason']]),
    [[undefined, undefined], ['1', 'http_error'], ['2', 'connection_failed'], ['3', 'http_timeout']]);
  for (const request of requests) assert.deepEqual(request.body, good.body);
  assert.ok(attempts[3].at_ms - attempts[2].at_ms >= 230);
});

test('after three retries it is given up', LIMIT, async (t) => {
  const { url, requests } = await serverFor(t, [answer(404)]);
  const { delivered, attempts } = await deliverAsSlack(url, signed(body), { retryDelays_ms: [0, 1, 2] });
  assert.deepEqual([delivered, attempts.length, requests.length], [false, 4, 4]);
});

test('x-slack-no-retry ends it', LIMIT, async (t) => {
  const { url } = await serverFor(t, [answer(503, { 'x-slack-no-retry': '1' })]);
  const { delivered, attempts } = await deliverAsSlack(url, signed(body));
  assert.deepEqual([delivered, attempts.length], [false, 1]);
});

test('nobody listening, and an answer that breaks off, are failed connections', LIMIT, async (t) => {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/`;
  await assert.rejects(deliver(url, good), { reason: 'connection_failed' });
  const closed = once(server, 'close');
  server.close();
  await closed;
  await assert.rejects(deliver(url, good), { reason: 'connection_failed' });
});

test('bolt tells a retry from the first delivery', LIMIT, async (t) => {
  const bolt = await boltFor(t);
  const headers = { 'x-slack-retry-num': '2', 'x-slack-retry-reason': 'http_timeout' };
  assert.equal((await deliver(bolt.url, good.again(headers))).status, 200);
  await bolt.next(1);
  assert.deepEqual([bolt.seen[0].retryNum, bolt.seen[0].retryReason], [2, 'http_timeout']);
});
