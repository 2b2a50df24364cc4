// What goes wrong in the middle of a udp-load test: nobody hangs, and what is known is told.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertServes, runClient, startProxy, startServer } from './udp_faults.mjs';

const SECONDS = ['--seconds', '3'];

// Runs a client and does something to its process or its server in the middle of it.
async function disturbed(port, args, disturb) {
  let disturbing;
  const result = await runClient(port, args, {
    onStart: (child) => { disturbing = sleep(1500).then(() => disturb(child)); },
  });
  await disturbing;
  return result;
}

function assertNoReport({ code, stderr, report }, why) {
  assert.equal(code, 69);
  assert.match(stderr, /no report came from the server/);
  assert.match(stderr, why);
  assert.equal(report.has_receiver, false);
  assert.equal(report.totals.planned, 10 * 160);
  assert.equal(report.totals.sent, report.totals.planned, 'it went on sending, and knows how much');
  assert.equal('received' in report.totals, false, 'nothing is claimed of what arrived');
}

describe('a fault in the middle', { concurrency: true }, () => {
  test('the server is killed: the client ends by itself and shows what it sent', async (t) => {
    const server = await startServer(t);
    const result = await disturbed(server.port, SECONDS, () => server.kill('SIGKILL'));
    assertNoReport(result, /the control connection broke \d+ s after the beginning/);
  });

  test('the server is stopped: its own report comes first, the client ends', async (t) => {
    const server = await startServer(t);
    const result = await disturbed(server.port, SECONDS, () => server.kill('SIGTERM'));
    assertNoReport(result, /the control connection broke/);
    const [report] = server.reports();
    assert.equal(report.ended, 'the server was stopped');
    assert.ok(report.totals.received > 0 && report.totals.received < 1600, String(report.totals.received));
  });

  test('the server is restarted: the client says that it knows the test no more', async (t) => {
    const server = await startServer(t);
    let again;
    const result = await disturbed(server.port, SECONDS, async () => {
      await server.kill('SIGKILL');
      again = await startServer(t, [], { port: server.port });
    });
    assertNoReport(result, /it was restarted/);
    await assertServes(again);
    const [report] = await again.report();
    assert.ok(report.totals.other >= 0);
    assert.equal(report.totals.received, 50);
  });

  test('the control connection is cut: the client comes back and its report is complete', async (t) => {
    const server = await startServer(t);
    const proxy = await startProxy(t, server);
    const { code, stderr, report } = await disturbed(proxy.port, ['--seconds', '4', '--clients', '4'], () => {
      proxy.cut();
      proxy.again();
    });
    assert.equal(code, 0, stderr);
    assert.ok(proxy.connections() >= 2);
    assert.equal(report.totals.sent, 4 * 213);
    assert.equal(report.totals.received, report.totals.sent);
    assert.equal(report.ended, undefined);
    const [ofServer] = await server.report();
    assert.equal(ofServer.totals.received, report.totals.sent);
    assert.equal(ofServer.ended, undefined, 'the server knows that it came back');
  });

  test('the control connection is cut for good: no hang, and the server keeps its own report', async (t) => {
    const server = await startServer(t);
    const proxy = await startProxy(t, server);
    const { code, stderr, report } = await disturbed(proxy.port, ['--seconds', '3', '--clients', '4'], () => proxy.cut());
    assert.equal(code, 69);
    assert.match(stderr, /no report came from the server: the control connection broke/);
    assert.equal(report.has_receiver, false);
    const [ofServer] = await server.report();
    assert.equal(ofServer.ended, 'the client vanished');
    assert.equal(ofServer.totals.received, report.totals.sent, 'the test went on without it');
  });

  test('the client is killed: the server tells what it received and serves on', async (t) => {
    const server = await startServer(t);
    const { signal } = await disturbed(server.port, ['--seconds', '30'], (child) => child.kill('SIGKILL'));
    assert.equal(signal, 'SIGKILL');
    const [report] = await server.report();
    assert.equal(report.ended, 'the client vanished');
    assert.ok(report.totals.received > 0);
    assert.equal(report.totals.lost, 0);
    await assertServes(server);
  });

  test('the client is interrupted: both show the part that ran', async (t) => {
    const server = await startServer(t);
    const { code, report } = await disturbed(server.port, ['--seconds', '30'], (child) => child.kill('SIGINT'));
    assert.equal(code, 130);
    assert.equal(report.ended, 'interrupted');
    assert.equal(report.totals.received, report.totals.sent);
    const [ofServer] = await server.report();
    assert.equal(ofServer.totals.received, report.totals.sent);
  });
});

test('a server that does not keep up loses packets in its own queue, and is said to', async (t) => {
  const server = await startServer(t, ['--receive-buffer', '8192']);
  const { code, report } = await disturbed(server.port, ['--seconds', '3', '--clients', '50', '--max-loss', '1%'], async () => {
    server.child.kill('SIGSTOP');
    await sleep(700);
    server.child.kill('SIGCONT');
  });
  assert.equal(code, 1);
  assert.ok(report.totals.lost > 100, String(report.totals.lost));
  assert.equal(report.verdict.by_receiver, report.totals.lost);
  assert.equal(report.verdict.by_network, 0);
  const words = report.verdict.sentences.join('\n');
  assert.match(words, /lost in the server's own queue, not in the network/);
  assert.match(words, /--receive-buffer/);
  const [ofServer] = await server.report();
  assert.equal(ofServer.totals.lost, report.totals.lost);
  assert.equal(ofServer.verdict.by_receiver, report.totals.lost);
});

test('a sender that does not keep up calls its own run invalid, and says what to change', async (t) => {
  const server = await startServer(t);
  const { code, stderr, report } = await disturbed(server.port, ['--seconds', '3', '--max-late', '50ms'], async (child) => {
    child.kill('SIGSTOP');
    await sleep(800);
    child.kill('SIGCONT');
  });
  assert.equal(code, 1, stderr);
  assert.equal(report.verdict.valid, false);
  assert.match(report.verdict.sentences.join('\n'), /The sender was late: .*Use fewer callers/s);
  assert.equal(report.totals.received, report.totals.sent);
});

test('a sender that stood still too long says how much it never sent', async (t) => {
  const server = await startServer(t);
  const { code, report } = await disturbed(server.port, ['--seconds', '2'], async (child) => {
    child.kill('SIGSTOP');
    await sleep(2500);
    child.kill('SIGCONT');
  });
  assert.equal(code, 1);
  assert.equal(report.verdict.valid, false);
  assert.ok(report.totals.sent < report.totals.planned);
  assert.equal(report.totals.received, report.totals.sent);
  assert.match(report.verdict.sentences.join('\n'), /The sender could not send all: .*Use fewer callers/s);
});
