// What .dockerignore lets into the image's build is all that the build reads: a container build would tell so minutes later.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { folder, root } from './support.mjs';

const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean);

test('CMake can be configured with what .dockerignore lets through', (t) => {
  const [first, ...let_in] = lines;
  assert.equal(first, '*');
  assert.ok(let_in.every((line) => line.startsWith('!')), 'only exceptions, else this test must read more');
  const names = let_in.map((line) => line.slice(1));
  const source = join(folder(t), 'source');
  for (const path of tracked.filter((one) => names.some((name) => one === name || one.startsWith(`${name}/`)))) {
    if (!existsSync(join(root, path))) continue; // deleted, and not yet committed
    mkdirSync(dirname(join(source, path)), { recursive: true });
    cpSync(join(root, path), join(source, path));
  }
  const { status, stderr } = spawnSync('cmake', ['--preset', 'release', `-DDEPS_DIR=${join(root, 'build/deps')}`], { cwd: source, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});
