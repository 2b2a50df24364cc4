// The binary as such: help, version, mistakes in the command line, what it needs from the machine.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, errorLine, fixture, folder, run, runInEmptyRoot, selfSigned, slackFor } from './support.mjs';

const overview = (await run(['--help'])).stdout;
const commands = [...overview.matchAll(/^ {2}([a-z-]+) {2,}/gm)].map((match) => match[1]);

test('--help lists the commands, a line each', async () => {
  assert.deepEqual(commands, ['gollum-notify', 'slack-post', 'slack-serve', 'azure-run', 'es-tail', 'udp-load',
    'completion', 'manual', 'licenses']);
  for (const args of [['--help'], ['-h'], ['help']]) {
    const result = await run(args);
    assert.equal(result.code, 0);
    assert.equal(result.stdout, overview);
  }
  const nothing = await run([]);
  assert.equal(nothing.code, 64);
  assert.equal(nothing.stderr, overview);
});

for (const command of commands) {
  test(`${command} --help: usage, values, examples, every exit code, no line too wide`, async () => {
    const long = await run([command, '--help']);
    assert.equal(long.code, 0);
    assert.equal(long.stderr, '');
    for (const args of [[command, '-h'], ['help', command]]) {
      assert.equal((await run(args)).stdout, long.stdout);
    }
    for (const part of [`Usage: opsbelt ${command}`, 'INPUT_<FLAG>', 'Examples', 'Exit codes']) {
      assert.ok(long.stdout.includes(part), part);
    }
    for (const code of [0, 1, 64, 65, 66, 69, 70, 74, 75, 76, 77, 78, 130]) {
      assert.match(long.stdout, new RegExp(`^ +${code}  \\S`, 'm'));
    }
    for (const line of long.stdout.split('\n')) assert.ok(line.length <= 100, line);
  });
}

test('--version tells its own and the libraries\' versions', async () => {
  const { code, stdout } = await run(['--version']);
  assert.equal(code, 0);
  assert.match(stdout, /^opsbelt \d+\.\d+\.\d+\n/);
  for (const library of ['libcurl', 'OpenSSL', 'c-ares', 'nghttp2', 'libmicrohttpd', 'simdjson', 'yaml-cpp', 'SQLite', 'utf8proc', 'CLI11', 'fmt']) {
    assert.match(stdout, new RegExp(`^  ${library} +\\d+\\.\\d+`, 'm'));
  }
});

const NOTIFY_IN_ROOT = ['gollum-notify', '--event', '/event.json'];
const EVENT_IN_ROOT = { '/event.json': readFileSync(fixture('gollum/two_pages.json')) };

const MISTAKES = [
  [['gollum-notfy'], /unknown command 'gollum-notfy'; did you mean gollum-notify\?/],
  [['xyz'], /unknown command 'xyz'; opsbelt --help lists all commands/],
  [['--verion'], /unknown option '--verion'; did you mean --version\?/],
  [['hepl'], /unknown command 'hepl'; did you mean help\?/],
  [['xoxb-123'], /unknown command \(not shown\)/],
  [['https://hooks.slack.com/services/T/B/X'], /unknown command \(not shown\)/],
  [['help', 'golum-notify'], /did you mean gollum-notify\?/],
  [['gollum-notify', '--webhok=x'], /unknown option '--webhok'; did you mean --webhook\?/],
  [['gollum-notify', '--ignore-page', 'x'], /did you mean --ignore-pages\?/],
  [['gollum-notify', '--zzzzzzzz'], /unknown option '--zzzzzzzz'; opsbelt gollum-notify --help lists/],
  [['gollum-notify', '-x'], /unknown option '-x'/],
  [['gollum-notify', 'event.json'], /unknown argument 'event.json'/],
  [['gollum-notify', '--event'], /: --event needs a value$/],
  [['gollum-notify', '--dry-run=maybe'], /--dry-run is 'maybe', but must be true or false/],
  [['gollum-notify', 'xoxb-123'], /unknown argument \(not shown\)/],
  [['gollum-notify', '--excerpt-lines', 'many', '--dry-run'], /--excerpt-lines is 'many'.*whole number from 0 to 50/],
];
for (const [args, message] of MISTAKES) {
  test(`a mistake: ${args.join(' ')}`, async () => {
    const result = await run(args);
    assert.equal(result.code, 64);
    assert.equal(result.stdout, '');
    assert.match(errorLine(result), /^opsbelt: /);
    assert.match(errorLine(result), message);
  });
}

test('an unknown option\'s value, which may be a secret, is not repeated', async () => {
  const result = await run(['gollum-notify', '--tokn=xoxb-very-secret']);
  assert.equal(result.code, 64);
  assert.ok(!result.stderr.includes('very-secret'), result.stderr);
});

test('a full disk behind stdout is exit 74', () => {
  const full = openSync('/dev/full', 'w');
  const result = spawnSync(binary, ['--version'], { stdio: ['ignore', full, 'pipe'] });
  assert.equal(result.status, 74);
  assert.match(result.stderr.toString(), /can't write to standard output: No space left/);
});

test('statically linked, stripped, at most 14 MB', () => {
  const about = execFileSync('file', ['-b', binary]).toString();
  assert.match(about, /static(ally|-pie) linked/);
  assert.match(about, /, stripped/);
  assert.ok(statSync(binary).size <= 14_000_000, `${statSync(binary).size} bytes`);
});

test('runs in an empty root', async (t) => {
  if (process.getuid() !== 0) return t.skip('chroot needs root');
  const version = await runInEmptyRoot(t, ['--version'], {});
  assert.equal(version.code, 0, version.stderr);
  const slack = await slackFor(t);
  const send = await runInEmptyRoot(t, NOTIFY_IN_ROOT, EVENT_IN_ROOT, { SLACK_WEBHOOK: slack.webhookUrl.replace('127.0.0.1', 'localhost') });
  assert.equal(send.code, 0, send.stderr);
  assert.equal(slack.accepted.length, 1);
  return undefined;
});

test('SIGTERM ends it with 130', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'hang' });
  const result = await run(['gollum-notify', '--event', fixture('gollum/two_pages.json')], {
    env: { SLACK_WEBHOOK: slack.webhookUrl },
    onStart: (child) => {
      const timer = setInterval(() => {
        if (slack.requests.length === 0) return;
        clearInterval(timer);
        child.kill('SIGTERM');
      }, 10);
    },
  });
  assert.equal(result.code, 130);
  assert.equal(errorLine(result), 'opsbelt: interrupted');
});

test('TLS: an unknown CA is refused with the remedy, a known one is taken', async (t) => {
  const tls = selfSigned(t);
  const slack = await slackFor(t, { tls });
  const args = ['gollum-notify', '--event', fixture('gollum/two_pages.json')];
  const env = { SLACK_WEBHOOK: slack.webhookUrl };
  const unknown = await run(args, { env });
  assert.equal(unknown.code, 69);
  assert.match(errorLine(unknown), /TLS with https:\/\/127\.0\.0\.1:\d+ failed: .*; .*SSL_CERT_FILE/);
  assert.equal(slack.accepted.length, 0);
  const known = await run(args, { env: { ...env, SSL_CERT_FILE: tls.certFile } });
  assert.equal(known.code, 0, known.stderr);
  assert.equal(slack.accepted.length, 1);
  const missing = await run(args, { env: { ...env, SSL_CERT_FILE: '/no/such/file' } });
  assert.equal(missing.code, 78);
  assert.match(errorLine(missing), /SSL_CERT_FILE names \/no\/such\/file, which can't be read/);
});

test('TLS in an empty root says that there are no CA certificates', async (t) => {
  if (process.getuid() !== 0) return t.skip('chroot needs root');
  const slack = await slackFor(t, { tls: selfSigned(t) });
  const result = await runInEmptyRoot(t, NOTIFY_IN_ROOT, EVENT_IN_ROOT, { SLACK_WEBHOOK: slack.webhookUrl });
  assert.equal(result.code, 69);
  assert.match(errorLine(result), /no CA certificates were found.*SSL_CERT_FILE/);
  return undefined;
});

const CA_PLACES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', '/etc/ssl/ca-bundle.pem', '/etc/ssl/cert.pem'];
test('CA certificates are found where Debian, Fedora, SUSE and Alpine keep them', async (t) => {
  if (process.getuid() !== 0) return t.skip('chroot needs root');
  const tls = selfSigned(t);
  const slack = await slackFor(t, { tls });
  for (const place of CA_PLACES) {
    const result = await runInEmptyRoot(t, NOTIFY_IN_ROOT, { ...EVENT_IN_ROOT, [place]: tls.cert },
      { SLACK_WEBHOOK: slack.webhookUrl });
    assert.equal(result.code, 0, `${place}: ${result.stderr}`);
  }
  assert.equal(slack.accepted.length, CA_PLACES.length);
  return undefined;
});

test('SSL_CERT_DIR names a directory of certificates', async (t) => {
  const tls = selfSigned(t);
  const slack = await slackFor(t, { tls });
  const directory = folder(t);
  copyFileSync(tls.certFile, join(directory, 'own.pem'));
  execFileSync('openssl', ['rehash', directory]);
  const args = ['gollum-notify', '--event', fixture('gollum/two_pages.json')];
  const known = await run(args, { env: { SLACK_WEBHOOK: slack.webhookUrl, SSL_CERT_DIR: directory } });
  assert.equal(known.code, 0, known.stderr);
  const listed = await run(args, { env: { SLACK_WEBHOOK: slack.webhookUrl, SSL_CERT_DIR: `/no/such:${directory}` } });
  assert.equal(listed.code, 0, listed.stderr);
  const empty = await run(args, { env: { SLACK_WEBHOOK: slack.webhookUrl, SSL_CERT_DIR: folder(t) } });
  assert.equal(empty.code, 69);
});

test('a certificate for another host, a file that holds none: each with its own remedy', async (t) => {
  const tls = selfSigned(t);
  const slack = await slackFor(t, { tls });
  const args = ['gollum-notify', '--event', fixture('gollum/two_pages.json'), '--retry-budget', '0'];
  const other = await run(args, { env: { SLACK_WEBHOOK: slack.webhookUrl.replace('127.0.0.1', 'localhost'), SSL_CERT_FILE: tls.certFile } });
  assert.equal(other.code, 69);
  assert.match(errorLine(other), /does not match|no alternative certificate/);
  assert.doesNotMatch(errorLine(other), /not signed by/);
  const none = await run(args, { env: { SLACK_WEBHOOK: slack.webhookUrl, SSL_CERT_FILE: fixture('gollum/two_pages.json') } });
  assert.equal(none.code, 78);
  assert.match(errorLine(none), /two_pages\.json holds no CA certificates; set SSL_CERT_FILE/);
});
