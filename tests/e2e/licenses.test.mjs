// What is linked is named, with its version and its licence; docs/libraries.md names the same.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root, run } from './support.mjs';

const short = (await run(['licenses'])).stdout;
const full = (await run(['licenses', '--full'])).stdout;
const read = (name) => readFileSync(join(root, name), 'utf8');

// The table: name, version, licence, source package.
const libraries = [...short.matchAll(/^ {2}(\S+) +(\S+) +(\S.*?) {2,}(\S+)$/gm)]
  .map(([, name, version, licence, source]) => ({ name, version, licence, source }));

// What the link line and the #include lines call a library.
const NAMES = {
  'libcurl.a': 'libcurl', 'libcares.a': 'c-ares', 'libnghttp2.a': 'nghttp2', 'libmicrohttpd.a': 'libmicrohttpd',
  'libsimdjson.a': 'simdjson', 'libwslay.a': 'wslay', 'libyaml-cpp.a': 'yaml-cpp', 'libutf8proc.a': 'utf8proc',
  'libre2.a': 'RE2', 'libsqlite3.a': 'SQLite', 'libminizip.a': 'minizip', 'libz.a': 'zlib', 'libssl.a': 'OpenSSL',
  'libcrypto.a': 'OpenSSL', 'libfmt.a': 'fmt', 'CLI/': 'CLI11', 'protozero/': 'protozero',
  // Headers of what is linked by an archive.
  'curl/': 'libcurl', 'fmt/': 'fmt', 'openssl/': 'OpenSSL', 'nghttp2/': 'nghttp2', 'wslay/': 'wslay', 're2/': 'RE2',
  'yaml-cpp/': 'yaml-cpp', 'minizip/': 'minizip', 'ares.h': 'c-ares', 'microhttpd.h': 'libmicrohttpd', 'simdjson.h': 'simdjson',
  'sqlite3.h': 'SQLite', 'utf8proc.h': 'utf8proc', 'zlib.h': 'zlib',
};
// Of libc and the kernel.
const SYSTEM = ['arpa/', 'asm/', 'linux/', 'net/', 'netinet/', 'sys/'];
const UNIX = ['arpa', 'dirent', 'errno', 'fcntl', 'getopt', 'grp', 'ifaddrs', 'malloc', 'netdb', 'poll', 'pthread', 'pty', 'pwd',
  'sched', 'signal', 'spawn', 'stdio', 'stdlib', 'string', 'sysexits', 'syslog', 'termios', 'time', 'unistd'].map((name) => `${name}.h`);

test('the table names each library with version, licence and source', () => {
  assert.ok(libraries.length >= 18, short);
  for (const { name, version } of libraries) assert.match(version, /^[0-9][0-9A-Za-z.+~-]+$/, name);
  assert.match(short, /^opsbelt \d+\.\d+\.\d+ {2}Apache-2\.0$/m);
  for (const line of short.split('\n')) assert.ok(line.length <= 100, line);
});

test('every archive that is linked is in it', () => {
  const ninja = read('build/release/build.ninja');
  const [, line] = /^build opsbelt: CXX_EXECUTABLE_LINKER__tool_Release [\s\S]*?LINK_LIBRARIES = (.*)$/m.exec(ninja);
  const archives = [...new Set(line.split(' ').filter((word) => word.endsWith('.a')).map((path) => path.replace(/.*\//, '')))];
  assert.ok(archives.length >= 14, line);
  for (const archive of archives) {
    if (/^lib(dl|pthread)\.a$/.test(archive)) continue; // of glibc
    assert.ok(archive in NAMES, `${archive} is linked: name it in cmake/texts.cmake and here`);
    assert.ok(libraries.some(({ name }) => name === NAMES[archive]), `${archive} is not in opsbelt licenses`);
  }
});

test('every library whose headers are included is in it', () => {
  const lines = execFileSync('git', ['grep', '-h', '-o', '-E', '#include <[^>]+>', '--', 'src'], { cwd: root }).toString();
  const headers = [...new Set([...lines.matchAll(/<([^>]+)>/g)].map((match) => match[1]))];
  const foreign = headers.filter((header) => /[./]/.test(header) && !UNIX.includes(header) && !SYSTEM.some((start) => header.startsWith(start)));
  assert.ok(foreign.length >= 10, foreign.join(' '));
  for (const header of foreign) {
    const name = NAMES[header] ?? NAMES[header.replace(/\/.*/, '/')];
    assert.ok(name, `<${header}> is included: name its library in cmake/texts.cmake and here`);
    assert.ok(libraries.some((library) => library.name === name), `<${header}> is of ${name}, which is not in opsbelt licenses`);
  }
});

test('--version and it agree', async () => {
  const { stdout } = await run(['--version']);
  for (const [, name, version] of stdout.matchAll(/^ {2}(\S+) +(\d\S+)/gm)) {
    const library = libraries.find((each) => each.name === name);
    assert.ok(library, name);
    assert.ok(library.version.startsWith(version), `${name}: ${version} and ${library.version}`);
  }
});

test('docs/libraries.md and it agree', () => {
  const [, table] = /\|---\|---\|---\|---\|\n([\s\S]*?)(?:\n\n|\n$)/.exec(read('docs/libraries.md'));
  const rows = table.split('\n').flatMap((row) => {
    const [, names, versions] = row.split('|').map((cell) => cell.trim());
    return names.split(', ').map((name, i) => [name, versions.split(', ')[i]]);
  });
  const ofTests = ['doctest'];
  const ofCompiler = ['glibc', 'libstdc++'];
  assert.deepEqual(rows.map(([name]) => name).filter((name) => !ofTests.includes(name)).toSorted(),
    libraries.map(({ name }) => name).filter((name) => !ofCompiler.includes(name)).toSorted());
  for (const [name, version] of rows.filter(([each]) => !ofTests.includes(each))) {
    const library = libraries.find((each) => each.name === name);
    assert.ok(library.version.startsWith(version.replaceAll(/(?<=\d{4})-(\d\d)-/g, '$1')), `${name}: ${version} and ${library.version}`);
  }
});

// A line of each licence that must be there, and what the owner's notice says.
const TEXTS = {
  libcurl: /Daniel Stenberg/, OpenSSL: /The OpenSSL Project/, 'c-ares': /Permission to use, copy, modify/,
  nghttp2: /Tatsuhiro Tsujikawa/, libmicrohttpd: /LGPL|Lesser General Public License/, simdjson: /Apache/,
  wslay: /Copyright \(c\) 2011, 2012 Tatsuhiro Tsujikawa[\s\S]*OTHER DEALINGS IN THE SOFTWARE/, 'yaml-cpp': /Jesse Beder/,
  RE2: /The RE2 Authors/, zlib: /Jean-loup Gailly/, minizip: /Gilles Vollant/, SQLite: /public domain|blessing/i,
  protozero: /Mapbox|protozero/, utf8proc: /Permission is hereby granted/, CLI11: /Henry Schreiner|University of Cincinnati/,
  fmt: /Victor Zverovich/, glibc: /Free Software Foundation/, 'libstdc++': /GCC RUNTIME LIBRARY EXCEPTION/,
};

test('--full holds the notice of each library, and the licences that notices only name', () => {
  assert.ok(full.startsWith(short.slice(0, short.indexOf('\nopsbelt licenses --full'))));
  const parts = new Map(full.split(/\n={96}\n/).map((part, i, all) => [part, all[i + 1]]).filter(([, next]) => next));
  assert.deepEqual(libraries.map(({ name }) => name).toSorted(), Object.keys(TEXTS).toSorted());
  for (const { name, version } of libraries) {
    const [, notice] = [...parts].find(([heading]) => heading.startsWith(`${name} ${version} `)) ?? [];
    assert.ok(notice, name);
    assert.match(notice, TEXTS[name], name);
  }
  assert.match(full, /Apache License\s+Version 2\.0, January 2004[\s\S]*END OF TERMS AND CONDITIONS/);
  assert.match(full, /GNU LESSER GENERAL PUBLIC LICENSE\s+Version 2\.1, February 1999/);
});

test('it says how to put another libmicrohttpd or glibc into the program', () => {
  for (const part of ['LGPL', 'libmicrohttpd', 'glibc', './dev build', 'apt-get source']) assert.ok(short.includes(part), part);
});
