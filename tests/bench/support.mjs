// What the benchmarks share: processes that are measured, stand-ins in processes of their own, contestants in turn.
//
// SHORT=1 takes much smaller counts everywhere, to see that a benchmark works: its figures say nothing.
// OPSBELT_BINARY names another binary than build/release/opsbelt.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { judge, table } from './figures.mjs';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const tests = join(root, 'tests');
export const binary = process.env.OPSBELT_BINARY ?? join(root, 'build/release/opsbelt');
export const isShort = process.env.SHORT === '1';
export const count = (full, short) => (isShort ? short : full);

export const folder = mkdtempSync(join(tmpdir(), 'bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

export const sum = (values) => values.reduce((a, b) => a + b, 0);

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

// Of records with the same numbers: the record of the medians.
const medians = (records) => Object.fromEntries(Object.keys(records[0])
  .map((name) => [name, median(records.map((record) => record[name]))]));

// A whole benchmark: prints its table; hands its figures to a parent that started it with a channel (run_bench.mjs).
// measureAll() -> rows without their command, see figures.mjs; `how` is one paragraph of Markdown.
export async function bench(command, how, measureAll) {
  const rows = (await measureAll()).map((row) => judge({ command, ...row }));
  console.log(table(rows));
  process.send?.({ command, how, rows });
}

// Measures the contestants in turn, every other round in the opposite order, after a run of each that is not counted
// (unless `warm` says that none is needed). measureOne(contestant) -> numbers by name; each contestant gets their
// medians. One that takes long may have fewer `rounds` than the others.
export async function inTurn(contestants, rounds, measureOne, { warm = false } = {}) {
  const results = new Map(contestants.map((contestant) => [contestant, []]));
  if (!warm) for (const contestant of contestants) await measureOne(contestant);
  for (let round = 0; round < rounds; round += 1) {
    for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) {
      if (round < (contestant.rounds ?? rounds)) results.get(contestant).push(await measureOne(contestant));
    }
  }
  for (const [contestant, records] of results) Object.assign(contestant, medians(records));
}

// --- Processes ---

// A stand-in: a program in node that prints where it listens as a line of JSON, and ends when its stdin does. stop()
// resolves with the last line that it printed after that.
export async function startStandin(args) {
  const child = spawn(process.execPath, args, { cwd: tests, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'close');
  const [line] = await once(lines, 'line');
  let last;
  lines.on('line', (text) => { last = text; });
  return {
    ...JSON.parse(line),
    async stop() {
      child.stdin.end();
      await ended;
      return last;
    },
  };
}

export const startSlack = (args = []) => startStandin(['standin/slack.mjs', '--port', '0', ...args]);

// Runs a whole process and waits for its end. { wall_ms, stdout }; the time to the microsecond, for short ones.
export function runOnce([program, ...args], env) {
  const started = process.hrtime.bigint();
  const result = spawnSync(program, args, { env, cwd: tests });
  const wall_ms = Number(process.hrtime.bigint() - started) / 1e6;
  if (result.status !== 0) throw new Error(`${program} failed: ${result.error ?? result.stderr}`);
  return { wall_ms, stdout: result.stdout.toString() };
}

let measured = 0;

// Runs a whole process, or `times` of them one after the other, and waits for the end. { cpu_ms, wall_ms } of one
// process (user + system, to the millisecond of the whole, by bash), { peak_mib } of the largest (by GNU time), { stdout }.
// `way` is what the shell does with the command "$@"; the time of a pipe's other end counts too.
export async function measure(command, { env = {}, way = '"$@"', times = 1 } = {}) {
  measured += 1;
  const peak = join(folder, `peak-${measured}`);
  const script = `set -o pipefail; TIMEFORMAT='%U %S %R'; time for ((i = 0; i < ${times}; i++)); do ${way} || exit; done`;
  const child = spawn('/usr/bin/time', ['-q', '-f', '%M', '-o', peak, 'bash', '-c', script, 'bash', ...command],
    { cwd: tests, env: { PATH: process.env.PATH, LC_ALL: 'C', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = Promise.all([child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray()));
  const [code] = await once(child, 'close');
  const [stdout, stderr] = (await texts).map((chunks) => chunks.join(''));
  if (code !== 0) throw new Error(`${command[0]} failed with ${code}: ${stderr}`);
  const [user_s, system_s, wall_s] = stderr.trim().split(/\s+/).slice(-3).map(Number);
  const peak_mib = Number(readFileSync(peak, 'utf8')) / 1024;
  return { cpu_ms: (user_s + system_s) * 1000 / times, wall_ms: wall_s * 1000 / times, peak_mib, stdout };
}
