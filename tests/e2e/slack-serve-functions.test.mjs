// slack-serve as an Azure Function: the app it writes, started by a stand-in host in all four forms of host.json.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startHost } from '../standin/functions_host.mjs';
import {
  SIGNING_SECRET, deliver, messageEvent, signed, slashCommand, urlVerification,
} from '../standin/slack_events.mjs';
import { until } from './serve.mjs';
import { binary, errorLine, file, folder, run, slackFor } from './support.mjs';

const FORMS = ['httpWorker', 'envelope', 'forwarding', 'proxying'];
const BOT = `
handlers:
- match: ^echo (.*)$
  reply: "$1"
- match: ^slow$
  run: [sh, -c, "sleep 0.6; echo done"]
- command: /deploy
  reply: "deploying \${text}"
- http: {path: /testfunction, methods: [GET, POST]}
  reply: testing testing 1,2,3
- function: FromQueue
  run: [sh, -c, 'cat; echo noted >&2']
- function: Outputs
  run: [printf, '%s', '{"outputs": {"toQueue": ["a", "b"]}, "return": {"ok": true}}']
- function: Fixed
  reply: as always
- function: Broken
  run: ["false"]
`;

async function writeApp(t, bot = BOT, args = []) {
  const app = join(folder(t), 'app');
  const result = await run(['slack-serve', '--config', file(t, 'wheatley.yaml', bot), '--write-function-app', app, ...args]);
  assert.equal(result.code, 0, result.stderr);
  return { app, result };
}

function addQueueFunctions(app) {
  for (const name of ['FromQueue', 'Outputs', 'Fixed', 'Broken']) {
    mkdirSync(join(app, name));
    const bindings = [{ type: 'queueTrigger', direction: 'in', name: 'item', queueName: 'in', connection: 'C' },
      { type: 'queue', direction: 'out', name: 'toQueue', queueName: 'out', connection: 'C' }];
    writeFileSync(join(app, name, 'function.json'), JSON.stringify({ bindings }));
  }
}

async function hostFor(t, slack, options = {}) {
  const { app } = await writeApp(t);
  addQueueFunctions(app);
  const host = await startHost(app, {
    ...options,
    env: { SLACK_SIGNING_SECRET: SIGNING_SECRET, SLACK_KEY: slack.token, SLACK_API_URL: slack.apiUrl, ...options.env },
  });
  t.after(() => host.stop());
  return host;
}

test('the app: host.json, a function for Slack and for each path, the bot, the binary; nothing is overwritten', async (t) => {
  const { app, result } = await writeApp(t);
  assert.deepEqual(readdirSync(app).sort(), ['bot.yaml', 'events-endpoint', 'host.json', 'opsbelt', 'testfunction']);
  assert.equal(statSync(join(app, 'opsbelt')).mode & 0o111, 0o111);
  const json = (...path) => JSON.parse(readFileSync(join(app, ...path), 'utf8'));
  const { customHandler } = json('host.json');
  assert.deepEqual([customHandler.description.defaultExecutablePath, customHandler.description.arguments, customHandler.enableForwardingHttpRequest],
    ['opsbelt', ['slack-serve', '--config', 'bot.yaml'], true]);
  const [trigger, out] = json('events-endpoint', 'function.json').bindings;
  assert.deepEqual([trigger.type, trigger.authLevel, trigger.methods, out.type], ['httpTrigger', 'anonymous', ['get', 'post'], 'http']);
  assert.match(result.stdout, /azurewebsites\.net\/api\/events-endpoint/);
  assert.match(result.stderr, /write FromQueue\/function\.json yourself/);
  const again = await run(['slack-serve', '--config', file(t, 'b.yaml', BOT), '--write-function-app', app]);
  assert.equal(again.code, 64);
  assert.match(errorLine(again), /is not empty; name a new folder/);
  const named = await run(['slack-serve', '--config', file(t, 'b.yaml', BOT), '--write-function-app', join(folder(t), 'x'), '--function', '../x']);
  assert.equal(named.code, 64);
  assert.match(errorLine(named), /--function is '\.\.\/x', but must be letters/);
});

test('--zip: the same files with the binary\'s run bit, and a host starts what is unpacked', async (t) => {
  const slack = await slackFor(t);
  const [zip, app] = [join(folder(t), 'app.zip'), join(folder(t), 'app')];
  const cwd = folder(t);
  writeFileSync(join(cwd, 'own.sh'), '#!/bin/sh\necho own\n');
  const bot = file(t, 'b.yaml', `${BOT}- match: own\n  run: [./own.sh]\n- state: {file: env.db}\n`);
  const result = await run(['slack-serve', '--config', bot, '--zip', zip], { cwd });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stderr, /env keeps env\.db in the app's folder, which a package makes read-only/);
  execFileSync('unzip', ['-q', zip, '-d', app]);
  assert.deepEqual(readdirSync(app).sort(), ['bot.yaml', 'events-endpoint', 'host.json', 'opsbelt', 'own.sh', 'testfunction']);
  assert.equal(statSync(join(app, 'own.sh')).mode & 0o777, 0o755);
  assert.deepEqual(readFileSync(join(app, 'opsbelt')), readFileSync(binary));
  const host = await startHost(app, { env: { SLACK_SIGNING_SECRET: SIGNING_SECRET, SLACK_BOT_TOKEN: slack.token } });
  t.after(() => host.stop());
  assert.equal((await deliver(`${host.url}/api/events-endpoint`, signed(urlVerification()))).status, 200);
  const full = await run(['slack-serve', '--config', file(t, 'b.yaml', BOT), '--zip', '/dev/full']);
  assert.equal(full.code, 74, full.stderr);
});

for (const form of FORMS) {
  for (const coreTools of form === 'envelope' ? [false, true] : [false]) {
    test(`${form}${coreTools ? ' (core tools)' : ''}: messages, commands, challenges, forgeries, its own paths`, async (t) => {
      const slack = await slackFor(t);
      const host = await hostFor(t, slack, { form, coreTools });
      const url = `${host.url}/api/events-endpoint`;
      const challenge = await deliver(url, signed(urlVerification({ challenge: 'abc' })));
      assert.deepEqual([challenge.status, challenge.body], [200, 'abc']);
      assert.equal((await deliver(url, signed(messageEvent({ text: 'echo Grüße & <3' })))).status, 200);
      await until('the answer', () => slack.accepted.length === 1);
      assert.equal(slack.accepted[0].payload.text, 'Grüße &amp; &lt;3');
      const command = slashCommand({ command: '/deploy', text: 'web', response_url: slack.webhookUrl });
      assert.equal((await deliver(url, signed(command))).status, 200);
      await until('the answer', () => slack.accepted.length === 2);
      assert.equal(slack.accepted[1].payload.text, 'deploying web');
      assert.equal((await deliver(url, signed(messageEvent({ text: 'echo x' }), { secret: 'another' }))).status, 401);
      const page = await fetch(`${host.url}/api/testfunction`);
      assert.deepEqual([page.status, await page.text()], [200, 'testing testing 1,2,3']);
      assert.deepEqual(host.failures, []);
      assert.equal((await host.stop()).code, 0);
    });
  }
}

test('as an Azure Function Slack is told when the work is done, as nothing may be left over then', async (t) => {
  const slack = await slackFor(t);
  const host = await hostFor(t, slack);
  const { ms } = await deliver(`${host.url}/api/events-endpoint`, signed(messageEvent({ text: 'slow' })));
  assert.ok(ms >= 590, `${ms} ms`);
  assert.equal(slack.accepted.length, 1);
});

test('a host that knows the old variable only', async (t) => {
  const slack = await slackFor(t);
  const host = await hostFor(t, slack, { form: 'httpWorker', onlyOldPort: true });
  assert.equal((await deliver(`${host.url}/api/events-endpoint`, signed(messageEvent({ text: 'echo x' })))).status, 200);
});

test('other triggers: the message in, the program\'s text, outputs or the return value out', async (t) => {
  const host = await hostFor(t, await slackFor(t));
  const noted = await host.invoke('FromQueue', 'a message');
  assert.deepEqual(JSON.parse(noted.returnValue), { function: 'FromQueue', data: { item: 'a message' } });
  assert.deepEqual(noted.logs, ['noted\n']);
  const { outputs, returnValue } = await host.invoke('Outputs', 'x');
  assert.deepEqual([outputs.toQueue, returnValue], [['a', 'b'], { ok: true }]);
  assert.equal((await host.invoke('Fixed', 'x')).returnValue, 'as always');
  await assert.rejects(host.invoke('Broken', 'x'), 'the host must deliver it again');
});

test('nobody but a host calls functions: elsewhere an envelope for one is refused', async (t) => {
  const slack = await slackFor(t);
  const host = await hostFor(t, slack, { form: 'forwarding' });
  const envelope = JSON.stringify({ Data: { item: 'x' }, Metadata: {} });
  const forged = await fetch(`${host.url}/api/events-endpoint`, { method: 'POST', body: envelope });
  assert.equal(forged.status, 401);
});
