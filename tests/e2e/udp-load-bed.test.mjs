// udp-load over a network whose faults are known (udp_bed.mjs): the counts are the truth, in quiet and in trouble.
// Periods of faults are coprime to the number of callers, as a round robin would else harm the same callers again.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { binary } from './support.mjs';
import {
  assertTrue, bedFor, CALLERS, CALLERS6, CLIENTS, countsOf, from, measure, missing, SERVER, SERVER6, SHORT, truthOf,
} from './udp_bed.mjs';

const skip = missing();

// --- Counts ---

const FAULTS = [
  ['nothing happens', {}],
  ['loss', { drop: 97 }],
  ['duplicates', { duplicate: 89 }],
  ['reordering', { reorder: 83 }],
  ['reordering over several packets', { reorder: 83, hold: 3, hold_ms: 150 }],
  ['all together', { drop: 97, duplicate: 89, reorder: 83, delay_us: 20_000, jitter_us: 3_000 }],
  ['jitter that reorders', { delay_us: 40_000, jitter_us: 25_000 }],
  ['one caller loses every second packet', { flow: '10.77.0.7', flow_drop: 2 }],
];
const counts = () => describe('counts are the truth', { skip, concurrency: 3 }, () => {
  for (const [name, out] of FAULTS) {
    test(name, async (t) => {
      const result = await measure(t, { faults: { out } });
      for (const fault of ['drop', 'duplicate', 'reorder']) {
        const counter = { drop: 'dropped', duplicate: 'duplicated', reorder: 'reordered' }[fault];
        if (out[fault]) assert.ok(result.truth.out[counter] > 10, `the relay did not ${fault}`);
      }
      assertTrue(result);
    });
  }

  test('all together over IPv6', async (t) => {
    const out = { drop: 97, duplicate: 89, reorder: 83 };
    assertTrue(await measure(t, { faults: { out }, first: CALLERS6, host: `[${SERVER6}]` }));
  });

  test('both ways in echo mode, each by itself', async (t) => {
    const faults = { out: { drop: 97 }, back: { drop: 71, duplicate: 89, reorder: 83 } };
    const result = await measure(t, { faults, args: ['--echo'], serverArgs: ['--server-respond'] });
    assertTrue(result);
    const { back } = result.client.report.totals;
    assert.deepEqual({ sent: back.sent, received: back.received, ...countsOf(back) },
      { sent: result.truth.back.seen, received: result.truth.back.forwarded, ...truthOf(result.truth.back) });
  });

  test('the server prints the same', async (t) => {
    const { client, server } = await measure(t, { faults: { out: { drop: 97, reorder: 83 } } });
    const { code, stdout } = await server.ended;
    assert.equal(code, 0);
    assert.deepEqual(countsOf(JSON.parse(stdout).totals), countsOf(client.report.totals));
  });

  test('the worst caller stands first among the worst in the text', async (t) => {
    const bed = await bedFor(t, { out: { flow: '10.77.0.9', flow_drop: 3 } });
    await bed.startServer();
    const args = ['udp-load', 'client', '--host', SERVER, ...from(CALLERS, CLIENTS), ...SHORT];
    const { stdout } = await bed.client.run(binary, args);
    const first = stdout.split('\n').find((line) => /\b10\.77\.0\.\d+\b/.test(line));
    assert.match(first ?? stdout, /\b10\.77\.0\.9\b/);
  });

  test('a limit that is broken by the network gives 1', async (t) => {
    const { client } = await measure(t, { faults: { out: { drop: 31 } }, args: ['--max-loss', '1%'] });
    assert.equal(client.code, 1, client.stderr);
  });
});

// --- What happens on the way ---

const troubles = () => describe('faults in the middle of a run', { skip, concurrency: 3 }, () => {
  test('the control connection is cut: the report comes all the same', async (t) => {
    const result = await measure(t, {
      faults: { out: { drop: 97 } }, onStart: async ({ wire }) => { await sleep(1200); wire.say('cut'); },
    });
    assertTrue(result);
  });

  test('the control connection falls silent: 69, and the server has its own report', async (t) => {
    const started = Date.now();
    const { client, server, truth } = await measure(t, {
      time: ['--seconds', '6', '--max-late', '2s'], onStart: async ({ wire }) => { await sleep(1200); wire.say('block'); },
    });
    assert.equal(client.code, 69, client.stderr);
    assert.equal(client.report.totals.sent, truth.out.seen);
    const { stdout } = await server.ended;
    assert.equal(JSON.parse(stdout).totals.received, truth.out.forwarded);
    assert.ok(Date.now() - started < 40_000, 'somebody hung');
  });

  test('the client is killed: the server reports what came', async (t) => {
    const bed = await bedFor(t);
    const server = await bed.startServer();
    const child = bed.client.spawn(binary, ['udp-load', 'client', '--host', SERVER, ...from(CALLERS, CLIENTS), '--seconds', '30'], { env: {} });
    await sleep(1500);
    child.kill('SIGKILL');
    const { stdout } = await server.ended;
    const report = JSON.parse(stdout);
    assert.equal(report.totals.received, (await bed.truth()).out.forwarded);
    assert.match(report.ended, /vanished/);
  });

  test('addresses vanish: the others go on, the errors are told, the run is invalid', async (t) => {
    const { client, truth } = await measure(t, {
      clients: 20,
      onStart: async (bed) => { await sleep(1200); bed.client.ip('route del local 10.77.0.0/16 dev lo'); }, // 10.77.0.1 stays
    });
    const { report } = client;
    assert.equal(client.code, 1, client.stderr);
    assert.equal(report.totals.sent, truth.out.seen);
    assert.equal(report.totals.lost, 0);
    assert.ok(report.totals.send_errors > 100, `${report.totals.send_errors}`);
    const [first, ...others] = report.clients;
    assert.equal(first.send_errors, 0);
    for (const caller of others) assert.ok(caller.send_errors > 0 && caller.sent + caller.send_errors === first.sent, caller.address);
  });

  test('the interface goes down for a while: what was refused is not called lost', async (t) => {
    const { client, truth } = await measure(t, {
      onStart: async (bed) => {
        await sleep(1000);
        bed.client.exec('sh', ['-c', `ip link set ob0 down; sleep 0.4; ip link set ob0 up; ip route add ${SERVER} dev ob0`]);
      },
    });
    assert.equal(client.code, 1, client.stderr);
    const { sent, lost, send_errors: errors } = client.report.totals;
    assert.equal(lost, sent - truth.out.seen); // what lay in the interface's queue when it went down
    assert.ok(errors > 0 && lost < errors, `${lost} lost, ${errors} refused`);
  });

  test('the sender’s own queue is full (ENOBUFS): counted as the sender’s errors', { skip: skip || missing('tc') }, async (t) => {
    const bed = await bedFor(t);
    try {
      bed.client.exec('tc', 'qdisc add dev ob0 root tbf rate 3mbit burst 3000 limit 9000'.split(' '));
    } catch {
      t.skip('no tbf in this kernel');
      return;
    }
    await bed.startServer();
    const { report, code } = await bed.load([...from(CALLERS, CLIENTS), ...SHORT]);
    const { out } = await bed.truth();
    assert.equal(code, 1);
    assert.ok(report.totals.send_errors > 0);
    assert.deepEqual({ sent: report.totals.sent, lost: report.totals.lost }, { sent: out.seen, lost: 0 });
    assert.match(report.verdict.sentences.join(' '), /sender|this machine/i);
  });
});

// --- Packets on the wire ---

const packets = () => describe('packets', { skip }, () => {
  test('--dscp is seen on the wire', async (t) => {
    const { truth } = await measure(t, { args: ['--dscp', '46'], clients: 5 });
    assert.deepEqual(truth.out.flows.map(({ tos }) => tos), Array(5).fill(46 << 2));
  });

  test('--dscp over IPv6', async (t) => {
    const { truth } = await measure(t, { args: ['--dscp', '46'], clients: 5, first: CALLERS6, host: `[${SERVER6}]` });
    assert.deepEqual(truth.out.flows.map(({ tos }) => tos), Array(5).fill(46 << 2));
  });

  test('packets over the MTU: 78 and the size that fits; with --fragment they go', async (t) => {
    const bed = await bedFor(t, { mtu: 1000 });
    const server = await bed.startServer();
    const args = ['udp-load', 'client', '--host', SERVER, ...from(CALLERS, 5), ...SHORT, '--packet-size'];
    const { report, code, stderr } = await bed.load([...from(CALLERS, 5), ...SHORT, '--packet-size', '973', '--fragment']);
    assert.equal(code, 0, stderr);
    assert.deepEqual({ lost: report.totals.lost, received: report.totals.received }, { lost: 0, received: report.totals.sent });
    await server.ended;
    await bed.startServer();
    const refused = await bed.client.run(binary, [...args, '973']);
    assert.equal(refused.code, 78, refused.stderr);
    assert.match(refused.stderr, /\b972\b/);
  });
});

// --- Tunnels ---

const TUNNELS = 7;

// Each flow went through the tunnel whose address it has.
function assertRightTunnels(bed, { out }, clients) {
  const tunnelOf = new Map(Array.from({ length: TUNNELS }, (_, i) => [bed.tunnelAddress(i), i]));
  assert.equal(out.flows.length, clients);
  for (const flow of out.flows) assert.equal(flow.tunnel, tunnelOf.get(flow.address), flow.address);
  assert.equal(new Set(out.flows.map(({ tunnel }) => tunnel)).size, TUNNELS);
}

const tunnels = () => describe('tunnels', { skip }, () => {
  test('--interfaces sends each caller through its tunnel, without routes', async (t) => {
    const bed = await bedFor(t, { tunnels: TUNNELS });
    await bed.startServer();
    const { report, code, stderr } = await bed.load(['--interfaces', 'ob*', '--clients', '14', ...SHORT]);
    assert.equal(code, 0, stderr);
    const truth = await bed.truth();
    assertRightTunnels(bed, truth, 14);
    assert.deepEqual({ lost: report.totals.lost, sent: report.totals.sent }, { lost: 0, sent: truth.out.seen });
  });

  test('callers that share sockets go through their tunnels as well', async (t) => {
    const bed = await bedFor(t, { tunnels: TUNNELS });
    await bed.startServer();
    const { report, code, stderr } = await bed.load(['--interfaces', 'ob*', '--clients', '14', ...SHORT], { files: 20 });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /14 callers share 2 sockets/);
    assertRightTunnels(bed, await bed.truth(), 14);
    assert.equal(report.totals.lost, 0);
  });

  test('udp-load routes | sh does so by policy, and removes it again', async (t) => {
    const bed = await bedFor(t, { tunnels: TUNNELS });
    await bed.startServer();
    const shell = (...args) => bed.client.exec('sh', ['-ec', `"$0" udp-load routes --interfaces 'ob*' --server ${SERVER} "$@" | sh -e`, binary, ...args]);
    const state = () => bed.client.ip('rule show') + bed.client.ip('route show table all');
    const before = state();
    shell();
    assert.equal(bed.client.ip('rule show').match(/\bfrom 10\.88\./g)?.length, TUNNELS);
    const addresses = Array.from({ length: TUNNELS }, (_, i) => `${bed.tunnelAddress(i)}\n`).join('');
    const { report, code, stderr } = await bed.load(['--addresses', '-', '--clients', '14', ...SHORT], { stdin: addresses });
    assert.equal(code, 0, stderr);
    assertRightTunnels(bed, await bed.truth(), 14);
    assert.equal(report.totals.lost, 0);
    shell('--remove');
    assert.equal(state(), before);
  });
});

// At the same time, as most of it is waiting.
describe('udp-load over a network of known faults', { skip, concurrency: 4 }, () => {
  counts();
  troubles();
  packets();
  tunnels();
});
