// udp-load's server and client on the loopback: counts, traffic, addresses, ends.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closedPort, errorLine, file } from './support.mjs';
import { assertHas, BRIEF, client, serverFor, sharedServer, SHORT, start, udp } from './udp_load.mjs';

let server;
before(async () => { server = await sharedServer(); });
after(() => server.close());

const ALL_THERE = { lost: 0, duplicated: 0, reordered: 0, late: 0, send_errors: 0 };

describe('counts', { concurrency: 4 }, () => {
  const hosts = [
    ['IPv4', () => server.host, '127.0.0.1'],
    ['IPv6', () => `[::1]:${server.port}`, '::1'],
    ['a name', () => `localhost:${server.port}`, undefined],
  ];
  for (const [name, host, address] of hosts) {
    test(`each packet that --packets asks for is sent and counted once: ${name}`, async () => {
      const { code, report } = await client(host(), ['--clients', '10', '--packets', '37', ...BRIEF]);
      assert.equal(code, 0);
      assertHas(report.totals, { sent: 370, received: 370, planned: 370, ...ALL_THERE });
      assert.deepEqual(report.clients.map(({ client: number }) => number), [...Array(10).keys()]);
      for (const caller of report.clients) assertHas(caller, { sent: 37, received: 37, ...ALL_THERE });
      if (address) assert.ok(report.clients.every(({ seen_as: seen }) => seen.replace(/[[\]]|:\d+$/g, '') === address));
      assert.equal(report.totals.back, undefined);
    });
  }

  test('one packet is a test', async () => {
    const { code, report } = await client(server.host, ['--packets', '1', ...BRIEF]);
    assert.equal(code, 0);
    assertHas(report.totals, { sent: 1, received: 1, ...ALL_THERE });
  });

  test('with --echo each packet comes back', async () => {
    const { code, report } = await client(server.host, ['--clients', '10', '--packets', '37', '--echo', ...BRIEF]);
    assert.equal(code, 0);
    assert.equal(report.settings.echo, true);
    assertHas(report.totals.back, { sent: 370, received: 370, lost: 0, duplicated: 0, reordered: 0, late: 0 });
    assert.ok(report.totals.rtt_ms.p50 > 0);
    for (const { back, rtt_ms: rtt } of report.clients) {
      assertHas(back, { sent: 37, received: 37, lost: 0 });
      assert.ok(rtt.max > 0);
    }
  });

  test('the seconds add up to the whole, and the rate is not truncated', async () => {
    const { report } = await client(server.host, ['--clients', '20', '--bps', '65000', ...SHORT]);
    assert.equal(report.totals.planned, 20 * Math.ceil(65_000 / 8 / 160));
    for (const name of ['sent', 'received', 'lost', 'late']) {
      assert.equal(report.seconds.reduce((sum, second) => sum + second[name], 0), report.totals[name], name);
    }
    assert.ok(report.totals.slept_percent >= 0 && report.totals.slept_percent <= 100, report.totals.slept_percent);
  });

  test('tests at once do not mix', async () => {
    const both = await Promise.all([11, 23].map((packets) =>
      client(server.host, ['--clients', '5', '--packets', String(packets), ...BRIEF])));
    assert.deepEqual(both.map(({ report }) => report.totals.received), [55, 115]);
  });
});

describe('traffic', { concurrency: 4 }, () => {
  const profiles = [
    ['g711', { packet_size: 172, codec: 'g711' }],
    ['g729', { packet_size: 32, codec: 'g729' }],
    ['opus', { packet_size: 72, codec: 'opus' }],
  ];
  for (const [name, expected] of profiles) {
    test(`--profile ${name}: a packet each 20 ms`, async () => {
      const { code, report } = await client(server.host, ['--profile', name, '--packets', '20', ...BRIEF]);
      assert.equal(code, 0);
      assertHas(report.settings, { interval_us: 20_000, ...expected });
    });
  }

  test('--profile with a codec of its own', async () => {
    const { report } = await client(server.host, ['--profile', 'g711', '--codec', 'g711-plc', '--packets', '9', ...BRIEF]);
    assertHas(report.settings, { packet_size: 172, codec: 'g711-plc' });
  });

  test('--dscp, --ramp, --jitter-buffer and --packet-size are what was asked for', async () => {
    const args = ['--dscp', '46', '--ramp', '300ms', '--jitter-buffer', '80ms', '--packet-size', '1400', '--bps', '400000'];
    const { code, report } = await client(server.host, ['--clients', '5', '--packets', '20', '--max-late', '2s', ...args]);
    assert.equal(code, 0);
    assertHas(report.settings, { dscp: 46, jitter_buffer_ms: 80, packet_size: 1400, bps: 400_000, interval_us: 28_000 });
    assertHas(report.totals, { received: 100, lost: 0 });
  });
});

// --- Addresses ---

const numbered = (first, count) => Array.from({ length: count }, (_, i) => `127.5.0.${first + i}`);

describe('source addresses', { concurrency: 4 }, () => {
  const ways = [
    ['one a caller from the first on', () => ['--min-client-addr', '127.5.0.3'], numbered(3, 5)],
    ['wrap around', () => ['--min-client-addr', '127.5.0.3', '--client-addrs', '2'], [...numbered(3, 2), ...numbered(3, 2), '127.5.0.3']],
    ['more addresses than callers', () => ['--min-client-addr', '127.5.0.3', '--client-addrs', '900'], numbered(3, 5)],
    ['a CIDR without its ends', () => ['--cidr', '127.5.0.0/30'], ['127.5.0.1', '127.5.0.2', '127.5.0.1', '127.5.0.2', '127.5.0.1']],
    ['a list', (t) => ['--addresses', file(t, 'list', '# scattered\n127.5.0.9\n\n127.5.0.2 lo # bound\n127.5.0.7')],
      ['127.5.0.9', '127.5.0.2 lo', '127.5.0.7', '127.5.0.9', '127.5.0.2 lo']],
    ['an interface', () => ['--interfaces', 'lo'], Array(5).fill('127.0.0.1 lo')],
    ['a glob', () => ['--interfaces', 'l?*'], Array(5).fill('127.0.0.1 lo')],
  ];
  for (const [name, args, expected] of ways) {
    test(name, async (t) => {
      const { code, report, stderr } = await client(server.host, ['--clients', '5', '--packets', '15', ...args(t), ...BRIEF]);
      assert.equal(code, 0, stderr);
      assert.deepEqual(report.clients.map(({ address }) => address), expected);
      for (const caller of report.clients) {
        assert.equal(caller.seen_as.replace(/:\d+$/, ''), caller.address.split(' ')[0]);
        assert.equal(caller.received, 15);
      }
    });
  }

  test('a list on standard input', async () => {
    const { report } = await client(server.host, ['--clients', '2', '--packets', '5', '--addresses', '-', ...BRIEF], { stdin: numbered(1, 2).join('\n') });
    assert.deepEqual(report.clients.map(({ address }) => address), numbered(1, 2));
  });

  const missing = [
    ['all that are missing are named', (t) => ['--addresses', file(t, 'list', '192.0.2.7\n127.0.0.1\n198.51.100.9\n')], 78, /192\.0\.2\.7.*198\.51\.100\.9/],
    ['a row of missing ones', () => ['--min-client-addr', '203.0.113.1'], 78, /203\.0\.113\.1 to 203\.0\.113\.5/],
    ['no such interface', () => ['--interfaces', 'nosuch*'], 78, /no interface fits 'nosuch\*'.*\blo\b/],
    ['the other family', () => ['--min-client-addr', '::1'], 64, /--min-client-addr is '::1', which is IPv6/],
    ['no address', () => ['--min-client-addr', 'here'], 64, /--min-client-addr is 'here'/],
    ['no CIDR', () => ['--cidr', '10.0.0.0/33'], 64, /--cidr is '10\.0\.0\.0\/33'/],
    ['an empty list', (t) => ['--addresses', file(t, 'list', '#\n')], 64, /list has no addresses/],
    ['no list', () => ['--addresses', '/nowhere/list'], 66, /\/nowhere\/list/],
    ['two ways', () => ['--cidr', '127.0.0.0/30', '--interfaces', 'lo'], 64, /--cidr and --interfaces can't go together/],
    ['a limit without its unit', () => ['--max-jitter', '30'], 64, /--max-jitter is '30', but must be a time with its unit, like 30ms/],
    ['a buffer without its unit', () => ['--jitter-buffer', '60'], 64, /--jitter-buffer is '60', but must be a time with its unit, like 60ms/],
    ['a report that can\'t be written', () => ['--report', '/nowhere/a.html'], 74, /\/nowhere/],
    ['a result that can\'t be written', () => ['--output-file', '/nowhere/a.json'], 74, /\/nowhere/],
    ['a number of nothing', () => ['--client-addrs', '4'], 64, /--client-addrs needs --min-client-addr/],
  ];
  for (const [name, args, code, line] of missing) {
    test(`refused before the start: ${name}`, async (t) => {
      const result = await udp(['client', '--host', server.host, '--clients', '5', ...args(t)]);
      assert.deepEqual({ code: result.code, stdout: result.stdout }, { code, stdout: '' });
      assert.match(errorLine(result), line);
    });
  }
});

// --- Ends ---

describe('ends', { concurrency: 4 }, () => {
  test('an interrupted client shows what was measured', async (t) => {
    const running = start(t, ['client', '--host', server.host, '--clients', '5', '--seconds', '60', '--output', 'json', ...BRIEF]);
    await running.wait(/second 0:/);
    const { code, stdout } = await running.stop();
    assert.equal(code, 130);
    const report = JSON.parse(stdout);
    assert.equal(report.ended, 'interrupted');
    assert.ok(report.totals.received > 0);
    assertHas(report.totals, { received: report.totals.sent, lost: 0 });
  });

  test('a stopped server reports the open test and ends well; its client says what it sent', async (t) => {
    const own = await serverFor(t, ['--output', 'json']);
    const running = start(t, ['client', '--host', own.host, '--clients', '5', '--seconds', '2', '--output', 'json', ...BRIEF]);
    await running.wait(/second 0:/);
    const stopped = await own.stop();
    assert.equal(stopped.code, 0);
    const report = JSON.parse(stopped.stdout);
    assertHas(report, { kind: 'server', ended: 'the server was stopped' });
    assert.ok(report.totals.received > 0);
    const left = await running.ended;
    assert.equal(left.code, 69);
    assertHas(JSON.parse(left.stdout), { has_receiver: false });
    assert.match(left.stderr, /no report came from the server/);
  });

  test('--once: the server ends with the first test, and its report is the client\'s', async (t) => {
    const own = await serverFor(t, ['--once', '--output', 'json']);
    const { report } = await client(own.host, ['--clients', '7', '--packets', '20', '--min-client-addr', '127.6.0.1', ...BRIEF]);
    const { code, stdout } = await own.ended;
    assert.equal(code, 0);
    const theirs = JSON.parse(stdout);
    assert.equal(theirs.kind, 'server');
    for (const name of ['sent', 'received', 'lost', 'duplicated', 'reordered', 'late']) {
      assert.equal(theirs.totals[name], report.totals[name], name);
    }
    assert.deepEqual(theirs.clients.map(({ seen_as: seen }) => seen), report.clients.map(({ seen_as: seen }) => seen));
    assert.deepEqual(theirs.histograms.delay, report.histograms.delay);
    assertHas(theirs.settings, { clients: 7, bps: 68_000, packet_size: 160 });
  });

  test('a server\'s JSON is one line a test', async (t) => {
    const own = await serverFor(t, ['--output', 'json']);
    for (const packets of ['5', '6']) await client(own.host, ['--packets', packets, ...BRIEF]);
    await own.wait(/\n.*\n/, 'stdout');
    const { code, stdout } = await own.stop('SIGTERM');
    assert.equal(code, 0);
    const lines = stdout.trimEnd().split('\n');
    assert.deepEqual(lines.map((line) => JSON.parse(line).totals.received), [5, 6]);
  });

  test('a server\'s own report in words', async (t) => {
    const own = await serverFor(t, ['--once']);
    await client(own.host, ['--clients', '3', '--packets', '20', ...BRIEF]);
    assert.match((await own.ended).stdout, /^3 callers, .*\n2\d{3}-\d\d-\d\d [\d:]{8} UTC, heard from 127\.0\.0\.1\n\n(.*\n)*to the server +60 +60 /);
  });

  test('--quiet leaves standard error empty, of both', async (t) => {
    const port = String(await closedPort());
    const own = start(t, ['server', '--port', port, '--once', '--quiet']);
    let result;
    for (let i = 0; i < 100 && result?.code !== 0; i += 1) {
      result = await udp(['client', '--port', port, '--clients', '3', '--quiet', ...SHORT]);
    }
    assert.deepEqual({ code: result.code, stderr: result.stderr }, { code: 0, stderr: '' });
    assertHas(await own.ended, { code: 0, stderr: '' });
  });

  test('no server: an error that names the place, and no report', async () => {
    const port = await closedPort();
    const result = await udp(['client', '--host', `127.0.0.1:${port}`]);
    assert.deepEqual({ code: result.code, stdout: result.stdout }, { code: 69, stdout: '' });
    assert.match(errorLine(result), new RegExp(`127\\.0\\.0\\.1:?.*${port}`));
  });

  test('a port in use is named', async () => {
    const result = await udp(['server', '--port', server.port]);
    assert.equal(result.code, 69);
    assert.match(errorLine(result), new RegExp(`port ${server.port}: Address already in use`));
  });

  test('--allow keeps others out', async (t) => {
    const own = await serverFor(t, ['--allow', '203.0.113.0/24']);
    const result = await udp(['client', '--host', own.host, ...SHORT]);
    assert.ok([69, 77].includes(result.code), result.stderr);
    errorLine(result);
  });

  test('demo: callers and server on this machine', async (t) => {
    const { code, stdout, stderr } = await udp(['demo', '--clients', '20', '--output', 'json', ...SHORT]);
    assert.equal(code, 0, stderr);
    const { totals, clients } = JSON.parse(stdout);
    assertHas(totals, { received: 20 * 54, lost: 0 });
    assert.equal(clients.at(-1).address, '127.1.0.20');
    t.diagnostic(`${totals.lateness_ms.p99} ms late`);
  });
});
