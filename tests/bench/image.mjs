// The image: its size and layers, and the time from starting the container to the accepted message,
// beside a node image that does nothing (`node -e 0`), in turn, in one run. `./dev bench` sets IMAGE,
// CONTAINER_TOOL and CONTAINER_BUILD.
//
//   node tests/bench/image.mjs [RUNS]

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine, race, root, runOnce, startSlack, verdict } from './support.mjs';

const RUNS = Number(process.argv[2] ?? 15);
const { IMAGE, CONTAINER_TOOL, CONTAINER_BUILD } = process.env;
const tool = CONTAINER_TOOL.split(' ');
const nodeImage = 'localhost/node-peer:bench';

function buildNodeImage() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  copyFileSync(process.execPath, join(folder, 'node'));
  writeFileSync(join(folder, 'Dockerfile'), 'FROM debian:bookworm-slim\nCOPY node /usr/local/bin/node\nENTRYPOINT ["node"]\n');
  const [program, ...args] = CONTAINER_BUILD.split(' ');
  const built = spawnSync(program, [...args, '-t', nodeImage, folder], { stdio: ['ignore', 'ignore', 'pipe'] });
  rmSync(folder, { recursive: true });
  if (built.status !== 0) throw new Error(`no node image: ${built.stderr}`);
}

const inspect = (image) => JSON.parse(runOnce([tool[0], 'image', 'inspect', image], process.env).stdout)[0];
const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024']; // podman's own need rights
const start = (...args) => [...tool, 'run', '--pull=never', '--rm', '--network=host', ...limits, ...args];

buildNodeImage();
const slack = await startSlack();
const fixtures = join(root, 'fixtures/gollum');
const ours = { name: 'opsbelt, message sent', image: IMAGE, command: start('-e', 'SLACK_WEBHOOK', '-v', `${fixtures}:/e:ro`, IMAGE, 'gollum-notify', '--event', '/e/two_pages.json') };
const node = { name: 'node -e 0', image: nodeImage, command: start(nodeImage, '-e', '0') };
race([ours, node], RUNS, { ...process.env, SLACK_WEBHOOK: slack.webhookUrl });
slack.stop();

console.log(`image: container start to accepted message, ${RUNS} runs in turn with ${tool[0]}, ${machine}`);
for (const { name, image, wall_ms } of [ours, node]) {
  const { Size, RootFS } = inspect(image);
  console.log(`  ${name.padEnd(24)} ${wall_ms.toFixed(0).padStart(5)} ms  ${(wall_ms / node.wall_ms).toFixed(2).padStart(5)} x node  ${(Size / 1e6).toFixed(1).padStart(6)} MB  ${RootFS.Layers.length} layers`);
}
console.log(`  image size: ${verdict(inspect(IMAGE).Size / 1e6, 13, ' MB')}`);
