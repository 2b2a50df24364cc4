// The image: its size and layers, and the time from starting the container to the accepted message, beside a node image
// that does nothing. `./dev bench` sets IMAGE, CONTAINER_TOOL and CONTAINER_BUILD.
//
//   node tests/bench/image.mjs

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bench, count, folder, inTurn, root, runOnce, startSlack } from './support.mjs';

const RUNS = count(15, 2);
const { IMAGE, CONTAINER_TOOL, CONTAINER_BUILD } = process.env;
const nodeImage = 'localhost/node-peer:bench';
const how = `From starting a container to the message that the stand-in accepted, beside \`node -e 0\` in an image of Debian and node, \
which does nothing. ${RUNS} runs each in turn, median wall time.`;

function buildNodeImage() {
  const context = join(folder, 'node-image');
  mkdirSync(context);
  copyFileSync(process.execPath, join(context, 'node'));
  writeFileSync(join(context, 'Dockerfile'), 'FROM debian:bookworm-slim\nCOPY node /usr/local/bin/node\nENTRYPOINT ["node"]\n');
  const [program, ...args] = CONTAINER_BUILD.split(' ');
  const built = spawnSync(program, [...args, '-t', nodeImage, context], { stdio: ['ignore', 'ignore', 'pipe'] });
  if (built.status !== 0) throw new Error(`no node image: ${built.stderr}`);
}

await bench('image', how, async () => {
  if (!IMAGE || !CONTAINER_TOOL || !CONTAINER_BUILD) throw new Error('no image: ./dev bench builds one and names it in IMAGE');
  const tool = CONTAINER_TOOL.split(' ');
  const inspect = (image) => JSON.parse(runOnce([tool[0], 'image', 'inspect', image], process.env).stdout)[0];
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024']; // podman's own need rights
  const start = (...args) => [...tool, 'run', '--pull=never', '--rm', '--network=host', ...limits, ...args];

  buildNodeImage();
  const slack = await startSlack();
  const fixtures = join(root, 'fixtures/gollum');
  const env = { ...process.env, SLACK_WEBHOOK: slack.webhookUrl };
  const ours = { command: start('-e', 'SLACK_WEBHOOK', '-v', `${fixtures}:/e:ro`, IMAGE, 'gollum-notify', '--event', '/e/two_pages.json') };
  const node = { command: start(nodeImage, '-e', '0') };
  await inTurn([ours, node], RUNS, async ({ command }) => ({ wall_ms: runOnce(command, env).wall_ms }));
  await slack.stop();
  const [image, peer] = [IMAGE, nodeImage].map(inspect);
  return [
    { what: `container start to accepted message, ${tool[0]}`, value: ours.wall_ms, unit: 'ms', peer: 'node -e 0', peer_value: node.wall_ms },
    { what: 'size', value: image.Size / 1e6, unit: 'MB', peer: 'Debian and node', peer_value: peer.Size / 1e6, target: { value: 13 } },
    { what: 'layers', value: image.RootFS.Layers.length, unit: '', peer: 'Debian and node', peer_value: peer.RootFS.Layers.length },
  ];
});
