// A stand-in Slack: an incoming webhook, a Workflow Builder trigger, file uploads, and the Web API methods of the table
// METHODS below.
//
//   const slack = await startSlack({ tls, token, webhookPath, scopes, channels, users, port, perChannelMs, keepRequests });
//   slack.url, .webhookUrl, .triggerUrl, .apiUrl, .token   where it is, and the bot token it takes
//   slack.requests    every request in order of arrival: { method, path, headers, body, bytes, json, form, at_ms,
//                     complete }. json: the JSON body, or a form's payload field; form: a form's fields; else
//                     undefined, as with every upload. bytes: of the body, as far as it came; the body of an upload
//                     over 1 MiB is not kept (''). at_ms counts from the start, on a monotonic clock; complete: the
//                     whole body has arrived
//   slack.accepted    every write that Slack would carry out: { via, channel, ts, thread_ts, payload }. via is
//                     'webhook', 'trigger' or the method. Files shared in two channels are two, in none one without
//                     channel and ts; a reaction's ts is that of its message
//   slack.files       every file whose bytes came whole: { id, filename, length, received, sha256 (hex), head, shared,
//                     completed }. head: the first 64 bytes; shared: [{ channel, thread_ts, initial_comment, title }].
//                     Until it is completed it may be uploaded again, to the same URL
//   slack.counts      { requests, accepted, text_bytes }: how many, and the bytes of the accepted writes' text fields
//   slack.fail(fault) the next request that has no fault yet meets this one; slack.unusedFaults: those still to come
//   await slack.close()
//
// Options, all optional. perChannelMs: a chat.postMessage or webhook post that comes to a channel sooner than this
// after the last accepted one is answered 429, Retry-After 1. keepRequests: false leaves requests and accepted empty,
// for runs with many thousands of messages.
//
// Faults. These let Slack do its work and spoil the reply:
//   { kind: 'slow', delay_ms }   right, but late            { kind: 'drip', delay_ms }   the body byte by byte
//   { kind: 'reset-in-reply' }   head and half the body     { kind: 'truncated-json' }   a whole reply of half the body
//   { kind: 'warning', warning } Web API: a warning in the reply
// These come in place of Slack's work, unless they carry accepted: true (then the message is posted all the same):
//   { kind: 'status', status, body, headers }   { kind: 'html' }   { kind: 'hang' }   { kind: 'reset-after-body' }
//   { kind: 'word', word, status, ...fields }   fields (needed, errors, …) go into a Web API reply
//   { kind: 'ratelimited', retryAfter, as }     as: 'json' or 'text'; retryAfter in seconds, null: no header
// These never let it be accepted:
//   { kind: 'reset-before-body' }               reset at once, nothing read
//   { kind: 'reset-in-body', after }            reset when that many bytes of the body have come, or at its end
// Any of them may carry on: 'upload', 'webhook', 'trigger' or a method's name. Then it waits for such a request.
//
// Refuses what Slack refuses (slack_rules.mjs), with Slack's words; startSlack and fail() throw on a fault of unknown
// kind. Asserts nothing. A mistake of its own closes the connection and is printed on stderr. Not built: direct
// messages with several people, the posting of scheduled messages.
//
// Alone: node slack.mjs [--port N] [--per-channel-ms N] [--forget] [--fault JSON]...  prints its addresses as one line
// of JSON; SIGTERM or the end of stdin ends it. --forget is keepRequests: false, and prints the counts at the end.

import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { fileReply, findFiles, newFile, receiveFile } from './slack_files.mjs';
import {
  BOT, CHANNELS, LIMITS, SCOPES, USERS, WEBHOOK_STATUS,
  checkMessage, checkPostAt, checkUncut, directId, findChannel, findChannelById, isObject, parseJson, readMessage,
  readTypes, refuse, refuseArgument, refuseMessage, refuseScope, shownMessage,
} from './slack_rules.mjs';

const WEBHOOK_PATH = '/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX';
const TRIGGER_PATH = '/triggers/T00000000/1111111111111/XXXXXXXXXXXXXXXXXXXXXXXX';
const UPLOAD_PATH = '/upload/v1/';
const KEPT_UPLOAD_BYTES = 1024 * 1024;
const CHANNEL_ID = /^[CGDZ][A-Z0-9]{8,}$/; // what files.completeUploadExternal takes for one, in its own words
const EMOJI_NAME = /^[\p{L}\p{N}_+'-]+(::skin-tone-[2-6])?$/u;
const SPOILING_FAULTS = ['slow', 'drip', 'reset-in-reply', 'truncated-json', 'warning'];
const REPLACING_FAULTS = [
  'status', 'html', 'hang', 'reset-after-body', 'reset-before-body', 'reset-in-body', 'word', 'ratelimited',
];

// Method -> its scope, the arguments it can't do without, whether it reads forms only, and what it does.
const METHODS = {
  'auth.test': { needs: [], call: authTest },
  'chat.postMessage': { scope: 'chat:write', needs: ['channel'], call: postMessage },
  'chat.postEphemeral': { scope: 'chat:write', needs: ['channel', 'user'], call: postEphemeral },
  'chat.update': { scope: 'chat:write', needs: ['channel', 'ts'], call: updateMessage },
  'chat.delete': { scope: 'chat:write', needs: ['channel', 'ts'], call: deleteMessage },
  'chat.scheduleMessage': { scope: 'chat:write', needs: ['channel', 'post_at'], call: scheduleMessage },
  'chat.getPermalink': { needs: ['channel', 'message_ts'], formOnly: true, call: permalink },
  'reactions.add': { scope: 'reactions:write', needs: ['channel', 'timestamp', 'name'], call: addReaction },
  'files.getUploadURLExternal': {
    scope: 'files:write', needs: ['filename', 'length'], formOnly: true, call: getUploadUrl,
  },
  'files.completeUploadExternal': { scope: 'files:write', needs: ['files'], call: completeUpload },
  'conversations.open': { scope: 'im:write', needs: [], call: openConversation },
  'conversations.info': { needs: ['channel'], formOnly: true, call: conversationInfo },
  'conversations.list': { scope: 'channels:read', needs: [], formOnly: true, call: listConversations },
  'users.info': { scope: 'users:read', needs: ['user'], formOnly: true, call: userInfo },
  'users.lookupByEmail': { scope: 'users:read.email', needs: ['email'], formOnly: true, call: lookUpByEmail },
};

export async function startSlack(options = {}) {
  const slack = {
    token: options.token ?? 'xoxb-stand-in-not-a-secret',
    webhookPath: options.webhookPath ?? WEBHOOK_PATH,
    scopes: options.scopes ?? SCOPES,
    channels: options.channels ?? CHANNELS,
    users: options.users ?? USERS,
    perChannelMs: options.perChannelMs ?? 0,
    keepRequests: options.keepRequests ?? true,
    requests: [], accepted: [], files: [], counts: { requests: 0, accepted: 0, text_bytes: 0 },
    faults: [], posts: 0, scheduled: 0,
    shown: new Map(), // 'channel ts' -> its thread_ts
    reactions: new Set(), // 'channel ts name'
    tickets: new Map(), // the last part of an upload URL -> its file
    posted_ms: new Map(), // channel -> when the last post to it was accepted
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
  slack.url = url;
  return {
    url, webhookUrl: url + slack.webhookPath, triggerUrl: url + TRIGGER_PATH, apiUrl: `${url}/api/`, token: slack.token,
    requests: slack.requests, accepted: slack.accepted, files: slack.files, counts: slack.counts,
    get unusedFaults() { return [...slack.faults]; },
    fail(fault) {
      checkFault(fault);
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

function checkFault({ kind, after, on }) {
  const known = SPOILING_FAULTS.includes(kind) || REPLACING_FAULTS.includes(kind);
  if (!known) throw new Error(`no such fault: ${kind}`);
  if (kind === 'reset-in-body' && !(after >= 0)) throw new Error(`reset-in-body after ${after} bytes`);
  const wanted = on === undefined || Object.hasOwn(ANSWERS, on) || Object.hasOwn(METHODS, on);
  if (!wanted) throw new Error(`no such kind of request: ${on}`);
}

// --- One request, start to end ---

// The kinds of request that are no method of the Web API.
const ANSWERS = { webhook: answerWebhook, trigger: answerTrigger, upload: answerUpload };

async function serve(slack, req, res) {
  const { socket } = req; // req.socket goes when the client does
  const kind = kindOf(req.url);
  const fault = takeFault(slack.faults, kind);
  const request = {
    method: req.method, path: req.url, headers: req.headers, body: '', bytes: 0, json: undefined, form: undefined,
    at_ms: performance.now() - slack.started_ms, complete: false,
  };
  slack.counts.requests += 1;
  if (slack.keepRequests) slack.requests.push(request);
  if (fault?.kind === 'reset-before-body') return reset(socket);
  const upload = kind === 'upload' ? receiveFile(req.headers['content-type']) : undefined;
  const body = await readBody(req, request, upload, fault?.kind === 'reset-in-body' ? fault.after : Infinity);
  if (fault?.kind === 'reset-in-body') return reset(socket);
  if (!body) return;
  if (!upload && isUtf8(body)) parseBody(request);

  const answerIt = ANSWERS[kind] ?? answerApi;
  const replaced = REPLACING_FAULTS.includes(fault?.kind);
  let answer;
  if (!replaced || fault.accepted) answer = answerIt(slack, request, fault, upload);
  if (replaced) answer = answerFault(fault, kind);
  await deliver(slack, req, res, answer, fault);
}

// webhook, trigger, upload or a method's name
function kindOf(path) {
  const [place] = path.split('?');
  if (place.startsWith('/api/')) return place.slice('/api/'.length);
  if (place.startsWith('/triggers/')) return 'trigger';
  return place.startsWith('/upload/') ? 'upload' : 'webhook';
}

function takeFault(faults, kind) {
  const at = faults.findIndex(({ on }) => on === undefined || on === kind);
  return at < 0 ? undefined : faults.splice(at, 1)[0];
}

// undefined: the body's end was not reached, because the client went away or the limit of bytes came first.
async function readBody(req, request, upload, limit) {
  let chunks = [];
  let body;
  try {
    for await (const data of req.iterator({ destroyOnReturn: false })) {
      const chunk = data.subarray(0, limit - request.bytes);
      request.bytes += chunk.length;
      upload?.take(chunk);
      chunks.push(chunk);
      if (upload && request.bytes > KEPT_UPLOAD_BYTES) chunks = [];
      if (request.bytes >= limit) return undefined;
    }
  } catch {
    return undefined;
  } finally {
    body = Buffer.concat(chunks);
    request.body = body.toString();
  }
  request.complete = true;
  return body;
}

function parseBody(request) {
  if (contentType(request) === 'application/x-www-form-urlencoded') {
    request.form = Object.fromEntries(new URLSearchParams(request.body));
  }
  request.json = parseJson(request.form ? request.form.payload : request.body);
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
  req.socket?.destroy();
}

function answerFault(fault, to) {
  const { kind, word, status, accepted, on, ...fields } = fault;
  const inJson = to === 'trigger' || !Object.hasOwn(ANSWERS, to);
  if (kind === 'html') {
    return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html><body>Sign in</body></html>' };
  }
  if (kind === 'status') {
    const body = typeof fault.body === 'object' ? JSON.stringify(fault.body) : fault.body;
    return { status, headers: { 'content-type': 'text/plain', ...fault.headers }, body };
  }
  if (kind === 'word') {
    const usual = to === 'trigger' ? 400 : 200;
    return inJson ? jsonAnswer({ ok: false, error: word, ...fields }, status ?? usual) : wordAnswer(word, status);
  }
  if (kind === 'ratelimited') {
    return rateLimitAnswer(to, fault.retryAfter === undefined ? 1 : fault.retryAfter, fault.as);
  }
  return undefined; // hang, resets: no reply
}

function rateLimitAnswer(to, seconds, as) {
  const inJson = to === 'trigger' || !Object.hasOwn(ANSWERS, to);
  const hookReply = { retry_after: seconds, ok: false, error: 'rate_limited' };
  const reply = inJson ? refuse('ratelimited') : hookReply;
  const answer = (as ?? (inJson ? 'json' : 'text')) === 'json' ? jsonAnswer(reply, 429) : wordAnswer('rate_limited');
  if (seconds !== null) answer.headers['retry-after'] = String(seconds);
  return answer;
}

// --- The webhooks ---

function answerWebhook(slack, request) {
  if (request.path !== slack.webhookPath) return wordAnswer('no_service');
  if (request.method !== 'POST') return wordAnswer('method_not_allowed');
  if (!isObject(request.json)) return wordAnswer('invalid_payload');
  const channel = slack.channels[0].id;
  if (isTooSoon(slack, channel)) return rateLimitAnswer('webhook', 1);
  const message = readMessage(request.json);
  const problem = checkMessage(message);
  if (problem) return wordAnswer(problem.error);
  show(slack, 'webhook', channel, request.json, message);
  slack.posted_ms.set(channel, performance.now());
  return textAnswer('ok', 200);
}

// A workflow's variables are flat: strings and nothing else.
function answerTrigger(slack, request) {
  if (request.path !== TRIGGER_PATH) return jsonAnswer(refuse('trigger_not_found'), 404);
  if (request.method !== 'POST') return jsonAnswer(refuse('method_not_allowed'), 405);
  const isFlat = isObject(request.json) && Object.values(request.json).every((value) => typeof value === 'string');
  if (!isFlat) return jsonAnswer(refuse('invalid_workflow_input'), 400);
  accept(slack, 'trigger', undefined, undefined, request.json);
  return jsonAnswer({ ok: true }, 200);
}

// --- The upload URLs ---

function answerUpload(slack, request, fault, upload) {
  const file = slack.tickets.get(request.path.slice(UPLOAD_PATH.length));
  if (!request.path.startsWith(UPLOAD_PATH) || !file || file.completed) return textAnswer('not found', 404);
  if (request.method !== 'POST') return textAnswer('method not allowed', 405);
  const came = upload.result();
  if (came.received !== file.length) {
    return textAnswer(`wrong length: ${file.length} announced, ${came.received} received`, 400);
  }
  Object.assign(file, came);
  if (!slack.files.includes(file)) slack.files.push(file);
  return textAnswer(`OK - ${file.length}`, 200);
}

function wordAnswer(word, status = WEBHOOK_STATUS[word] ?? 400) {
  return textAnswer(word, status);
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
  const answer = reply.error === 'ratelimited' ? rateLimitAnswer(name, 1) : jsonAnswer(reply, 200);
  answer.headers['x-oauth-scopes'] = slack.scopes.join(',');
  if (method?.scope) answer.headers['x-accepted-oauth-scopes'] = method.scope;
  return answer;
}

function callMethod(slack, request, url, method, warnings) {
  const token = /^Bearer (.*)$/i.exec(request.headers.authorization ?? '')?.[1] ?? request.form?.token;
  if (token === undefined) return refuse('not_authed');
  if (token !== slack.token) return refuse('invalid_auth');
  if (method.scope && !slack.scopes.includes(method.scope)) return refuseScope(method.scope, slack.scopes);
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
  if (missing.length > 0) return refuseArgument(...missing.map((need) => `missing required field: ${need}`));
  return method.call(slack, args, warnings);
}

function authTest() {
  const { app_id, ...who } = BOT;
  return { ok: true, ...who, is_enterprise_install: false };
}

function postMessage(slack, args, warnings) {
  const channel = findDirect(slack, args.channel, 'UD') ?? findChannel(slack.channels, args.channel);
  if (channel.error) return channel;
  if (isTooSoon(slack, channel.id)) return refuse('ratelimited');
  const message = readMessage(args);
  const problem = checkMessage(message);
  if (problem) return refuseMessage(problem);
  if (message.text.length > LIMITS.text) warnings.push('message_truncated');
  const ts = show(slack, 'chat.postMessage', channel.id, args, message);
  slack.posted_ms.set(channel.id, performance.now());
  return { ok: true, channel: channel.id, ts, message: shownMessage(message, ts, args.thread_ts) };
}

function postEphemeral(slack, args) {
  const channel = findDirect(slack, args.channel, 'D') ?? findChannel(slack.channels, args.channel);
  if (channel.error) return channel;
  if (!slack.users.some((user) => user.id === args.user)) return refuse('user_not_in_channel');
  const message = readMessage(args);
  const problem = checkUncut(message);
  if (problem) return refuseMessage(problem);
  return { ok: true, message_ts: show(slack, 'chat.postEphemeral', channel.id, args, message, false) };
}

function updateMessage(slack, args) {
  const missing = missingMessage(slack, args);
  if (missing) return missing;
  const message = readMessage(args);
  const problem = checkUncut(message);
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

function scheduleMessage(slack, args) {
  const channel = findDirect(slack, args.channel, 'D') ?? findChannel(slack.channels, args.channel);
  if (channel.error) return channel;
  const wrongTime = checkPostAt(args.post_at);
  if (wrongTime) return refuse(wrongTime);
  const message = readMessage(args);
  const problem = checkUncut(message);
  if (problem) return refuseMessage(problem);
  slack.scheduled += 1;
  accept(slack, 'chat.scheduleMessage', channel.id, undefined, args, message);
  const shown = shownMessage(message, undefined, args.thread_ts);
  return {
    ok: true, channel: channel.id, scheduled_message_id: `Q${String(slack.scheduled).padStart(8, '0')}`,
    post_at: Number(args.post_at), message: { ...shown, type: 'delayed_message', subtype: 'bot_message' },
  };
}

function permalink(slack, { channel, message_ts: ts }) {
  const missing = missingMessage(slack, { channel, ts });
  if (missing) return missing;
  const thread_ts = slack.shown.get(`${channel} ${ts}`);
  const thread = thread_ts ? `?thread_ts=${thread_ts}&cid=${channel}` : '';
  return { ok: true, channel, permalink: `${BOT.url}archives/${channel}/p${ts.replace('.', '')}${thread}` };
}

function addReaction(slack, args) {
  const { channel, timestamp: ts, name } = args;
  const missing = missingMessage(slack, { channel, ts });
  if (missing) return missing;
  if (!EMOJI_NAME.test(name)) return refuse('invalid_name');
  const reaction = `${channel} ${ts} ${name}`;
  if (slack.reactions.has(reaction)) return refuse('already_reacted');
  slack.reactions.add(reaction);
  accept(slack, 'reactions.add', channel, ts, args);
  return { ok: true };
}

function getUploadUrl(slack, { filename, length }) {
  if (!/^[1-9]\d*$/.test(length)) return refuseArgument('must be greater than 0 [json-pointer:/length]');
  const { ticket, file } = newFile(slack.tickets, filename, Number(length));
  return { ok: true, upload_url: slack.url + UPLOAD_PATH + ticket, file_id: file.id };
}

function completeUpload(slack, args) {
  if ((args.channel_id ?? '') !== '' && !CHANNEL_ID.test(args.channel_id)) {
    return refuseArgument(`input must match regex pattern: ${CHANNEL_ID.source} [json-pointer:/channel_id]`);
  }
  const ids = [args.channel_id, ...String(args.channels ?? '').split(',')].filter((id) => (id ?? '') !== '');
  const channels = [...new Set(ids)].map((id) => findDirect(slack, id, 'UD') ?? findChannelById(slack.channels, id));
  const refused = channels.find(({ error }) => error);
  if (refused) return refused;
  const { initial_comment } = args;
  const message = readMessage({ text: initial_comment, blocks: initial_comment ? undefined : args.blocks });
  const problem = message.text || message.blocks ? checkMessage(message) : null;
  if (problem) return refuseMessage(problem);
  const found = findFiles(slack.tickets, args.files);
  if (found.error) return found;

  for (const { file, title } of found) {
    file.completed = true;
    for (const { id } of channels) {
      file.shared.push({ channel: id, thread_ts: args.thread_ts, initial_comment, title });
    }
  }
  const payload = { ...args, files: found.map(({ file, title }) => ({ id: file.id, title })) };
  if (channels.length === 0) accept(slack, 'files.completeUploadExternal', undefined, undefined, payload);
  for (const { id } of channels) show(slack, 'files.completeUploadExternal', id, payload, message);
  return { ok: true, files: found.map(({ file, title }) => fileReply(file, title)) };
}

// With one person only; a conversation of more would need mpim:write, which nobody has here.
function openConversation(slack, { users }) {
  if ((users ?? '') === '') return refuse('users_list_not_supplied');
  const found = String(users).split(',').map((id) => slack.users.find((user) => user.id === id.trim()));
  if (found.includes(undefined)) return refuse('user_not_found');
  if (found.length > 1) return refuseScope('mpim:write', slack.scopes);
  return { ok: true, channel: { id: directId(found[0]) } };
}

// A private channel does not exist for those who are not in it.
function conversationInfo(slack, { channel: id }) {
  const channel = slack.channels.find((known) => known.id === id);
  if (!channel || (channel.is_private && !channel.is_member)) return refuse('channel_not_found');
  const scope = channel.is_private ? 'groups:read' : 'channels:read';
  if (!slack.scopes.includes(scope)) return refuseScope(scope, slack.scopes);
  return { ok: true, channel: { is_private: false, ...channel } };
}

// Of direct messages it lists none.
function listConversations(slack, args) {
  const types = readTypes(args.types, slack.scopes);
  if (types.error) return types;
  const limit = Number(args.limit || 100);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMITS.list_page) return refuse('invalid_limit');
  const start = args.cursor ? Number(Buffer.from(args.cursor, 'base64url').toString()) : 0;
  if (!Number.isInteger(start) || start < 0) return refuse('invalid_cursor');

  const listed = slack.channels.filter((channel) => {
    if (args.exclude_archived === 'true' && channel.is_archived) return false;
    if (channel.is_private) return channel.is_member && types.includes('private_channel');
    return types.includes('public_channel');
  });
  const end = start + limit;
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

// The direct messages that an ID means: a user's own (U) or theirs (D), of the kinds given; undefined: no such ID.
function findDirect(slack, id, kinds) {
  const user = slack.users.find((known) => {
    return (kinds.includes('U') && known.id === id) || (kinds.includes('D') && directId(known) === id);
  });
  return user && { id: directId(user) };
}

function isTooSoon(slack, channel) {
  return performance.now() - (slack.posted_ms.get(channel) ?? -Infinity) < slack.perChannelMs;
}

function missingMessage(slack, { channel, ts }) {
  const isKnown = findDirect(slack, channel, 'D') || slack.channels.some(({ id }) => id === channel);
  if (!isKnown) return refuse('channel_not_found');
  return slack.shown.has(`${channel} ${ts}`) ? undefined : refuse('message_not_found');
}

// A new message gets its ts, its text is cut at Slack's limit. One that does not last can't be changed later.
function show(slack, via, channel, payload, message, lasts = true) {
  message.text = message.text.slice(0, LIMITS.text);
  slack.posts += 1;
  const micros = String(1700000000000000 + slack.posts * 100);
  const ts = `${micros.slice(0, -6)}.${micros.slice(-6)}`;
  if (lasts) slack.shown.set(`${channel} ${ts}`, payload.thread_ts);
  accept(slack, via, channel, ts, payload, message);
  return ts;
}

// The payload as Slack understood it: text as cut, blocks and attachments as lists even when a form brought them.
function accept(slack, via, channel, ts, payload, message = {}) {
  const understood = { ...payload };
  for (const key of ['text', 'blocks', 'attachments']) {
    if (payload[key] !== undefined && message[key] !== undefined) understood[key] = message[key];
  }
  slack.counts.accepted += 1;
  slack.counts.text_bytes += Buffer.byteLength(String(understood.text ?? ''));
  if (slack.keepRequests) slack.accepted.push({ via, channel, ts, thread_ts: payload.thread_ts, payload: understood });
}

// --- Small things ---

function jsonAnswer(value, status) {
  return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(value) };
}

function textAnswer(body, status) {
  return { status, headers: { 'content-type': 'text/plain' }, body };
}

function contentType(request) {
  return (request.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
}

// --- On the command line ---

async function main() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      'per-channel-ms': { type: 'string', default: '0' },
      forget: { type: 'boolean', default: false },
      fault: { type: 'string', multiple: true, default: [] },
    },
  });
  const slack = await startSlack({
    port: Number(values.port), perChannelMs: Number(values['per-channel-ms']), keepRequests: !values.forget,
  });
  for (const fault of values.fault) slack.fail(JSON.parse(fault));
  const { url, webhookUrl, triggerUrl, apiUrl, token } = slack;
  console.log(JSON.stringify({ url, webhookUrl, triggerUrl, apiUrl, token }));
  const end = async () => {
    await slack.close();
    if (values.forget) console.log(JSON.stringify(slack.counts));
    process.exit(0);
  };
  process.once('SIGTERM', end);
  process.stdin.once('end', end).resume();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main().catch((error) => {
    console.error(`slack.mjs: ${error.message}`);
    process.exit(64);
  });
}
