// Runs benchmarks in turn and prints one table of all figures; goes on when one fails.
//
//   node tests/bench/all.mjs [NAME...]     all of them (then docs/BENCHMARKS.md is written), or these (nothing is)
//
// Exit code 1 when one failed, 64 when there is none of that name. A missed target is told and is no failure: these are
// figures of one machine at one time, not tests. SHORT=1 only shows that they work: it writes nothing either.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { machine, markdownTable, summary, table } from './figures.mjs';
import { BENCHES, runBench } from './run_bench.mjs';
import { isShort, root, runOnce } from './support.mjs';

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !BENCHES.includes(name));
if (unknown.length > 0) {
  console.error(`bench: there is no ${unknown.join(', ')}; there are ${BENCHES.join(', ')}`);
  process.exit(64);
}

const started_ms = Date.now();
const results = [];
const failed = [];
const names = wanted.length > 0 ? wanted : BENCHES;
for (const [i, name] of names.entries()) {
  console.error(`bench: ${name} (${i + 1} of ${names.length})`);
  const result = await runBench(name);
  if (result) results.push(result);
  else failed.push(name);
}
const minutes = Math.ceil((Date.now() - started_ms) / 60_000);

const rows = results.flatMap((result) => result.rows);
console.log(`\n${table(rows)}\n\n${summary(rows)}`);
if (isShort) console.log('A short run: it shows that the benchmarks work, its figures say nothing.');
else if (wanted.length === 0 && failed.length === 0) writeDocument();
if (failed.length > 0) {
  console.log(`FAILED: ${failed.join(', ')}; see above${wanted.length === 0 ? '; docs/BENCHMARKS.md is left as it was' : ''}`);
  process.exitCode = 1;
}

function commit() {
  const git = (...args) => runOnce(['git', '-C', root, ...args], process.env).stdout.trim();
  const isChanged = git('status', '--porcelain', '--', '.', ':!docs/BENCHMARKS.md') !== '';
  return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes' : ''}`;
}

function writeDocument() {
  const path = join(root, 'docs/BENCHMARKS.md');
  const hows = results.map(({ command, how }) => `- **${command}**: ${how}`);
  mkdirSync(join(root, 'docs'), { recursive: true });
  writeFileSync(path, `# Benchmarks
Written by \`./dev bench\` at commit ${commit()} on ${new Date().toISOString().slice(0, 10)}: ${machine()}; ${minutes} min for all.
One machine and one run: they say how opsbelt stands beside a peer that did the same work in the same minutes, not how
fast it is elsewhere. A ratio is opsbelt's figure divided by the peer's. A target is what was asked of the
command before it was measured; a missed one stays in the table, and \`./dev bench\` still exits with 0.

${summary(rows)}.

${markdownTable(rows)}

## How they were measured
${hows.join('\n')}

Stand-ins and peers run on the same machine, over loopback. Contestants run in turn, every other round in the opposite
order, after a run of each that is not counted where a first run is slower.
`);
  console.log(`written: docs/BENCHMARKS.md`);
}
