// slack-post beside @slack/webhook in node (what slack-github-action runs, without the action around it), both into a
// stand-in on loopback: one message, and a stream of lines without pauses between messages.
//
//   node tests/bench/slack-post.mjs

import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { bench, binary, count, folder, inTurn, measure, startSlack } from './support.mjs';

const LINES = count(1_000_000, 20_000);
const ROUNDS = count(5, 1);
const STREAM_ROUNDS = count(3, 1);
const how = `\`@slack/webhook\` is what slack-github-action sends with, without the action around it. One message: CPU time (user + \
system) of whole processes, 100 of ours and 10 of node's a round, median of ${ROUNDS} rounds in turn. The stream: ${LINES.toLocaleString('en')} lines from a \
file without pauses, both in messages of up to 4,000 characters one after the other, median of ${STREAM_ROUNDS} rounds in turn.`;

const PEER_ONE = `
  const { IncomingWebhook } = require('@slack/webhook');
  new IncomingWebhook(process.env.SLACK_WEBHOOK).send({ text: 'Deploy of v1.2 is done' });`;
const PEER_STREAM = `
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

// Numbers only, as medians are taken of them.
async function numbers(command, options) {
  const { cpu_ms, wall_ms, peak_mib } = await measure(command, options);
  return { cpu_ms, wall_ms, peak_mib };
}

async function compareOne(env) {
  const ours = { times: 100, command: [binary, 'slack-post', 'Deploy of v1.2 is done'] };
  const node = { times: 10, command: [process.execPath, '-e', PEER_ONE] };
  await inTurn([ours, node], ROUNDS, ({ command, times }) => numbers(command, { env, times, way: '"$@" > /dev/null' }));
  const peer = '@slack/webhook in node';
  return [
    { what: 'CPU of one message', value: ours.cpu_ms, unit: 'ms', peer, peer_value: node.cpu_ms, target: { ratio: 0.1 } },
    { what: 'wall time of one message', value: ours.wall_ms, unit: 'ms', peer, peer_value: node.wall_ms },
    { what: 'peak memory of one message', value: ours.peak_mib, unit: 'MiB', peer, peer_value: node.peak_mib, target: { value: 12 } },
  ];
}

function writeLines(path) {
  const fd = openSync(path, 'w');
  for (let i = 0; i < LINES; i += 1000) {
    writeSync(fd, Array.from({ length: 1000 }, (_, k) => `2026-11-25T04:18:00Z request ${i + k} served in 12 ms\n`).join(''));
  }
  closeSync(fd);
}

async function compareStreams(env) {
  const input = join(folder, 'lines.txt');
  writeLines(input);
  const ours = { command: [binary, 'slack-post', '--stream', '--interval', '0'] };
  const node = { command: [process.execPath, '-e', PEER_STREAM] };
  await inTurn([ours, node], STREAM_ROUNDS, ({ command }) => numbers(command, { env, way: `"$@" < '${input}' > /dev/null` }));
  const peer = '@slack/webhook in node';
  const thousands = ({ wall_ms }) => LINES / wall_ms;
  return [
    { what: 'lines of a stream', value: thousands(ours), unit: 'thousand/s', peer, peer_value: thousands(node), better: 'more' },
    { what: 'CPU of the stream', value: ours.cpu_ms / 1000, unit: 's', peer, peer_value: node.cpu_ms / 1000 },
    { what: 'peak memory of the stream', value: ours.peak_mib, unit: 'MiB', peer, peer_value: node.peak_mib, target: { value: 32 } },
  ];
}

await bench('slack-post', how, async () => {
  const slack = await startSlack(['--forget']);
  const env = { SLACK_WEBHOOK: slack.webhookUrl };
  const rows = [...await compareOne(env), ...await compareStreams(env)];
  await slack.stop();
  return rows;
});
