// The real image, run as GitHub's runner runs a container action: its mounts, working directory,
// variables by name with values from its own environment (an input that was not given is empty),
// arguments behind the image. `./dev image` builds the image and sets
//   IMAGE             its name
//   CONTAINER_TOOL    the tool that runs it, with its global options ("podman --runtime /usr/sbin/runc")

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse as parseYaml } from 'yaml';
import { fixture, folder, readFixture, readOutputs, root, selfSigned, slackFor } from '../e2e/support.mjs';
import { readLog } from '../standin/runner.mjs';

const image = process.env.IMAGE;
const [tool, ...toolOptions] = process.env.CONTAINER_TOOL.split(' ');
const inputNames = Object.keys(parseYaml(readFileSync(join(root, 'action.yml'), 'utf8')).inputs);
const mounts = ['workspace', 'home', 'workflow', 'file_commands', 'runner_temp'];
const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];

// One step. inputs: as `with:` gives them; env: as `env:` does. Resolves with code, stdout, stderr,
// outputs and summary.
async function step(t, { event, inputs = {}, env = {}, args = [], files = {}, onStart = () => {} }) {
  const host = folder(t);
  for (const name of mounts) mkdirSync(join(host, name));
  writeFileSync(join(host, 'workflow/event.json'), JSON.stringify(event));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(host, 'workspace', name), content);
  for (const name of ['output', 'summary']) writeFileSync(join(host, 'file_commands', name), '');
  const variables = {
    GITHUB_ACTIONS: 'true', CI: 'true', HOME: '/github/home', GITHUB_EVENT_NAME: 'gollum',
    GITHUB_EVENT_PATH: '/github/workflow/event.json', GITHUB_WORKSPACE: '/github/workspace',
    GITHUB_OUTPUT: '/github/file_commands/output', GITHUB_STEP_SUMMARY: '/github/file_commands/summary',
    GITHUB_ACTOR: 'tomas-lind', GITHUB_REPOSITORY: 'mira-dahl/harbor', GITHUB_SERVER_URL: 'https://github.com',
    ...Object.fromEntries(inputNames.map((name) => [`INPUT_${name.toUpperCase()}`, ''])),
    INPUT_COMMAND: 'gollum-notify',
    ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    ...env,
  };
  const result = await runTool([
    ...toolOptions, 'run', '--pull=never', '--rm', '--network=host', ...limits, '--workdir', '/github/workspace',
    ...Object.keys(variables).flatMap((name) => ['-e', name]),
    ...mounts.flatMap((name) => ['-v', `${join(host, name)}:/github/${name}`]),
    image, ...args,
  ], variables, onStart);
  return {
    ...result, outputs: readOutputs(join(host, 'file_commands/output')),
    summary: readFileSync(join(host, 'file_commands/summary'), 'utf8'),
  };
}

function runTool(args, variables, onStart) {
  return new Promise((resolve, reject) => {
    const child = spawn(tool, args, { env: { ...process.env, ...variables, HOME: process.env.HOME }, stdio: ['ignore', 'pipe', 'pipe'] });
    const out = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) child[name].on('data', (data) => { out[name] += data; });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...out }));
    onStart(child);
  });
}

const twoPages = readFixture('gollum/two_pages.json');

test('the default command by webhook: message, outputs, summary, exit code', async (t) => {
  const slack = await slackFor(t);
  const result = await step(t, { event: twoPages, inputs: { webhook: slack.webhookUrl } });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(slack.accepted.length, 1);
  assert.match(slack.accepted[0].payload.text, /Runbook failover \(edited\), On-call phone list \(created\)$/);
  assert.equal(result.outputs.matched, '2');
  assert.equal(result.outputs.ok, 'true');
  assert.match(result.summary, /^### Wiki of .*2 pages changed/);
  assert.match(result.stdout, /told webhook of 2 pages/);
});

test('inputs with hyphens, a file in the workspace by its relative path, bot token', async (t) => {
  const slack = await slackFor(t);
  const result = await step(t, {
    event: twoPages, files: { 'wiki.diff': readFileSync(fixture('gollum/two_pages.diff')) },
    inputs: { token: slack.token, api: slack.apiUrl, channel: '#ops', diff: 'wiki.diff', 'excerpt-lines': '1', 'text-prefix': 'news' },
  });
  assert.equal(result.code, 0, result.stderr);
  const texts = slack.accepted[0].payload.blocks.map((block) => block.text.text);
  assert.equal(texts[0], 'news');
  assert.ok(texts[2].endsWith('```\n-Promote db-2 and wait for the green light.\n```'), texts[2]);
  assert.equal(result.outputs.ts, slack.accepted[0].ts);
  assert.equal(JSON.parse(result.outputs.results)['#ops'].ok, true);
});

test('with.args are the command line', async (t) => {
  const result = await step(t, { event: twoPages, args: ['--dry-run', '--pages', 'run*'] });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /1 page changed by tomas-lind/);
  const version = await step(t, { event: twoPages, args: ['--version'] });
  assert.match(version.stdout, /^opsbelt \d/);
});

test('a failure fails the step: exit code, annotation, outputs', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'word', word: 'channel_is_archived' });
  const result = await step(t, { event: twoPages, inputs: { webhook: slack.webhookUrl } });
  assert.equal(result.code, 78);
  assert.equal(result.outputs.ok, 'false');
  const error = readLog(result.stderr).commands.find((command) => command.name === 'error');
  assert.match(error.data, /channel_is_archived.*unarchive/);
  assert.match(result.summary, /NOT told/);
});

test('a step of slack-github-action, with command: slack-post', async (t) => {
  const slack = await slackFor(t);
  const result = await step(t, {
    event: { pull_request: { title: 'Fix "the": <pump>' } }, env: { GITHUB_EVENT_NAME: 'pull_request' },
    files: { 'message.yml': 'channel: C00000002\ntext: "PR: ${{ github.payload.pull_request.title }}"\n' },
    inputs: { command: 'slack-post', method: 'chat.postMessage', token: slack.token, api: slack.apiUrl, errors: 'true',
      'payload-file-path': 'message.yml', 'payload-templated': 'true', retries: '5' },
  });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(slack.accepted[0].payload.text, 'PR: Fix "the": &lt;pump&gt;');
  const { ok, ts, channel_id, response } = result.outputs;
  assert.deepEqual([ok, ts, channel_id], ['true', slack.accepted[0].ts, 'C00000002']);
  assert.equal(JSON.parse(response).message.ts, ts);
});

test('a file of the workspace to Slack; without a text nothing waits for standard input', async (t) => {
  const slack = await slackFor(t);
  const files = { 'report.txt': 'all well\n' };
  const inputs = { command: 'slack-post', token: slack.token, api: slack.apiUrl, channel: '#ops' };
  const uploaded = await step(t, { event: {}, files, inputs: { ...inputs, file: 'report.txt' } });
  assert.equal(uploaded.code, 0, uploaded.stderr);
  assert.equal(slack.files[0].shared[0].channel, 'C00000002');
  const nothing = await step(t, { event: {}, inputs });
  assert.equal(nothing.code, 65, nothing.stderr);
  assert.match(nothing.stderr, /nothing to post: no text is given/);
});

test('the workflow of precious: env only', async (t) => {
  const slack = await slackFor(t);
  const workflow = parseYaml(readFileSync(fixture('gollum/precious_workflow.yml'), 'utf8'));
  const result = await step(t, { event: readFixture('gollum/precious.json'),
    env: { ...workflow.jobs.notify.steps[0].env, SLACK_WEBHOOK: slack.webhookUrl } });
  assert.equal(result.code, 0, result.stderr);
  assert.match(slack.accepted[0].payload.text, /^Wiki updated!!!\n.*: Test Page \(edited\)$/);
});

test('hostile titles, summaries and diffs: the runner obeys nothing of them', async (t) => {
  const slack = await slackFor(t);
  const diff = ['diff --git a/Evil.md b/Evil.md', '@@ -1 +1,3 @@', '-::error::old', '+::error::new', '+ ##[error]new', '+::endgroup::', ''];
  for (const inputs of [{ webhook: slack.webhookUrl }, { 'dry-run': 'true' }, { 'dry-run': 'true', json: 'true' }]) {
    const result = await step(t, { event: readFixture('gollum/hostile.json'), files: { 'wiki.diff': diff.join('\n') },
      inputs: { ...inputs, diff: 'wiki.diff' } });
    assert.equal(result.code, 0, result.stderr);
    for (const { name, data } of readLog(result.stdout + result.stderr).commands) {
      assert.ok(name === 'add-mask' && slack.webhookUrl.endsWith(data), `the runner obeyed ${name} ${data}`);
    }
  }
});

test('TLS: the CA bundle is in the image and in use', async (t) => {
  const slack = await slackFor(t, { tls: selfSigned(t) });
  const result = await step(t, { event: twoPages, inputs: { webhook: slack.webhookUrl } });
  assert.equal(result.code, 69);
  assert.match(result.stderr, /not signed by a CA in \/etc\/ssl\/certs\/ca-certificates\.crt/);
  const own = selfSigned(t);
  const trusting = await slackFor(t, { tls: own });
  const taken = await step(t, { event: twoPages, inputs: { webhook: trusting.webhookUrl },
    files: { 'ca.pem': own.cert }, env: { SSL_CERT_FILE: 'ca.pem' } });
  assert.equal(taken.code, 0, taken.stderr);
});

test('as process 1 it ends on SIGTERM', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'hang' });
  const result = await step(t, {
    event: twoPages, inputs: { webhook: slack.webhookUrl },
    onStart: (child) => {
      const timer = setInterval(() => {
        if (slack.requests.length === 0) return;
        clearInterval(timer);
        child.kill('SIGTERM'); // podman and docker pass it on to process 1
      }, 20);
    },
  });
  assert.equal(result.code, 130);
});

test('the image holds the binary and the CA bundle, nothing else, in at most 14 MB', (t) => {
  const tar = join(folder(t), 'root.tar');
  const id = execFileSync(tool, ['create', '--pull=never', image]).toString().trim();
  try {
    execFileSync(tool, ['export', '-o', tar, id]);
  } finally {
    execFileSync(tool, ['rm', id]);
  }
  const names = execFileSync('tar', ['-tvf', tar]).toString().trim().split('\n');
  const files = names.filter((line) => line.startsWith('-') && !/ 0 \d{4}-/.test(line)).map((line) => line.split(' ').at(-1));
  assert.deepEqual(files.toSorted(), ['etc/ssl/certs/ca-certificates.crt', 'opsbelt']);
  const size = Number(execFileSync(tool, ['image', 'inspect', '--format', '{{.Size}}', image]));
  assert.ok(size <= 14_000_000, `${size} bytes`);
  const config = JSON.parse(execFileSync(tool, ['image', 'inspect', image]))[0].Config;
  assert.deepEqual(config.Entrypoint, ['/opsbelt']);
  assert.ok(!config.User, 'GitHub\'s runner wants no USER');
});
