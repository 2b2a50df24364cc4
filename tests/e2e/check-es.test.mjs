// es-tail --check: the server, what may be read there, processors and their places. No event is taken from anybody.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { assertFound, assertHidden } from './check.mjs';
import { esTail, eventStoreFor, linesOf, numbered } from './eventstore.mjs';
import { processorsFile } from './eventstore_run.mjs';
import { closedPort, file, folder, run, selfSigned } from './support.mjs';

const check = (store, args, { env = {}, ...options } = {}) =>
  esTail(store, [...args, '--check'], { ...options, env: { PATH: process.env.PATH, ...env } });
const kinds = (store) => store.requests.map(({ kind }) => kind);
const PASSWORD = 'pass-word-0123';
const withUser = (url, user) => url.replace('esdb://', `esdb://${user}@`);

test('all is well: the server, its version, the stream', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(2));
  const result = await check(store, ['orders']);
  assertFound(result, 0, [['server', 'ok', /^127\.0\.0\.1:\d+, version 25\.1/], ['stream orders', 'ok', /may be read/]]);
  assert.deepEqual(kinds(store), ['features', 'read']);
  assert.equal(store.requests[1].sent, 1, 'it read more than one event');
});

test('a server from before it told its version', async (t) => {
  const store = await eventStoreFor(t, { version: '20.10' });
  store.append('orders', numbered(1));
  assertFound(await check(store, ['orders']), 0, [['server', 'ok', /version before 21\.10/]]);
});

test('a stream that is not there: a warning', async (t) => {
  const store = await eventStoreFor(t);
  assertFound(await check(store, ['orders']), 0, [['stream orders', 'warning', /has no events, or is not there/]]);
});

test('a user who may not: 77; a wrong address: 69; a wrong string: 64', async (t) => {
  const store = await eventStoreFor(t, { users: { ada: PASSWORD } });
  store.append('orders', numbered(1));
  const good = await check(store, ['orders'], { env: { ES_URL: withUser(store.url, `ada:${PASSWORD}`) } });
  assertFound(good, 0, [['TLS', 'warning', /the password can be read/], ['stream orders', 'ok', /./]]);
  const bad = await check(store, ['orders'], { env: { ES_URL: withUser(store.url, 'ada:wrong-word') } });
  assertFound(bad, 77, [['TLS', 'warning', /./], ['stream orders', 'WRONG', /refuses/]]);
  assertHidden(good, PASSWORD);
  assertHidden(bad, 'wrong-word');
  const nobody = await check(store, ['orders'], { env: { ES_URL: `esdb://127.0.0.1:${await closedPort()}?tls=false` } });
  assertFound(nobody, 69, [['server', 'WRONG', /can't connect/]]);
  const wrong = await check(store, ['orders'], { env: { ES_URL: `esdb://ada:${PASSWORD}@` } });
  assertFound(wrong, 64, [['source', 'WRONG', /ES_URL/]]);
  assertHidden(wrong, PASSWORD);
});

test('TLS that is not trusted: the server is wrong; unchecked: a warning', async (t) => {
  const tls = selfSigned(t);
  const store = await eventStoreFor(t, { tls });
  store.append('orders', numbered(1));
  const wrong = await check(store, ['orders'], { env: { SSL_CERT_FILE: selfSigned(t).certFile } });
  assert.notEqual(wrong.code, 0);
  assertFound(wrong, wrong.code, [['server', 'WRONG', /certificate/]]);
  assertFound(await check(store, ['orders'], { env: { SSL_CERT_FILE: tls.certFile } }), 0, [['server', 'ok', /by TLS/]]);
  const open = await check(store, ['orders', '--url', `${store.url}?tlsVerifyCert=false`], { env: { SSL_CERT_FILE: tls.certFile } });
  assertFound(open, 0, [['TLS', 'warning', /tlsVerifyCert=false/]]);
});

test('a key of the connection string that is not known is warned of', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(1));
  assertFound(await check(store, ['orders', '--url', `${store.url}&noSuchKey=1`]), 0, [['server', 'warning', /nosuchkey/i]]);
});

test('a server that does not answer is given up after some seconds: 75', async (t) => {
  const store = await eventStoreFor(t);
  store.fail({ kind: 'hang', on: 'read' });
  assertFound(await check(store, ['orders']), 75, [['server', 'ok', /./], ['stream orders', 'WRONG', /has not answered/]]);
});

test('a group is asked about, not joined', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(3));
  store.createGroup('orders', 'g');
  const there = await check(store, ['orders', '--group', 'g']);
  assertFound(there, 0, [['group g', 'ok', /is there/]]);
  const none = await check(store, ['orders', '--group', 'none']);
  assertFound(none, 66, [['group none', 'WRONG', /./]]);
  assert.ok(!kinds(store).includes('group'), 'it joined');
  assert.equal(store.group('orders', 'g').consumers.length, 0);
});

// --- Processors ---

const program = (t, mode = 0o755) => {
  const path = file(t, 'work.sh', '#!/bin/sh\ntouch "$(dirname "$0")/started"\n');
  chmodSync(path, mode);
  return path;
};

test('processors: their programs, variables, dead letters', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(1));
  const work = program(t);
  const dead = join(folder(t), 'dead.jsonl');
  const processors = processorsFile(t,
    { name: 'a', exec: [work] }, { name: 'b', pipe: ['sh'], skip_bad_events: true, dead_letter: dead },
    { name: 'c', webhook: { url: 'https://example.com/${HOOK}' } }, { name: 'd', sum: 'n' });
  const well = await check(store, ['orders', '--processors', processors], { env: { HOOK: 'hidden-word' } });
  assertFound(well, 0, [['processors', 'ok', /^4 in /], ['processor a', 'ok', /work\.sh$/], ['processor b', 'ok', /\/sh$/],
    ['dead letters of b', 'ok', /./], ['processor c', 'ok', /./], ['processor d', 'ok', /./]]);
  assertHidden(well, 'hidden-word');
  assert.ok(!existsSync(join(dirname(work), 'started')), 'the program ran');
  assert.ok(!existsSync(dead));
  assertFound(await check(store, ['orders', '--processors', processors]), 78, [['processor c', 'WRONG', /HOOK is not set/]]);
});

const FAULTS = [
  ['no such program', { name: 'a', exec: ['./no-such'] }, 66, 'processor a', /No such file/],
  ['a program that is not executable', (t) => ({ name: 'a', pipe: [program(t, 0o644)] }), 74, 'processor a', /Permission denied/],
  ['nothing to do', { name: 'a' }, 65, 'processors', /nothing is to be done/],
  ['dead letters in a folder that is not there', { name: 'a', exec: ['sh'], skip_bad_events: true, dead_letter: '/no/such/x' }, 74,
    'dead letters of a', /its folder must exist/],
];
for (const [name, spec, code, finding, text] of FAULTS) {
  test(`a processor with ${name}: ${code}, and the server is looked at`, async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(1));
    const processors = processorsFile(t, typeof spec === 'function' ? spec(t) : spec);
    assertFound(await check(store, ['orders', '--processors', processors]), code, [['server', 'ok', /./], [finding, 'WRONG', text]]);
  });
}

test('checkpoints: whose are there, which have no processor any more', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(3));
  const db = join(folder(t), 'places.db');
  const args = (...names) => ['orders', '--checkpoints', db, '--processors', processorsFile(t, ...names.map((name) => ({ name, count: true })))];
  assertFound(await check(store, args('a')), 0, [['checkpoints', 'ok', /will be made/]]);
  assert.ok(!existsSync(db), 'it was made');
  assert.equal((await esTail(store, [...args('a', 'b'), '-e'])).code, 0);
  assertFound(await check(store, args('a', 'c')), 0,
    [['checkpoints', 'ok', /./], ['checkpoint of a', 'ok', /^behind 2 of orders$/], ['checkpoint of b', 'warning', /was it renamed/]]);
  assert.deepEqual(readdirSync(dirname(db)), ['places.db']);
  const shorter = await eventStoreFor(t);
  shorter.append('orders', numbered(2));
  assertFound(await check(shorter, args('a', 'b')), 0, ['a', 'b'].map((name) =>
    [`checkpoint of ${name}`, 'warning', /^its checkpoint is behind event 2, but the stream ends at 1,/]));
  writeFileSync(db, 'x'.repeat(5000));
  assertFound(await check(store, args('a')), 74, [['checkpoints', 'WRONG', /places\.db/]]);
});

test('a checkpoint file that can\'t be written to: 74', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(1));
  const processors = processorsFile(t, { name: 'a', count: true });
  const result = await check(store, ['orders', '--processors', processors, '--checkpoints', '/no/such/places.db']);
  assertFound(result, 74, [['checkpoints', 'WRONG', /its folder must exist and be writable/]]);
});

test('files: events, output, dead letters to replay', async (t) => {
  const events = file(t, 'events.jsonl', '');
  const at = { env: { PATH: process.env.PATH } };
  assertFound(await run(['es-tail', '--check', '--from-file', events, '--output-file', join(folder(t), 'out')], at), 0,
    [['events', 'ok', /can be read/], ['output file', 'ok', /./]]);
  assertFound(await run(['es-tail', '--check', '--from-file', '/no/such', '--output-file', '/no/such/out'], at), 66,
    [['events', 'WRONG', /\/no\/such/], ['output file', 'WRONG', /./]]);
  const processors = processorsFile(t, { name: 'a', count: true });
  assertFound(await run(['es-tail', '--check', 'replay', events, '--processors', processors], at), 0,
    [['dead letters', 'ok', /./], ['processors', 'ok', /./]]);
});

test('JSON Lines; and no --check of what only looks at checkpoints', async (t) => {
  const store = await eventStoreFor(t);
  const result = await check(store, ['orders', '-J']);
  assert.deepEqual(linesOf(result).map(({ name, ok, state }) => [name, ok, state]), [['server', true, 'ok'], ['stream orders', true, 'warning']]);
  const refused = await check(store, ['checkpoints', 'list', '--checkpoints', 'x']);
  assert.equal(refused.code, 64);
  assert.match(refused.stderr, /--check has no effect/);
});
