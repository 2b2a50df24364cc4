// What the benchmarks share: a stand-in Slack in a process of its own, timing of whole processes.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const machine = `${cpus().length} x ${cpus()[0].model.trim()}`;
export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

// { webhookUrl, stop }
export async function startSlack(args = []) {
  const stdio = ['pipe', 'pipe', 'inherit'];
  const slack = spawn(process.execPath, [join(root, 'tests/standin/slack.mjs'), '--port', '0', ...args], { stdio });
  const [line] = await once(createInterface({ input: slack.stdout }), 'line');
  return { ...JSON.parse(line), stop: () => slack.stdin.end() };
}

// Runs a whole process and waits for its end. { wall_ms, stdout, stderr }
export function runOnce([program, ...args], env) {
  const started = process.hrtime.bigint();
  const result = spawnSync(program, args, { env, cwd: join(root, 'tests') });
  const wall_ms = Number(process.hrtime.bigint() - started) / 1e6;
  if (result.status !== 0) throw new Error(`${program} failed: ${result.stderr}`);
  return { wall_ms, stdout: result.stdout.toString(), stderr: result.stderr.toString() };
}

// Runs the contestants in turn, after one run of each that is not counted; fills in wall_ms, the
// median. A contestant may have fewer runs than the others.
export function race(contestants, runs, env) {
  for (const contestant of contestants) {
    contestant.walls = [];
    runOnce(contestant.command, env);
  }
  for (let i = 0; i < runs; i += 1) {
    for (const contestant of contestants) {
      if (i < (contestant.runs ?? runs)) contestant.walls.push(runOnce(contestant.command, env).wall_ms);
    }
  }
  for (const contestant of contestants) contestant.wall_ms = median(contestant.walls);
}

export const verdict = (value, target, unit) => `${value.toFixed(2)}${unit}, target at most ${target}${unit}: ${value <= target ? 'kept' : 'MISSED'}`;
