// azure-run where words, credentials and readers meet: what a shell, a workflow and a stalled pipe do to it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { azureRun, envOf, onLinux, ownLines } from './azure.mjs';
import { azureFor, binary, file, folder, readOutputs, run } from './support.mjs';

const AT_ONCE = { concurrency: 8 };
const SHOW = ['--shell', 'sh', '--scripts', 'for a in "$@"; do printf "<%s>" "$a"; done'];

describe('brackets, which the option parser would take for a list', AT_ONCE, () => {
  for (const words of [['[a,b]'], ['[]', '{}', '[x]'], ['[', ']'], ['["a"]'], ['--x=[1,2]', '[q]']]) {
    test(`as arguments: ${words.join(' ')}`, async (t) => {
      const azure = await azureFor(t);
      const { stdout } = await onLinux(azure, [...SHOW, '--', ...words]);
      assert.equal(stdout, words.map((word) => `<${word}>`).join(''));
    });
  }

  test('as a script, with its exit code', async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, ['--shell', 'sh', '--scripts', '[ -e /nowhere/at/all ]', '--exit-code', 'remote']);
    assert.equal(result.code, 1, result.stderr);
    assert.doesNotMatch(result.stderr, /not found/);
  });

  test('as values of parameters', async (t) => {
    const azure = await azureFor(t);
    const { stdout } = await onLinux(azure, [...SHOW, '--parameters', 'A=[1,2]', '[q]']);
    assert.equal(stdout, '<[1,2]><[q]>');
  });
});

test('arguments as an input: a line each, with the white space in it', async (t) => {
  const azure = await azureFor(t);
  const result = await onLinux(azure, SHOW, { env: { INPUT_ARGUMENTS: '  a  \nb,c\n[d]\n' } });
  assert.equal(result.stdout, '<  a  ><b,c><[d]>');
});

describe('of two credentials the one given more directly signs in', AT_ONCE, () => {
  const other = (azure) => JSON.stringify({ clientId: '99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee', clientSecret: 'x', tenantId: azure.tenant });
  const whoAsked = (azure) => azure.requests.find(({ path }) => path.endsWith('/token')).form.client_id;
  for (const [name, args, env] of [
    ['--creds before AZURE_CLIENT_SECRET', (azure) => ['--creds', other(azure)], () => ({})],
    ['INPUT_CREDS before AZURE_CLIENT_SECRET', () => [], (azure) => ({ INPUT_CREDS: other(azure) })],
  ]) {
    test(name, async (t) => {
      const azure = await azureFor(t);
      const result = await onLinux(azure, [...SHOW, ...args(azure)], { env: env(azure) });
      assert.equal(whoAsked(azure), '99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee');
      assert.equal(result.code, 77, result.stderr);
      assert.deepEqual(azure.runs, []);
    });
  }

  test('--client-secret before AZURE_CREDENTIALS and a certificate of the environment', async (t) => {
    const azure = await azureFor(t);
    const { AZURE_CLIENT_SECRET: secret, ...baseEnv } = envOf(azure);
    const result = await onLinux(azure, [...SHOW, '--client-secret', secret],
      { baseEnv, env: { AZURE_CREDENTIALS: other(azure), AZURE_CLIENT_CERTIFICATE_PATH: '/nowhere.pem' } });
    assert.equal(result.code, 0, result.stderr);
    assert.equal(whoAsked(azure), azure.clientId);
  });

  test('--auth github asks nothing of a secret that lies around', async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, [...SHOW, '--auth', 'github'], {
      env: { ACTIONS_ID_TOKEN_REQUEST_URL: azure.githubUrl, ACTIONS_ID_TOKEN_REQUEST_TOKEN: azure.githubToken, AZURE_CREDENTIALS: other(azure) },
    });
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(azure.tokens.map(({ via }) => via), ['github']);
  });
});

test('JSON in Actions holds what the script printed, and no command of the runner', async (t) => {
  const azure = await azureFor(t);
  for (const output of ['json', 'jsonl']) {
    const result = await onLinux(azure, ['--shell', 'sh', '--scripts', 'echo "##[error]b"; echo ::error::c', '--output', output], { env: { GITHUB_ACTIONS: 'true' } });
    assert.doesNotMatch(result.stdout, /##\[/);
    const value = JSON.parse(result.stdout);
    assert.equal((output === 'json' ? value['linux-1'] : value).stdout, '##[error]b\n::error::c\n');
  }
});

test('detached on many machines in Actions: the output names a file that holds the token', async (t) => {
  const azure = await azureFor(t, { vms: 40, longUrls: true, run: async () => { await delay(300); return { stdout: '', stderr: '', exitCode: 0 }; } });
  const outputs = join(folder(t), 'outputs');
  const runnerTemp = folder(t);
  const env = { GITHUB_ACTIONS: 'true', GITHUB_OUTPUT: outputs, RUNNER_TEMP: runnerTemp };
  const result = await azureRun(azure, ['--all', '--shell', 'sh', '--scripts', 'true', '--detach'], { env });
  assert.equal(result.code, 0, result.stderr.slice(-500));
  const { attach_token: token } = readOutputs(outputs);
  assert.match(token, /^@.*opsbelt-attach-/);
  assert.ok(token.startsWith(`@${runnerTemp}/`));
  const later = await azureRun(azure, ['--attach', token, '--timeout', '200ms'], { env: { ...env, GITHUB_OUTPUT: '' } });
  assert.match(later.stderr, /40 machines: /);
});

test('where RUNNER_TEMP can\'t be written the file with the token goes elsewhere, and the exit code stays', async (t) => {
  const azure = await azureFor(t, { vms: 1, longUrls: true, operationMs: 60_000 });
  const [noFolder, elsewhere] = [file(t, 'file', ''), folder(t)];
  const result = await azureRun(azure, ['--all', '--shell', 'sh', '--scripts', 'true', '--timeout', '300ms'],
    { env: { RUNNER_TEMP: noFolder, TMPDIR: elsewhere } });
  assert.equal(result.code, 75, result.stderr);
  assert.ok(result.stderr.includes(`--attach @${elsewhere}/opsbelt-attach-`), result.stderr);
});

test('a stop before the script is started says so', async (t) => {
  const azure = await azureFor(t, { operationMs: 3_000 });
  const first = onLinux(azure, ['--shell', 'sh', '--scripts', 'true', '--detach']);
  await first;
  const result = await onLinux(azure, ['--shell', 'sh', '--scripts', 'true', '--json'], {
    onStart: (child) => child.stderr.on('data', (text) => {
      if (String(text).includes('another script')) child.kill('SIGINT');
    }),
  });
  assert.equal(result.code, 130);
  assert.match(result.stderr, /linux-1: interrupted; the script was not started\n/);
  assert.match(JSON.parse(result.stdout)['linux-1'].error, /not started/);
  assert.equal(azure.runs.length, 1);
});

test('a start that never reached Azure is no start in doubt: 429, then nobody there', async (t) => {
  const azure = await azureFor(t);
  azure.fail({ on: 'runCommand', kind: 'status', status: 429, headers: { 'retry-after': '1' } });
  const running = onLinux(azure, ['--shell', 'sh', '--scripts', 'true', '--json', '--retry-budget', '2'], {
    onStart: (child) => child.stderr.on('data', (text) => {
      if (String(text).includes('next attempt')) azure.close();
    }),
  });
  const result = await running;
  assert.equal(JSON.parse(result.stdout)['linux-1'].outcome, 'error');
  assert.equal(result.code, 75);
});

describe('a reader that stalls', () => {
  for (const [name, stalled] of [['standard output', 'stdout'], ['standard error', 'stderr']]) {
    test(`${name}: a stop ends it in a few seconds`, async (t) => {
      const azure = await azureFor(t);
      const child = spawn(binary, ['azure-run', '--arm-endpoint', azure.armUrl, '--poll-interval', '20ms', '-n', 'linux-1', '--shell', 'sh',
        '--scripts', `head -c 1000000 /dev/zero | tr '\\0' x ${stalled === 'stderr' ? '>&2' : ''}`, '--full-output'], { env: envOf(azure) });
      t.after(() => child.kill('SIGKILL'));
      child[stalled === 'stdout' ? 'stderr' : 'stdout'].resume(); // the other one is read by nobody
      for (let asked = -1; azure.runs.length === 0 || asked !== azure.requests.length;) { // until it waits for its reader
        asked = azure.requests.length;
        await delay(700);
      }
      child.kill('SIGTERM');
      const [code] = await Promise.race([once(child, 'exit'), delay(7_000, ['it does not end'])]);
      assert.equal(code, stalled === 'stdout' ? 130 : 0);
    });
  }
});

test('--check does not run the script of the line it was added to', async (t) => {
  const azure = await azureFor(t);
  const result = await onLinux(azure, [...SHOW, '--check', '--', 'x']);
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(azure.runs, []);
});

test('names that az has for the same: --vmss-name, -o, --no-wait', async (t) => {
  const azure = await azureFor(t, { scaleSets: [{ name: 'set', instances: 2 }] });
  const result = await azureRun(azure, ['--vmss-name', 'set', '--shell', 'sh', '--scripts', 'true', '-o', 'jsonl', '--no-wait']);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stdout.trim().split('\n').length, 2);
  assert.ok(ownLines(result).length > 0);
});

test('an unknown option is told with the nearest one', async () => {
  const { code, stderr } = await run(['azure-run', '--resource-grup', 'x']);
  assert.equal(code, 64);
  assert.match(stderr, /did you mean --resource-group\?/);
});
