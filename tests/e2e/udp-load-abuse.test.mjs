// What strangers send to a udp-load server: it answers no datagram that is not of an open test, holds no more than its
// limits say, and goes on serving.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { assertServes, control, datagrams, hello, openSession, packet, runClient, startServer, until } from './udp_faults.mjs';

const SETTLED_MS = 300;

describe('datagrams of no test', () => {
  for (const args of [[], ['--server-respond']]) {
    test(`are counted apart and never answered (${args.join('') || 'plain'})`, async (t) => {
      const server = await startServer(t, args);
      const { cookie, connection } = await openSession(t, server.port, { echo: true, seconds: 30 });
      connection.write({ begin_ns: 1 });
      const stranger = await datagrams(t, '127.0.0.9');
      const forged = Buffer.from(cookie);
      forged[7] ^= 1;
      const ofNoSession = [packet(), packet({ cookie: forged }), packet({ cookie, kind: 1 })];
      const malformed = Array.from({ length: 41 }, (_, size) => packet({ cookie, size: 60 }).subarray(0, size)).slice(0, 32);
      malformed.push(packet({ cookie, version: 2 }), packet({ cookie, kind: 2 }), Buffer.alloc(1400, 'x'), Buffer.from('GET / HTTP/1.0\r\n'));
      malformed.push(packet({ cookie, client: 1 }), packet({ cookie, client: 0xffffffff })); // there is only caller 0
      for (const bytes of [...ofNoSession, ...malformed]) await stranger.send(bytes, server.port);
      await sleep(SETTLED_MS);
      assert.deepEqual(stranger.answers, [], 'a reflector');
      connection.write({ end: { packets: [0], errors: [0], seconds: [] } });
      const { totals } = await server.report().then(([report]) => report);
      assert.equal(totals.received, 0);
      assert.equal(totals.other, ofNoSession.length);
      assert.equal(totals.malformed, malformed.length);
      await assertServes(server);
    });
  }

  test('of 32 to 40 bytes with the cookie are packets, and echoes are no longer than they are', async (t) => {
    const server = await startServer(t);
    const { cookie, connection } = await openSession(t, server.port, { echo: true, seconds: 30 });
    connection.write({ begin_ns: 1 });
    connection.write({ ping: 1 });
    await connection.line(2);
    const caller = await datagrams(t);
    for (let i = 0; i < 9; i += 1) await caller.send(packet({ cookie, sequence: i, size: 32 + i }), server.port);
    await until(() => caller.answers.length >= 9, 'the echoes');
    assert.deepEqual(caller.answers.map(({ length }) => length).sort(), [32, 33, 34, 35, 36, 37, 38, 39, 40]);
    await caller.send(packet({ cookie, sequence: 3, size: 33 }), server.port);
    await sleep(SETTLED_MS);
    assert.equal(caller.answers.length, 9, 'a copy is not answered again');
  });

  test('are not answered before the test begins, nor after its end', async (t) => {
    const server = await startServer(t, ['--server-respond']);
    const { cookie, connection } = await openSession(t, server.port);
    const caller = await datagrams(t);
    await caller.send(packet({ cookie }), server.port);
    await sleep(SETTLED_MS); // the server looks at its queue every few milliseconds
    connection.write({ begin_ns: 1 });
    connection.write({ end: { packets: [1], errors: [0], seconds: [1] } });
    await server.report();
    await caller.send(packet({ cookie, sequence: 1 }), server.port);
    await sleep(SETTLED_MS);
    assert.deepEqual(caller.answers, []);
  });

  test('a flood of them beside a test leaves its counts exact', async (t) => {
    const server = await startServer(t);
    const stranger = await datagrams(t);
    let isOver = false;
    const flood = (async () => {
      let sent = 0;
      for (; !isOver; sent += 1) {
        await stranger.send(sent % 2 ? packet() : Buffer.alloc(100), server.port);
        await turn(); // a send alone lets nothing else run
      }
      return sent;
    })();
    const { code, report, stderr } = await runClient(server.port, ['--seconds', '1']);
    isOver = true;
    assert.ok(await flood > 100);
    assert.equal(code, 0, stderr);
    assert.equal(report.totals.received, report.totals.sent);
    assert.ok(report.totals.other > 0 && report.totals.malformed > 0);
    assert.match(report.verdict.sentences.join('\n'), /of no session/);
  });
});

describe('hellos that make no sense', () => {
  const nonsense = [
    { clients: 1e18 }, { clients: 1e300 }, { clients: -1 }, { clients: 0 }, { clients: 1.5 }, { clients: '5' }, { clients: null },
    { clients: 4_294_967_296 }, { clients: 4_000_000_000 }, { clients: [] }, { packet_size: 0 }, { packet_size: 31 }, { packet_size: 65_536 }, { packet_size: -5 },
    { bps: 0 }, { bps: -1 }, { bps: 1e300 }, { bps: 'fast' }, { seconds: 1e300 }, { seconds: -1 }, { seconds: 1e8 },
    { jitter_buffer_ms: -1 }, { jitter_buffer_ms: 1e300 }, { codec: null }, { codec: {} }, { codec: { name: 'x'.repeat(1000), ie: 0, bpl: 0, frame_ms: 0 } },
    { codec: { name: 'g711', ie: -1, bpl: 25, frame_ms: 20 } }, { hello: 2 }, { hello: 'there' },
  ];
  const texts = ['{"hello":1,"clients":NaN}\n', '{"hello":1}\n', '[]\n', '"hello"\n', 'GET / HTTP/1.1\r\n\r\n', '\n', '\0\0\0\n', `{"a":${'['.repeat(3000)}\n`,
    '{"ping":1}\n', '{"begin_ns":5}\n', '{"resume":"0000000000000000"}\n', '{"resume":"x"}\n', '{"end":{}}\n', '{"report":{}}\n'];

  test('are refused with words, and the server serves on', async (t) => {
    const server = await startServer(t);
    for (const words of [...nonsense.map(hello), ...texts]) {
      const connection = await control(t, server.port);
      connection.write(words);
      await connection.closed();
      const [first] = connection.lines();
      assert.ok(first?.error?.length > 10 && first.code > 0, `${JSON.stringify(words).slice(0, 200)}: ${JSON.stringify(first)}`);
    }
    assert.ok(server.memory() < 200, `${server.memory()} MiB`);
    await assertServes(server);
    assert.equal((await server.report()).length, 1, 'none of them was a test');
  });

  test('the largest that is allowed costs bounded memory', async (t) => {
    const server = await startServer(t);
    const connection = await control(t, server.port);
    connection.write(hello({ clients: 100_000, bps: 1e12, seconds: 90_000, packet_size: 32, jitter_buffer_ms: 1e6 }));
    assert.ok((await connection.line()).session);
    assert.ok(server.memory() < 300, `${server.memory()} MiB`);
    const next = await control(t, server.port);
    next.write(hello({ clients: 1_000_000 }));
    assert.match((await next.line()).error, /--max-callers/);
  });
});

describe('abuse of the control channel', { concurrency: true }, () => {
  test('lines without an end are cut off', async (t) => {
    const server = await startServer(t);
    const connection = await control(t, server.port);
    for (let i = 0; i < 200 && !connection.isClosed(); i += 1) {
      connection.write(Buffer.alloc(100_000, 'x'));
      await sleep(5);
    }
    await connection.closed();
    const session = await openSession(t, server.port);
    for (let i = 0; i < 400 && !session.connection.isClosed(); i += 1) {
      session.connection.write(Buffer.alloc(100_000, 'x'));
      await sleep(5);
    }
    await session.connection.closed();
    assert.ok(server.memory() < 200, `${server.memory()} MiB`);
    await assertServes(server);
  });

  test('connections that say nothing, or a letter now and then, keep nobody out for long', async (t) => {
    const server = await startServer(t);
    const idle = [];
    for (let i = 0; i < 70; i += 1) idle.push(await control(t, server.port));
    const drip = setInterval(() => { for (const one of idle) one.write(Buffer.from('{')); }, 500);
    t.after(() => clearInterval(drip));
    await until(() => idle.every((one) => one.isClosed()), 'the end of the idle connections');
    await assertServes(server);
  });

  test('one that asks and never reads is given up', async (t) => {
    const server = await startServer(t);
    const { connection } = await openSession(t, server.port, { seconds: 600 });
    connection.socket.pause();
    const pings = Buffer.from('{"ping":1}\n'.repeat(10_000));
    for (let i = 0; i < 200 && !connection.isClosed(); i += 1) {
      connection.write(pings);
      await sleep(5);
    }
    assert.ok(server.memory() < 300, `${server.memory()} MiB`);
    await assertServes(server);
    connection.socket.destroy();
  });

  test('a session with nonsense in the middle ends, and the server says what came', async (t) => {
    const server = await startServer(t);
    const nonsense = ['rubbish\n', '{"begin_ns":1e300}\n', '{"offset_ns":"x","bound_ns":1}\n', { end: { packets: [1, 2], errors: [0], seconds: [] } },
      { end: { packets: [-1], errors: [0], seconds: [] } }, hello(), { report: {} }];
    for (const words of nonsense) {
      const { connection } = await openSession(t, server.port);
      connection.write(words);
      await connection.closed();
      assert.ok(connection.lines().at(-1).error, JSON.stringify(words));
    }
    for (const words of [{ begin_ns: -(2 ** 52) }, { offset_ns: 2 ** 52, bound_ns: 2 ** 52 }]) { // odd, but numbers
      const { connection } = await openSession(t, server.port);
      connection.write({ begin_ns: 1 });
      connection.write(words);
      connection.write({ end: { packets: [2 ** 52], errors: [2 ** 52], seconds: [] } });
      await connection.line(2);
      connection.socket.destroy();
    }
    await assertServes(server);
    const reports = await server.report(nonsense.length + 3);
    assert.equal(reports.filter(({ ended }) => ended === 'the client vanished').length, nonsense.length);
  });

  test('opening a test and vanishing, 50 times, keeps nobody out for long', async (t) => {
    const server = await startServer(t, ['--max-callers', '20000']);
    let refused = 0;
    for (let i = 0; i < 50; i += 1) {
      const connection = await control(t, server.port);
      connection.write(hello({ clients: 1000 }));
      if ((await connection.line()).error) refused += 1;
      connection.socket.destroy();
    }
    assert.ok(refused >= 30, `${refused} refused: more sessions than --max-sessions`);
    assert.ok(server.memory() < 200, `${server.memory()} MiB`);
    await until(async () => (await runClient(server.port, ['--packets', '5'])).code === 0, 'a test that is served');
    assert.ok(server.isAlive());
    assert.ok(server.reports().every(({ ended }) => ended === undefined || ended === 'the client vanished'));
  });
});
