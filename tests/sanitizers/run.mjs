// Runs the unit tests and end-to-end tests of a sanitizer's build:
//
//   node tests/sanitizers/run.mjs asan|tsan [--unit] [--all] [--only FILE…]
//
// Every report of a sanitizer is a file in build/PRESET/reports (options.cpp): each is printed at the end, and any is a
// failure, whatever the tests say. selection.mjs has which tests run. Exit code 1 when a test failed or a report is there.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LEFT_OUT, NEVER, SELECTED } from './selection.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const e2e = join(root, 'tests/e2e');
const LONGEST_REPORT = 12_000;
const MOST_REPORTS = 20;

const { values, positionals: [preset] } = parseArgs({ allowPositionals: true, options: { unit: { type: 'boolean' }, all: { type: 'boolean' }, only: { type: 'string', multiple: true } } });
if (!Object.hasOwn(SELECTED, preset)) throw new Error('name a preset: asan or tsan');
const build = join(root, 'build', preset);
const reports = join(build, 'reports');

const existing = readdirSync(e2e).filter((name) => name.endsWith('.test.mjs')).map((name) => name.replace('.test.mjs', ''));
const names = values.only ?? (values.all ? existing.filter((name) => !NEVER.test(name)) : SELECTED[preset]);

function checkSelection() {
  const gone = names.filter((name) => !existing.includes(name));
  const source = existing.map((name) => readFileSync(join(e2e, `${name}.test.mjs`), 'utf8')).join('\n');
  const stale = LEFT_OUT.map(({ name }) => name).filter((name) => !source.includes(name));
  if (gone.length + stale.length > 0) throw new Error(`selection.mjs names what is not there: ${[...gone, ...stale].join(', ')}`);
}

const runs = (program, args, env = process.env) => spawnSync(program, args, { stdio: 'inherit', env, cwd: root }).status === 0;

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

function runEndToEnd() {
  for (const { name, why } of LEFT_OUT) console.log(`left out: ${name}: ${why}`);
  const skips = LEFT_OUT.map(({ name }) => `--test-skip-pattern=/${escaped(name)}/`);
  const env = { ...process.env, OPSBELT_BINARY: join(build, 'opsbelt'), SANITIZED: preset, SLOW_TESTS: process.env.SLOW_TESTS ?? '0' };
  return runs(process.execPath, ['--test', '--test-reporter=spec', '--test-reporter-destination=stdout', ...skips,
    join(root, 'tests/sanitizers/sees.test.mjs'), ...names.map((name) => join(e2e, `${name}.test.mjs`))], env);
}

// How many there are.
function printReports() {
  const found = existsSync(reports) ? readdirSync(reports) : [];
  for (const name of found.slice(0, MOST_REPORTS)) {
    console.log(`--- ${name}\n${readFileSync(join(reports, name), 'utf8').slice(0, LONGEST_REPORT)}`);
  }
  if (found.length > 0) console.log(`${found.length} sanitizer reports; all are in build/${preset}/reports`);
  return found.length;
}

checkSelection();
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports);
const unit = values.only ? true : runs(join(build, 'unit_tests'), []);
const end = values.unit ? true : runEndToEnd();
const count = printReports();
console.log(`${preset}: unit tests ${unit ? 'passed' : 'FAILED'}, end-to-end tests ${end ? 'passed' : 'FAILED'}, ${count} reports`);
process.exit(unit && end && count === 0 ? 0 : 1);
