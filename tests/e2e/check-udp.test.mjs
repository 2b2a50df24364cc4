// udp-load --check: ports, buffers, limits, addresses, and a server that is asked without a test.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, chmodSync, existsSync, mkdirSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertFound } from './check.mjs';
import { SHORT, client, serverFor, udp } from './udp_load.mjs';
import { binary, closedPort, folder, run } from './support.mjs';

const check = (args, options) => udp([...args, '--check'], options);
const isRoot = process.getuid() === 0;

test('a client: its addresses and sockets, and what the server has room for', async (t) => {
  const server = await serverFor(t, ['--max-callers', '500']);
  const result = await check(['client', '--host', server.host, '--clients', '20', '--min-client-addr', '127.1.0.1']);
  assertFound(result, 0, [['server\'s address', 'ok', /127\.0\.0\.1/], ['callers', 'ok', /^20 callers can send from 20 addresses/],
    ['sockets', 'ok', /20 sockets/], ['server', 'ok', /version \d+\.\d+\.\d+, 0 of 16 sessions and 0 of 500 callers taken/]]);
});

test('the server has nothing to tell of it, goes on, and --once still waits for a test', async (t) => {
  const server = await serverFor(t, ['--once']);
  for (let i = 0; i < 20; i += 1) assert.equal((await check(['client', '--host', server.host])).code, 0);
  const result = await client(server.host, ['--clients', '1', ...SHORT]);
  assert.equal(result.code, 0, result.stderr);
  const ended = await server.ended;
  assert.equal(ended.code, 0);
  assert.equal(ended.stdout.split('\n').filter((line) => /1 caller/.test(line)).length, 1, ended.stdout);
});

test('a server that is full: 69', async (t) => {
  const server = await serverFor(t, ['--max-callers', '10']);
  const result = await check(['client', '--host', server.host, '--clients', '11']);
  assertFound(result, 69, [['server', 'WRONG', /no room for 11 callers: .*0 of 10 callers taken; wait, or raise/]]);
});

test('a server that is not there, or is none', async (t) => {
  const port = await closedPort();
  assertFound(await check(['client', '--host', `127.0.0.1:${port}`]), 69, [['sockets', 'ok', /./], ['server', 'WRONG', /can't connect/]]);
  for (const [answer, code, text] of [['HTTP/1.1 400 Bad Request\r\n\r\n', 76, /./], ['', 69, /broke off.*--allow/], ['{"x":1}\n', 76, /does not say/]]) {
    const other = net.createServer((socket) => socket.on('error', () => {}).end(answer)).listen(0, '127.0.0.1');
    t.after(() => other.close());
    await once(other, 'listening');
    assertFound(await check(['client', '--host', `127.0.0.1:${other.address().port}`]), code, [['server', 'WRONG', text]]);
  }
});

test('an older server, which does not know the question: a warning', async (t) => {
  const seen = [];
  const old = net.createServer((socket) => socket.on('error', () => {}).on('data', (data) => {
    seen.push(data.toString());
    socket.end('{"error":"a connection says hello first","code":76}\n');
  })).listen(0, '127.0.0.1');
  t.after(() => old.close());
  await once(old, 'listening');
  assertFound(await check(['client', '--host', `127.0.0.1:${old.address().port}`]), 0, [['server', 'warning', /older one/]]);
  assert.ok(!seen.join('').includes('hello'), 'a session was asked for');
});

test('a name that is none: 69', async () => {
  assertFound(await check(['client', '--host', 'no-such-host.invalid']), 69, [['server\'s address', 'WRONG', /no-such-host\.invalid/]]);
});

test('addresses that this machine does not have: 78, and the server is asked', async (t) => {
  const server = await serverFor(t);
  assertFound(await check(['client', '--host', server.host, '--min-client-addr', '192.0.2.1']), 78,
    [['callers', 'WRONG', /not on this machine: 192\.0\.2\.1/], ['server', 'ok', /./]]);
  assertFound(await check(['client', '--host', server.host, '--addresses', '/no/such']), 66, [['callers', 'WRONG', /\/no\/such/]]);
});

test('packets over the MTU: 78', { skip: !isRoot && 'needs root for a network of its own' }, async () => {
  const result = await run(['--net', 'sh', '-c', 'ip link set lo mtu 1280 up && exec "$@"', 'sh', binary, 'udp-load', 'client', '--check',
    '--packet-size', '1253', '--clients', '2'], { program: 'unshare', env: { PATH: process.env.PATH } });
  assertFound(result, 78, [['sockets', 'WRONG', /1253 bytes do not fit the MTU.*--packet-size 1252 or less/], ['server', 'WRONG', /can't connect/]]);
});

test('a low limit of descriptors: callers would share sockets', async (t) => {
  const server = await serverFor(t);
  const result = await run(['-c', 'ulimit -n 200 && exec "$@"', 'sh', binary, 'udp-load', 'client', '--check', '--host', server.host, '--clients', '300'],
    { program: '/bin/sh' });
  assertFound(result, 0, [['sockets', 'warning', /300 callers would share \d+ sockets.*ulimit -n/]]);
});

// --- The server ---

test('a server: port, queue, descriptors', async () => {
  assertFound(await check(['server', '--port', '0', '--receive-buffer', '100000']), 0,
    [['port', 'ok', /any free one/], ['receive queue', 'ok', /bytes/], ['descriptors', 'ok', /./]]);
});

test('a port that is taken by TCP or UDP: 69', async (t) => {
  const tcp = net.createServer().listen(0, '127.0.0.1');
  t.after(() => tcp.close());
  await once(tcp, 'listening');
  const dgram = createSocket('udp4');
  t.after(() => dgram.close());
  dgram.bind(0, '127.0.0.1');
  await once(dgram, 'listening');
  for (const port of [tcp.address().port, dgram.address().port]) {
    assertFound(await check(['server', '--bind', '127.0.0.1', '--port', String(port), '--receive-buffer', '100000']), 69,
      [['port', 'WRONG', new RegExp(`${port}.*; .*--port|${port}`)]]);
  }
});

// Root may have what it wants, so the program runs as nobody.
test('a receive queue that the kernel keeps small: a warning with the remedy', { skip: !isRoot && 'needs root to be nobody' }, async (t) => {
  const place = join(folder(t), 'open');
  mkdirSync(place);
  for (const path of [join(place, '..'), place]) chmodSync(path, 0o755);
  const copy = join(place, 'opsbelt');
  copyFileSync(binary, copy);
  chmodSync(copy, 0o755);
  const result = await run(['--reuid=65534', '--regid=65534', '--clear-groups', copy, 'udp-load', 'server', '--port', '0', '--receive-buffer', '1000000000', '--check'],
    { program: 'setpriv', cwd: place, env: { PATH: process.env.PATH } });
  assertFound(result, 0, [['receive queue', 'warning', /not 1000000000: run as root, or sysctl -w net\.core\.rmem_max=1000000000/]]);
});

test('the demo, and files that can\'t be written to', async (t) => {
  const page = join(folder(t), 'calls.html');
  assertFound(await check(['demo', '--clients', '3', '--report', page]), 0,
    [['port', 'ok', /./], ['callers', 'ok', /3 callers/], ['sockets', 'ok', /./], ['report', 'ok', /can be written/]]);
  assert.ok(!existsSync(page));
  assertFound(await check(['demo', '--clients', '3', '--csv', '/no/such/x']), 74, [['csv', 'WRONG', /its folder must exist/]]);
});

test('JSON; and no --check for what only prints or adds', async () => {
  const result = await check(['server', '--port', '0', '--receive-buffer', '100000', '--output', 'json']);
  assert.equal(result.code, 0);
  assert.ok(JSON.parse(result.stdout).every(({ ok }) => ok));
  for (const args of [['routes', '--interfaces', 'lo'], ['merge', 'a', 'b']]) {
    const refused = await check(args);
    assert.equal(refused.code, 64, refused.stdout);
    assert.match(refused.stderr, /--check has no effect/);
  }
});
