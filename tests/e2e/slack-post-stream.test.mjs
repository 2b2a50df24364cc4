// slack-post --stream: lines from standard input, in order, none lost, in few messages.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { after, test } from 'node:test';
import { binary, errorLine, file, folder, readOutputs, root, run, slackFor } from './support.mjs';
import { join } from 'node:path';

const LINES = (count, text = 'line') => Array.from({ length: count }, (_, i) => `${text} ${i}\n`).join('');
const texts = (slack) => slack.accepted.map(({ payload }) => payload.text);
const byWebhook = (slack, args, options = {}) => run(['slack-post', '--stream', ...args],
  { ...options, env: { SLACK_WEBHOOK: slack.webhookUrl, ...options.env } });

const started = [];
after(() => started.forEach((child) => child.kill('SIGKILL')));

// The command with its standard input left open. { child, lines (of stderr and stdout so far), end }
function start(slack, args, env = {}) {
  const child = spawn(binary, ['slack-post', '--stream', ...args], { cwd: root, env: { SLACK_WEBHOOK: slack.webhookUrl, ...env } });
  started.push(child);
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (data) => { out[name] += data; });
  child.stdin.on('error', () => {});
  const end = once(child, 'close').then(([code, signal]) => ({ code, signal, ...out }));
  return { child, out, end };
}

async function until(what, condition, pause_ms = 10) {
  for (const end = Date.now() + 20_000; !condition();) {
    assert.ok(Date.now() < end, `waited for: ${what}`);
    await delay(pause_ms);
  }
}

test('lines go together, a message an interval; the last line needs no line break', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  const result = await byWebhook(slack, [], { stdin: `${LINES(300)}end`, env: { GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(`${texts(slack).join('\n')}\n`, `${LINES(300)}end\n`);
  assert.equal(result.stdout, `posted 301 lines in ${slack.accepted.length} messages\n`);
  for (const text of texts(slack)) assert.ok(text.length <= 4000);
  assert.equal(readOutputs(outputs).ok, 'true');
});

test('many lines: limits held, order kept, 1 s apart by default', async (t) => {
  const slack = await slackFor(t);
  const stdin = LINES(700, 'a line of a log');
  const result = await byWebhook(slack, [], { stdin });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(`${texts(slack).join('\n')}\n`, stdin);
  assert.ok(slack.accepted.length >= 3);
  for (let i = 1; i < slack.requests.length; i += 1) {
    assert.ok(slack.requests[i].at_ms - slack.requests[i - 1].at_ms >= 950, 'a second apart');
  }
});

test('nothing in it is markup, terminal colours are left out', async (t) => {
  const slack = await slackFor(t);
  await byWebhook(slack, ['--interval', '0'], { stdin: '<!channel> *x*\n\u001b[31mred\u001b[0m\n' });
  assert.equal(texts(slack)[0], '&lt;!channel&gt; *x*\nred');
  assert.equal(slack.accepted[0].payload.mrkdwn, false);
});

test('a line longer than a message goes out in parts, whole code points each', async (t) => {
  const slack = await slackFor(t);
  const line = 'ü🚀'.repeat(40_000);
  const result = await byWebhook(slack, ['--interval', '0'], { stdin: `${line}\nend\n` });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(texts(slack).join('').replaceAll('\n', ''), `${line}end`);
  assert.equal(result.stdout.startsWith('posted 2 lines in '), true, result.stdout);
});

test('--interval and --drain-timeout that are no times are 64', async (t) => {
  const slack = await slackFor(t);
  for (const name of ['--interval', '--drain-timeout']) {
    const result = await byWebhook(slack, [name, 'soon']);
    assert.equal(result.code, 64);
    assert.match(errorLine(result), new RegExp(`${name} is 'soon', but must be a time like 1s`));
  }
});

test('--tee copies its input byte for byte, the result goes to stderr', async (t) => {
  const slack = await slackFor(t);
  const result = await byWebhook(slack, ['--tee', '--interval', '0'], { stdin: 'a\n<b>\nc' });
  assert.equal(result.stdout, 'a\n<b>\nc');
  assert.match(result.stderr, /posted 3 lines in \d messages?/);
});

test('at the end the interval is a second at most: the last lines are not lost to --drain-timeout', async (t) => {
  const slack = await slackFor(t);
  const { child, end } = start(slack, ['--interval', '10s', '--drain-timeout', '3s']);
  child.stdin.write('a\n');
  await until('the first line', () => slack.accepted.length === 1);
  child.stdin.end('b\n');
  const result = await end;
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(texts(slack), ['a', 'b']);
});

test('--tee to a slow reader: SIGTERM posts first, then the copy is finished', async (t) => {
  const slack = await slackFor(t);
  const { child, end } = start(slack, ['--tee', '--interval', '0', '--drain-timeout', '20s']);
  const copied = [];
  child.stdout.removeAllListeners('data');
  child.stdout.pause();
  child.stdin.write(LINES(30_000, 'a line of a log'));
  await delay(500);
  child.kill('SIGTERM');
  await delay(1500);
  child.stdout.on('data', (data) => copied.push(data));
  child.stdout.resume();
  const result = await end;
  assert.equal(result.code, 0, result.stderr);
  const posted = texts(slack).join('\n');
  assert.ok(LINES(30_000, 'a line of a log').startsWith(posted));
  assert.ok(Buffer.concat(copied).toString().trimEnd() === posted.trimEnd());
});

test('--tee in Actions: a part of a line is copied although posting fails', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'word', word: 'no_service' });
  const { child, end } = start(slack, ['--tee', '--interval', '0'], { GITHUB_ACTIONS: 'true' });
  child.stdin.write('first\npart');
  assert.equal((await end).stdout, 'first\npart');
});

test('--tee to a reader that stalls: the lines are posted all the same, 74 at the end of --drain-timeout', async (t) => {
  const slack = await slackFor(t);
  const { child, end } = start(slack, ['--tee', '--interval', '0', '--drain-timeout', '3s']);
  child.stdout.pause();
  child.stdout.removeAllListeners('data');
  child.stdin.write(LINES(30_000, 'a line of a log'));
  let before = -1;
  await until('it waits for the reader', () => {
    const last = before;
    before = slack.accepted.length;
    return before > 0 && before === last;
  }, 500);
  child.kill('SIGTERM');
  await until('the end', () => child.exitCode !== null);
  child.stdout.resume();
  const result = await end;
  assert.equal(result.code, 74, result.stderr);
  assert.match(result.stderr, /nobody reads standard output, so a part of it is lost; 0 lines were read and not delivered/);
  assert.ok(slack.accepted.length > before, 'what was read is posted');
});

test('--tee in Actions: the runner reads no command in it, and nothing else changes', async (t) => {
  const slack = await slackFor(t);
  const stdin = `${'x'.repeat(65_534)}\n::warning::at a border\n${'x'.repeat(65_535)}##[add\n${'y'.repeat(70_000)}\n::error::forged\n ::add-mask::a\n##[error]b\na::b\n\nend ##[x`;
  const result = await byWebhook(slack, ['--tee', '--interval', '0'], { stdin, env: { GITHUB_ACTIONS: 'true' } });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stdout, stdin.replace('::warning', ': :warning').replace('::error', ': :error').replace('::add', ': :add').replaceAll('##[', '## ['));
});

test('--tee in Actions: a line that comes in pieces is one line', async (t) => {
  const slack = await slackFor(t);
  const { child, out, end } = start(slack, ['--tee', '--interval', '0'], { GITHUB_ACTIONS: 'true' });
  child.stdin.write('first\n:');
  await until('the first line', () => out.stdout === 'first\n');
  child.stdin.end(':error::x\n');
  assert.equal((await end).stdout, 'first\n: :error::x\n');
});

test('--tee into a closed pipe: what was read is posted, 74', async (t) => {
  const slack = await slackFor(t);
  const result = await run(['-c', '(echo a; echo b) | "$0" slack-post --stream --tee --interval 0 > /dev/full; exit $?', binary],
    { program: 'sh', env: { SLACK_WEBHOOK: slack.webhookUrl, PATH: process.env.PATH } });
  assert.equal(result.code, 74, result.stderr);
  assert.match(result.stderr, /can't write to standard output: No space left/);
  assert.match(texts(slack).join('\n'), /^a/);
});

test('a person by e-mail address; one who is not there', async (t) => {
  const slack = await slackFor(t);
  const result = await run(['slack-post', '--stream', '--api', slack.apiUrl, '--channel', 'ada@example.com,nobody@example.com', '--interval', '0'],
    { env: { SLACK_BOT_TOKEN: slack.token }, stdin: LINES(3) });
  assert.equal(result.code, 78, result.stderr);
  assert.match(result.stderr, /nobody@example\.com: Slack says users_not_found/);
  assert.deepEqual(slack.accepted.map(({ channel }) => channel), ['D00000001']);
  assert.equal(slack.requests.filter(({ path }) => path.endsWith('lookupByEmail')).length, 2, 'looked up once');
});

test('lines are posted as they come, while standard input stays open', async (t) => {
  const slack = await slackFor(t);
  const { child, end } = start(slack, ['--interval', '200ms']);
  child.stdin.write('first\n');
  await until('the first line', () => slack.accepted.length === 1);
  child.stdin.write('half');
  await delay(400);
  assert.equal(slack.accepted.length, 1, 'half a line waits for its end');
  child.stdin.write(' a line\n');
  await until('the second line', () => slack.accepted.length === 2);
  child.stdin.end();
  assert.equal((await end).code, 0);
  assert.deepEqual(texts(slack), ['first', 'half a line']);
});

test('a rate limit in the middle: Retry-After is kept, every line arrives once, in order', async (t) => {
  const slack = await slackFor(t, { perChannelMs: 900 });
  const stdin = LINES(400, 'a line that has some length to it');
  const result = await byWebhook(slack, ['--interval', '300ms'], { stdin });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(`${texts(slack).join('\n')}\n`, stdin);
  assert.ok(slack.requests.length > slack.accepted.length, 'it was limited');
});

const PASSING = [
  { kind: 'reset-before-body' }, { kind: 'status', status: 503, body: 'x y' }, { kind: 'status', status: 504, body: 'x y' },
  { kind: 'reset-in-reply' },
];
for (const fault of PASSING) {
  test(`no line is lost by ${JSON.stringify(fault)}`, async (t) => {
    const slack = await slackFor(t);
    slack.fail(fault);
    const result = await byWebhook(slack, ['--interval', '0'], { stdin: LINES(50) });
    assert.equal(result.code, 0, result.stderr);
    const arrived = new Set(texts(slack).join('\n').split('\n'));
    assert.equal(arrived.size, 50);
  });
}

test('an HTML page passes once Slack has answered; at the start it is a wrong address, 76', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'html' });
  const wrong = await byWebhook(slack, [], { stdin: 'a\n' });
  assert.equal(wrong.code, 76, wrong.stderr);
  const { child, end } = start(slack, ['--interval', '0']);
  child.stdin.write('a\n');
  await until('the first line', () => slack.accepted.length === 1);
  slack.fail({ kind: 'html' });
  child.stdin.end('b\n');
  const result = await end;
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stderr, /an HTML page \(HTTP 200\); next attempt in 1 s/);
});

for (const word of ['internal_error', 'fatal_error', 'request_timeout', 'service_unavailable']) {
  test(`${word} passes: the stream goes on`, async (t) => {
    const slack = await slackFor(t);
    slack.fail({ kind: 'word', word });
    const result = await run(['slack-post', '--stream', '--api', slack.apiUrl, '--channel', '#ops', '--interval', '0'],
      { env: { SLACK_BOT_TOKEN: slack.token }, stdin: LINES(3) });
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(texts(slack), ['line 0\nline 1\nline 2']);
    assert.match(result.stderr, new RegExp(`${word} \\(HTTP 200\\); next attempt in 1 s`));
  });
}

test('a refusal ends it: the error, the lines that were not delivered, the exit code', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'word', word: 'channel_is_archived' });
  const result = await byWebhook(slack, [], { stdin: LINES(3) });
  assert.equal(result.code, 78);
  assert.match(result.stderr, /channel_is_archived/);
  assert.match(result.stderr, /3 lines were read and not delivered/);
});

test('several channels: one that fails does not stop the others', async (t) => {
  const slack = await slackFor(t);
  const result = await run(['slack-post', '--stream', '--api', slack.apiUrl, '--channel', '#ops,#attic,#general', '--interval', '0'],
    { env: { SLACK_BOT_TOKEN: slack.token }, stdin: LINES(20) });
  assert.equal(result.code, 78, result.stderr);
  assert.match(result.stderr, /#attic: Slack says is_archived/);
  assert.equal(result.stderr.match(/is_archived/g).length, 1, 'it is told once');
  assert.match(result.stderr, /#attic: 20 lines were read and not delivered/);
  for (const channel of ['C00000001', 'C00000002']) {
    const lines = slack.accepted.filter((message) => message.channel === channel).map(({ payload }) => payload.text).join('\n');
    assert.equal(`${lines}\n`, LINES(20));
  }
});

test('SIGTERM: what was read is flushed, exit 0', async (t) => {
  const slack = await slackFor(t);
  const { child, end } = start(slack, ['--interval', '1s']);
  child.stdin.write('a\n');
  await until('the first line', () => slack.accepted.length === 1);
  child.stdin.write('b\nc');
  await delay(100);
  child.kill('SIGTERM');
  const result = await end;
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(texts(slack), ['a', 'b\nc']);
});

test('SIGTERM while Slack answers 429 without end: 75 within --drain-timeout, with the number of lines', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'ratelimited', retryAfter: 600, as: 'text' });
  const { child, end } = start(slack, ['--drain-timeout', '1s']);
  child.stdin.write('a\nb\n');
  await until('the request', () => slack.requests.length === 1);
  await delay(200);
  child.kill('SIGTERM');
  const stopped = Date.now();
  const result = await end;
  assert.ok(Date.now() - stopped < 4000, 'within its time');
  assert.equal(result.code, 75, result.stderr);
  assert.match(errorLine(result), /within --drain-timeout \(1000 ms\).*2 lines were read and not delivered/);
});

test('the end of input while Slack hangs: 75 within --drain-timeout', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'hang' });
  const started = Date.now();
  const result = await run(['-c', 'exec "$0" slack-post --stream --drain-timeout 1s < "$LOG"', binary],
    { program: 'sh', env: { SLACK_WEBHOOK: slack.webhookUrl, PATH: process.env.PATH, LOG: file(t, 'log', LINES(5)) } });
  assert.equal(result.code, 75, result.stderr);
  assert.ok(Date.now() - started < 5000, 'within its time');
  assert.match(result.stderr, /5 lines were read and not delivered/);
});

test('the time-out of the drain between two messages: 75, the lines that are left, the outputs', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  const result = await byWebhook(slack, ['--json', '--drain-timeout', '1500ms'], { stdin: LINES(3000), env: { GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 75, result.stderr);
  const { lines, messages, undelivered } = JSON.parse(result.stdout);
  assert.equal(messages, slack.accepted.length);
  assert.equal(lines, texts(slack).join('\n').split('\n').length);
  assert.equal(lines + undelivered, 3000);
  assert.match(errorLine(result), new RegExp(`within --drain-timeout \\(1500 ms\\); ${undelivered} lines were read and not delivered`));
  assert.equal(readOutputs(outputs).ok, 'false');
});

for (const signals of [['SIGTERM', 'SIGTERM'], ['SIGINT', 'SIGTERM'], ['SIGTERM', 'SIGINT'], ['SIGHUP']]) {
  test(`${signals.join(', ')}: what was read is flushed all the same`, async (t) => {
    const slack = await slackFor(t);
    const { child, end } = start(slack, ['--interval', '1s']);
    child.stdin.write('a\n');
    await until('the first line', () => slack.accepted.length === 1);
    child.stdin.write('b\n');
    for (const signal of signals) {
      await delay(100);
      child.kill(signal);
    }
    const result = await end;
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(texts(slack), ['a', 'b']);
  });
}

test('standard input that is closed is an end, not a hang; a closed stdout does not take a socket\'s place', async (t) => {
  const slack = await slackFor(t);
  for (const closed of ['<&-', '>&-', '2>&-']) {
    const result = await run(['-c', `echo a | { timeout -s KILL 10 "$0" slack-post --stream --interval 0 ${closed}; }; exit $?`, binary],
      { program: 'sh', env: { SLACK_WEBHOOK: slack.webhookUrl, PATH: process.env.PATH } });
    assert.equal(result.code, 0, `${closed} ${result.stderr}`);
  }
  assert.deepEqual(texts(slack), ['a', 'a']);
});

test('a second Ctrl-C ends it at once', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'ratelimited', retryAfter: 600, as: 'text' });
  const { child, end } = start(slack, []);
  child.stdin.write('a\n');
  await until('the request', () => slack.requests.length === 1);
  child.kill('SIGINT');
  await delay(200);
  child.kill('SIGINT');
  assert.equal((await end).code, 130);
});

test('a writer that is faster than Slack waits: what is held is bounded', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'ratelimited', retryAfter: 600, as: 'text' });
  const { child, end } = start(slack, ['--drain-timeout', '0']);
  await new Promise((resolve) => { child.stdin.write('x\n', resolve); });
  child.stdin.write(LINES(100_000, 'a line of a log that goes on and on'));
  await until('the request', () => slack.requests.length === 1);
  await delay(500);
  assert.ok(child.stdin.writableLength > 1_000_000, 'most of it still waits in the writer');
  child.kill('SIGTERM');
  assert.equal((await end).code, 75);
});

test('dry run: the messages as text or as the exact payloads, and nothing is sent or said to be posted', async (t) => {
  const slack = await slackFor(t);
  const text = await byWebhook(slack, ['--dry-run', '--interval', '0'], { stdin: 'a\n<b>\n' });
  assert.equal(text.code, 0);
  assert.equal(text.stdout, '--- dry run, nothing is sent; this would go to webhook\na\n<b>\n\n');
  const json = await byWebhook(slack, ['--dry-run', '--json', '--interval', '0'], { stdin: 'a\n<b>\n' });
  assert.equal(JSON.parse(json.stdout).text, 'a\n&lt;b&gt;');
  assert.equal(slack.requests.length, 0);
});
