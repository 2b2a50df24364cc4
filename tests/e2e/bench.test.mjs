// The benchmarks' own words: what they judge, and that one that fails does not end the others.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { judge, markdownTable, summary, table } from '../bench/figures.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const time = { command: 'c', what: 'time', value: 2, unit: 'ms', peer: 'curl', peer_value: 8 };

test('a ratio or a value is judged, exactly at the target too, in the direction that is better', () => {
  const cases = [
    [{ target: { ratio: 0.25 } }, true],
    [{ target: { ratio: 0.24 } }, false],
    [{ target: { ratio: 0.25 }, better: 'more' }, true],
    [{ target: { ratio: 0.26 }, better: 'more' }, false],
    [{ target: { value: 2 } }, true],
    [{ target: { value: 1.999 } }, false],
    [{ target: { value: 2.001 }, better: 'more' }, false],
    [{ value: Infinity, target: { value: 1 } }, false],
    [{ value: 0, target: { value: 0 } }, true],
    [{}, undefined],
    [{ target: { ratio: 0.25 }, left_out: 'no root' }, undefined],
  ];
  for (const [more, held] of cases) assert.equal(judge({ ...time, ...more }).held, held, JSON.stringify(more));
});

test('a figure that is no number is a fault of the benchmark, not a kept target', () => {
  assert.throws(() => judge({ ...time, value: NaN, target: { value: 1 } }), /no verdict on "time"/);
  assert.throws(() => judge({ ...time, peer_value: undefined, target: { ratio: 1 } }), /no verdict on "time"/);
  assert.throws(() => judge({ ...time, target: {} }), /no verdict on "time"/);
});

test('missed targets and those that were not judged are named', () => {
  const rows = [
    judge({ ...time, target: { ratio: 0.8 } }),
    judge({ ...time, what: 'memory', unit: 'MiB', target: { value: 1 } }),
    judge({ command: 'd', what: 'rules', target: { ratio: 1.1 }, left_out: 'no root' }),
    judge({ ...time, what: 'aside' }),
  ];
  assert.equal(summary(rows), '1 of 3 targets missed: c (memory); 1 not judged: d (rules)');
  assert.equal(summary(rows.slice(0, 1)), 'none of 1 targets missed');
  const lines = table(rows).split('\n');
  assert.match(lines[1], /^c +time +2 ms +8 ms \(curl\) +0\.25 x +at most 0\.8 x +held$/);
  assert.match(lines[2], /at most 1 MiB +MISSED$/);
  assert.match(lines[3], /^d +rules +left out: no root +at most 1\.1 x +not judged$/);
  assert.match(markdownTable(rows).split('\n')[3], /^\| c \| memory \| 2 MiB \| 8 MiB \(curl\) \| 0\.25 x \| at most 1 MiB \| \*\*missed\*\* \|$/);
});

function run(...names) {
  const env = { ...process.env, SHORT: '1' };
  delete env.IMAGE;
  return spawnSync(process.execPath, [join(root, 'tests/bench/all.mjs'), ...names], { env, encoding: 'utf8' });
}

test('one that fails is named, and the others run', () => {
  const { status, stdout, stderr } = run('image', 'binary');
  assert.equal(status, 1, stderr);
  assert.match(stdout, /^opsbelt +start to end of --version +[\d.]+ ms +[\d.]+ ms \(curl\) +[\d.]+ x$/m);
  assert.match(stdout, /\nFAILED: image; see above\n$/);
  assert.match(stderr, /no image: \.\/dev bench builds one/);
});

test('a name that is none is refused, and a run of some writes nothing', () => {
  const path = join(root, 'docs/BENCHMARKS.md');
  const before = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  assert.deepEqual([run('binray').status, run('binary').status], [64, 0]);
  assert.equal(existsSync(path) ? readFileSync(path, 'utf8') : undefined, before);
});
