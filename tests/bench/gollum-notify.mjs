// From process start to the accepted message on a loopback stand-in, beside peers that post the same
// body, in turn, in one run. Wall time of whole processes (median), peak memory by GNU time (largest).
//
//   node tests/bench/gollum-notify.mjs [RUNS]

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const RUNS = Number(process.argv[2] ?? 200);
const MEMORY_RUNS = 10;
const root = fileURLToPath(new URL('../../', import.meta.url));
const binary = join(root, 'build/release/opsbelt');
const event = join(root, 'fixtures/gollum/two_pages.json');

// A process of its own, since the measured ones are waited for.
const slack = spawn(process.execPath, [join(root, 'tests/standin/slack.mjs'), '--port', '0'], { stdio: ['pipe', 'pipe', 'inherit'] });
const [line] = await once(createInterface({ input: slack.stdout }), 'line');
const { webhookUrl } = JSON.parse(line);

const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const body = join(folder, 'body.json');
writeFileSync(body, spawnSync(binary, ['gollum-notify', '--dry-run', '--json', '--event', event], { env: {} }).stdout);
const env = { PATH: process.env.PATH, SLACK_WEBHOOK: webhookUrl };
const nodePeer = `
  const { IncomingWebhook } = require('@slack/webhook');
  const body = JSON.parse(require('node:fs').readFileSync(${JSON.stringify(body)}));
  new IncomingWebhook(process.env.SLACK_WEBHOOK).send(body);`;
const contestants = [
  { name: 'opsbelt gollum-notify', command: [binary, 'gollum-notify', '--event', event] },
  { name: 'curl, same body', command: ['curl', '-sS', '-f', '-o', '/dev/null', '-H', 'Content-Type: application/json; charset=utf-8', '--data-binary', `@${body}`, webhookUrl] },
  { name: '@slack/webhook in node', command: [process.execPath, '-e', nodePeer], runs: Math.min(RUNS, 20) },
];

function runOnce([program, ...args]) {
  const started = process.hrtime.bigint();
  const result = spawnSync(program, args, { env, cwd: join(root, 'tests') });
  const wall_ms = Number(process.hrtime.bigint() - started) / 1e6;
  if (result.status !== 0) throw new Error(`${program} failed: ${result.stderr}`);
  return { wall_ms, stderr: result.stderr.toString() };
}

const peakKib = (command) => Number(runOnce(['/usr/bin/time', '-f', '%M', ...command]).stderr.trim().split('\n').at(-1));
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

for (const contestant of contestants) {
  contestant.walls = [];
  runOnce(contestant.command); // warm
}
for (let i = 0; i < RUNS; i += 1) {
  for (const contestant of contestants) {
    if (i < (contestant.runs ?? RUNS)) contestant.walls.push(runOnce(contestant.command).wall_ms);
  }
}
for (const contestant of contestants) {
  contestant.wall_ms = median(contestant.walls);
  contestant.peak_mib = Math.max(...Array.from({ length: MEMORY_RUNS }, () => peakKib(contestant.command))) / 1024;
}
slack.stdin.end();
rmSync(folder, { recursive: true });

const [ours, curl] = contestants;
console.log(`gollum-notify: start to accepted message, ${RUNS} runs in turn, ${cpus().length} x ${cpus()[0].model}`);
for (const { name, wall_ms, peak_mib } of contestants) {
  console.log(`  ${name.padEnd(24)} ${wall_ms.toFixed(1).padStart(7)} ms  ${(wall_ms / curl.wall_ms).toFixed(2).padStart(6)} x curl  ${peak_mib.toFixed(1).padStart(6)} MiB`);
}
const verdict = (value, target, unit) => `${value.toFixed(2)}${unit}, target at most ${target}${unit}: ${value <= target ? 'kept' : 'MISSED'}`;
console.log(`  wall time against curl: ${verdict(ours.wall_ms / curl.wall_ms, 0.8, ' x')}`);
console.log(`  peak memory: ${verdict(ours.peak_mib, 12, ' MiB')}`);
