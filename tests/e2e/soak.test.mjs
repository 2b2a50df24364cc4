// The soak's rule: what grows is caught, what only goes up and down is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../soak/verdict.mjs';

const MIB = 1024 * 1024;
const flat = (i) => ({ at_s: i * 5, memory_bytes: 20 * MIB, descriptors: 30, threads: 8, handled: i * 100 });
const samples = (change = () => ({}), count = 200) => Array.from({ length: count }, (_, i) => ({ ...flat(i), ...change(i) }));

const CASES = [
  ['what stays', () => ({}), []],
  ['a warm-up', (i) => ({ memory_bytes: (i < 40 ? 5 : 20) * MIB, threads: i < 40 ? 2 : 8 }), []],
  ['up and down', (i) => ({ memory_bytes: (20 + (i % 7)) * MIB, descriptors: 30 + (i % 25) }), []],
  ['one peak at the end', (i) => ({ memory_bytes: (i > 190 ? 90 : 20) * MIB }), []],
  ['16 KiB a sample', (i) => ({ memory_bytes: 20 * MIB + i * 16_384 }), [/memory_bytes grew/]],
  ['a descriptor every 10 samples', (i) => ({ descriptors: 30 + Math.floor(i / 10) }), [/descriptors grew from 37 to 47/]],
  ['a thread every 50 samples', (i) => ({ threads: 8 + Math.floor(i / 50) }), [/threads grew from 9 to 11/]],
  ['nothing is handled', () => ({ handled: 0 }), [/handled nothing/]],
];
for (const [name, change, expected] of CASES) {
  test(`${name}: ${expected.length === 0 ? 'no growth' : expected[0].source}`, () => {
    const { problems } = judge(samples(change));
    assert.equal(problems.length, expected.length, problems.join('; '));
    expected.forEach((pattern, i) => assert.match(problems[i], pattern));
  });
}

test('what a process is made to remember is allowed, and no more', () => {
  const grows = (bytes_each) => samples((i) => ({ memory_bytes: 20 * MIB + i * 100 * bytes_each }));
  assert.deepEqual(judge(grows(160), { remembers_bytes: 160 }).problems, []);
  assert.equal(judge(grows(400), { remembers_bytes: 160 }).problems.length, 1);
});

test('a process that was hardly seen is no proof', () => {
  assert.match(judge(samples(undefined, 10)).problems[0], /seen 10 times only/);
});

test('the slope is that of the line, for each minute', () => {
  const { rows } = judge(samples((i) => ({ descriptors: i })));
  assert.equal(Math.round(rows.find(({ quantity }) => quantity === 'descriptors').per_minute * 100) / 100, 12);
});
