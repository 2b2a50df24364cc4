// Where udp-load can't begin, or may not: one line that says why. And what many callers, or several clients, share.

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { describe, test } from 'node:test';
import { binary, closedPort, errorLine, run } from './support.mjs';
import { assertServes, clientArgs, control, hello, runClient, startServer } from './udp_faults.mjs';

const FEW = ['--packets', '5'];

async function tcpTaken(t) {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return server.address().port;
}

async function udpTaken(t) {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return socket.address().port;
}

describe('a port that something else has', () => {
  for (const [name, take] of Object.entries({ TCP: tcpTaken, UDP: udpTaken })) {
    for (const bind of [[], ['--bind', '127.0.0.1']]) {
      test(`a server whose ${name} port is taken says which, and what to do (${bind.join(' ') || 'all addresses'})`, async (t) => {
        const port = await take(t);
        const result = await run(['udp-load', 'server', '--port', String(port), ...bind]);
        assert.equal(result.code, 69);
        assert.match(errorLine(result), new RegExp(`${port}.*in use.*another`));
      });
    }
  }

  test('two servers can not share a port', async (t) => {
    const first = await startServer(t);
    const result = await run(['udp-load', 'server', '--port', String(first.port)]);
    assert.equal(result.code, 69);
    assert.match(errorLine(result), new RegExp(String(first.port)));
    await assertServes(first);
  });
});

describe('no server to be tested with', { concurrency: true }, () => {
  test('nobody listens: 69 at once', async () => {
    const port = await closedPort();
    const result = await runClient(port, FEW);
    assert.equal(result.code, 69);
    assert.equal(result.report, null);
    assert.match(errorLine(result), new RegExp(`127\\.0\\.0\\.1:${port}`));
  });

  const foreign = {
    'an HTTP server': () => http.createServer((_, response) => response.end('hello')),
    'one that closes at once': () => net.createServer((socket) => socket.on('error', () => {}).destroy()),
    'one that speaks first': () => net.createServer((socket) => socket.on('error', () => {}).write('220 mail.example ESMTP\r\n')),
    'one that says nothing': () => net.createServer((socket) => socket.on('error', () => {})),
    'one that sends zeros': () => net.createServer((socket) => socket.on('error', () => {}).write(Buffer.alloc(100_000))),
    'one that answers a number': () => net.createServer((socket) => socket.on('error', () => {}).write('17\n')),
    'one of a later version': () => net.createServer((socket) => socket.on('error', () => {}).write('{"hello":2}\n')),
  };
  for (const [name, make] of Object.entries(foreign)) {
    test(`${name}: one line, and no test`, async (t) => {
      const sockets = new Set();
      const server = make().listen(0, '127.0.0.1');
      server.on('connection', (socket) => sockets.add(socket));
      await once(server, 'listening');
      t.after(() => {
        for (const socket of sockets) socket.destroy();
        server.close();
      });
      const result = await runClient(server.address().port, FEW);
      assert.ok([69, 76].includes(result.code), `${result.code}: ${result.stderr}`);
      assert.equal(result.report, null);
      assert.match(errorLine(result), /udp-load/);
    });
  }
});

describe('limits of the server', () => {
  test('--allow that does not hold the client refuses it, and says where to look', async (t) => {
    const server = await startServer(t, ['--allow', '10.0.0.0/8,192.168.0.0/16']);
    const result = await runClient(server.port, FEW);
    assert.equal(result.code, 69);
    assert.match(errorLine(result), /--allow/);
    assert.deepEqual(server.reports(), []);
  });

  test('--allow that holds the client lets it in, also as an IPv4 address on an IPv6 socket', async (t) => {
    const server = await startServer(t, ['--allow', '10.0.0.0/8,127.0.0.0/8']);
    await assertServes(server);
    const [report] = await server.report();
    assert.equal(report.totals.received, 50);
  });

  test('--allow with one address lets only that one in', async (t) => {
    const server = await startServer(t, ['--allow', '127.0.0.7']);
    await assertServes(server, ['--min-client-addr', '127.0.0.7', '--client-addrs', '1']);
    const other = await runClient(server.port, [...FEW, '--min-client-addr', '127.0.0.8', '--client-addrs', '1']);
    assert.equal(other.code, 69, other.stderr);
  });

  test('--max-sessions: one more is refused while the others go on', async (t) => {
    const server = await startServer(t, ['--max-sessions', '1']);
    const first = await control(t, server.port);
    first.write(hello());
    assert.ok((await first.line()).session);
    const result = await runClient(server.port, FEW);
    assert.equal(result.code, 69);
    assert.match(errorLine(result), /--max-sessions/);
    first.socket.destroy();
  });

  test('--max-callers: more are refused, as many are served', async (t) => {
    const server = await startServer(t, ['--max-callers', '10']);
    const result = await runClient(server.port, [...FEW, '--clients', '11']);
    assert.equal(result.code, 69);
    assert.match(errorLine(result), /--max-callers/);
    await assertServes(server);
    await assertServes(server); // those of an ended test count no longer
  });
});

test('two clients at once: each gets its own figures', async (t) => {
  const server = await startServer(t);
  const results = await Promise.all([
    runClient(server.port, ['--clients', '7', '--packets', '40']),
    runClient(server.port, ['--clients', '20', '--packets', '30', '--echo', '--packet-size', '200']),
  ]);
  for (const [i, [clients, packets]] of [[7, 40], [20, 30]].entries()) {
    const { code, stderr, report } = results[i];
    assert.equal(code, 0, stderr);
    assert.equal(report.totals.sent, clients * packets);
    assert.equal(report.totals.received, clients * packets);
    assert.deepEqual(report.clients.map(({ received }) => received), Array(clients).fill(packets));
    assert.equal(report.totals.other, 0);
  }
  assert.equal(results[0].report.totals.back, undefined);
  assert.equal(results[1].report.totals.back.received, 600);
  const reports = await server.report(2);
  assert.deepEqual(reports.map(({ totals }) => totals.received).sort(), [280, 600]);
});

const limited = (files, command) => run(['-c', `ulimit -n ${files}; exec "$@"`, 'sh', binary, ...command], { program: 'sh' });

describe('more callers than descriptors', () => {
  for (const more of [[], ['--echo'], ['--min-client-addr', '127.1.0.1'], ['--min-client-addr', '127.1.0.1', '--echo']]) {
    test(`300 callers with 100 share sockets, are counted exactly, and it is said (${more.join(' ') || 'plain'})`, async (t) => {
      const server = await startServer(t);
      const { code, stdout, stderr } = await limited(100, clientArgs(server.port, [...FEW, '--clients', '300', ...more]));
      assert.equal(code, 0, stderr);
      assert.match(stderr, /300 callers share \d+ sockets?, as no more may be open \(ulimit -n\)/);
      const { totals, clients } = JSON.parse(stdout);
      assert.equal(totals.received, 1500);
      assert.deepEqual(new Set(clients.map(({ received }) => received)), new Set([5]));
      if (more.includes('--echo')) assert.equal(totals.back.received, 1500);
      if (more[0] !== '--min-client-addr') return;
      for (const { address, seen_as: seen } of clients) assert.equal(seen.split(':')[0], address);
    });
  }

  test('a server with hardly any descriptors lives through a crowd', async (t) => {
    const server = await startServer(t, [], { files: 24 });
    const crowd = await Promise.all(Array.from({ length: 100 }, () => control(t, server.port)));
    for (const { socket } of crowd) socket.destroy();
    await assertServes(server);
  });
});

test('65,000 callers on one machine are counted one by one, in bounded memory', async (t) => {
  const server = await startServer(t);
  const { code, stderr, report } = await runClient(server.port, ['--clients', '65000', '--packets', '2', '--bps', '640',
    '--ramp', '2s', '--min-client-addr', '127.2.0.1']);
  assert.equal(code, 0, stderr);
  assert.equal(report.totals.sent, 130_000);
  assert.equal(report.totals.received, 130_000);
  assert.equal(report.clients.length, 65_000);
  assert.ok(report.clients.every(({ received, address, seen_as: seen }) => received === 2 && seen.split(':')[0] === address));
  assert.equal(report.clients.at(-1).address, '127.2.253.232');
  assert.ok(server.memory() < 800, `${server.memory()} MiB`);
});
