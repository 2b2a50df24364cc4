// es-tail when the event store, a webhook, a program or a disk fails. Every event is printed or handed on once, in order.

import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventStoreFor, numbered } from '../e2e/eventstore.mjs';
import { binary, run } from '../e2e/support.mjs';
import { NO_SUCH_NAME, brokenOutput, certificate, elsewhere, refusing, signalWhen } from './stage.mjs';

const EVENTS = 20;
const AFTER = { after: 7, on: 'subscribe' };
const AT_ONCE = { on: 'subscribe' };
const ONCE = '&maxDiscoverAttempts=1';

// Name -> { meets: a fault of the stand-in } or what is in its place.
const FAULTS = {
  'gRPC CANCELLED': { meets: { kind: 'status', status: 1, message: 'so it is', ...AFTER } },
  'gRPC UNKNOWN': { meets: { kind: 'status', status: 2, message: 'so it is', ...AFTER } },
  'gRPC INVALID_ARGUMENT': { meets: { kind: 'status', status: 3, message: 'so it is', ...AFTER } },
  'gRPC DEADLINE_EXCEEDED': { meets: { kind: 'status', status: 4, message: 'so it is', ...AFTER } },
  'gRPC PERMISSION_DENIED': { meets: { kind: 'access-denied', ...AFTER } },
  'gRPC UNAUTHENTICATED': { meets: { kind: 'unauthenticated', ...AT_ONCE } },
  'gRPC UNIMPLEMENTED': { meets: { kind: 'status', status: 12, message: 'so it is', ...AT_ONCE } },
  'gRPC UNAVAILABLE': { meets: { kind: 'not-ready', ...AFTER } },
  'consumer too slow': { meets: { kind: 'too-slow', ...AFTER } },
  'stream is deleted': { meets: { kind: 'stream-deleted', ...AT_ONCE } },
  'GOAWAY': { meets: { kind: 'goaway', lastStreamId: 1, ...AFTER } },
  'RST_STREAM': { meets: { kind: 'rst', ...AFTER } },
  'HTTP 401': { meets: { kind: 'http', status: 401, ...AT_ONCE } },
  'HTTP 404': { meets: { kind: 'http', status: 404, ...AT_ONCE } },
  'HTTP 503, once': { meets: { kind: 'http', status: 503, ...AT_ONCE } },
  'HTML instead of an answer': { meets: { kind: 'http', status: 200, body: '<html>hello</html>', ...AT_ONCE } },
  'malformed message': { meets: { kind: 'raw', bytes: Buffer.from([0, 0, 0, 0, 3, 0xff, 0xff, 0xff]), ...AT_ONCE } },
  'oversized reply (2 GiB said)': { meets: { kind: 'raw', bytes: Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1]), ...AT_ONCE } },
  'reset in the middle of the reply': { meets: { kind: 'reset', ...AFTER } },
  'closed in the middle of the reply': { meets: { kind: 'close', ...AFTER } },
  'silence in the middle of the reply': { meets: { kind: 'silence', ...AFTER }, keys: '&keepAliveInterval=3000&keepAliveTimeout=3000' },
  'reply in pieces of 16 bytes': { meets: { kind: 'pieces', bytes: 16, ...AT_ONCE } },
  'speaks HTTP/1': { at: speakingHttp1, keys: ONCE },
  'name does not resolve': { at: () => `http://${NO_SUCH_NAME}:2113`, keys: ONCE },
  'connection refused': { at: refusing, keys: '&maxDiscoverAttempts=2' },
  'wrong password': { password: 'wrong-one' },
  'TLS: unknown CA': { tls: 'unknown', keys: ONCE },
  'TLS: expired certificate': { tls: 'expired', keys: ONCE },
  'TLS: certificate of another host': { tls: 'other', keys: ONCE },
  'TLS check switched off (tlsVerifyCert=false)': { tls: 'unknown', keys: '&tlsVerifyCert=false' },
  'standard output full': { output: 'full' },
  'standard output closed': { output: 'closed' },
  'output file on a full disk': { args: ['--output-file', '/dev/full'] },
  'output file not writable': { args: ['--output-file', '/proc/version'] },
  'checkpoints not writable': { args: ['--checkpoints', '/proc/places.db'] },
  'SIGINT while it waits': { meets: { kind: 'hang', ...AFTER }, signal: 'SIGINT' },
  'SIGTERM while it waits': { meets: { kind: 'hang', ...AFTER }, signal: 'SIGTERM' },
};

async function speakingHttp1({ t }) {
  const server = net.createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

// { store, url }: with a user and a password that are marked.
async function storeStage(stage, fault) {
  const { t, secrets } = stage;
  const tls = fault.tls && certificate(fault.tls);
  const [user, password] = [secrets.mark('user of the store'), secrets.markOdd('password of the store')];
  const store = await eventStoreFor(t, { users: { [user]: password }, ...(tls ? { tls } : {}) });
  store.append('orders', numbered(EVENTS));
  if (fault.meets) store.fail(fault.meets);
  const host = fault.at ? new URL(await fault.at(stage)).host : `127.0.0.1:${store.port}`;
  const ca = tls ? `tlsCaFile=${tls.caFile}` : 'tls=false';
  const sign = encodeURIComponent(fault.password ? secrets.mark('wrong password') : password);
  return { store, url: `esdb://${user}:${sign}@${host}?${ca}${fault.keys ?? ''}` };
}

const asked = (store, what) => store.requests.filter(({ kind }) => kind === what).length;

function inOrder(numbers) {
  numbers.forEach((number, i) => { if (number !== i) throw new Error(`not each once and in order: ${numbers}`); });
  return numbers.length;
}
const numbersIn = (text) => text.split('\n').filter(Boolean).map(Number);

function runWith(fault, words, env, store) {
  const isMet = () => store.unusedFaults.length === 0 && store.requests.at(-1)?.sent === AFTER.after;
  const onStart = fault.signal ? signalWhen(fault.signal, isMet) : undefined;
  if (!fault.output) return run(words, { env, onStart });
  const { program, args } = brokenOutput(binary, words, fault.output);
  return run(args, { program, env });
}

// Printed from the beginning on, until all are.
async function read(stage, fault) {
  const { store, url } = await storeStage(stage, fault);
  const words = ['es-tail', 'orders', '-o', 'beginning', '-c', String(EVENTS), '-f', '%n\\n', ...(fault.args ?? [])];
  const result = await runWith(fault, words, { ...stage.env, ES_URL: url }, store);
  return { ...result, sent: asked(store, 'subscribe'), done: inOrder(numbersIn(result.stdout)) };
}

// Handed to a program that notes the number, and how it was started.
async function processed(stage, { meets, ...fault }) {
  const { store, url } = await storeStage(stage, { ...fault, meets: meets && { ...meets, on: 'read' } });
  const notes = join(stage.folder, 'notes');
  const program = `cat /proc/self/cmdline /proc/self/environ >> ${join(stage.folder, 'children')}; sed 's/.*"n":\\([0-9]*\\).*/\\1/' >> ${notes}`;
  const file = stage.file('processors.yaml', JSON.stringify({ processors: [{ name: 'p', exec: ['sh', '-c', program] }] }));
  const words = ['es-tail', 'orders', '-e', '--processors', file, ...(fault.args ?? [])];
  const result = await runWith(fault, words, { ...stage.env, ES_URL: url, OTHER: 'is kept' }, store);
  return { ...result, sent: asked(store, 'read'), done: inOrder(existsSync(notes) ? numbersIn(readFileSync(notes, 'utf8')) : []) };
}

function rowsOf(way, act, expected) {
  return Object.entries(expected).map(([name, [code, sent, done]]) => ({ way, fault: name, code, sent, done, act: (stage) => act(stage, FAULTS[name]) }));
}

// --- A processor's webhook, at three events ---

const reply = (status, headers = {}, body = '') => (response) => response.writeHead(status, headers).end(body);
const HOOK_FAULTS = {
  'HTTP 400': { always: reply(400) }, 'HTTP 401': { always: reply(401) }, 'HTTP 403': { always: reply(403) }, 'HTTP 404': { always: reply(404) },
  'HTTP 408': { always: reply(408) }, 'HTTP 409': { always: reply(409) },
  'HTTP 429, Retry-After 1, once': { once: reply(429, { 'retry-after': '1' }) }, 'HTTP 500, once': { once: reply(500) },
  'HTTP 503, once': { once: reply(503) }, 'HTTP 503 until the budget is spent': { always: reply(503) }, 'HTTP 504': { once: reply(504) },
  'name does not resolve': { at: () => `http://${NO_SUCH_NAME}` }, 'connection refused': { at: refusing },
  'reset before the request is read': { once: (response) => response.socket.resetAndDestroy() },
  'reset in the middle of the reply': { once: (response) => response.writeHead(200, { 'content-length': '9' }).write('x', () => response.destroy()) },
  'no reply in time': { always: () => {}, timeout: '300ms' },
  'oversized reply (9 MiB)': { always: reply(200, {}, 'x'.repeat(9 << 20)) },
  'redirect to elsewhere': { elsewhere: (url) => reply(302, { location: url }) },
  'reply that repeats the secret': { secret: (secret) => reply(400, {}, `you sent ${secret}`) },
  'TLS: unknown CA': { tls: 'unknown' }, 'TLS: expired certificate': { tls: 'expired' }, 'TLS: certificate of another host': { tls: 'other' },
};

async function hookStage({ t, secrets }, fault) {
  const token = secrets.mark('token of the webhook');
  const path = secrets.mark('path of the webhook');
  const other = await elsewhere(t);
  const always = fault.always ?? fault.elsewhere?.(other.url) ?? fault.secret?.(token);
  const hook = { token, other, requests: 0, done: new Set() };
  const listener = (request, response) => {
    hook.requests += 1;
    const spoil = always ?? (hook.requests === 1 ? fault.once : undefined);
    request.resume().on('end', () => {
      if (spoil) return spoil(response);
      hook.done.add(request.headers['idempotency-key']);
      return response.writeHead(204).end();
    });
  };
  const tls = fault.tls && certificate(fault.tls);
  const server = (tls ? https.createServer(tls, listener) : http.createServer(listener)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const origin = fault.at ? await fault.at() : `http${tls ? 's' : ''}://127.0.0.1:${server.address().port}`;
  return Object.assign(hook, { url: `${origin}/${path}`, tls });
}

const idOf = (i) => `00000000-0000-4000-8000-00000000000${i}`;

async function hooked(stage, fault) {
  const hook = await hookStage(stage, fault);
  const processor = {
    name: 'p', webhook: { url: hook.url, headers: { Authorization: 'Bearer ${HOOK_TOKEN}' } }, timeout: fault.timeout ?? '10s',
    retry: { attempts: 2, wait: '10ms' },
  };
  const events = stage.file('events.jsonl', numbered(3).map((event, i) => `${JSON.stringify({ ...event, id: idOf(i) })}\n`).join(''));
  const file = stage.file('processors.yaml', JSON.stringify({ processors: [processor] }));
  const env = { ...stage.env, HOOK_TOKEN: hook.token, ...(hook.tls ? { SSL_CERT_FILE: hook.tls.caFile } : {}) };
  const result = await run(['es-tail', '--from-file', events, '--processors', file], { env });
  if (hook.other.asked > 0) throw new Error('it followed a redirect to another host');
  return { ...result, sent: hook.requests, done: hook.done.size };
}

// Ways -> { fault: [exit code, reads or requests, events printed or done] }
const READ = {
  'gRPC CANCELLED': [0, 2, 20], 'gRPC UNKNOWN': [0, 2, 20], 'gRPC INVALID_ARGUMENT': [76, 1, 7], 'gRPC DEADLINE_EXCEEDED': [0, 2, 20],
  'gRPC PERMISSION_DENIED': [77, 1, 7], 'gRPC UNAUTHENTICATED': [77, 1, 0], 'gRPC UNIMPLEMENTED': [76, 1, 0],
  'gRPC UNAVAILABLE': [0, 2, 20], 'consumer too slow': [0, 2, 20], 'stream is deleted': [66, 1, 0], 'GOAWAY': [0, 2, 20],
  'RST_STREAM': [0, 2, 20], 'HTTP 401': [77, 1, 0], 'HTTP 404': [76, 1, 0], 'HTTP 503, once': [0, 2, 20],
  'HTML instead of an answer': [0, 2, 20], 'malformed message': [76, 1, 0], 'oversized reply (2 GiB said)': [0, 2, 20],
  'reset in the middle of the reply': [0, 2, 20], 'closed in the middle of the reply': [0, 2, 20],
  'silence in the middle of the reply': [0, 2, 20], 'reply in pieces of 16 bytes': [0, 1, 20],
  'speaks HTTP/1': [76, 0, 0], 'name does not resolve': [69, 0, 0], 'connection refused': [69, 0, 0], 'wrong password': [77, 0, 0],
  'TLS: unknown CA': [69, 0, 0], 'TLS: expired certificate': [69, 0, 0], 'TLS: certificate of another host': [69, 0, 0],
  'TLS check switched off (tlsVerifyCert=false)': [0, 1, 20],
  'standard output full': [74, 1, 0], 'standard output closed': [0, 1, 0], 'output file on a full disk': [74, 1, 0],
  'output file not writable': [74, 1, 0], 'SIGINT while it waits': [130, 1, 7], 'SIGTERM while it waits': [130, 1, 7],
};
const PROCESSED = {
  'gRPC PERMISSION_DENIED': [77, 1, 7], 'gRPC UNAVAILABLE': [0, 2, 20], 'stream is deleted': [66, 1, 0], 'GOAWAY': [0, 1, 20], 'RST_STREAM': [0, 2, 20],
  'HTTP 401': [77, 1, 0], 'malformed message': [76, 1, 0], 'reset in the middle of the reply': [0, 2, 20],
  'name does not resolve': [69, 0, 0], 'connection refused': [69, 0, 0], 'wrong password': [77, 1, 0],
  'TLS: unknown CA': [69, 0, 0], 'checkpoints not writable': [74, 0, 0], 'SIGTERM while it waits': [130, 1, 7],
};
const HOOKED = {
  'HTTP 400': [1, 2, 0], 'HTTP 401': [1, 2, 0], 'HTTP 403': [1, 2, 0], 'HTTP 404': [1, 2, 0], 'HTTP 408': [1, 2, 0], 'HTTP 409': [1, 2, 0],
  'HTTP 429, Retry-After 1, once': [0, 4, 3], 'HTTP 500, once': [0, 4, 3], 'HTTP 503, once': [0, 4, 3],
  'HTTP 503 until the budget is spent': [1, 2, 0], 'HTTP 504': [0, 4, 3], 'name does not resolve': [1, 0, 0], 'connection refused': [1, 0, 0],
  'reset before the request is read': [0, 4, 3], 'reset in the middle of the reply': [0, 4, 3], 'no reply in time': [1, 1, 0],
  'oversized reply (9 MiB)': [1, 2, 0], 'redirect to elsewhere': [1, 2, 0], 'reply that repeats the secret': [1, 2, 0],
  'TLS: unknown CA': [1, 0, 0], 'TLS: expired certificate': [1, 0, 0], 'TLS: certificate of another host': [1, 0, 0],
};

export const esTail = {
  command: 'es-tail',
  about: 'A stream of 20 events, printed or handed to a program; the fault comes behind the seventh, or in place of a '
    + 'reply. Webhook: three events of a file, each POSTed, two attempts.',
  counts: ['reads, requests', 'events done'],
  rows: [
    ...rowsOf('tail', read, READ), ...rowsOf('processor', processed, PROCESSED),
    ...Object.entries(HOOKED).map(([name, [code, sent, done]]) => ({
      way: 'webhook', fault: name, code, sent, done, act: (stage) => hooked(stage, HOOK_FAULTS[name]),
    })),
  ],
};
