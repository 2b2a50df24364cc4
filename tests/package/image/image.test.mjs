// The released image of the other architecture, which this machine need not be able to run: what it
// holds and what it says of itself. The image of amd64 passes tests/image in the same run.
//   ARM64_IMAGE       its name
//   CONTAINER_TOOL    the tool that knows it, with its global options

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { folder, root } from '../../e2e/support.mjs';

const image = process.env.ARM64_IMAGE;
const [tool, ...toolOptions] = process.env.CONTAINER_TOOL.split(' ');
const call = (...args) => execFileSync(tool, [...toolOptions, ...args], { maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'pipe'] }).toString();

test('the image for arm64 says so, and holds the arm64 binary and the CA bundle, nothing else', (t) => {
  const [about] = JSON.parse(call('image', 'inspect', image));
  assert.deepEqual([about.Os, about.Architecture], ['linux', 'arm64']);
  assert.deepEqual(about.Config.Entrypoint, ['/opsbelt']);
  const place = folder(t);
  const tar = join(place, 'root.tar');
  const id = call('create', '--pull=never', image).trim();
  try {
    call('export', '-o', tar, id);
  } finally {
    call('rm', id);
  }
  const files = execFileSync('tar', ['-tvf', tar]).toString().trim().split('\n')
    .filter((line) => line.startsWith('-') && !/ 0 \d{4}-/.test(line));
  assert.deepEqual(files.map((line) => line.split(' ').at(-1)).toSorted(), ['etc/ssl/certs/ca-certificates.crt', 'opsbelt']);
  assert.match(files.find((line) => line.endsWith(' opsbelt')), /^-rwxr-xr-x/);
  execFileSync('tar', ['-xf', tar, '-C', place, 'opsbelt']);
  const shipped = readFileSync(join(root, 'build/packages/image/arm64/opsbelt'));
  assert.ok(readFileSync(join(place, 'opsbelt')).equals(shipped));
  assert.equal(shipped.readUInt16LE(18), 183, 'e_machine is not that of AArch64');
});
