// From process start to the accepted message on a loopback stand-in, beside peers that post the same
// body, in turn, in one run. Wall time of whole processes (median), peak memory by GNU time (largest).
//
//   node tests/bench/gollum-notify.mjs [RUNS]

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine, race, root, runOnce, startSlack, verdict } from './support.mjs';

const RUNS = Number(process.argv[2] ?? 200);
const NODE_RUNS = 20;
const MEMORY_RUNS = 10;
const binary = join(root, 'build/release/opsbelt');
const event = join(root, 'fixtures/gollum/two_pages.json');

const slack = await startSlack();
const env = { PATH: process.env.PATH, SLACK_WEBHOOK: slack.webhookUrl };
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const body = join(folder, 'body.json');
writeFileSync(body, runOnce([binary, 'gollum-notify', '--dry-run', '--json', '--event', event], env).stdout);
const nodePeer = `
  const { IncomingWebhook } = require('@slack/webhook');
  const body = JSON.parse(require('node:fs').readFileSync(${JSON.stringify(body)}));
  new IncomingWebhook(process.env.SLACK_WEBHOOK).send(body);`;
const ours = { name: 'opsbelt gollum-notify', command: [binary, 'gollum-notify', '--event', event] };
const curl = { name: 'curl, same body', command: ['curl', '-sS', '-f', '-o', '/dev/null', '-H', 'Content-Type: application/json; charset=utf-8', '--data-binary', `@${body}`, slack.webhookUrl] };
const node = { name: '@slack/webhook in node', command: [process.execPath, '-e', nodePeer], runs: NODE_RUNS };

const peakMib = (command) => Number(runOnce(['/usr/bin/time', '-f', '%M', ...command], env).stderr.trim().split('\n').at(-1)) / 1024;
race([ours, curl, node], RUNS, env);
for (const contestant of [ours, curl, node]) {
  contestant.peak_mib = Math.max(...Array.from({ length: MEMORY_RUNS }, () => peakMib(contestant.command)));
}
slack.stop();
rmSync(folder, { recursive: true });

console.log(`gollum-notify: start to accepted message, ${RUNS} runs in turn, ${machine}`);
for (const { name, wall_ms, peak_mib } of [ours, curl, node]) {
  console.log(`  ${name.padEnd(24)} ${wall_ms.toFixed(1).padStart(7)} ms  ${(wall_ms / curl.wall_ms).toFixed(2).padStart(6)} x curl  ${peak_mib.toFixed(1).padStart(6)} MiB`);
}
console.log(`  wall time against curl: ${verdict(ours.wall_ms / curl.wall_ms, 0.8, ' x')}`);
console.log(`  peak memory: ${verdict(ours.peak_mib, 12, ' MiB')}`);
