// How the released binary is hardened. The binary is static and stripped, so its form (readelf) and its
// machine code (objdump) are looked at, and for what each source was compiled with its object file and
// the build's list of commands. Each check is also shown a program that the test compiles without that
// flag, which it must refuse.
//
// Debian's archives of libc and libstdc++ are not compiled for Intel's control-flow enforcement, so the
// linker leaves its note out of the binary, and no kernel enforces it for this program yet. Our code and
// the libraries that ./dev builds are ready for it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { countGuards, formFaults, reachableFunctions, sectionOffsets, wanted } from './elf.mjs';
import { binary, file, folder, root } from './support.mjs';

const build = dirname(binary);
const amd64 = { skip: process.arch === 'x64' ? false : 'looks at amd64 machine code' };
const STATIC_PIE = ['-static-pie', '-fPIE', '-Wl,-z,relro,-z,now,-z,noexecstack'];

// A program of two functions with a buffer each, compiled with these flags; the path of what came out.
function compiled(t, flags) {
  const source = file(t, 'small.c', `#include <stdio.h>
#include <string.h>
int length(const char *text) { char copy[64]; strcpy(copy, text); return (int)strlen(copy); }
int main(int count, char **words) { printf("%d\\n", length(words[count - 1])); return 0; }
`);
  const out = join(folder(t), 'small');
  execFileSync('gcc', ['-O2', '-U_FORTIFY_SOURCE', '-fno-stack-protector', '-fcf-protection=none', '-o', out, source, ...flags],
    { stdio: ['ignore', 'ignore', 'inherit'] });
  return out;
}

test('form: static, position-independent, read-only after relocation, no executable stack or data', () => {
  assert.deepEqual(formFaults(binary), []);
});

const FORM_FAULTS = [
  ['not position-independent', ['-static', '-no-pie', '-Wl,-z,relro,-z,now']],
  ['wants a dynamic loader', ['-pie', '-fPIE']],
  ['wants shared libraries', ['-pie', '-fPIE']],
  ['no RELRO', ['-static-pie', '-fPIE', '-Wl,-z,norelro,-z,now']],
  ['binds lazily', ['-pie', '-fPIE', '-Wl,-z,lazy']],
  ['executable stack', [...STATIC_PIE, '-Wl,-z,execstack']],
  ['a segment is writable and executable', ['-static', '-no-pie', '-Wl,--omagic,--defsym=__ehdr_start=0']],
  ['relocations in the code', ['-shared', '-fno-pic', '-mcmodel=large', '-Wl,-z,notext']],
];
for (const [fault, flags] of FORM_FAULTS) {
  test(`form: refused: ${fault}`, { skip: fault === 'relocations in the code' && amd64.skip }, (t) => {
    assert.ok(formFaults(compiled(t, flags)).includes(fault));
  });
}

test('form: the small program with the release\'s flags has no faults', (t) => {
  assert.deepEqual(formFaults(compiled(t, STATIC_PIE)), []);
});

// --- Every source's flags ---------------------------------------------------

const FLAGS = ['-fPIE', '-fstack-protector-strong', '-fstack-clash-protection', '-D_FORTIFY_SOURCE=3', '-D_GLIBCXX_ASSERTIONS',
  process.arch === 'x64' ? '-fcf-protection=full' : '-mbranch-protection=standard'];
const missing = (command) => FLAGS.filter((flag) => !command.split(' ').includes(flag));
const commands = JSON.parse(readFileSync(join(build, 'compile_commands.json'), 'utf8'));

test('every source is compiled with the flags', () => {
  assert.ok(commands.length > 200, `${commands.length} sources`);
  for (const { file: source, command } of commands) assert.deepEqual(missing(command), [], source);
});

test('a source that lacks one of them would be seen', () => {
  for (const flag of FLAGS) assert.deepEqual(missing(commands[0].command.replace(` ${flag} `, ' ')), [flag]);
});

// --- Their machine code -----------------------------------------------------

const objects = commands.filter(({ file: source }) => source.includes('/src/'))
  .map(({ command }) => join(build, / -o (\S+\.o) /.exec(command)[1])).filter(existsSync);
const ARCHIVES = ['libcurl.a', 'libmicrohttpd.a', 'libwslay.a', 'libsimdjson.a', 'libfmt.a'].map((name) => join(root, 'build/deps/lib', name));
const isFortified = (names) => [...names].some((name) => /^__\w+_chk$/.test(name));
const isGuarded = (names) => names.has('__stack_chk_fail');

// The functions that do not begin with endbr64 although others may jump to them.
function withoutLandingPad(object) {
  const bytes = readFileSync(object);
  const offsets = sectionOffsets(object);
  return reachableFunctions(object).filter(({ section, value }) =>
    bytes.readUInt32LE(offsets.get(section) + value) !== 0xfa1e0ff3).map(({ name }) => name);
}

test('our objects and the libraries that we build have stack guards and checked string functions', () => {
  assert.ok(objects.length > 150, `${objects.length} object files`);
  const ours = new Set(objects.flatMap((object) => [...wanted(object)]));
  assert.ok(isGuarded(ours) && isFortified(ours));
  for (const archive of ARCHIVES.slice(0, 2)) assert.ok(isGuarded(wanted(archive)) && isFortified(wanted(archive)), archive);
  for (const archive of ARCHIVES.slice(2)) assert.ok(isGuarded(wanted(archive)), archive);
});

test('an object without them would be seen', (t) => {
  const plain = wanted(compiled(t, ['-c']));
  const hardened = wanted(compiled(t, ['-c', '-fstack-protector-strong', '-D_FORTIFY_SOURCE=2']));
  assert.deepEqual([isGuarded(plain), isFortified(plain)], [false, false]);
  assert.deepEqual([isGuarded(hardened), isFortified(hardened)], [true, true]);
});

test('every function of ours that others may jump to begins with endbr64', amd64, () => {
  for (const object of objects) assert.deepEqual(withoutLandingPad(object), [], object);
});

test('an object without endbr64 would be seen', amd64, (t) => {
  assert.deepEqual(withoutLandingPad(compiled(t, ['-c'])).toSorted(), ['length', 'main']);
  assert.deepEqual(withoutLandingPad(compiled(t, ['-c', '-fcf-protection=full'])), []);
});

// --- The machine code of the binary -----------------------------------------

// Debian's libc brings guards of its own, so the measure is a program that has only those.
let own;
before(async () => { own = await countGuards(binary); });
const hasGuards = (counts, plain) => counts.canaryReads > 3 * plain.canaryReads;
const hasLandingPads = (counts, plain) => counts.landingPads > 3 * plain.landingPads + 1000;

test('the binary holds the guards and the endbr64, many times what libc brings', amd64, async (t) => {
  const plain = await countGuards(compiled(t, STATIC_PIE));
  assert.ok(hasGuards(own, plain), JSON.stringify({ own, plain }));
  assert.ok(hasLandingPads(own, plain), JSON.stringify({ own, plain }));
  assert.ok(!hasGuards(plain, plain) && !hasLandingPads(plain, plain));
});

test('Debian\'s libc lacks the note of control-flow enforcement, so the binary lacks it too', amd64, () => {
  const notes = execFileSync('readelf', ['-nW', binary]).toString();
  assert.doesNotMatch(notes, /\bIBT\b/, 'libc has it now: say so above and want it here');
});
