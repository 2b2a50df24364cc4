// Runs a workflow's jobs as GitHub's runner would, on a stage: steps with `run:` in bash, steps that use this
// action with their inputs as INPUT_ variables, the few actions of GitHub's that examples use by what they do.
//
//   await runWorkflow(stage, text, { document, event, secrets, breaks })
//     -> { name: { result: 'success' | 'failure', steps: [{ name, code, stdout, stderr, outputs }] } }
//
// A matrix' jobs are named "name (value)". breaks: a step whose `run:` holds this text fails in its place.
// Expressions are read as JavaScript: paths, comparisons, always() and the like. A secret without a stand-in, an
// action or a context nobody knows throws.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { callsIn } from './document_stage.mjs';
import { readOutputs, root, run } from './support.mjs';

const { inputs } = parseYaml(readFileSync(join(root, 'action.yml'), 'utf8'));

const secretsOf = ({ slack, azure }) => ({
  SLACK_WEBHOOK: slack.webhookUrl, SLACK_BOT_TOKEN: slack.token,
  VPN_PASSWORD: 'secret', AZURE_TENANT_ID: azure.tenant, AZURE_CLIENT_ID: azure.clientId, AZURE_SUBSCRIPTION_ID: azure.subscription,
});

const GITHUB = {
  sha: 'abc1234def5678abc1234def5678abc1234def56', ref_name: 'main', ref: 'refs/heads/main', actor: 'mira-dahl', run_id: '7',
  repository: 'mira-dahl/harbor', server_url: 'https://github.com', workflow: 'CI', event_name: 'push', run_number: '1',
};

export async function runWorkflow(stage, text, { document, breaks } = {}) {
  const workflow = parseYaml(stage.shown(text));
  const done = {};
  const artifacts = new Map();
  for (const [name, job] of Object.entries(workflow.jobs)) {
    for (const matrix of cells(job.strategy?.matrix)) {
      const title = [name, ...Object.values(matrix)].join(' ');
      const needs = Object.fromEntries([job.needs ?? []].flat().map((other) => [other, resultOf(done, other)]));
      const failed = Object.values(needs).some(({ result }) => result !== 'success');
      const context = {
        matrix, needs, secrets: secretsOf(stage), github: { ...GITHUB, job: name }, env: {}, steps: {}, runner: { temp: stage.top },
        inputs: defaults(workflow.on?.workflow_dispatch?.inputs), vars: {},
      };
      if (!isWanted(job.if, context, failed)) done[title] = { result: 'skipped', steps: [], outputs: {} };
      else done[title] = await runJob(stage, { workflow, job, name, context, artifacts, document, breaks });
    }
  }
  return done;
}

const defaults = (declared = {}) => Object.fromEntries(Object.entries(declared).map(([name, { default: value }]) => [name, value ?? '']));

// All combinations of a matrix.
function cells(matrix = {}) {
  return Object.entries(matrix).reduce((so_far, [name, values]) => so_far.flatMap((cell) => values.map((value) => ({ ...cell, [name]: value }))), [{}]);
}

function resultOf(done, name) {
  const cells_of_it = Object.entries(done).filter(([title]) => title === name || title.startsWith(`${name} `)).map(([, job]) => job);
  if (cells_of_it.length === 0) throw new Error(`a job needs ${name}, which does not come before it`);
  return cells_of_it.find(({ result }) => result !== 'success') ?? cells_of_it.at(-1);
}

async function runJob(stage, { workflow, job, name, context, artifacts, document, breaks }) {
  const cwd = stage.workspace(document);
  const steps = [];
  let failed = false;
  context.env = { ...filled(workflow.env, context), ...filled(job.env, context) };
  for (const step of job.steps) {
    context.job = { status: failed ? 'failure' : 'success' };
    if (!isWanted(step.if, context, failed)) continue;
    const result = await runStep(stage, { step, cwd, context, artifacts, workflow, name, breaks });
    steps.push({ name: step.name ?? step.uses ?? step.run, ...result });
    if (step.id) context.steps[step.id] = { outputs: new Proxy(result.outputs, { get: (o, key) => o[key] ?? '' }), outcome: result.code === 0 ? 'success' : 'failure' };
    if (result.code !== 0 && !step['continue-on-error']) failed = true;
  }
  const outputs = filled(job.outputs, context);
  return { result: failed ? 'failure' : 'success', steps, outputs, calls: callsIn(cwd), cwd };
}

async function runStep(stage, { step, cwd, context, artifacts, workflow, name, breaks }) {
  const outputs = join(cwd, `.outputs-${Math.random()}`);
  const env = {
    ...stage.environment(cwd), GITHUB_ACTIONS: 'true', GITHUB_OUTPUT: outputs, GITHUB_STEP_SUMMARY: join(cwd, '.summary'),
    GITHUB_EVENT_PATH: join(cwd, 'event.json'), GITHUB_EVENT_NAME: eventOf(workflow), GITHUB_WORKFLOW: workflow.name ?? 'CI', GITHUB_JOB: name,
    GITHUB_SHA: GITHUB.sha, GITHUB_REF_NAME: GITHUB.ref_name, GITHUB_REF: GITHUB.ref, GITHUB_ACTOR: GITHUB.actor, GITHUB_RUN_ID: GITHUB.run_id,
    GITHUB_REPOSITORY: GITHUB.repository, GITHUB_SERVER_URL: GITHUB.server_url, RUNNER_TEMP: stage.top,
    ...context.env, ...filled(step.env, context),
  };
  if (workflow.permissions?.['id-token'] === 'write') {
    Object.assign(env, { ACTIONS_ID_TOKEN_REQUEST_URL: stage.azure.githubUrl, ACTIONS_ID_TOKEN_REQUEST_TOKEN: stage.azure.githubToken });
  }
  delete env.AZURE_CLIENT_SECRET;
  const given = filled(step.with, context);
  if (step.run) {
    if (breaks && step.run.includes(breaks)) return { code: 1, stdout: '', stderr: '', outputs: {} };
    const result = await run(['-e', '-c', fill(step.run, context)], { program: 'bash', cwd, env });
    return { ...result, outputs: readOutputs(outputs) };
  }
  const action = step.uses.split('@')[0];
  if (action === 'OWNER/opsbelt') {
    const result = await run([], { program: join(stage.top, 'bin/opsbelt'), cwd, env: { ...env, ...inputVariables(given) } });
    return { ...result, outputs: readOutputs(outputs) };
  }
  if (!ACTIONS[action]) throw new Error(`nobody knows what ${step.uses} does: add it to ACTIONS`);
  return { code: ACTIONS[action](cwd, given, artifacts), stdout: '', stderr: '', outputs: {} };
}

const eventOf = ({ on }) => (typeof on === 'string' ? on : Object.keys(on)[0]);

// As the runner does it: every declared input is there, empty when it is not given.
function inputVariables(given) {
  for (const name of Object.keys(given)) if (!(name in inputs)) throw new Error(`${name} is no input of the action`);
  return Object.fromEntries(Object.entries(inputs).map(([name, { default: value = '' }]) =>
    [`INPUT_${name.toUpperCase().replaceAll(' ', '_')}`, String(given[name] ?? value)]));
}

// What GitHub's actions do to the workspace; the exit code.
const ACTIONS = {
  'actions/checkout': (cwd, { repository, path = '.' }) => {
    if (!repository?.endsWith('.wiki')) return 0; // the examples' files are there
    return spawnSync('git', ['clone', '-q', join(cwd, '../wiki.git'), join(cwd, path)]).status;
  },
  'actions/upload-artifact': (cwd, { name, path, 'if-no-files-found': missing = 'warn' }, artifacts) => {
    const found = path.trim().split('\n').map((line) => join(cwd, line.trim())).filter(existsSync);
    if (found.length === 0 && missing === 'error') return 1;
    if (artifacts.has(name)) throw new Error(`two artifacts are named ${name}`);
    artifacts.set(name, found);
    return 0;
  },
  'actions/download-artifact': (cwd, { name, path = '.', 'merge-multiple': isMerged }, artifacts) => {
    for (const [title, files] of artifacts) {
      if (name !== undefined && title !== name) continue;
      const target = join(cwd, path, isMerged || name ? '.' : title);
      mkdirSync(target, { recursive: true });
      for (const file of files) cpSync(file, join(target, basename(file)), { recursive: true });
    }
    return 0;
  },
};

// --- Expressions ---

function filled(map = {}, context = {}) {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, typeof value === 'string' ? fill(value, context) : String(value)]));
}

const fill = (text, context) => text.replaceAll(/\$\{\{(.*?)\}\}/gs, (_, expression) => String(evaluate(expression, context) ?? ''));

function isWanted(condition, context, failed) {
  if (condition === undefined) return !failed;
  const expression = String(condition).replace(/^\$\{\{(.*)\}\}$/s, '$1');
  const says_it = /\b(always|failure|success|cancelled)\(\)/.test(expression);
  return (says_it || !failed) && Boolean(evaluate(expression, context, failed));
}

function evaluate(expression, context, failed = false) {
  const secrets = new Proxy(context.secrets, {
    get(known, name) {
      if (!(name in known)) throw new Error(`no stand-in for the secret ${String(name)}`);
      return known[name];
    },
  });
  const format = (text, ...values) => text.replaceAll(/\{(\d)\}/g, (_, i) => values[i]);
  const scope = { job: {}, ...context, secrets, format, always: () => true, failure: () => failed, success: () => !failed, cancelled: () => false };
  return new Function(...Object.keys(scope), `return (${expression});`)(...Object.values(scope));
}
