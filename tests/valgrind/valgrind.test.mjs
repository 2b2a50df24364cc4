// A run of each command under valgrind: no invalid access, no use of what was never written, no leak, and every
// descriptor that it opened closed at its end. The program is that of tests/valgrind/CMakeLists.txt.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { envOf } from '../e2e/azure.mjs';
import { eventStoreFor, numbered } from '../e2e/eventstore.mjs';
import { eventsFile, hookFor, processorsFile, start, until } from '../e2e/eventstore_run.mjs';
import { azureFor, file, fixture, folder, root, run, selfSigned, slackFor } from '../e2e/support.mjs';
import { SIGNING_SECRET, deliver, messageEvent, signed, slashCommand } from '../standin/slack_events.mjs';

const program = join(root, 'build/release/tests/valgrind/valgrind_tool');
const ERRORS_EXIT = 99;
const LONGEST = 6000;
const PATIENCE_MS = 300_000; // valgrind takes some thirty times as long, a busy machine more

// --- Runs ---

const withPath = (env) => ({ PATH: process.env.PATH, ...env });

// The arguments of valgrind, and what it found: assertClean() fails with its whole report.
function memcheck(t, args) {
  const logs = folder(t);
  const options = ['--quiet', '--leak-check=full', '--track-fds=yes', `--error-exitcode=${ERRORS_EXIT}`, '--child-silent-after-fork=yes',
    `--suppressions=${join(root, 'tests/valgrind/valgrind.supp')}`, `--log-file=${join(logs, '%p')}`];
  return {
    argv: [...options, program, ...args],
    assertClean({ code, signal, stderr }, expected) {
      const report = readdirSync(logs).map((name) => readFileSync(join(logs, name), 'utf8')).join('\n');
      const faults = faultsIn(report);
      assert.ok(faults === '', faults.slice(0, LONGEST));
      assert.deepEqual({ code, signal }, { code: expected, signal: null }, stderr);
    },
  };
}

// Of what is open at the end this may be: what was open at the start, and the pipe by which a signal wakes the program,
// which a handler may write to until the very end.
const MAY_BE_OPEN = /<inherited from parent>|base::stop_on_signals\(\)/;

// With --quiet it writes nothing but errors and what is open at the end, a paragraph each, headed by how many are open.
function faultsIn(report) {
  const text = report.replace(/^==\d+== ?/gm, '').replace(/^FILE DESCRIPTORS: .*\n/gm, '');
  const faults = text.split(/\n(?=\n|Open (?:file descriptor|AF_\w+ socket) )/).map((part) => part.trim()).filter(Boolean);
  return faults.filter((fault) => !(/^Open (file descriptor|AF_\w+ socket) /.test(fault) && MAY_BE_OPEN.test(fault))).join('\n\n');
}

const eventually = (condition) => until(condition, String(condition), undefined, PATIENCE_MS);

async function runClean(t, args, { expected = 0, env = {}, ...options } = {}) {
  const { argv, assertClean } = memcheck(t, args);
  const result = await run(argv, { program: 'valgrind', env: withPath(env), timeout_ms: PATIENCE_MS, ...options });
  assertClean(result, expected);
  return result;
}

// Runs on until stop(), which fails unless all was clean. until(condition of what it said)
function startClean(t, args, { env = {} } = {}) {
  const { argv, assertClean } = memcheck(t, args);
  const started = start(t, argv, { program: 'valgrind', env });
  return {
    ...started, until: (condition) => eventually(() => condition(started.out)),
    stop: async () => assertClean(await started.stop(), 0),
  };
}

test('it finds what is wrong: a leak and an open descriptor make its reports', async (t) => {
  const source = file(t, 'wrong.c', '#include <stdlib.h>\n#include <unistd.h>\nint main(void) { void *volatile p = malloc(9); p = 0; dup(1); return p != 0; }\n');
  const wrong = join(folder(t), 'wrong');
  assert.equal((await run(['-g', '-o', wrong, source], { program: 'gcc', env: withPath({}) })).code, 0);
  const { argv, assertClean } = memcheck(t, []);
  const result = await run(argv.map((word) => (word === program ? wrong : word)), { program: 'valgrind', env: withPath({}) });
  assert.equal(result.code, ERRORS_EXIT);
  assert.throws(() => assertClean({ ...result, code: 0 }, 0), /^AssertionError \[ERR_ASSERTION\]: Open .*\n   at .*dup [^]*9 bytes in 1 blocks are definitely lost/);
});

// --- Each command ---

for (const command of ['gollum-notify', 'slack-post', 'slack-serve', 'azure-run', 'es-tail', 'udp-load']) {
  test(`${command}: its help, and a wrong option`, async (t) => {
    assert.match((await runClean(t, [command, '--help'])).stdout, /Usage/i);
    await runClean(t, [command, '--no-such-option'], { expected: 64 });
  });
}

const NOTIFY = ['gollum-notify', '--event', fixture('gollum/two_pages.json'), '--diff', fixture('gollum/two_pages.diff')];

test('gollum-notify: a dry run', async (t) => {
  assert.match((await runClean(t, [...NOTIFY, '--dry-run'])).stdout, /edited/);
});

test('gollum-notify: a message over TLS, after a fault', async (t) => {
  const tls = selfSigned(t);
  const slack = await slackFor(t, { tls });
  slack.fail({ kind: 'status', status: 503 });
  await runClean(t, NOTIFY, { env: { SLACK_WEBHOOK: slack.webhookUrl, SSL_CERT_FILE: tls.certFile } });
  assert.equal(slack.accepted.length, 1);
});

test('slack-post: a text, a file, a stream', async (t) => {
  const slack = await slackFor(t);
  const env = { SLACK_BOT_TOKEN: slack.token, SLACK_API_URL: slack.apiUrl };
  const post = (args, options) => runClean(t, ['slack-post', '--channel', '#ops', ...args], { env, ...options });
  await post(['hello']);
  await post(['--file', fixture('gollum/two_pages.diff'), 'a file']);
  await post(['--stream', '--interval', '100ms'], { stdin: 'one\ntwo\n' });
  assert.equal(slack.files.length, 1);
  assert.ok(slack.accepted.some(({ payload }) => /one\ntwo/.test(payload.text)));
});

test('slack-serve: events, a command, a program, a board, a request that is not Slack\'s', async (t) => {
  const slack = await slackFor(t);
  const bot = file(t, 'bot.yaml', `handlers:
- echo: true
- match: '^run (.*)$'
  run: [echo, "ran $1"]
- command: /tell
  reply: "told \${text}"
- state: {file: ${join(folder(t), 'board.db')}, name: env}
`);
  const serve = startClean(t, ['slack-serve', '--config', bot, '--port', '0', '--bind', '127.0.0.1'],
    { env: { SLACK_SIGNING_SECRET: SIGNING_SECRET, SLACK_BOT_TOKEN: slack.token, SLACK_API_URL: slack.apiUrl } });
  await serve.until(({ stderr }) => /listens on/.test(stderr));
  const url = `http://127.0.0.1:${/listens on [\d.]+:(\d+)/.exec(serve.out.stderr)[1]}`;
  const send = (body, options) => deliver(`${url}/slack/events`, signed(body, options), { timeout_ms: PATIENCE_MS });
  for (const text of ['echo a', 'run b', 'env web is v1', 'env web']) assert.equal((await send(messageEvent({ text }))).status, 200);
  const hook = slack.webhookUrl;
  assert.equal((await send(slashCommand({ command: '/tell', text: 'x', response_url: hook }))).status, 200);
  assert.equal((await send(messageEvent({ text: 'echo b' }), { secret: 'another' })).status, 401);
  assert.match(await (await fetch(`${url}/metrics`)).text(), /opsbelt/);
  await eventually(() => slack.accepted.length >= 5);
  await serve.stop();
});

test('azure-run: a script on one machine, and on three at once', async (t) => {
  const azure = await azureFor(t);
  const args = ['azure-run', '--arm-endpoint', azure.armUrl, '--poll-interval', '50ms', '--scripts', 'echo hello'];
  assert.equal((await runClean(t, [...args, '-n', 'linux-1'], { env: envOf(azure) })).stdout, 'hello\n');
  const several = await azureFor(t, { vms: 3 });
  const all = await runClean(t, [...args.with(2, several.armUrl), '--all', '--shell', 'sh'], { env: envOf(several) });
  assert.equal(all.stdout.split('\n').filter((line) => /hello/.test(line)).length, 3, all.stdout);
});

test('es-tail: a stream to its end, a broken connection on the way', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(20));
  store.fail({ kind: 'reset', after: 5, on: 'subscribe' });
  const tail = startClean(t, ['es-tail', 'orders', '-o', 'beginning', '-J', '--url', store.url]);
  await tail.until(({ stdout }) => stdout.split('\n').length > 20);
  await tail.stop();
});

test('es-tail: processors of every kind, their places in a file', async (t) => {
  const hook = await hookFor(t);
  const events = Array.from({ length: 10 }, (_, n) => ({ type: 'order', data: { n, amount: 1 } }));
  const yaml = processorsFile(t, { name: 'sum', sum: 'amount', say: '{total}' },
    { name: 'pipe', pipe: ['sh', '-c', 'while read -r line; do echo ok; done'], instances: 2 },
    { name: 'exec', exec: ['sh', '-c', 'cat > /dev/null'] }, { name: 'hook', webhook: hook.url });
  const places = join(folder(t), 'places.db');
  const args = ['--from-file', eventsFile(t, events), '--processors', yaml, '--checkpoints', places];
  const { stdout } = await runClean(t, ['es-tail', ...args]);
  assert.match(stdout, /^10$/m);
  assert.equal(hook.got.length, 10);
  await runClean(t, ['es-tail', 'checkpoints', 'list', '--checkpoints', places]);
});

test('udp-load: the demo, its reports', async (t) => {
  const page = join(folder(t), 'page.html');
  const { stdout } = await runClean(t, ['udp-load', 'demo', '--clients', '3', '--seconds', '1', '--ramp', '0', '--max-late', '20s', '--report', page]);
  assert.match(stdout, /3 callers/);
  assert.match(readFileSync(page, 'utf8'), /<\/html>/);
});
