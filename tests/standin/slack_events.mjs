// The sending half of Slack's Events API and slash commands: builds, signs and delivers requests as Slack does.
//
//   signed(body, { secret, timestamp, contentType, headers }) -> { body, headers, again }
//     body: an object (written as JSON in Slack's manner, all ASCII, '/' as '\/'), URLSearchParams (a form), or text or
//     bytes (as they are, application/json unless contentType says otherwise). timestamp: in seconds, now by default.
//     headers go over Slack's own; undefined takes one away. again(headers): the same, signed anew, as a retry needs
//     it. Names are in lower case here, and spelled as Slack does on the wire (X-Slack-Signature)
//   urlVerification({ challenge })     appRateLimited({ minute, team })         sslCheck()
//   messageEvent({ text, user, channel, channel_type, ts, thread_ts, team, event_id, event_time, bot_id, subtype,
//                  files, … })         what is not named here becomes a field of the event, undefined takes one away
//   appMention(the same)               eventCallback(event, { team, event_id, event_time })
//   slashCommand({ command, text, user_id, user_name, channel_id, channel_name, team_id, response_url, trigger_id })
//   await deliver(url, request, { timeout_ms, ca }) -> { status, headers, body, ms }
//     rejects when no whole answer came in time; the error's `reason` is Slack's word for it
//   await deliverAsSlack(url, request, { retryDelays_ms, timeout_ms, ca }) -> { delivered, attempts }
//     attempts: [{ status, headers, body, ms, at_ms, retryNum, reason }], the failed ones with a reason (for want of an
//     answer without status, headers and body). Delivers until a 2xx comes within 3 s, or a reply that is not 200 has
//     x-slack-no-retry: 1, or the retries are spent. retryDelays_ms: Slack's [0, 60000, 300000], a thousand times
//     faster by default, each counted from the failure before it
//
// The text of an event is what Slack sends: & < > escaped, users as <@U…>. Own messages of the stand-in Slack's bot:
// messageEvent({ user: BOT.user_id, bot_id: BOT.bot_id }), with the BOT of slack_rules.mjs.
// Asserts nothing. Unverified, for no live Slack was asked: the manner of the JSON (it is that of PHP; known from
// payloads that people show), that retries carry a fresh timestamp (they must: the last comes after the 300 s that
// receivers allow), from when Slack counts a delay. Not built: redirects (Slack follows a few), interactive payloads.

import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { BOT } from './slack_rules.mjs';

export const SIGNING_SECRET = 'stand-in-signing-secret-not-a-secret';
const APP = BOT.app_id;
const TEAM = BOT.team_id;
const CHANNEL = 'C00000002'; // ops
const TOKEN = 'stand-in-verification-token'; // deprecated, but Slack still sends it
const FORM = 'application/x-www-form-urlencoded';

// --- Signing ---

export function signed(body, { secret = SIGNING_SECRET, timestamp, contentType, headers = {} } = {}) {
  const bytes = toBytes(body);
  const seconds = String(timestamp ?? nowSeconds());
  const hmac = createHmac('sha256', secret).update(`v0:${seconds}:`).update(bytes).digest('hex');
  const all = {
    'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
    'accept-encoding': 'gzip,deflate',
    accept: '*/*',
    'content-type': contentType ?? (body instanceof URLSearchParams ? FORM : 'application/json'),
    'x-slack-request-timestamp': seconds,
    'x-slack-signature': `v0=${hmac}`,
    ...headers,
  };
  const present = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  const again = (more) => signed(body, { secret, timestamp, contentType, headers: { ...headers, ...more } });
  return { body: bytes, headers: present, again };
}

function toBytes(body) {
  if (body instanceof Uint8Array) return Buffer.from(body);
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof URLSearchParams) return Buffer.from(body.toString());
  const json = JSON.stringify(body).replaceAll('/', '\\/');
  return Buffer.from(json.replace(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

const nowSeconds = () => Math.floor(Date.now() / 1000);

// --- Bodies ---

export function urlVerification({ challenge = randomBytes(26).toString('hex') } = {}) {
  return { token: TOKEN, challenge, type: 'url_verification' };
}

export function appRateLimited({ minute = nowSeconds() - (nowSeconds() % 60), team = TEAM } = {}) {
  return { token: TOKEN, type: 'app_rate_limited', team_id: team, minute_rate_limited: minute, api_app_id: APP };
}

// What Slack sends to a slash command's URL to see whether its certificate is good.
export function sslCheck() {
  return new URLSearchParams({ token: TOKEN, ssl_check: '1' });
}

export function eventCallback(event, { team = TEAM, event_id = newId('Ev'), event_time = nowSeconds() } = {}) {
  const context = { et: event.type, tid: team, aid: APP, cid: event.channel };
  return {
    token: TOKEN, team_id: team, context_team_id: team, context_enterprise_id: null, api_app_id: APP, event,
    type: 'event_callback', event_id, event_time,
    authorizations: [
      { enterprise_id: null, team_id: team, user_id: BOT.user_id, is_bot: true, is_enterprise_install: false },
    ],
    is_ext_shared_channel: false,
    event_context: `4-${Buffer.from(JSON.stringify(context)).toString('base64url')}`,
  };
}

export function messageEvent(options = {}) {
  const { team = TEAM, event_id, event_time, ts = newTs(), channel = CHANNEL, files, subtype, ...fields } = options;
  const channel_type = fields.channel_type ?? { D: 'im', G: 'group' }[channel[0]] ?? 'channel';
  const place = { channel, event_ts: ts, channel_type };
  const changes = { message_changed: changedMessage, message_deleted: deletedMessage };
  if (Object.hasOwn(changes, subtype)) {
    const event = { type: 'message', subtype, ...changes[subtype](ts, team, fields), hidden: true, ts, ...place };
    return eventCallback(event, { team, event_id, event_time });
  }
  const kind = subtype ?? (files ? 'file_share' : undefined);
  const event = { ...writtenMessage(ts, team, { ...fields, files, subtype: kind }), ...place };
  return eventCallback(event, { team, event_id, event_time });
}

export function appMention(options = {}) {
  const { team = TEAM, event_id, event_time, ts = newTs(), channel = CHANNEL, ...fields } = options;
  const message = writtenMessage(ts, team, { text: `<@${BOT.user_id}> hello`, ...fields });
  const event = { ...message, type: 'app_mention', channel, event_ts: ts };
  return eventCallback(event, { team, event_id, event_time });
}

function writtenMessage(ts, team, { text = 'hello', ...fields }) {
  const message = { user: 'U00000001', type: 'message', ts, client_msg_id: randomUUID(), text, team };
  if (fields.bot_id) {
    delete message.client_msg_id; // clients' messages have one
    message.app_id = fields.bot_id === BOT.bot_id ? APP : 'A00000002';
    message.bot_profile = { id: fields.bot_id, app_id: message.app_id, name: 'a bot', team_id: team, deleted: false };
  }
  if (fields.subtype === 'bot_message') delete message.user;
  const elements = [{ type: 'rich_text_section', elements: [{ type: 'text', text }] }];
  return { ...message, blocks: [{ type: 'rich_text', block_id: 'Vrzsu', elements }], ...fields };
}

function changedMessage(ts, team, { channel_type, text = 'hello, changed', ...fields }) {
  const written = newTs();
  const previous = writtenMessage(written, team, { text: 'hello', ...fields });
  const message = { ...previous, text, edited: { user: previous.user, ts } };
  return { message, previous_message: previous };
}

function deletedMessage(ts, team, { channel_type, ...fields }) {
  const previous = writtenMessage(newTs(), team, { text: 'hello', ...fields });
  return { previous_message: previous, deleted_ts: previous.ts };
}

export function slashCommand(options = {}) {
  return new URLSearchParams({
    token: TOKEN, team_id: TEAM, team_domain: 'stand-in', channel_id: CHANNEL, channel_name: 'ops',
    user_id: 'U00000001', user_name: 'ada', command: '/ops', text: '', api_app_id: APP, is_enterprise_install: 'false',
    response_url: `https://hooks.slack.com/commands/${TEAM}/1/${randomBytes(12).toString('hex')}`,
    trigger_id: `1.2.${randomBytes(16).toString('hex')}`,
    ...options,
  });
}

function newId(prefix) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
  return prefix + Array.from(randomBytes(9), (byte) => letters[byte % letters.length]).join('');
}

let lastTs = 0; // in microseconds: each message's ts is another
function newTs() {
  lastTs = Math.max(lastTs + 1, Date.now() * 1000);
  return `${Math.floor(lastTs / 1e6)}.${String(lastTs % 1e6).padStart(6, '0')}`;
}

// --- Delivery ---

const TIMEOUT_MS = 3000;

export function deliver(url, { body, headers }, { timeout_ms = TIMEOUT_MS, ca } = {}) {
  const start_ms = performance.now();
  const { request } = url.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    let response;
    const fail = (error) => reject(Object.assign(error, { reason: error.reason ?? reasonOf(error) }));
    const sent = request(url, { method: 'POST', headers: asSlackSpells(headers), agent: false, ca });
    const timer = setTimeout(() => {
      fail(Object.assign(new Error(`no answer in ${timeout_ms} ms`), { reason: 'http_timeout' }));
      sent.destroy();
    }, timeout_ms);
    sent.on('close', () => clearTimeout(timer));
    sent.on('error', (error) => response || fail(error)); // an answer may come before the body has gone
    sent.on('response', (incoming) => {
      response = incoming;
      incoming.toArray().then((chunks) => resolve({
        status: incoming.statusCode, headers: incoming.headers, body: Buffer.concat(chunks).toString(),
        ms: performance.now() - start_ms,
      }), fail);
    });
    sent.end(body);
  });
}

function asSlackSpells(headers) {
  const capitals = (name) => name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [capitals(name), value]));
}

function reasonOf({ code = '' }) {
  if (/^ERR_(SSL|TLS)|CERT|^EPROTO|SIGNATURE/.test(code)) return 'ssl_error';
  return /^(E[A-Z]+|UND_ERR.*)$/.test(code) ? 'connection_failed' : 'unknown_error';
}

export async function deliverAsSlack(url, request, { retryDelays_ms = [0, 60, 300], ...options } = {}) {
  const start_ms = performance.now();
  const attempts = [];
  for (let retryNum = 0; retryNum <= retryDelays_ms.length; retryNum += 1) {
    let next = request;
    if (retryNum > 0) {
      await delay(retryDelays_ms[retryNum - 1]);
      const headers = { 'x-slack-retry-num': String(retryNum), 'x-slack-retry-reason': attempts.at(-1).reason };
      next = request.again?.(headers) ?? { body: request.body, headers: { ...request.headers, ...headers } };
    }
    const attempt = await tryOnce(url, next, options);
    attempts.push({ ...attempt, at_ms: attempt.at_ms - start_ms, retryNum });
    if (!attempt.reason) return { delivered: true, attempts };
    if (attempt.status !== 200 && attempt.headers?.['x-slack-no-retry'] === '1') break;
  }
  return { delivered: false, attempts };
}

async function tryOnce(url, request, options) {
  const at_ms = performance.now();
  try {
    const reply = await deliver(url, request, options);
    const taken = reply.status >= 200 && reply.status < 300;
    return taken ? { ...reply, at_ms } : { ...reply, at_ms, reason: 'http_error' };
  } catch (error) {
    return { at_ms, ms: performance.now() - at_ms, reason: error.reason };
  }
}
