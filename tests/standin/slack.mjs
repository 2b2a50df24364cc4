// A stand-in Slack: one incoming webhook and the Web API methods of the table METHODS below.
//
//   const slack = await startSlack({ tls, token, scopes, channels, users, port });    // all optional
//   slack.url, .webhookUrl, .apiUrl, .token   where it is, and the bot token it takes
//   slack.requests    every request in order of arrival: { method, path, headers, body, json, form, at_ms, complete }
//                     json: the JSON body, or a form's payload field; form: a form's fields; else undefined.
//                     at_ms counts from the start, on a monotonic clock; complete: the whole body has arrived
//   slack.accepted    every write that Slack would carry out: { via, channel, ts, thread_ts, payload }
//   slack.fail(fault) the next request that has no fault yet meets this one; slack.unusedFaults: those still to come
//   await slack.close()
//
// Faults. These let Slack do its work and spoil the reply:
//   { kind: 'slow', delay_ms }   right, but late            { kind: 'drip', delay_ms }   the body byte by byte
//   { kind: 'reset-in-reply' }   head and half the body     { kind: 'truncated-json' }   a whole reply of half the body
//   { kind: 'warning', warning } Web API: a warning in the reply
// These come in place of Slack's work, unless they carry accepted: true (then the message is posted all the same):
//   { kind: 'status', status, body, headers }   { kind: 'html' }   { kind: 'hang' }   { kind: 'reset-after-body' }
//   { kind: 'word', word, status, ...fields }   fields (needed, errors, …) go into a Web API reply
//   { kind: 'ratelimited', retryAfter, as }     as: 'json' or 'text'; retryAfter in seconds, null: no header
//   { kind: 'reset-before-body' }               reset at once, nothing read, never accepted
//
// Refuses what Slack refuses (slack_rules.mjs), with Slack's words; startSlack and fail() throw on a fault of unknown
// kind. Asserts nothing. A mistake of its own closes the connection and is printed on stderr.
//
// Alone: node slack.mjs [--port N] [--fault JSON]...  prints its addresses as one line of JSON; SIGTERM or the end of
// stdin ends it.

import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import {
  BOT, CHANNELS, LIMITS, SCOPES, USERS, WEBHOOK_STATUS,
  checkMessage, findChannel, isObject, parseJson, readMessage, refuse, refuseMessage, shownMessage,
} from './slack_rules.mjs';

const WEBHOOK_PATH = '/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX';
const SPOILING_FAULTS = ['slow', 'drip', 'reset-in-reply', 'truncated-json', 'warning'];
const REPLACING_FAULTS = ['status', 'html', 'hang', 'reset-after-body', 'reset-before-body', 'word', 'ratelimited'];

// Method -> its scope, the arguments it can't do without, whether it reads forms only, and what it does.
const METHODS = {
  'auth.test': { needs: [], call: authTest },
  'chat.postMessage': { scope: 'chat:write', needs: ['channel'], call: postMessage },
  'chat.postEphemeral': { scope: 'chat:write', needs: ['channel', 'user'], call: postEphemeral },
  'chat.update': { scope: 'chat:write', needs: ['channel', 'ts'], call: updateMessage },
  'chat.delete': { scope: 'chat:write', needs: ['channel', 'ts'], call: deleteMessage },
  'conversations.list': { scope: 'channels:read', needs: [], formOnly: true, call: listConversations },
  'users.info': { scope: 'users:read', needs: ['user'], formOnly: true, call: userInfo },
  'users.lookupByEmail': { scope: 'users:read.email', needs: ['email'], formOnly: true, call: lookUpByEmail },
};

export async function startSlack(options = {}) {
  const slack = {
    token: options.token ?? 'xoxb-stand-in-not-a-secret',
    scopes: options.scopes ?? SCOPES,
    channels: options.channels ?? CHANNELS,
    users: options.users ?? USERS,
    requests: [], accepted: [], faults: [], shown: new Set(), posts: 0,
    started_ms: performance.now(), stop: new AbortController(), sockets: new Set(),
  };
  const listener = (req, res) => serve(slack, req, res).catch((error) => giveUp(slack, req, error));
  const server = options.tls ? https.createServer(options.tls, listener) : http.createServer(listener);
  server.on('connection', (socket) => {
    slack.sockets.add(socket);
    socket.on('close', () => slack.sockets.delete(socket));
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const url = `${options.tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
  return {
    url, webhookUrl: url + WEBHOOK_PATH, apiUrl: `${url}/api/`, token: slack.token,
    requests: slack.requests, accepted: slack.accepted,
    get unusedFaults() { return [...slack.faults]; },
    fail(fault) {
      const known = SPOILING_FAULTS.includes(fault.kind) || REPLACING_FAULTS.includes(fault.kind);
      if (!known) throw new Error(`no such fault: ${fault.kind}`);
      slack.faults.push(fault);
    },
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      slack.stop.abort();
      for (const socket of slack.sockets) socket.destroy();
      await closed;
    },
  };
}

// --- One request, start to end ---

async function serve(slack, req, res) {
  const fault = slack.faults.shift();
  const request = {
    method: req.method, path: req.url, headers: req.headers, body: '', json: undefined, form: undefined,
    at_ms: performance.now() - slack.started_ms, complete: false,
  };
  slack.requests.push(request);
  if (fault?.kind === 'reset-before-body') return reset(req.socket);
  if (!await readBody(req, request)) return;

  const isApi = request.path.startsWith('/api/');
  const replaced = REPLACING_FAULTS.includes(fault?.kind);
  let answer;
  if (!replaced || fault.accepted) answer = isApi ? answerApi(slack, request, fault) : answerWebhook(slack, request);
  if (replaced) answer = answerFault(fault, isApi);
  await deliver(slack, req, res, answer, fault);
}

// false: the client went away before the end of the body.
async function readBody(req, request) {
  const chunks = [];
  try {
    for await (const chunk of req) chunks.push(chunk);
  } catch {
    return false;
  } finally {
    request.body = Buffer.concat(chunks).toString();
  }
  request.complete = true;
  if (!isUtf8(Buffer.concat(chunks))) return true;
  if (contentType(request) === 'application/x-www-form-urlencoded') {
    request.form = Object.fromEntries(new URLSearchParams(request.body));
  }
  request.json = parseJson(request.form ? request.form.payload : request.body);
  return true;
}

async function deliver(slack, req, res, answer, fault) {
  const body = Buffer.from(answer?.body ?? '');
  const half = body.subarray(0, Math.ceil(body.length / 2));
  switch (fault?.kind) {
    case 'hang': return;
    case 'reset-after-body': return reset(req.socket);
    case 'truncated-json': return send(res, answer, half);
    case 'slow':
      await delay(fault.delay_ms, undefined, { signal: slack.stop.signal });
      return send(res, answer, body);
    case 'reset-in-reply':
      res.writeHead(answer.status, { ...answer.headers, 'content-length': body.length });
      return res.write(half, () => req.socket.destroy());
    case 'drip':
      res.writeHead(answer.status, { ...answer.headers, 'content-length': body.length });
      for (const byte of body) {
        res.write(Buffer.of(byte));
        await delay(fault.delay_ms, undefined, { signal: slack.stop.signal });
      }
      return res.end();
    default: return send(res, answer, body);
  }
}

function send(res, answer, body) {
  res.writeHead(answer.status, { ...answer.headers, 'content-length': body.length });
  res.end(body);
}

// A TLS socket can't send RST itself: the TCP socket under it does.
function reset(socket) {
  (socket._parent ?? socket).resetAndDestroy();
}

function giveUp(slack, req, error) {
  if (!slack.stop.signal.aborted) console.error('stand-in Slack:', error);
  req.socket.destroy();
}

function answerFault(fault, isApi) {
  const { kind, word, status, accepted, ...fields } = fault;
  if (kind === 'html') {
    return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html><body>Sign in</body></html>' };
  }
  if (kind === 'status') {
    const body = typeof fault.body === 'object' ? JSON.stringify(fault.body) : fault.body;
    return { status, headers: { 'content-type': 'text/plain', ...fault.headers }, body };
  }
  if (kind === 'word') {
    return isApi ? jsonAnswer({ ok: false, error: word, ...fields }, status ?? 200) : wordAnswer(word, status);
  }
  if (kind === 'ratelimited') {
    const seconds = fault.retryAfter === undefined ? 1 : fault.retryAfter;
    const inJson = (fault.as ?? (isApi ? 'json' : 'text')) === 'json';
    const hookReply = { retry_after: seconds, ok: false, error: 'rate_limited' };
    const reply = isApi ? refuse('ratelimited') : hookReply;
    const answer = inJson ? jsonAnswer(reply, 429) : wordAnswer('rate_limited');
    if (seconds !== null) answer.headers['retry-after'] = String(seconds);
    return answer;
  }
  return undefined; // hang, reset-after-body: no reply
}

// --- The incoming webhook ---

function answerWebhook(slack, request) {
  if (request.path !== WEBHOOK_PATH) return wordAnswer('no_service');
  if (request.method !== 'POST') return wordAnswer('method_not_allowed');
  if (!isObject(request.json)) return wordAnswer('invalid_payload');
  const message = readMessage(request.json);
  const problem = checkMessage(message);
  if (problem) return wordAnswer(problem.error);
  show(slack, 'webhook', slack.channels[0].id, request.json, message);
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: 'ok' };
}

function wordAnswer(word, status = WEBHOOK_STATUS[word] ?? 400) {
  return { status, headers: { 'content-type': 'text/plain' }, body: word };
}

// --- The Web API ---

function answerApi(slack, request, fault) {
  const url = new URL(request.path, 'http://localhost');
  const name = url.pathname.slice('/api/'.length);
  const method = METHODS[name];
  const warnings = fault?.kind === 'warning' ? [fault.warning] : [];
  const type = request.headers['content-type'] ?? '';
  if (contentType(request) === 'application/json' && !/charset=/i.test(type)) warnings.push('missing_charset');

  let reply = refuse('unknown_method', { req_method: name });
  if (method) reply = callMethod(slack, request, url, method, warnings);
  if (warnings.length > 0) {
    reply.warning = warnings.join(',');
    reply.response_metadata = { ...reply.response_metadata, warnings };
  }
  const answer = jsonAnswer(reply, 200);
  answer.headers['x-oauth-scopes'] = slack.scopes.join(',');
  if (method?.scope) answer.headers['x-accepted-oauth-scopes'] = method.scope;
  return answer;
}

function callMethod(slack, request, url, method, warnings) {
  const token = /^Bearer (.*)$/i.exec(request.headers.authorization ?? '')?.[1] ?? request.form?.token;
  if (token === undefined) return refuse('not_authed');
  if (token !== slack.token) return refuse('invalid_auth');
  if (method.scope && !slack.scopes.includes(method.scope)) {
    return refuse('missing_scope', { needed: method.scope, provided: slack.scopes.join(',') });
  }
  const type = contentType(request);
  let body = request.form ?? {};
  if (type === 'application/json') {
    if (request.json === undefined) return refuse('invalid_json');
    if (!isObject(request.json)) return refuse('json_not_object');
    body = method.formOnly ? {} : request.json;
  } else if (request.form === undefined && request.body !== '') {
    return refuse(type === '' ? 'missing_post_type' : 'invalid_post_type');
  }
  const args = { ...Object.fromEntries(url.searchParams), ...body };
  const missing = method.needs.filter((need) => (args[need] ?? '') === '');
  if (missing.length > 0) {
    const messages = missing.map((need) => `[ERROR] missing required field: ${need}`);
    return refuse('invalid_arguments', { response_metadata: { messages } });
  }
  return method.call(slack, args, warnings);
}

function authTest() {
  const { app_id, ...who } = BOT;
  return { ok: true, ...who, is_enterprise_install: false };
}

function postMessage(slack, args, warnings) {
  const channel = findChannel(slack.channels, args.channel);
  if (channel.error) return channel;
  const message = readMessage(args);
  const problem = checkMessage(message);
  if (problem) return refuseMessage(problem);
  if (message.text.length > LIMITS.text) warnings.push('message_truncated');
  const ts = show(slack, 'chat.postMessage', channel.id, args, message);
  slack.shown.add(`${channel.id} ${ts}`);
  return { ok: true, channel: channel.id, ts, message: shownMessage(message, ts, args.thread_ts) };
}

function postEphemeral(slack, args) {
  const channel = findChannel(slack.channels, args.channel);
  if (channel.error) return channel;
  if (!slack.users.some((user) => user.id === args.user)) return refuse('user_not_in_channel');
  const message = readMessage(args);
  const problem = checkMessage(message);
  if (problem) return refuseMessage(problem);
  return { ok: true, message_ts: show(slack, 'chat.postEphemeral', channel.id, args, message) };
}

function updateMessage(slack, args) {
  const missing = missingMessage(slack, args);
  if (missing) return missing;
  const message = readMessage(args);
  const problem = checkMessage(message);
  if (problem) return refuseMessage(problem);
  const { channel, ts } = args;
  accept(slack, 'chat.update', channel, ts, args, message);
  return { ok: true, channel, ts, text: message.text, message: shownMessage(message, ts) };
}

function deleteMessage(slack, args) {
  const missing = missingMessage(slack, args);
  if (missing) return missing;
  const { channel, ts } = args;
  slack.shown.delete(`${channel} ${ts}`);
  accept(slack, 'chat.delete', channel, ts, args);
  return { ok: true, channel, ts };
}

function listConversations(slack, args) {
  const start = args.cursor ? Number(Buffer.from(args.cursor, 'base64url').toString()) : 0;
  if (!Number.isInteger(start)) return refuse('invalid_cursor');
  const listed = slack.channels.filter((channel) => !(args.exclude_archived === 'true' && channel.is_archived));
  const end = start + Number(args.limit ?? 100);
  const next_cursor = end < listed.length ? Buffer.from(String(end)).toString('base64url') : '';
  return { ok: true, channels: listed.slice(start, end), response_metadata: { next_cursor } };
}

function userInfo(slack, args) {
  const user = slack.users.find(({ id }) => id === args.user);
  return user ? { ok: true, user: userReply(user) } : refuse('user_not_found');
}

function lookUpByEmail(slack, args) {
  const user = slack.users.find(({ email }) => email === args.email);
  return user ? { ok: true, user: userReply(user) } : refuse('users_not_found');
}

function userReply({ id, name, email }) {
  return { id, name, team_id: BOT.team_id, deleted: false, is_bot: false, profile: { email, display_name: name } };
}

// --- What was posted ---

function missingMessage(slack, { channel, ts }) {
  if (!slack.channels.some(({ id }) => id === channel)) return refuse('channel_not_found');
  return slack.shown.has(`${channel} ${ts}`) ? undefined : refuse('message_not_found');
}

// A new message gets its ts, its text is cut at Slack's limit.
function show(slack, via, channel, payload, message) {
  message.text = message.text.slice(0, LIMITS.text);
  slack.posts += 1;
  const micros = String(1700000000000000 + slack.posts * 100);
  const ts = `${micros.slice(0, -6)}.${micros.slice(-6)}`;
  accept(slack, via, channel, ts, payload, message);
  return ts;
}

// The payload as Slack understood it: text as cut, blocks and attachments as lists even when a form brought them.
function accept(slack, via, channel, ts, payload, message = {}) {
  const understood = { ...payload };
  for (const key of ['text', 'blocks', 'attachments']) {
    if (payload[key] !== undefined && message[key] !== undefined) understood[key] = message[key];
  }
  slack.accepted.push({ via, channel, ts, thread_ts: payload.thread_ts, payload: understood });
}

// --- Small things ---

function jsonAnswer(value, status) {
  return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(value) };
}

function contentType(request) {
  return (request.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
}

// --- On the command line ---

async function main() {
  const options = { port: { type: 'string', default: '0' }, fault: { type: 'string', multiple: true, default: [] } };
  const { values } = parseArgs({ options });
  const slack = await startSlack({ port: Number(values.port) });
  for (const fault of values.fault) slack.fail(JSON.parse(fault));
  const { url, webhookUrl, apiUrl, token } = slack;
  console.log(JSON.stringify({ url, webhookUrl, apiUrl, token }));
  const end = () => slack.close().then(() => process.exit(0));
  process.on('SIGTERM', end);
  process.stdin.on('end', end).resume();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main().catch((error) => {
    console.error(`slack.mjs: ${error.message}`);
    process.exit(64);
  });
}
