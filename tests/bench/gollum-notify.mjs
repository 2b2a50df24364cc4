// From process start to the accepted message on a loopback stand-in, beside peers that post the same body.
//
//   node tests/bench/gollum-notify.mjs

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bench, binary, count, folder, inTurn, measure, root, runOnce, startSlack } from './support.mjs';

const RUNS = count(200, 3);
const NODE_RUNS = count(20, 2);
const MEMORY_RUNS = count(10, 1);
const event = join(root, 'fixtures/gollum/two_pages.json');
const how = `From process start to the message that the stand-in accepted: opsbelt reads the event and makes the message, the peers \
post the same body. ${RUNS} runs each in turn (node ${NODE_RUNS}), median wall time of the whole process; the largest peak memory of ${MEMORY_RUNS}.`;

await bench('gollum-notify', how, async () => {
  const slack = await startSlack();
  const env = { PATH: process.env.PATH, SLACK_WEBHOOK: slack.webhookUrl };
  const body = join(folder, 'body.json');
  writeFileSync(body, runOnce([binary, 'gollum-notify', '--dry-run', '--json', '--event', event], env).stdout);
  const nodePeer = `
    const { IncomingWebhook } = require('@slack/webhook');
    const body = JSON.parse(require('node:fs').readFileSync(${JSON.stringify(body)}));
    new IncomingWebhook(process.env.SLACK_WEBHOOK).send(body);`;
  const ours = { command: [binary, 'gollum-notify', '--event', event] };
  const curl = { command: ['curl', '-sS', '-f', '-o', '/dev/null', '-H', 'Content-Type: application/json; charset=utf-8', '--data-binary', `@${body}`, slack.webhookUrl] };
  const node = { command: [process.execPath, '-e', nodePeer], rounds: NODE_RUNS };
  await inTurn([ours, curl, node], RUNS, async ({ command }) => ({ wall_ms: runOnce(command, env).wall_ms }));
  for (const contestant of [ours, curl, node]) {
    contestant.peak_mib = (await measure(contestant.command, { env, times: MEMORY_RUNS })).peak_mib;
  }
  await slack.stop();
  return [
    { what: 'start to accepted message', value: ours.wall_ms, unit: 'ms', peer: 'curl, same body', peer_value: curl.wall_ms, target: { ratio: 0.8 } },
    { what: 'the same', value: ours.wall_ms, unit: 'ms', peer: '@slack/webhook in node', peer_value: node.wall_ms },
    { what: 'peak memory', value: ours.peak_mib, unit: 'MiB', peer: 'curl', peer_value: curl.peak_mib, target: { value: 12 } },
    { what: 'the same', value: ours.peak_mib, unit: 'MiB', peer: '@slack/webhook in node', peer_value: node.peak_mib },
  ];
});
