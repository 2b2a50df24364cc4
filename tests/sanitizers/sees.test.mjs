// That the sanitizers see, also where a program starts with an empty environment and nobody shows its standard error:
// each fault ends it with an exit code that no test expects, and is a file among the reports.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { folder, root, run } from '../e2e/support.mjs';

const FLAGS = { asan: '-fsanitize=address,undefined', tsan: '-fsanitize=thread' };
const FAULTS = [
  ['asan', 'leak', /detected memory leaks/], ['asan', 'overrun', /heap-buffer-overflow/], ['asan', 'overflow', /wrong\.cpp:\d+:\d+: signed-integer-overflow/],
  ['tsan', 'race', /data race/],
];

// The program, with its reports in a folder of its own.
async function build(t, preset) {
  const reports = folder(t);
  const program = join(folder(t), 'wrong');
  const sources = ['wrong.cpp', 'options.cpp'].map((name) => join(root, 'tests/sanitizers', name));
  const { code, stderr } = await run(['-std=c++20', '-O1', '-fno-sanitize-recover=all', FLAGS[preset], `-DREPORTS="${reports}"`,
    `-DSUPPRESSIONS="${join(root, 'tests/tsan.supp')}"`, ...sources, '-o', program], { program: 'g++', env: { PATH: process.env.PATH } });
  assert.equal(code, 0, stderr);
  return { program, reports };
}

for (const [preset, fault, expected] of FAULTS) {
  test(`${preset} sees ${fault}`, { skip: process.env.SANITIZED && process.env.SANITIZED !== preset }, async (t) => {
    const { program, reports } = await build(t, preset);
    assert.equal((await run(['nothing'], { program })).code, 0);
    assert.deepEqual(readdirSync(reports), []);
    assert.equal((await run([fault], { program })).code, 99);
    assert.match(readdirSync(reports).map((name) => readFileSync(join(reports, name), 'utf8')).join(''), expected);
  });
}
