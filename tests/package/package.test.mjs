// The packages of one architecture, as `./dev package` made them. `./dev package --test [ARCH]` sets
//   PACKAGE_ARCH      amd64 or arm64; one that this machine is not is run under qemu
//   PACKAGE_VERSION   the version they should have
// and makes build/packages/bare-root: a Debian with nothing but what debootstrap puts into it. Root only.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { countGuards, formFaults } from '../e2e/elf.mjs';
import { fixture, folder, root } from '../e2e/support.mjs';

const arch = process.env.PACKAGE_ARCH;
const version = process.env.PACKAGE_VERSION;
const shipped = join(root, 'build/packages');
const deb = join(shipped, `opsbelt_${version}_${arch}.deb`);
const name = `opsbelt-${version}-linux-${arch}`;
const tarball = join(shipped, `${name}.tar.gz`);
const bare = join(shipped, 'bare-root');
const native = execFileSync('dpkg', ['--print-architecture']).toString().trim();
const qemu = arch === native ? [] : ['/usr/bin/qemu-aarch64-static'];

const out = (command, ...args) => execFileSync(command, args, { maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'pipe'] }).toString();
const inBare = (...args) => out('chroot', bare, 'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', ...args);
const opsbelt = (...args) => inBare(...qemu, '/usr/bin/opsbelt', ...args);
const sum = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

// Every file and folder of the bare Debian, but for dpkg's own records and logs.
const listing = () => out('find', bare, '-path', join(bare, 'var/lib/dpkg'), '-prune', '-o', '-path', join(bare, 'var/log'), '-prune',
  '-o', '-printf', '%P %y %m\n').split('\n').toSorted();

// Installs the .deb for one test; what another run of the tests left is removed first.
function install(t) {
  const purge = () => spawnSync('chroot', [bare, 'dpkg', '--purge', 'opsbelt'], { stdio: 'ignore' });
  purge();
  if (qemu.length > 0) inBare('dpkg', '--add-architecture', arch);
  copyFileSync(deb, join(bare, 'opsbelt.deb'));
  if (qemu.length > 0) copyFileSync(qemu[0], join(bare, qemu[0]));
  t.after(() => {
    purge();
    for (const path of ['opsbelt.deb', 'event.json', ...qemu]) rmSync(join(bare, path), { force: true });
  });
  const before = listing();
  inBare('dpkg', '--install', '/opsbelt.deb');
  return before;
}

test('the .deb: version, architecture, no dependency', () => {
  const field = (key) => out('dpkg-deb', '--field', deb, key).trim();
  assert.deepEqual(['Package', 'Version', 'Architecture', 'Recommends', 'Depends', 'Pre-Depends'].map(field),
    ['opsbelt', version, arch, 'ca-certificates', '', '']);
});

test('the .deb holds files below /usr only, of root, with the modes they need', () => {
  const lines = out('dpkg-deb', '--contents', deb).trim().split('\n');
  for (const line of lines) {
    const [mode, owner, , , , path] = line.split(/ +/);
    assert.equal(owner, 'root/root', line);
    assert.match(path, /^\.\/(usr\/.*)?$/);
    assert.equal(mode, path.endsWith('/') || path === './usr/bin/opsbelt' ? `${line[0]}rwxr-xr-x` : '-rw-r--r--', line);
  }
});

test('on a bare Debian: it installs, runs and says its version', (t) => {
  install(t);
  assert.ok(opsbelt('--version').startsWith(`opsbelt ${version}\n`));
  copyFileSync(fixture('gollum/two_pages.json'), join(bare, 'event.json'));
  assert.match(opsbelt('gollum-notify', '--dry-run', '--event', '/event.json'), /2 pages changed by tomas-lind/);
  assert.equal(inBare('dpkg', '--verify', 'opsbelt'), '');
});

test('on a bare Debian: a manual page for each command, completion, licences', (t) => {
  install(t);
  const page = (stem) => gunzipSync(readFileSync(join(bare, `usr/share/man/man1/${stem}.1.gz`))).toString();
  assert.match(page('opsbelt'), /^\.TH /m);
  const commands = [...opsbelt('--help').matchAll(/^ {2}([a-z]+(?:-[a-z]+)*) {2,}/gm)].map((match) => match[1]);
  assert.ok(commands.length >= 6, commands.join());
  for (const command of commands) assert.match(page(`opsbelt-${command}`), /^\.SH DESCRIPTION$/m, command);
  const completion = '/usr/share/bash-completion/completions/opsbelt';
  assert.match(inBare('bash', '-c', `. ${completion} && complete -p opsbelt`), /^complete .*opsbelt$/m);
  for (const path of ['zsh/vendor-completions/_opsbelt', 'fish/vendor_completions.d/opsbelt.fish']) {
    assert.match(readFileSync(join(bare, 'usr/share', path), 'utf8'), /gollum-notify/);
  }
  const doc = join(bare, 'usr/share/doc/opsbelt');
  assert.match(readFileSync(join(doc, 'copyright'), 'utf8'), /^License: Apache-2\.0$/m);
  assert.match(gunzipSync(readFileSync(join(doc, 'licenses.gz'))).toString(), /OpenSSL/);
  assert.ok(gunzipSync(readFileSync(join(doc, 'changelog.gz'))).toString().startsWith(`opsbelt (${version}) `));
});

test('on a bare Debian: purged, it leaves nothing', (t) => {
  const before = install(t);
  assert.notDeepEqual(listing(), before);
  inBare('dpkg', '--purge', 'opsbelt');
  assert.deepEqual(listing(), before);
});

test('lintian has nothing to say', () => {
  const result = spawnSync('lintian', ['--allow-root', '--fail-on', 'error,warning', deb], { encoding: 'utf8' });
  assert.equal(result.stdout.trim(), '');
  assert.equal(result.status, 0, result.stderr);
});

test('lintian is not blind', (t) => {
  const tree = folder(t);
  out('dpkg-deb', '--raw-extract', deb, tree);
  rmSync(join(tree, 'usr/share/doc/opsbelt/copyright'));
  const broken = join(folder(t), `opsbelt_${version}_${arch}.deb`);
  out('dpkg-deb', '--root-owner-group', '--build', tree, broken);
  assert.match(spawnSync('lintian', ['--allow-root', broken], { encoding: 'utf8' }).stdout, /^E: opsbelt: no-copyright-file$/m);
});

test('the tarball: one folder, owned by root, binary and texts, and the binary runs anywhere', (t) => {
  for (const line of out('tar', '--list', '--verbose', '--numeric-owner', '--gzip', '--file', tarball).trim().split('\n')) {
    assert.match(line, /^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x) 0\/0 /);
    assert.ok(line.split(/ +/).at(-1).startsWith(`${name}/`), line);
  }
  const place = folder(t);
  out('tar', '--extract', '--gzip', '--file', tarball, '-C', place);
  assert.deepEqual(readdirSync(join(place, name)).toSorted(),
    ['CHANGELOG.md', 'LICENSE', 'LICENSES-OF-LIBRARIES', 'README.md', 'completions', 'man', 'opsbelt']);
  const program = join(place, name, 'opsbelt');
  assert.ok(out(...qemu, program, '--version').startsWith(`opsbelt ${version}\n`));
  assert.ok(existsSync(join(place, name, 'man/man1/opsbelt-gollum-notify.1')));
  const unpacked = folder(t);
  out('dpkg-deb', '--extract', deb, unpacked);
  assert.equal(sum(program), sum(join(unpacked, 'usr/bin/opsbelt')), 'both packages hold the same binary');
});

test('the binary is for this architecture, static, hardened', async (t) => {
  const unpacked = folder(t);
  out('dpkg-deb', '--extract', deb, unpacked);
  const program = join(unpacked, 'usr/bin/opsbelt');
  assert.match(out('readelf', '-hW', program), arch === 'arm64' ? /Machine: +AArch64/ : /Machine: +Advanced Micro Devices X86-64/);
  assert.deepEqual(formFaults(program), []);
  assert.ok(!readFileSync(program).includes(root.replace(/\/$/, '')), 'it names the folder that it was built in');
  const { landingPads } = await countGuards(program, { objdump: qemu.length > 0 ? 'aarch64-linux-gnu-objdump' : 'objdump' });
  assert.ok(landingPads > 3000, `${landingPads} places marked for indirect jumps`);
});

test('the checksums are those of the packages', (t) => {
  const lines = readFileSync(join(shipped, 'SHA256SUMS'), 'utf8').trim().split('\n');
  const sums = Object.fromEntries(lines.map((line) => line.split('  ').toReversed()));
  for (const path of [deb, tarball]) assert.equal(sums[path.split('/').at(-1)], sum(path));
  assert.deepEqual(Object.keys(sums).toSorted(), readdirSync(shipped).filter((file) => /\.(deb|tar\.gz)$/.test(file)).toSorted());
  const wrong = join(folder(t), 'SHA256SUMS');
  writeFileSync(wrong, lines.map((line) => line.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))).join('\n'));
  assert.equal(spawnSync('sha256sum', ['--check', wrong], { cwd: shipped, stdio: 'ignore' }).status, 1);
});

test('packed again, elsewhere in time and with other rights, the bytes are the same', () => {
  const before = [deb, tarball].map(sum);
  execFileSync('sh', ['-c', 'umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 ./dev package "$1"', 'sh', arch], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  assert.deepEqual([deb, tarball].map(sum), before);
});
