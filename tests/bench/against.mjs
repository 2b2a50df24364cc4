// What a change costs: benchmarks with another binary and with this one, in turn, and the median of each figure.
//
//   node tests/bench/against.mjs OTHER_BINARY ROUNDS NAME...      e.g. /tmp/opsbelt-before 3 slack-serve es-tail

import { resolve } from 'node:path';
import { table } from './figures.mjs';
import { runBench } from './run_bench.mjs';
import { binary, median } from './support.mjs';

const [other, rounds, ...names] = process.argv.slice(2);
const sides = { before: resolve(other), now: binary };

// Of all rounds: [{ before, now }] with the rows of a benchmark.
async function runInTurn(name) {
  const results = [];
  for (let round = 0; round < Number(rounds); round += 1) {
    const result = {};
    for (const side of round % 2 === 0 ? ['before', 'now'] : ['now', 'before']) {
      const done = await runBench(name, { ...process.env, OPSBELT_BINARY: sides[side] });
      if (!done) throw new Error(`${name} failed with the binary of ${side}`);
      result[side] = done.rows;
    }
    results.push(result);
  }
  return results;
}

const rows = [];
for (const name of names) {
  const results = await runInTurn(name);
  const measured = results[0].now.entries().filter(([, row]) => row.value !== undefined && row.what !== 'the same');
  for (const [i, { command, what, unit }] of measured) {
    const [peer_value, value] = ['before', 'now'].map((side) => median(results.map((result) => result[side][i].value)));
    rows.push({ command, what, unit, value, peer: 'before', peer_value, ratio: value / peer_value });
  }
}
console.log(table(rows));
