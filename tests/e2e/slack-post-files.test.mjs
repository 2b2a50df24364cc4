// slack-post --file: any bytes, to every channel, whole or not at all.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, errorLine, file, folder, readOutputs, run, slackFor } from './support.mjs';

const post = (slack, args, options = {}) => run(['slack-post', '--api', slack.apiUrl, ...args],
  { ...options, env: { SLACK_BOT_TOKEN: slack.token, ...options.env } });
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

// A file of that many bytes that are not held in memory here.
function bigFile(t, bytes) {
  const path = file(t, 'big.bin', '');
  const fd = openSync(path, 'w');
  const chunk = randomBytes(1 << 20);
  for (let done = 0; done < bytes; done += chunk.length) writeSync(fd, chunk, 0, Math.min(chunk.length, bytes - done));
  closeSync(fd);
  return path;
}

test('a file with its comment, in a thread, by channel name', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  const result = await post(slack, ['--channel', '#ops', '--file', file(t, 'report.txt', 'all well\n'), '--thread-ts', '1700000000.000100',
    'The <report>'], { env: { GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /^uploaded report\.txt to #ops/);
  const [uploaded] = slack.files;
  assert.deepEqual([uploaded.filename, uploaded.sha256], ['report.txt', sha256('all well\n')]);
  assert.deepEqual(uploaded.shared, [{ channel: 'C00000002', thread_ts: '1700000000.000100', initial_comment: 'The &lt;report&gt;', title: 'report.txt' }]);
  const written = readOutputs(outputs);
  assert.deepEqual([written.ok, written.channel_id], ['true', 'C00000002']);
  assert.equal(JSON.parse(written.response).files[0].id, uploaded.id);
});

test('several files are one message; a title and a comma in a name are kept', async (t) => {
  const slack = await slackFor(t);
  const paths = ['a,b.txt', 'ü.log'].map((name) => file(t, name, name));
  const result = await post(slack, ['--channel', 'C00000002', '--file', paths[0], '--file', paths[1], '--title', 'Logs']);
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(slack.files.map(({ filename }) => filename), ['a,b.txt', 'ü.log']);
  assert.equal(slack.accepted.length, 1);
  assert.equal(slack.files[1].shared[0].title, 'Logs');
});

test('binary standard input, through a pipe and from a file', async (t) => {
  const slack = await slackFor(t);
  const bytes = randomBytes(300_000);
  const args = ['slack-post', '--api', slack.apiUrl, '--channel', 'C00000002', '--file', '-', '--filename', 'core.bin'];
  const env = { SLACK_BOT_TOKEN: slack.token };
  const piped = await run(args, { env, stdin: bytes });
  assert.equal(piped.code, 0, piped.stderr);
  const redirected = await run(['-c', 'exec "$@" < "$INPUT_BYTES"', 'sh', binary, ...args],
    { program: 'sh', env: { ...env, PATH: process.env.PATH, INPUT_BYTES: file(t, 'in.bin', bytes) } });
  assert.equal(redirected.code, 0, redirected.stderr);
  assert.deepEqual(slack.files.map(({ filename, sha256: hash }) => [filename, hash]), Array(2).fill(['core.bin', sha256(bytes)]));
});

test('standard input that was read before is uploaded from where it stands', async (t) => {
  const slack = await slackFor(t);
  const args = ['slack-post', '--api', slack.apiUrl, '--channel', 'C00000002', '--file', '-', '--filename', 'rest.txt'];
  const result = await run(['-c', '{ read -r first; exec "$@"; } < "$INPUT_LINES"', 'sh', binary, ...args],
    { program: 'sh', env: { SLACK_BOT_TOKEN: slack.token, PATH: process.env.PATH, INPUT_LINES: file(t, 'lines.txt', 'head\nthe rest\n') } });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(slack.files[0].sha256, sha256('the rest\n'));
});

test('a file of /proc, whose size is told as 0, is uploaded whole', async (t) => {
  const slack = await slackFor(t);
  const result = await post(slack, ['--channel', 'C00000002', '--file', '/proc/version']);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(slack.files[0].sha256, sha256(readFileSync('/proc/version')));
});

test('each channel gets it; one that fails does not keep it from the others', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  const result = await post(slack, ['--channel', '#attic,#nowhere,#ops,ada@example.com', '--file', file(t, 'a.txt', 'a')],
    { env: { GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 78, result.stderr);
  const shared = slack.files.flatMap((uploaded) => uploaded.shared).map(({ channel }) => channel);
  assert.deepEqual(shared, ['C00000002', 'D00000001']);
  const results = JSON.parse(readOutputs(outputs).results);
  assert.deepEqual(Object.entries(results).map(([channel, { ok }]) => [channel, ok]),
    [['#attic', false], ['#nowhere', false], ['#ops', true], ['ada@example.com', true]]);
});

const HALF_WAY = [
  { kind: 'reset-in-body', after: 1_000_000, on: 'upload' },
  { kind: 'reset-after-body', on: 'upload' },
  { kind: 'reset-before-body', on: 'upload' },
  { kind: 'status', status: 503, body: 'later', on: 'upload' },
  { kind: 'reset-in-reply', on: 'upload' },
  { kind: 'reset-after-body', accepted: true, on: 'files.getUploadURLExternal' },
];
for (const fault of HALF_WAY) {
  test(`an upload that fails half way is sent again, and shown once: ${JSON.stringify(fault)}`, async (t) => {
    const slack = await slackFor(t);
    const bytes = randomBytes(3_000_000);
    slack.fail(fault);
    const result = await post(slack, ['--channel', 'C00000002', '--file', file(t, 'a.bin', bytes)]);
    assert.equal(result.code, 0, result.stderr);
    assert.equal(slack.accepted.length, 1);
    const shown = slack.files.filter((uploaded) => uploaded.shared.length > 0);
    assert.deepEqual(shown.map(({ sha256: hash }) => hash), [sha256(bytes)]);
    assert.doesNotMatch(result.stderr, /may have been done/, 'nothing shows before it is completed');
  });
}

test('an upload that goes on failing: nothing is shown, the file is named, 75', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'reset-in-body', after: 1000, on: 'upload' });
  const result = await post(slack, ['--channel', 'C00000002', '--retry-budget', '0', '--file', file(t, 'a.bin', randomBytes(100_000))]);
  assert.equal(result.code, 75, result.stderr);
  assert.match(errorLine(result), /C00000002: a\.bin: no whole reply from http:/);
  assert.doesNotMatch(result.stderr, /upload\/v1/, 'the address is a secret');
  assert.equal(slack.accepted.length, 0);
});

test('completing is not done twice', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'reset-after-body', accepted: true, on: 'files.completeUploadExternal' });
  const result = await post(slack, ['--channel', 'C00000002', '--file', file(t, 'a.txt', 'a')]);
  assert.equal(result.code, 75, result.stderr);
  assert.equal(slack.accepted.length, 1);
  assert.equal(slack.requests.filter(({ path }) => path.endsWith('completeUploadExternal')).length, 1);
});

test('100 MB: whole, and not held in memory', async (t) => {
  const slack = await slackFor(t);
  const path = bigFile(t, 100_000_000);
  const result = await run(['-f', '%M', binary, 'slack-post', '--api', slack.apiUrl, '--channel', 'C00000002', '--file', path],
    { program: '/usr/bin/time', env: { SLACK_BOT_TOKEN: slack.token } });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(slack.files[0].sha256, sha256(readFileSync(path)));
  const peak_kib = Number(result.stderr.trim().split('\n').at(-1));
  assert.ok(peak_kib < 20_000, `${peak_kib} KiB`);
});

const UNREADABLE = [
  ['missing.txt', 66, /can't read .*missing\.txt: No such file/],
  ['.', 66, /it is a directory/],
  ['/dev/null', 65, /\/dev\/null is empty, and Slack takes no empty files/],
];
for (const [path, code, message] of UNREADABLE) {
  test(`a file that can't be sent: ${path}: ${code}, and nothing is sent`, async (t) => {
    const slack = await slackFor(t);
    const result = await post(slack, ['--channel', 'C00000002', '--file', file(t, 'good.txt', 'x'), '--file', path]);
    assert.equal(result.code, code, result.stderr);
    assert.match(errorLine(result), message);
    assert.equal(slack.requests.length, 0);
  });
}

test('a file that becomes shorter while it is sent: 74, and nothing is shown', async (t) => {
  const slack = await slackFor(t);
  const path = bigFile(t, 50_000_000);
  slack.fail({ kind: 'slow', delay_ms: 300, on: 'files.getUploadURLExternal' });
  const asked = setInterval(() => {
    if (slack.requests.length === 0) return;
    truncateSync(path, 10_000);
    clearInterval(asked);
  }, 5);
  t.after(() => clearInterval(asked));
  const result = await post(slack, ['--channel', 'C00000002', '--file', path]);
  assert.equal(result.code, 74, result.stderr);
  assert.match(errorLine(result), /big\.bin became shorter while it was read/);
  assert.equal(slack.accepted.length, 0);
});

test('a missing scope is named with what is there', async (t) => {
  const slack = await slackFor(t, { scopes: ['chat:write'] });
  const result = await post(slack, ['--channel', 'C00000002', '--file', file(t, 'a.txt', 'a')]);
  assert.equal(result.code, 77);
  assert.match(errorLine(result), /missing_scope \(needed: files:write; provided: chat:write\)/);
});

test('dry run names the files and sends nothing', async (t) => {
  const slack = await slackFor(t);
  const result = await post(slack, ['--channel', '#ops', '--dry-run', '--file', file(t, 'a.txt', 'abc'), 'look']);
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /this would go to #ops by files\.completeUploadExternal\na\.txt \(3 bytes\)\nlook\n/);
  assert.equal(slack.requests.length, 0);
});

test('progress is a line of the terminal, and nothing without one', async (t) => {
  const slack = await slackFor(t);
  const path = bigFile(t, 5_000_000);
  const command = `'${binary}' slack-post --api '${slack.apiUrl}' --channel C00000002 --file '${path}'`;
  const result = await run(['-qec', command, '/dev/null'], { program: 'script', env: { PATH: process.env.PATH, SLACK_BOT_TOKEN: slack.token } });
  assert.match(result.stdout, /big\.bin: 100 % of 4\.8 MiB/);
  const quiet = await post(slack, ['--channel', 'C00000002', '--file', path]);
  assert.equal(quiet.stderr, '');
});
