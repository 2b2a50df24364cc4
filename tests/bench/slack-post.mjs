// slack-post beside @slack/webhook in node (what slack-github-action runs, without the action around
// it), both into a stand-in on loopback, in turn, in one run:
// - one message: CPU time of the whole process (user + system, mean of the runs), peak memory;
// - a stream of lines without pauses between messages: lines a second, peak memory.
//
//   node tests/bench/slack-post.mjs [LINES]

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine, root, startSlack, verdict } from './support.mjs';

const LINES = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = 5;
const binary = join(root, 'build/release/opsbelt');
const slack = await startSlack(['--forget']);
const env = { PATH: process.env.PATH, SLACK_WEBHOOK: slack.webhookUrl };
const folder = mkdtempSync(join(tmpdir(), 'bench-'));

// GNU time around a shell that runs the command `times` times. { cpu_ms, wall_ms, peak_mib }, the first two of one run.
function measure(command, { times = 1, input = '/dev/null' } = {}) {
  const script = `i=0; while [ $i -lt ${times} ]; do "$@" < '${input}' > /dev/null || exit 1; i=$((i+1)); done`;
  const result = spawnSync('/usr/bin/time', ['-f', '%U %S %e %M', 'sh', '-c', script, 'sh', ...command], { env, cwd: join(root, 'tests') });
  if (result.status !== 0) throw new Error(`${command[0]} failed: ${result.stderr}`);
  const [user, system, wall, peak] = result.stderr.toString().trim().split('\n').at(-1).split(' ').map(Number);
  return { cpu_ms: (user + system) * 1000 / times, wall_ms: wall * 1000 / times, peak_mib: peak / 1024 };
}

// The best round of each contestant, in turn.
function race(contestants) {
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const contestant of contestants) {
      const result = measure(contestant.command, contestant);
      for (const [name, value] of Object.entries(result)) {
        contestant[name] = name === 'peak_mib' ? Math.max(contestant[name] ?? 0, value) : Math.min(contestant[name] ?? Infinity, value);
      }
    }
  }
}

const oneMessage = `
  const { IncomingWebhook } = require('@slack/webhook');
  new IncomingWebhook(process.env.SLACK_WEBHOOK).send({ text: 'Deploy of v1.2 is done' });`;
const streamed = `
  const { IncomingWebhook } = require('@slack/webhook');
  const webhook = new IncomingWebhook(process.env.SLACK_WEBHOOK);
  (async () => {
    let batch = '';
    for await (const line of require('node:readline').createInterface({ input: process.stdin })) {
      if (batch.length + line.length + 1 > 4000) { await webhook.send({ text: batch }); batch = ''; }
      batch += (batch ? '\\n' : '') + line;
    }
    if (batch) await webhook.send({ text: batch });
  })();`;

const ours = { name: 'opsbelt slack-post', times: 100, command: [binary, 'slack-post', 'Deploy of v1.2 is done'] };
const node = { name: '@slack/webhook in node', times: 10, command: [process.execPath, '-e', oneMessage] };
race([ours, node]);
console.log(`slack-post: one message, best of ${ROUNDS} rounds in turn, ${machine}`);
for (const { name, cpu_ms, wall_ms, peak_mib } of [ours, node]) {
  console.log(`  ${name.padEnd(24)} ${cpu_ms.toFixed(1).padStart(7)} ms CPU  ${wall_ms.toFixed(1).padStart(7)} ms  ${(cpu_ms / node.cpu_ms).toFixed(3).padStart(6)} x node's CPU  ${peak_mib.toFixed(1).padStart(6)} MiB`);
}
console.log(`  CPU against node: ${verdict(ours.cpu_ms / node.cpu_ms, 0.1, ' x')}`);
console.log(`  peak memory: ${verdict(ours.peak_mib, 12, ' MiB')}`);

const input = join(folder, 'lines.txt');
const fd = openSync(input, 'w');
for (let i = 0; i < LINES; i += 1000) {
  writeSync(fd, Array.from({ length: 1000 }, (_, k) => `2026-11-25T04:18:00Z request ${i + k} served in 12 ms\n`).join(''));
}
closeSync(fd);
const stream = { name: 'opsbelt slack-post', command: [binary, 'slack-post', '--stream', '--interval', '0'], input };
const nodeStream = { name: '@slack/webhook in node', command: [process.execPath, '-e', streamed], input };
for (const contestant of [stream, nodeStream]) Object.assign(contestant, measure(contestant.command, contestant));
console.log(`slack-post: a stream of ${LINES} lines into the stand-in, once each, ${machine}`);
for (const { name, wall_ms, cpu_ms, peak_mib } of [stream, nodeStream]) {
  console.log(`  ${name.padEnd(24)} ${(LINES / wall_ms * 1000).toFixed(0).padStart(8)} lines/s  ${(nodeStream.wall_ms / wall_ms).toFixed(2).padStart(5)} x node  ${(cpu_ms / 1000).toFixed(2).padStart(6)} s CPU  ${peak_mib.toFixed(1).padStart(6)} MiB`);
}
console.log(`  peak memory: ${verdict(stream.peak_mib, 32, ' MiB')}`);
slack.stop();
rmSync(folder, { recursive: true });
