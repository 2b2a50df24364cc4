// The servers of opsbelt under load and faults for a while, all at the same time, on the loopback only:
//
//   node tests/soak/soak.mjs [--minutes 20] [--only NAME] [--write FILE]
//
// Every few seconds each process's memory, descriptors and threads are read from /proc. A table stands at the end (and
// in FILE, as Markdown); exit code 1 when one grew (verdict.mjs has the rule), ended by itself, did not end well at the
// end, left an event out, or handled nothing. The program is build/release/opsbelt, or OPSBELT_BINARY.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { machine } from '../bench/support.mjs';
import { root } from '../e2e/support.mjs';
import { soakEsTail } from './es_tail.mjs';
import { look } from './process.mjs';
import { soakSlackServe } from './slack_serve.mjs';
import { soakUdpLoad } from './udp_load.mjs';
import { judge } from './verdict.mjs';

const SOAKS = { 'slack-serve': soakSlackServe, 'es-tail': soakEsTail, 'udp-load': soakUdpLoad };
const MOST_EVERY_S = 5;
const SAMPLES = 60; // at least, in a short run

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' }, only: { type: 'string' }, write: { type: 'string' } } });
const minutes = Number(values.minutes);
if (process.getuid() !== 0) throw new Error('run it as root: nobody else may look at the descriptors of these processes');
if (!(minutes > 0 && minutes <= 24 * 60)) throw new Error('--minutes wants a number up to 1440');

async function sample(parts, start_ms) {
  const step_ms = Math.min(MOST_EVERY_S, minutes * 60 / SAMPLES) * 1000;
  for (let due_ms = step_ms; due_ms <= minutes * 60_000; due_ms += step_ms) {
    await delay(Math.max(start_ms + due_ms - performance.now(), 0));
    for (const part of parts) {
      const seen = look(part.process.child.pid);
      if (seen && part.process.isAlive()) part.samples.push({ at_s: due_ms / 1000, handled: part.handled(), ...seen });
      else part.ended ??= `it ended after ${(due_ms / 1000).toFixed(0)} s: ${part.process.said().slice(-500)}`;
    }
  }
}

// --- The table ---

const SHOWN = {
  memory_bytes: ['memory, MiB', (bytes) => (bytes / 1024 / 1024).toFixed(2)],
  descriptors: ['descriptors', (count) => count.toFixed(0)],
  threads: ['threads', (count) => count.toFixed(0)],
};

function rowsOf({ name, verdict }) {
  return verdict.rows.map(({ quantity, early, late, most, per_minute, allowed, grew }) => {
    const [title, shown] = SHOWN[quantity];
    return [name, title, shown(early), shown(late), shown(most), quantity === 'memory_bytes' ? shown(per_minute) : per_minute.toFixed(2),
      shown(allowed), grew ? 'GREW' : 'flat'];
  });
}

function markdown(head, rows) {
  const cells = [head, head.map(() => '---'), ...rows];
  const widths = head.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
  return cells.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`).join('\n');
}

function tables(parts) {
  return [
    markdown(['process', 'what', 'second quarter', 'last quarter', 'most', 'a minute', 'allowed', ''], parts.flatMap(rowsOf)),
    markdown(['process', 'handled', 'errors', 'faults'],
      parts.map(({ name, verdict, errors, faults }) => [name, String(verdict.handled), errors(), faults()])),
  ].join('\n\n');
}

// Of this process and all that it started and waited for, in seconds.
function cpuSeconds() {
  const stat = execFileSync('cat', [`/proc/${process.pid}/stat`]).toString();
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

const commit = () => execFileSync('git', ['-C', root, 'describe', '--always', '--dirty']).toString().trim();

// --- The run ---

const folder = mkdtempSync(join(tmpdir(), 'soak-'));
const stopping = new AbortController();
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const chosen = Object.entries(SOAKS).filter(([name]) => !values.only || name === values.only);
const soaks = [];
for (const [, begin] of chosen) soaks.push(await begin(stopping.signal, folder));
const parts = soaks.flatMap((soak) => soak.parts.map((part) => ({ ...part, samples: [] })));
console.error(`soak: ${parts.map(({ name }) => name).join('; ')}: for ${minutes} minutes`);
const start_ms = performance.now();
await sample(parts, start_ms);
for (const part of parts) part.verdict = judge(part.samples, part);
const wall_s = (performance.now() - start_ms) / 1000;
stopping.abort();
const ends = (await Promise.all(soaks.map((soak) => soak.close()))).flat();
const problems = [
  ...parts.flatMap(({ name, verdict, ended }) => [...(ended ? [ended] : []), ...verdict.problems].map((problem) => `${name}: ${problem}`)),
  ...ends.map(({ problem, code, signal }) => problem ?? (code === 0 ? '' : `a process ended with ${code ?? signal}`)).filter(Boolean),
];
const text = `${tables(parts)}\n\n${minutes} minutes, ${machine}, commit ${commit()}; ${(cpuSeconds() / wall_s).toFixed(2)} of a core in all.\n`;
console.log(text);
if (values.write) writeFileSync(values.write, text);
for (const problem of problems) console.error(`soak: ${problem}`);
process.exit(problems.length > 0 ? 1 : 0);
