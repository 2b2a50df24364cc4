// What a secret's owner relies on: it is read from the environment and goes nowhere but where it must. The faults are
// in faults.test.mjs, which looks for secrets in every row; here is what the machine could tell.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { newSecrets } from '../faults/secrets.mjs';
import { eventStoreFor, numbered } from './eventstore.mjs';
import { binary, file, folder, run, slackFor } from './support.mjs';

const NOBODY = 65534;
const needsRoot = process.getuid() === 0 ? false : 'needs root, to be another user';

describe('the finder of secrets finds', () => {
  const secrets = newSecrets();
  const token = secrets.mark('token', 'xoxb-');
  const odd = secrets.markOdd('password');
  const FORMS = {
    'itself': token, 'its first half': token.slice(0, 5 + 8), 'its last eight characters': token.slice(-8),
    'URL-encoded': encodeURIComponent(odd), 'in JSON': JSON.stringify({ odd }), 'hex': Buffer.from(token).toString('hex'),
    'base64': Buffer.from(token).toString('base64'), 'base64 behind a user': Buffer.from(`me:${odd}`).toString('base64'),
    'base64 behind another user': Buffer.from(`you:${odd}`).toString('base64'), 'base64 for URLs': Buffer.from(`a:${odd}`).toString('base64url'),
  };
  for (const [name, form] of Object.entries(FORMS)) {
    test(name, () => assert.equal(secrets.traces(`before ${form} behind`).length, 1, form));
  }
  test('and nothing else', () => assert.deepEqual(secrets.traces(`${token.slice(0, 12)} ${odd.slice(0, 7)} xoxb-0123456789`), []));
});

// A program that another user than root can start, waiting for Slack.
async function waiting(t, slack, { uid, program = binary, cwd } = {}) {
  slack.fail({ kind: 'hang', on: 'webhook' });
  const child = spawn('/bin/sh', ['-c', 'ulimit -c unlimited; exec "$@"', 'sh', program, 'slack-post', 'x'],
    { env: { SLACK_WEBHOOK: slack.webhookUrl }, uid, gid: uid, cwd });
  t.after(() => child.kill('SIGKILL'));
  const closed = once(child, 'close');
  for (const end = Date.now() + 10_000; slack.requests.length === 0;) {
    assert.ok(Date.now() < end && child.exitCode === null, 'it waits for Slack');
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
  return { child, closed };
}

function copyFor(t, uid) {
  const dir = folder(t);
  if (uid !== undefined) chmodSync(dir, 0o777);
  copyFileSync(binary, join(dir, 'opsbelt'));
  chmodSync(join(dir, 'opsbelt'), 0o755);
  return { dir, program: join(dir, 'opsbelt') };
}

describe('memory', () => {
  const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
  const noFiles = pattern.startsWith('core') ? false : 'core_pattern makes no file beside the program here';

  test('a crash leaves no core dump, where other programs leave one', { skip: noFiles }, async (t) => {
    const { dir, program } = copyFor(t);
    await run(['-c', 'ulimit -c unlimited; kill -ABRT $$'], { program: '/bin/sh', cwd: dir });
    assert.ok(readdirSync(dir).some((name) => name.startsWith('core')), 'another program leaves a core dump here');
    const slack = await slackFor(t);
    const own = copyFor(t);
    const { child, closed } = await waiting(t, slack, { program: own.program, cwd: own.dir });
    child.kill('SIGABRT');
    assert.deepEqual((await closed)[1], 'SIGABRT');
    assert.deepEqual(readdirSync(own.dir), ['opsbelt'], program);
  });

  test('programs of the same user can\'t read its environment, nor those it starts', { skip: needsRoot }, async (t) => {
    const slack = await slackFor(t);
    const { dir, program } = copyFor(t, NOBODY);
    const { child } = await waiting(t, slack, { uid: NOBODY, program, cwd: dir });
    const read = await run(['-c', `cat /proc/${child.pid}/environ`], { program: '/bin/sh', uid: NOBODY, env: {} });
    assert.notEqual(read.code, 0);
    assert.equal(read.stdout, '');
    const bot = file(t, 'bot.yaml', 'handlers:\n- match: look\n  run: [sh, -c, "cat /proc/$$PPID/environ | tr \'\\\\0\' \'\\\\n\'; echo looked"]\n');
    chmodSync(bot, 0o644);
    chmodSync(join(bot, '..'), 0o755);
    const said = await run(['slack-serve', '--config', bot, '--say', 'look'], { program, uid: NOBODY, env: { PATH: process.env.PATH, SLACK_BOT_TOKEN: 'xoxb-hidden' } });
    assert.match(said.stdout, /looked/, said.stderr);
    assert.doesNotMatch(said.stdout, /hidden/);
  });
});

test('programs of es-tail get the environment without the event store\'s password', async (t) => {
  const store = await eventStoreFor(t, { users: { admin: 'a-password-9' } });
  store.append('s', numbered(1));
  const out = join(folder(t), 'environment');
  const processors = file(t, 'p.yaml', JSON.stringify({ processors: [{ name: 'p', exec: ['sh', '-c', `env > ${out}`] }] }));
  const result = await run(['es-tail', 's', '-e', '--processors', processors],
    { env: { PATH: process.env.PATH, OTHER: 'kept', ES_URL: store.url.replace('esdb://', 'esdb://admin:a-password-9@') } });
  assert.equal(result.code, 0, result.stderr);
  assert.ok(existsSync(out));
  assert.match(readFileSync(out, 'utf8'), /^OTHER=kept$/m);
  assert.doesNotMatch(readFileSync(out, 'utf8'), /ES_URL|a-password-9/);
});
