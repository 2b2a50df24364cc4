// udp-load over a network whose delays are known (udp_bed.mjs): its times are the truth, within what it says of itself.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertTrue, measure, missing } from './udp_bed.mjs';

const skip = missing();

// Once more while the sender itself was late; undefined and a skip when it always was.
async function measureQuietly(t, options) {
  for (let i = 0; i < 3; i += 1) {
    const result = await measure(t, options);
    if (result.client.report.totals.lateness_ms.p99 < 2) return result;
  }
  return void t.skip('this machine is too busy to send on time');
}

// Delays count from the intended time of sending, the relay's from when the packet came to it.
function assertDelay({ delay_ms: delay, lateness_ms: lateness }, truth) {
  const real = truth.out.delay_us.mean / 1000;
  const told = delay.mean - lateness.mean;
  assert.ok(Math.abs(told - real) <= delay.bound + 2, `told ${told}, bound ${delay.bound}, in truth ${real}`);
}

describe('times are the truth', { skip, concurrency: 2 }, () => {
  test('a delay of 50 ms, within the bound', async (t) => {
    const faults = { out: { delay_us: 50_000 }, back: { delay_us: 50_000 } };
    const { client, truth } = await measure(t, { faults });
    assertTrue({ client, truth });
    const { delay_ms: delay } = client.report.totals;
    assertDelay(client.report.totals, truth);
    assert.ok(delay.bound > 0 && delay.bound < 55, `the bound is ${delay.bound}: half of the round trip`);
    assert.ok(delay.p50 <= delay.p95 && delay.p95 <= delay.p99 && delay.p99 <= delay.max);
  });

  test('unequal ways: wrong by no more than the bound', async (t) => {
    const { client, truth } = await measure(t, { faults: { out: { delay_us: 40_000 } } });
    assertDelay(client.report.totals, truth);
  });

  test('the round trip in echo mode', async (t) => {
    const faults = { out: { delay_us: 20_000 }, back: { delay_us: 30_000 } };
    const { client } = await measure(t, { faults, args: ['--echo'], serverArgs: ['--server-respond'] });
    const { p50 } = client.report.totals.rtt_ms;
    assert.ok(p50 >= 49 && p50 < 80, `p50 ${p50}`); // the server looks once a millisecond
  });

  // The mean of |a - b| for two uniform times out of a span of 20 ms is 20/3.
  test('uniform jitter of 10 ms is an RFC 3550 jitter of 6.67 ms', async (t) => {
    const out = { delay_us: 30_000, jitter_us: 10_000 };
    const result = await measureQuietly(t, { faults: { out }, args: ['--seconds', '4'] });
    if (!result) return;
    const { p50 } = result.client.report.totals.jitter_ms;
    assert.ok(Math.abs(p50 - 6.67) < 0.9, `${p50}`);
  });

  test('without faults the tool’s own delay and jitter are small', async (t) => {
    const result = await measureQuietly(t);
    if (!result) return;
    const { delay_ms: delay, jitter_ms: jitter } = result.client.report.totals;
    assert.ok(delay.p50 < 5 && jitter.p50 < 2, `delay ${delay.p50}, jitter ${jitter.p50}`);
  });
});
