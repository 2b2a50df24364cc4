// slack-post: a text in, one message (or several) out; where it goes, how it looks, what is told of it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { readLog } from '../standin/runner.mjs';
import { CHANNELS, SCOPES } from '../standin/slack_rules.mjs';
import { binary, errorLine, file, fixture, folder, proxyFor, readOutputs, root, run, slackFor } from './support.mjs';

const FIRST_TS = '1700000000.000100'; // of the first message that the stand-in takes
const HOOK = 'https://x.example/services/T/B/SECRET';
const post = (args, options) => run(['slack-post', ...args], options);
const byWebhook = (slack, args, options = {}) => post(args,
  { ...options, env: { SLACK_WEBHOOK: slack.webhookUrl, ...options.env } });
const byToken = (slack, args, options = {}) => post(args,
  { ...options, env: { SLACK_BOT_TOKEN: slack.token, SLACK_API_URL: slack.apiUrl, ...options.env } });
const toOps = (slack, args, options) => byToken(slack, ['--channel', '#ops', ...args], options);
const texts = (slack) => slack.accepted.map(({ payload }) => payload.text);
const methods = (slack) => slack.requests.map(({ path }) => path.split('/').at(-1).split('?')[0]);
const dryRun = async (args, options) => {
  const result = await post(['--dry-run', '--json', ...args], options);
  assert.equal(result.code, 0, result.stderr);
  return JSON.parse(result.stdout);
};
const linesOf = (units, word = 'line') => {
  let text = '';
  for (let i = 0; text.length < units; i += 1) text += `${word} ${i} of a long text\n`;
  return text.trimEnd();
};

// Standard input stays open and silent, as in a shell script of a daemon.
async function withOpenStdin(args, env) {
  const child = spawn(binary, ['slack-post', ...args], { cwd: root, env, timeout: 10_000 });
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (data) => { out[name] += data; });
  const [code, signal] = await once(child, 'close');
  child.stdin.destroy();
  assert.equal(signal, null, 'it waited for standard input');
  return { code, ...out };
}

// --- Where the text comes from ---

const SOURCES = [
  ['the argument', ['Deploy is done'], {}, 'Deploy is done'],
  ['--text', ['--text', 'Deploy is done'], {}, 'Deploy is done'],
  ['--text=', ['--text=-5 degrees'], {}, '-5 degrees'],
  ['standard input', [], { stdin: 'Deploy\nis done\n' }, 'Deploy\nis done'],
  ['-', ['-'], { stdin: 'Deploy is done' }, 'Deploy is done'],
  ['--text -', ['--text', '-'], { stdin: 'Deploy is done\n\n' }, 'Deploy is done'],
  ['a text with a dash behind --', ['--', '--webhook is broken'], {}, '--webhook is broken'],
  ['an empty argument, then standard input', [''], { stdin: 'from stdin' }, 'from stdin'],
  ['SLACK_MESSAGE', [], { env: { SLACK_MESSAGE: 'from env' }, stdin: 'not this' }, 'from env'],
  ['an action input', [], { env: { INPUT_TEXT: 'from input', SLACK_MESSAGE: 'not this' } }, 'from input'],
  ['the argument before SLACK_MESSAGE', ['arg'], { env: { SLACK_MESSAGE: 'not this' } }, 'arg'],
  ['white space at the start of a line stays', [], { stdin: '  two\n\n\tfour' }, '  two\n\n\tfour'],
  ['code points beyond the BMP', ['Grüße 🎉 日本'], {}, 'Grüße 🎉 日本'],
  ['CRLF becomes a line break', [], { stdin: 'a\r\nb\r\n' }, 'a\nb'],
];
for (const [name, args, options, expected] of SOURCES) {
  test(`the text is posted as written, from: ${name}`, async (t) => {
    const slack = await slackFor(t);
    const result = await byWebhook(slack, args, options);
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(texts(slack), [expected]);
    assert.equal(result.stdout, 'posted to webhook\n');
    assert.equal(result.stderr, '');
  });
}

const SILENT_STDIN = [
  ['an argument', ['x']],
  ['--status', ['--status', 'success']],
  ['--payload', ['--payload', 'text: x']],
  ['--payload-file', ['--payload-file', fixture('slack/payload.json')]],
  ['--blocks', ['--blocks', fixture('slack/blocks.json')]],
];
for (const [name, args] of SILENT_STDIN) {
  test(`standard input that stays open is not waited for beside ${name}`, async (t) => {
    const slack = await slackFor(t);
    const result = await withOpenStdin(args, { SLACK_WEBHOOK: slack.webhookUrl });
    assert.equal(result.code, 0, result.stderr);
    assert.equal(slack.accepted.length, 1);
  });
}

test('standard input that stays open is not waited for beside --file and --method', async (t) => {
  const slack = await slackFor(t);
  const env = { SLACK_BOT_TOKEN: slack.token, SLACK_API_URL: slack.apiUrl };
  const upload = await withOpenStdin(['--channel', 'C00000002', '--file', fixture('slack/payload.json')], env);
  assert.equal(upload.code, 0, upload.stderr);
  const call = await withOpenStdin(['--method', 'auth.test'], env);
  assert.equal(call.code, 0, call.stderr);
});

const NOTHING = [['nothing', ''], ['line breaks', '\n\n'], ['white space', ' \t \n ']];
for (const [name, stdin] of NOTHING) {
  test(`${name} on standard input is no message: 65`, async (t) => {
    const slack = await slackFor(t);
    const result = await byWebhook(slack, [], { stdin });
    assert.equal(result.code, 65);
    assert.match(errorLine(result), /nothing to post: no text is given, and standard input is empty/);
    assert.equal(slack.requests.length, 0);
  });
}

test('binary standard input is refused with the remedy, not posted as rubbish', async (t) => {
  const slack = await slackFor(t);
  const result = await byWebhook(slack, [], { stdin: Buffer.from('\x7fELF\0\0\x01') });
  assert.equal(result.code, 65);
  assert.match(errorLine(result), /the text is binary \(it holds NUL bytes\); post it as a file: --file/);
  assert.equal(slack.requests.length, 0);
});

test('Latin-1 bytes are repaired with a notice', async (t) => {
  const slack = await slackFor(t);
  const result = await byWebhook(slack, [], { stdin: Buffer.from('caf\xe9 ol\xe9', 'latin1') });
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(texts(slack), ['caf\ufffd ol\ufffd']);
  assert.match(errorLine(result), /the text is not UTF-8/);
});

// --- Markup ---

const MARKS = '*b* _i_ `c` <https://x.example|l> <@U00000001> <!channel> <!here> <!everyone> <!subteam^S1> '
  + '<!date^1^{date}|d> a & b';

test('a text is shown as written: nothing in it is markup', async (t) => {
  const slack = await slackFor(t);
  await byWebhook(slack, [MARKS]);
  const { payload } = slack.accepted[0];
  assert.equal(payload.text, MARKS.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'));
  assert.equal(payload.mrkdwn, false);
  assert.equal(payload.unfurl_links, false);
});

test('an escape in the text is shown as written too', async () => {
  assert.equal((await dryRun(['&lt;!channel&gt;'])).text, '&amp;lt;!channel&amp;gt;');
});

test('--mrkdwn lets bold, links and mentions of one person through, but nothing that calls everybody', async () => {
  const payload = await dryRun(['--mrkdwn', MARKS]);
  assert.ok(payload.text.startsWith('*b* _i_ `c` <https://x.example|l> <@U00000001> '), payload.text);
  assert.doesNotMatch(payload.text, /<!(channel|here|everyone|subteam)/);
  assert.ok(payload.text.includes('<!date^1^{date}|d>'), 'a date calls nobody');
  assert.notEqual(payload.mrkdwn, false);
});

test('--mrkdwn --allow-broadcast lets everything through', async () => {
  assert.equal((await dryRun(['--mrkdwn', '--allow-broadcast', MARKS])).text, MARKS);
});

test('--link-names makes mentions of names, but @channel and its like need --allow-broadcast', async () => {
  const text = 'hi @ada, @channel @Here @everyone';
  const safe = await dryRun(['--link-names', text]);
  assert.equal(safe.link_names, true);
  assert.ok(safe.text.startsWith('hi @ada, @'), safe.text);
  assert.doesNotMatch(safe.text, /@(channel|here|everyone)/i);
  assert.equal((await dryRun(['--link-names', '--allow-broadcast', text])).text, text);
  const plain = await dryRun([text]);
  assert.equal(plain.text, text);
  assert.equal(plain.link_names, undefined);
});

test('--markdown makes a markdown block, with a plain text for notifications', async () => {
  const text = '# Release\n\n- **one**\n- [two](https://x.example)\n\n| a | b |\n|---|---|\n| 1 | 2 |';
  const payload = await dryRun(['--markdown', text]);
  assert.deepEqual(payload.blocks, [{ type: 'markdown', text }]);
  assert.ok(payload.text.startsWith('# Release'), payload.text);
});

test('--markdown calls nobody; with --allow-broadcast it may', async () => {
  const text = 'Release <!channel> <!here> <!subteam^S1>';
  const [block] = (await dryRun(['--markdown', text])).blocks;
  assert.doesNotMatch(block.text, /<!/);
  const [open] = (await dryRun(['--markdown', '--allow-broadcast', text])).blocks;
  assert.equal(open.text, text);
});

test('--title, --footer and --color stand around the text in an attachment', async (t) => {
  const slack = await slackFor(t);
  const result = await byWebhook(slack, ['--title', 'Release <v1>', '--footer', 'by & by', '--color', '#36a64f',
    'It is *out*']);
  assert.equal(result.code, 0, result.stderr);
  const { payload } = slack.accepted[0];
  assert.deepEqual(payload.attachments, [{
    color: '#36a64f', fallback: 'It is *out*', title: 'Release &lt;v1&gt;', text: 'It is *out*', footer: 'by &amp; by',
      mrkdwn_in: [],
  }]);
  assert.equal(payload.text, undefined, 'a text beside it would be shown twice');
});

test('with --mrkdwn the attachment\'s text is mrkdwn', async () => {
  const { attachments: [attachment] } = await dryRun(['--mrkdwn', '--color', 'good', '*out*']);
  assert.deepEqual(attachment.mrkdwn_in, ['text']);
  assert.equal(attachment.text, '*out*');
});

test('a title alone is a message', async (t) => {
  const slack = await slackFor(t);
  const result = await byWebhook(slack, ['--title', 'Deploy started']);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(slack.accepted[0].payload.attachments[0].title, 'Deploy started');
});

test('--title beside a text on standard input: both are posted', async (t) => {
  const slack = await slackFor(t);
  const result = await byWebhook(slack, ['--title', 'Log', '-'], { stdin: 'all green\n' });
  assert.equal(result.code, 0, result.stderr);
  const { attachments: [attachment] } = slack.accepted[0].payload;
  assert.deepEqual([attachment.title, attachment.text], ['Log', 'all green']);
});

// What is given is shown, or refused; it never just goes away.
const TITLED = [
  ['--markdown', ['--markdown', '# x']],
  ['--blocks', ['--blocks', fixture('slack/blocks.json'), 'x']],
  ['--status', ['--status', 'success']],
];
for (const [name, args] of TITLED) {
  test(`--title and --footer beside ${name} are shown or refused, not lost`, async () => {
    const result = await post(['--dry-run', '--json', '--title', 'TITLE', '--footer', 'FOOTER', ...args]);
    if (result.code === 64) return;
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /TITLE/);
    assert.match(result.stdout, /FOOTER/);
  });
}

const COLORS = [['good', 'good'], ['warning', 'warning'], ['danger', 'danger'], ['#abc', '#abc'],
  ['#A1b2C3', '#A1b2C3'],
  ['success', 'good'], ['failure', 'danger'], ['cancelled', '#808080']];
for (const [given, shown] of COLORS) {
  test(`colour ${given} is ${shown}`, async () => {
    assert.equal((await dryRun(['--color', given, 'x'])).attachments[0].color, shown);
    assert.equal((await dryRun(['x'], { env: { SLACK_COLOR: given } })).attachments[0].color, shown);
  });
}

test('looks: name, icons, unfurling', async () => {
  const payload = await dryRun(['--username', 'deploy', '--icon-emoji', 'rocket', '--icon-url',
    'https://x.example/i.png',
    '--unfurl-links', 'x']);
  assert.deepEqual([payload.username, payload.icon_emoji, payload.icon_url, payload.unfurl_links],
    ['deploy', ':rocket:', 'https://x.example/i.png', true]);
});

test('action-slack-notify\'s environment, all of it together', async (t) => {
  const slack = await slackFor(t);
  const result = await post([], { env: {
    SLACK_WEBHOOK: slack.webhookUrl, SLACK_CHANNEL: 'general', SLACK_USERNAME: 'rtBot',
      SLACK_ICON: 'https://x.example/i.png',
    SLACK_ICON_EMOJI: ':rocket:', SLACK_COLOR: 'failure', SLACK_TITLE: 'Deployed', SLACK_MESSAGE: 'v1 & more @ada',
    SLACK_FOOTER: 'powered by us', SLACK_LINK_NAMES: 'true', INPUT_COMMAND: 'slack-post', GITHUB_ACTIONS: 'true',
  } });
  assert.equal(result.code, 0, result.stderr);
  const { payload } = slack.accepted[0];
  assert.deepEqual(payload, {
    channel: 'general', username: 'rtBot', icon_url: 'https://x.example/i.png', icon_emoji: ':rocket:',
      link_names: true,
    unfurl_links: false, attachments: [{ color: 'danger', fallback: 'v1 &amp; more @ada', title: 'Deployed',
      text: 'v1 &amp; more @ada', footer: 'powered by us', mrkdwn_in: [] }],
  });
});

// --- Where it goes ---

test('a webhook: outputs, and what is said of it', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  const result = await byWebhook(slack, ['x'], { env: { GITHUB_OUTPUT: outputs } });
  assert.equal(result.stdout, 'posted to webhook\n');
  const { time, results, ...written } = readOutputs(outputs);
  assert.deepEqual(written, { ok: 'true', response: '"ok"', channel_id: '', ts: '', thread_ts: '' });
  assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 60, time);
  assert.equal(JSON.parse(results).webhook.ok, true);
});

test('a token: outputs name channel, ts and thread for later steps', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  const result = await toOps(slack, ['x'], { env: { GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stdout, `posted to #ops (C00000002 ${FIRST_TS})\n`);
  const { time, results, response, ...written } = readOutputs(outputs);
  assert.deepEqual(written, { ok: 'true', channel_id: 'C00000002', ts: FIRST_TS, thread_ts: FIRST_TS });
  assert.match(time, /^\d{10}$/);
  assert.deepEqual(JSON.parse(results), { '#ops': { ok: true, channel_id: 'C00000002', ts: FIRST_TS } });
  assert.equal(JSON.parse(response).message.text, 'x');
  assert.equal(slack.requests.length, 1, 'Slack finds the channel itself');
  assert.equal(slack.requests[0].headers.authorization, `Bearer ${slack.token}`);
});

test('--output json tells the results', async (t) => {
  const slack = await slackFor(t);
  const result = await toOps(slack, ['--output', 'json', 'x']);
  assert.deepEqual(JSON.parse(result.stdout), { '#ops': { ok: true, channel_id: 'C00000002', ts: FIRST_TS } });
});

test('several channels, one failing: the others get it, exit code and outputs tell', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  const result = await byToken(slack, ['--channel', '#general,#attic', '--channel', '#ops', 'x'],
    { env: { GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 78);
  assert.match(errorLine(result), /#attic: Slack says is_archived; unarchive/);
  assert.deepEqual(slack.accepted.map(({ channel }) => channel), ['C00000001', 'C00000002']);
  assert.deepEqual(result.stdout.trimEnd().split('\n'),
    [`posted to #general (C00000001 ${FIRST_TS})`, 'posted to #ops (C00000002 1700000000.000200)']);
  const written = readOutputs(outputs);
  assert.equal(written.ok, 'false');
  const results = JSON.parse(written.results);
  assert.deepEqual(Object.keys(results), ['#general', '#attic', '#ops']);
  assert.deepEqual(Object.values(results).map(({ ok }) => ok), [true, false, true]);
  assert.match(results['#attic'].error, /is_archived/);
  assert.equal(results['#ops'].ts, '1700000000.000200');
});

test('a channel named twice gets one message', async (t) => {
  const slack = await slackFor(t);
  await byToken(slack, ['--channel', '#ops, #ops', '--channel', '#ops', 'x']);
  assert.equal(slack.accepted.length, 1);
});

test('--user-email: looked up, and told directly', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  const result = await byToken(slack, ['--user-email', 'ada@example.com', 'x'], { env: { GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(methods(slack)[0], 'users.lookupByEmail');
  assert.equal(slack.accepted[0].channel, 'D00000001');
  assert.equal(readOutputs(outputs).channel_id, 'D00000001');
});

test('--user-email beside --channel: both get it, an unknown address fails alone', async (t) => {
  const slack = await slackFor(t);
  const result = await byToken(slack, ['--user-email', 'nobody@example.com', '--channel', '#ops', 'x']);
  assert.equal(result.code, 78);
  assert.match(errorLine(result),
    /nobody@example\.com: Slack says users_not_found; nobody there has this e-mail address/);
  assert.deepEqual(slack.accepted.map(({ channel }) => channel), ['C00000002']);
});

for (const user of ['U00000001', 'ada@example.com']) {
  test(`--ephemeral ${user}: shown to one only`, async (t) => {
    const slack = await slackFor(t);
    const outputs = join(folder(t), 'outputs');
    const result = await toOps(slack, ['--ephemeral', user, 'x'], { env: { GITHUB_OUTPUT: outputs } });
    assert.equal(result.code, 0, result.stderr);
    const [message] = slack.accepted;
    assert.deepEqual([message.via, message.channel, message.payload.user],
      ['chat.postEphemeral', 'C00000002', 'U00000001']);
    assert.ok(result.stdout.startsWith(`posted to #ops for ${user} only`), result.stdout);
    assert.ok(!result.stdout.includes('( '), `an empty channel is told: ${result.stdout}`);
    assert.equal(readOutputs(outputs).ts, FIRST_TS);
  });
}

test('--ephemeral of a stranger is 78', async (t) => {
  const slack = await slackFor(t);
  const stranger = await toOps(slack, ['--ephemeral', 'U99999999', 'x']);
  assert.equal(stranger.code, 78, stranger.stderr);
  assert.match(errorLine(stranger), /user_not_in_channel/);
});

test('--thread-ts and --broadcast: a reply, shown in the channel too', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  await toOps(slack, ['first']);
  const result = await toOps(slack, ['--thread-ts', FIRST_TS, '--broadcast', 'second'],
    { env: { GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 0, result.stderr);
  const { payload } = slack.accepted[1];
  assert.deepEqual([payload.thread_ts, payload.reply_broadcast], [FIRST_TS, 'true']);
  const written = readOutputs(outputs);
  assert.deepEqual([written.ts, written.thread_ts], ['1700000000.000200', FIRST_TS]);
});

// chat.update knows no names: the ID has to be looked up.
const crowd = (count) => [
  ...Array.from({ length: count }, (_, i) => ({ id: `C1${String(i).padStart(7, '0')}`, name: `c${i}`, is_member: true,
    is_archived: false })),
  ...CHANNELS,
];
const LOOKUPS = [
  ['on the first page', CHANNELS, [...SCOPES, 'groups:read'], 1],
  ['without the scope for private channels', CHANNELS, SCOPES, 2],
  ['on the second page', crowd(1100), [...SCOPES, 'groups:read'], 2],
];
for (const [name, channels, scopes, asked] of LOOKUPS) {
  test(`--update by channel name: the ID is found ${name}`, async (t) => {
    const slack = await slackFor(t, { channels, scopes });
    await toOps(slack, ['before']);
    const result = await toOps(slack, ['--update', FIRST_TS, 'after']);
    assert.equal(result.code, 0, result.stderr);
    const { via, channel, ts, payload } = slack.accepted[1];
    assert.deepEqual([via, channel, ts, payload.text], ['chat.update', 'C00000002', FIRST_TS, 'after']);
    assert.equal(methods(slack).filter((method) => method === 'conversations.list').length, asked);
    assert.equal(result.stdout, `updated the message in #ops (C00000002 ${FIRST_TS})\n`);
  });
}

test('--update of a channel that nobody knows is 78, of a message that is gone too', async (t) => {
  const slack = await slackFor(t);
  const nowhere = await byToken(slack, ['--channel', '#nowhere', '--update', FIRST_TS, 'x']);
  assert.equal(nowhere.code, 78);
  assert.match(errorLine(nowhere), /no channel that the bot can see is named nowhere/);
  const gone = await byToken(slack, ['--channel', 'C00000002', '--update', FIRST_TS, 'x']);
  assert.equal(gone.code, 78);
  assert.match(errorLine(gone), /message_not_found; check the message's ts and channel/);
});

test('--update with an earlier step\'s results changes the message in every channel', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  await byToken(slack, ['--channel', '#general,#attic,#ops', 'started'], { env: { GITHUB_OUTPUT: outputs } });
  const result = await byToken(slack, [], { env: { INPUT_UPDATE: readOutputs(outputs).results, INPUT_TEXT: 'done' } });
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(slack.accepted.slice(2).map(({ via, channel, ts, payload }) => [via, channel, ts, payload.text]), [
    ['chat.update', 'C00000001', FIRST_TS, 'done'], ['chat.update', 'C00000002', '1700000000.000200', 'done']]);
  assert.match(errorLine(result), /#attic: an earlier step posted no message there, so none is changed/);
  for (const results of ['{}', '{"#ops":{"ok":false}}']) {
    const none = await byToken(slack, ['--update', results, 'done']);
    assert.equal(none.code, 65, none.stderr);
    assert.match(errorLine(none), /--update names no message/);
  }
});

test('--update of a message in several parts is refused whole: an update would change one of them', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  await byToken(slack, ['--channel', '#general'], { stdin: linesOf(5000), env: { GITHUB_OUTPUT: outputs } });
  const posted = slack.accepted.length;
  const result = await byToken(slack, ['--update', readOutputs(outputs).results, 'done']);
  assert.equal(result.code, 65, result.stderr);
  assert.match(errorLine(result), /#general: the message has 2 parts, and an update changes one; give --channel and --update the ts of that part/);
  assert.equal(slack.accepted.length, posted);
});

// Webhook and token both in the environment, as a repository's secrets often are.
const RESULTS = JSON.stringify({ '#ops': { ok: true, channel_id: 'C00000002', ts: FIRST_TS } });
const TOKEN_WORK = [
  ['--file', ['--file', fixture('slack/payload.json'), '--channel', 'C00000002'], 'files.completeUploadExternal'],
  ['--method', ['--method', 'reactions.add', '--payload',
    `{"channel": "C00000002", "timestamp": "${FIRST_TS}", "name": "tada"}`], 'reactions.add'],
  ['--update TS', ['--update', FIRST_TS, '--channel', 'C00000002', 'x'], 'chat.update'],
  ['--update RESULTS', ['--update', RESULTS, 'x'], 'chat.update'],
  ['--user-email', ['--user-email', 'ada@example.com', 'x'], 'chat.postMessage'],
  ['--ephemeral', ['--ephemeral', 'U00000001', '--channel', '#ops', 'x'], 'chat.postEphemeral'],
];
for (const [name, args, via] of TOKEN_WORK) {
  test(`with webhook and token both in the environment, ${name} is done by the token`, async (t) => {
    const slack = await slackFor(t);
    await toOps(slack, ['first']);
    const result = await byToken(slack, args, { env: { SLACK_WEBHOOK_URL: slack.webhookUrl } });
    assert.equal(result.code, 0, result.stderr);
    assert.equal(slack.accepted.at(-1).via, via);
  });
}

// A channel of the environment is for those who name none.
const DIRECT = { SLACK_CHANNEL: '#general,#ops' };
const NEARER = [
  ['--user-email', ['--user-email', 'ada@example.com', 'x'], ['U00000001']],
  ['a payload\'s channel', ['--payload', '{"channel": "C00000003", "text": "x"}'], ['C00000003']],
  ['a method that posts no text', ['--method', 'auth.test'], [undefined]],
  ['files.uploadV2 with a channel_id', ['--method', 'files.uploadV2', '--payload', '{"channel_id": "D00000001", "content": "x"}'], [undefined]],
];
for (const [name, args, channels] of NEARER) {
  test(`SLACK_CHANNEL does not add to ${name}`, async (t) => {
    const slack = await slackFor(t);
    const result = await byToken(slack, args, { env: DIRECT });
    assert.notEqual(result.code, 64, result.stderr);
    const calls = slack.requests.filter(({ path }) => /postMessage|auth\.test|completeUpload/.test(path));
    assert.deepEqual(calls.map(({ form }) => form.channel), channels);
  });
}

test('--update and --thread-ts outweigh a payload\'s, as --channel does', async () => {
  const payload = '{"text": "x", "ts": "1.3", "thread_ts": "1.3"}';
  assert.equal((await dryRun(['--channel', '#ops', '--update', '1.2', '--payload', payload])).ts, '1.2');
  assert.equal((await dryRun(['--channel', '#ops', '--thread-ts', '1.2', '--payload', payload])).thread_ts, '1.2');
});

test('--overflow thread by the token, with webhook and token both in the environment', async (t) => {
  const slack = await slackFor(t);
  const env = { SLACK_WEBHOOK_URL: slack.webhookUrl };
  const result = await byToken(slack, ['--overflow', 'thread', 'x'], { env });
  assert.equal(result.code, 64);
  assert.match(errorLine(result), /a bot token needs a --channel/);
  assert.equal((await byToken(slack, ['--overflow', 'thread', '--channel', '#ops', 'x'], { env })).code, 0);
});

test('one address named twice gets one message', async (t) => {
  const slack = await slackFor(t);
  const result = await byToken(slack, ['--channel', 'ada@example.com', '--user-email', 'ada@example.com', 'x']);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(slack.accepted.length, 1);
});

test('a colour of the environment does not matter beside a payload', async (t) => {
  const slack = await slackFor(t);
  const result = await byWebhook(slack, ['--payload', 'text: x'], { env: { SLACK_COLOR: 'purple' } });
  assert.equal(result.code, 0, result.stderr);
});

// --- Any method ---

test('--method reactions.add: the channel\'s ID is looked up, the payload brings the rest', async (t) => {
  const slack = await slackFor(t);
  await toOps(slack, ['x']);
  const result = await toOps(slack, ['--method', 'reactions.add', '--payload',
    `{"timestamp": "${FIRST_TS}", "name": "tada"}`]);
  assert.equal(result.code, 0, result.stderr);
  const { via, channel, payload } = slack.accepted[1];
  assert.deepEqual([via, channel, payload.name], ['reactions.add', 'C00000002', 'tada']);
  assert.equal(result.stdout, 'reactions.add is done for #ops (C00000002)\n');
});

test('--method with a #name in the payload: its ID is looked up too', async (t) => {
  const slack = await slackFor(t);
  await toOps(slack, ['x']);
  const result = await byToken(slack, ['--method', 'reactions.add', '--payload',
    `channel: "#ops"\ntimestamp: ${FIRST_TS}\nname: tada`]);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(slack.accepted[1].channel, 'C00000002');
});

test('--method chat.scheduleMessage and chat.delete', async (t) => {
  const slack = await slackFor(t);
  const at = Math.floor(Date.now() / 1000) + 3600;
  const outputs = join(folder(t), 'outputs');
  const scheduled = await toOps(slack, ['--method', 'chat.scheduleMessage', '--payload', `post_at: ${at}\ntext: later`],
    { env: { GITHUB_OUTPUT: outputs } });
  assert.equal(scheduled.code, 0, scheduled.stderr);
  assert.deepEqual([slack.accepted[0].payload.post_at, slack.accepted[0].payload.text], [String(at), 'later']);
  assert.equal(JSON.parse(readOutputs(outputs).response).scheduled_message_id, 'Q00000001');
  await toOps(slack, ['x']);
  const deleted = await toOps(slack, ['--method', 'chat.delete', '--payload', `ts: ${FIRST_TS}`]);
  assert.equal(deleted.code, 0, deleted.stderr);
  assert.equal(slack.accepted.at(-1).via, 'chat.delete');
});

test('--method auth.test needs no arguments; the reply is the output response', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  const result = await byToken(slack, ['--method', 'auth.test'], { env: { GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stdout, 'auth.test is done\n');
  assert.equal(JSON.parse(readOutputs(outputs).response).team, 'Stand-in');
});

test('an unknown method is 78 with Slack\'s word', async (t) => {
  const slack = await slackFor(t);
  const result = await byToken(slack, ['--method', 'chat.nothing', '--payload', 'channel: C00000002']);
  assert.equal(result.code, 78, result.stderr);
  assert.match(errorLine(result), /Slack says unknown_method; check the method's name and the API's address/);
});

// --- Refusals ---

const WORDS = [
  [{ word: 'missing_scope', needed: 'chat:write.customize', provided: 'chat:write,users:read' }, 77,
    /missing_scope \(needed: chat:write\.customize; provided: chat:write,users:read\); add the needed scope/],
  [{ word: 'channel_not_found' }, 78, /#ops: Slack says channel_not_found; check the channel's name or ID/],
  [{ word: 'msg_too_long' }, 65, /msg_too_long; the message is over Slack's limits/],
  [{ word: 'msg_blocks_too_long' }, 65, /msg_blocks_too_long; the message is over Slack's limits/],
  [{ word: 'invalid_auth' }, 77, /invalid_auth; make a new bot token/],
];
for (const [fault, code, message] of WORDS) {
  test(`${fault.word}: ${code}, and the outputs tell it`, async (t) => {
    const slack = await slackFor(t);
    slack.fail({ kind: 'word', ...fault });
    const outputs = join(folder(t), 'outputs');
    const result = await toOps(slack, ['x'], { env: { GITHUB_OUTPUT: outputs } });
    assert.equal(result.code, code, result.stderr);
    assert.match(errorLine(result), message);
    assert.equal(result.stdout, '');
    const written = readOutputs(outputs);
    assert.equal(written.ok, 'false');
    assert.equal(JSON.parse(written.response).error, fault.word);
    assert.match(JSON.parse(written.results)['#ops'].error, message);
    assert.equal(slack.requests.length, 1, 'a refusal is not sent again');
  });
}

test('a token without the scope: what is needed and what there is', async (t) => {
  const slack = await slackFor(t, { scopes: ['users:read'] });
  const result = await toOps(slack, ['x']);
  assert.equal(result.code, 77);
  assert.match(errorLine(result), /missing_scope \(needed: chat:write; provided: users:read\)/);
});

test('an unknown channel is 78', async (t) => {
  const slack = await slackFor(t);
  const result = await byToken(slack, ['--channel', '#nowhere', 'x']);
  assert.equal(result.code, 78);
  assert.match(errorLine(result), /#nowhere: Slack says channel_not_found/);
});

for (const [args, env] of [[['--errors=false'], {}], [['--errors', 'false'], {}], [[], { INPUT_ERRORS: 'false' }]]) {
  test(`errors: false (${args.join(' ') || 'input'}): 0 although Slack refused, the output tells`, async (t) => {
    const slack = await slackFor(t);
    const outputs = join(folder(t), 'outputs');
    const result = await byToken(slack, ['--channel', '#attic', ...args, 'x'],
      { env: { GITHUB_OUTPUT: outputs, ...env } });
    assert.equal(result.code, 0, result.stderr);
    assert.match(errorLine(result), /is_archived/);
    assert.equal(readOutputs(outputs).ok, 'false');
  });
}

test('a full disk behind one place hides the word of what was posted from no other', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  const env = { SLACK_WEBHOOK: slack.webhookUrl, PATH: process.env.PATH, GITHUB_OUTPUT: outputs };
  const full = await run(['-c', 'exec "$0" slack-post x > /dev/full', binary], { program: 'sh', env });
  assert.equal(full.code, 74, full.stderr);
  assert.equal(readOutputs(outputs).ok, 'true');
  assert.equal(JSON.parse(readOutputs(outputs).results).webhook.ok, true);
});

test('errors: false does not hide a wrong usage or bad data', async (t) => {
  const slack = await slackFor(t);
  const env = { INPUT_ERRORS: 'false' };
  assert.equal((await byWebhook(slack, ['--color', 'reddish', 'x'], { env })).code, 64);
  assert.equal((await byWebhook(slack, ['--payload', '[1]'], { env })).code, 65);
});

test('what ends before anything is sent leaves ok=false behind', async (t) => {
  const outputs = join(folder(t), 'outputs');
  const result = await post(['--payload', '[1]'], { env: { SLACK_WEBHOOK: HOOK, GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 65);
  assert.deepEqual([readOutputs(outputs).ok, readOutputs(outputs).results], ['false', '{}']);
});

// --- Patience ---

test('--retries 0 does not try again', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'ratelimited', retryAfter: 1 });
  const result = await byWebhook(slack, ['--retries', '0', 'x']);
  assert.equal(result.code, 75, result.stderr);
  assert.equal(slack.requests.length, 1);
});

for (const word of ['RAPID', 'rapid']) {
  test(`--retries ${word} tries again in quick succession`, async (t) => {
    const slack = await slackFor(t);
    for (let i = 0; i < 3; i += 1) slack.fail({ kind: 'status', status: 503, body: 'x' });
    const result = await byWebhook(slack, ['--retries', word, 'x']);
    assert.equal(result.code, 0, result.stderr);
    assert.ok(slack.requests[3].at_ms - slack.requests[0].at_ms < 1000, 'in less than a second');
  });
}

for (const word of ['5', '10']) {
  test(`--retries ${word} tries again, and waits as it is told`, async (t) => {
    const slack = await slackFor(t);
    slack.fail({ kind: 'ratelimited', retryAfter: 1 });
    const result = await post(['x'], { env: { SLACK_WEBHOOK: slack.webhookUrl, INPUT_RETRIES: word } });
    assert.equal(result.code, 0, result.stderr);
    assert.ok(slack.requests[1].at_ms - slack.requests[0].at_ms >= 990);
  });
}

// --- Through a proxy ---

test('--proxy: every request goes through it, signed on', async (t) => {
  const slack = await slackFor(t);
  const proxy = await proxyFor(t, { user: 'svc:hunter2@' });
  const result = await toOps(slack, ['--proxy', proxy.url, 'x']);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(slack.accepted.length, 1);
  assert.equal(proxy.seen.length, 1);
  const basic = Buffer.from('svc:hunter2').toString('base64');
  assert.match(proxy.seen[0], new RegExp(`proxy-authorization: basic ${basic}`, 'i'));
});

test('--proxy beats the environment\'s and its NO_PROXY', async (t) => {
  const slack = await slackFor(t);
  const proxy = await proxyFor(t, { user: 'svc:hunter2@' });
  const result = await byWebhook(slack, ['--proxy', proxy.url, 'x'],
    { env: { http_proxy: 'http://127.0.0.1:1', NO_PROXY: '127.0.0.1' } });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(proxy.seen.length, 1);
});

test('a proxy\'s password is in no output, whatever goes wrong', async (t) => {
  const slack = await slackFor(t);
  const closed = await proxyFor(t, { user: 'svc:hunter2@', refuse: '407 Proxy Authentication Required' });
  const urls = [closed.url, 'http://svc:hunter2@127.0.0.1:1', 'http://svc:hunter2@127.0.0.1:99999',
    'http://svc:hunter2 @x', 'ftp//svc:hunter2@x'];
  for (const url of urls) {
    const result = await byWebhook(slack, ['--retries', '0', '--proxy', url, 'x']);
    assert.ok(result.code !== 0, url);
    assert.doesNotMatch(result.stdout + result.stderr, /hunter2/, url);
  }
  assert.equal(slack.requests.length, 0);
});

// --- Dry run ---

test('--dry-run sends nothing; text for people, json the exact payload', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  const text = await toOps(slack, ['--dry-run', '--title', 'T & T', '<x>'], { env: { GITHUB_OUTPUT: outputs } });
  assert.equal(text.code, 0);
  assert.match(text.stdout, /^--- dry run, nothing is sent; this would go to #ops\nT & T\n\n<x>\n/);
  assert.equal(readOutputs(outputs).ok, '');
  const json = await byWebhook(slack, ['--dry-run', '--output', 'json', 'a\nb']);
  assert.equal(slack.requests.length, 0);
  await byWebhook(slack, ['a\nb']);
  assert.equal(`${slack.requests[0].body}\n`, json.stdout);
});

test('--dry-run of a method, a file and a long text says what would happen', async (t) => {
  const slack = await slackFor(t);
  const method = await toOps(slack, ['--dry-run', '--method', 'reactions.add', '--payload', 'name: tada']);
  assert.match(method.stdout, /this would go to #ops by reactions\.add/);
  const upload = await toOps(slack, ['--dry-run', '--file', file(t, 'a.log', 'hello'), 'see <this>']);
  assert.match(upload.stdout, /a\.log \(5 bytes\)\n\n?see <this>/);
  const long = await toOps(slack, ['--dry-run', '--json', linesOf(9000)]);
  assert.equal(long.stdout.trimEnd().split('\n').length, 3);
  assert.equal(slack.requests.length, 0);
});

test('--dry-run needs neither webhook nor token', async () => {
  assert.equal((await dryRun(['x'])).text, 'x');
});

// --- Long text ---

test('a long text is split: limits held, order kept, a second apart, every part in the results', async (t) => {
  const slack = await slackFor(t, { perChannelMs: 950 });
  const outputs = join(folder(t), 'outputs');
  const text = linesOf(9000);
  const result = await toOps(slack, [], { stdin: text, env: { GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(texts(slack).join('\n'), text);
  assert.equal(slack.requests.length, 3, 'never too fast');
  for (const part of texts(slack)) assert.ok(part.length <= 4000, `${part.length}`);
  for (const i of [1, 2]) assert.ok(slack.requests[i].at_ms - slack.requests[i - 1].at_ms >= 950);
  assert.equal(result.stdout, `posted to #ops in 3 messages (C00000002 ${FIRST_TS})\n`);
  const all = slack.accepted.map(({ ts }) => ts);
  assert.deepEqual(JSON.parse(readOutputs(outputs).results)['#ops'], { ok: true, channel_id: 'C00000002', ts: FIRST_TS,
    parts: all });
  assert.equal(readOutputs(outputs).ts, FIRST_TS);
});

test('4,000 characters are one message, 4,001 are two; what grows by escaping is counted as it is sent', async () => {
  const parts = async (stdin) => {
    const { stdout } = await post(['--dry-run', '--json'], { stdin });
    return stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
  };
  assert.equal((await parts('a'.repeat(4000))).length, 1);
  assert.equal((await parts('a'.repeat(4001))).length, 2);
  const escaped = await parts('&'.repeat(4000));
  assert.ok(escaped.length >= 5);
  for (const { text } of escaped) assert.ok(text.length <= 4000 && /^(&amp;)+$/.test(text), 'an escape is cut');
  const emoji = await parts('🎉'.repeat(2500));
  for (const { text } of emoji) assert.ok(text.length <= 4000 && text.isWellFormed());
  assert.equal(emoji.map(({ text }) => text).join(''), '🎉'.repeat(2500));
});

test('--title stands above the first part, --footer below the last', async (t) => {
  const slack = await slackFor(t);
  const result = await byWebhook(slack, ['--title', 'T', '--footer', 'F', '--color', 'good', '-'],
    { stdin: linesOf(5000) });
  assert.equal(result.code, 0, result.stderr);
  const shown = slack.accepted.map(({ payload }) => payload.attachments[0]);
  assert.deepEqual(shown.map(({ title, footer, color }) => [title, footer, color]),
    [['T', undefined, 'good'], [undefined, 'F', 'good']]);
});

test('a code block is closed and opened again in the next part', async (t) => {
  const slack = await slackFor(t);
  const code = linesOf(5000);
  const result = await byWebhook(slack, ['--mrkdwn'], { stdin: `Log:\n\`\`\`\n${code}\n\`\`\`\nend` });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(slack.accepted.length, 2);
  for (const text of texts(slack)) assert.equal(text.split('```').length % 2, 1, 'a fence is left open');
  const lines = texts(slack).join('\n').replaceAll('```', '').split('\n');
  const shown = lines.filter((line) => line !== '');
  assert.deepEqual(shown, ['Log:', ...code.split('\n'), 'end']);
});

test('a long Markdown text is split at 12,000', async () => {
  const result = await post(['--dry-run', '--json', '--markdown'], { stdin: linesOf(13000) });
  const parts = result.stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(parts.map(({ blocks }) => blocks[0].text.length <= 12000), [true, true]);
});

test('--overflow thread: the rest answers the first', async (t) => {
  const slack = await slackFor(t);
  const text = linesOf(9000);
  const result = await toOps(slack, ['--overflow', 'thread'], { stdin: text });
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(slack.accepted.map(({ thread_ts }) => thread_ts), [undefined, FIRST_TS, FIRST_TS]);
  assert.equal(texts(slack).join('\n'), text);
});

test('--overflow thread inside a thread stays in it', async (t) => {
  const slack = await slackFor(t);
  await toOps(slack, ['root']);
  const result = await toOps(slack, ['--overflow', 'thread', '--thread-ts', FIRST_TS], { stdin: linesOf(5000) });
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(slack.accepted.map(({ thread_ts }) => thread_ts), [undefined, FIRST_TS, FIRST_TS]);
  for (const { body } of slack.requests.slice(1)) {
    assert.equal(body.match(/thread_ts=/g).length, 1, 'thread_ts stands twice');
  }
});

test('--overflow file: uploaded whole, the beginning as the comment', async (t) => {
  const slack = await slackFor(t);
  const text = `<!channel> first & last\n${linesOf(5000)}`;
  const result = await toOps(slack, ['--overflow', 'file', '--title', 'The log', '-'], { stdin: text });
  assert.equal(result.code, 0, result.stderr);
  const [upload] = slack.files;
  assert.equal(upload.sha256, createHash('sha256').update(text).digest('hex'));
  assert.equal(upload.filename, 'message.txt');
  assert.equal(upload.shared[0].channel, 'C00000002');
  assert.equal(upload.shared[0].title, 'The log');
  assert.match(upload.shared[0].initial_comment, /^&lt;!channel&gt; first &amp; last/);
  assert.equal(result.stdout.split('\n')[0].startsWith('uploaded message.txt to #ops'), true, result.stdout);
});

test('--overflow file and thread leave a short text alone', async (t) => {
  const slack = await slackFor(t);
  for (const how of ['file', 'thread', 'fail']) {
    assert.equal((await toOps(slack, ['--overflow', how, 'short'])).code, 0);
  }
  assert.deepEqual(methods(slack), ['chat.postMessage', 'chat.postMessage', 'chat.postMessage']);
});

const TOO_LONG = [
  ['--overflow fail', ['--overflow', 'fail'], linesOf(4100),
    /the text has \d+ characters, and Slack takes 4000 in a message$/],
  ['--update', ['--update', FIRST_TS], linesOf(4100), /Slack takes 4000 in a message; an update can't be split/],
  ['more than 100 messages', [], linesOf(450_000), /1\d\d messages are too many, give --overflow file or --stream/],
];
for (const [name, args, stdin, message] of TOO_LONG) {
  test(`too long a text, ${name}: 65, nothing is sent`, async (t) => {
    const slack = await slackFor(t);
    const result = await toOps(slack, args, { stdin });
    assert.equal(result.code, 65, result.stderr);
    assert.match(errorLine(result), message);
    assert.equal(slack.requests.length, 0);
  });
}

for (const send of [byWebhook, toOps]) {
  test(`${send.name}: 429 in the middle of a split text: the rest still arrives, in order, once`, async (t) => {
    const slack = await slackFor(t);
    slack.fail({ kind: 'slow', delay_ms: 1 });
    slack.fail({ kind: 'ratelimited', retryAfter: 2 });
    const text = linesOf(9000);
    const result = await send(slack, [], { stdin: text });
    assert.equal(result.code, 0, result.stderr);
    assert.equal(texts(slack).join('\n'), text);
    assert.equal(slack.requests.length, 4);
    assert.ok(slack.requests[2].at_ms - slack.requests[1].at_ms >= 1990, 'Retry-After is honoured');
  });
}

test('a refusal in the middle of a split text: which part, what is posted, no more is sent', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'slow', delay_ms: 1 });
  slack.fail({ kind: 'word', word: 'is_archived' });
  const outputs = join(folder(t), 'outputs');
  const result = await toOps(slack, [], { stdin: linesOf(9000), env: { GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 78);
  assert.match(errorLine(result),
    /#ops: part 2 of 3: Slack says is_archived; .*; the one before it is posted/);
  assert.equal(slack.requests.length, 2);
  const { ok, ts, parts } = JSON.parse(readOutputs(outputs).results)['#ops'];
  assert.deepEqual([ok, ts, parts], [false, FIRST_TS, [FIRST_TS]]);
  assert.equal(readOutputs(outputs).ok, 'false');
});

// --- Files ---

test('--file: several, with comment and thread; a channel\'s name is looked up', async (t) => {
  const slack = await slackFor(t);
  await toOps(slack, ['root']);
  const [a, b] = [file(t, 'a.log', 'aaa'), file(t, 'b.bin', Buffer.from([0, 1, 255]))];
  const result = await toOps(slack, ['--file', a, '--file', b, '--thread-ts', FIRST_TS, 'The <logs>']);
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(slack.files.map(({ filename, received }) => [filename, received]), [['a.log', 3], ['b.bin', 3]]);
  assert.deepEqual(slack.files[0].shared, [{ channel: 'C00000002', thread_ts: FIRST_TS,
    initial_comment: 'The &lt;logs&gt;', title: 'a.log' }]);
  assert.equal(slack.files[1].sha256, createHash('sha256').update(Buffer.from([0, 1, 255])).digest('hex'));
  assert.match(result.stdout, /^uploaded a\.log, b\.bin to #ops/);
});

test('--file - takes standard input under --filename; an empty file is 65, a missing one 66', async (t) => {
  const slack = await slackFor(t);
  const piped = await toOps(slack, ['--file', '-', '--filename', 'out.txt'], { stdin: 'piped\n' });
  assert.equal(piped.code, 0, piped.stderr);
  assert.deepEqual([slack.files[0].filename, slack.files[0].received], ['out.txt', 6]);
  const empty = await toOps(slack, ['--file', file(t, 'empty', '')]);
  assert.equal(empty.code, 65);
  assert.match(errorLine(empty), /is empty, and Slack takes no empty files/);
  const missing = await toOps(slack, ['--file', '/nowhere/at/all']);
  assert.equal(missing.code, 66);
  assert.equal(slack.files.length, 1);
});

test('an upload URL that fails half way is told with the file\'s name; nothing is shared', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'status', status: 403, body: 'expired', on: 'upload' });
  const result = await byToken(slack, ['--channel', 'C00000002', '--file', file(t, 'a.log', 'aaa')]);
  assert.notEqual(result.code, 0);
  assert.match(errorLine(result), /a\.log: /);
  assert.equal(slack.accepted.length, 0);
});

test('an upload that broke off is begun again', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'reset-in-body', after: 100_000, on: 'upload' });
  const body = Buffer.alloc(5_000_000, 'x');
  const result = await byToken(slack, ['--channel', 'C00000002', '--file', file(t, 'a.log', body)]);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(slack.files[0].sha256, createHash('sha256').update(body).digest('hex'));
});

// --- Status of a job ---

const RUN_ENV = {
  GITHUB_EVENT_NAME: 'push', GITHUB_EVENT_PATH: fixture('slack/push.json'), GITHUB_WORKFLOW: 'CI', GITHUB_JOB: 'build',
  GITHUB_REPOSITORY: 'mira-dahl/harbor', GITHUB_SERVER_URL: 'https://github.com', GITHUB_RUN_ID: '4711',
    GITHUB_RUN_ATTEMPT: '1',
  GITHUB_REF_NAME: 'main', GITHUB_SHA: '6dcb09b5b57875f334f61aebed695e2e4193db5e', GITHUB_ACTOR: 'tomas-lind',
};
const STATUSES = [
  ['success', 'succeeded', 'good'], ['failure', 'failed', 'danger'], ['cancelled', 'was cancelled', '#808080'],
  ['skipped', 'was skipped', '#808080'], ['started', 'started', '#808080'], ['Success', 'succeeded', 'good'],
];
for (const [status, words, color] of STATUSES) {
  test(`--status ${status}: workflow, job, branch, commit, author and duration in one coloured message`, async () => {
    const { attachments: [attachment] } = await dryRun(['--status', status, '--duration', '192'], { env: RUN_ENV });
    assert.equal(attachment.color, color);
    const [{ text: { text } }] = attachment.blocks;
    const repository = 'https://github.com/mira-dahl/harbor';
    assert.ok(text.includes(`<${repository}/actions/runs/4711|CI / build>`), text);
    assert.ok(text.includes(`${words} on <${repository}/tree/main|main>`), text);
    assert.ok(text.includes(`<${repository}/commit/${RUN_ENV.GITHUB_SHA}|6dcb09b>`), text);
    assert.ok(text.includes('Fix the &lt;pump&gt; &amp; valves, by Tomas Lind'), text);
    assert.ok(!text.includes('second line'), 'the subject only');
    assert.ok(text.endsWith('took 3 min 12 s'), text);
  });
}

test('--status with a text below it, and mentions by status', async (t) => {
  const mentions = file(t, 'mentions.yml', 'oncall: S0ONCALL1\ntomas-lind: U0TOMAS01\n');
  const args = ['--mention-on', 'failure=@oncall,@author,success=@author', '--mentions', mentions, 'see <log>'];
  const failed = await dryRun(['--status', 'failure', ...args], { env: RUN_ENV });
  assert.equal(failed.text, '<!subteam^S0ONCALL1> <@U0TOMAS01>');
  assert.equal(failed.attachments[0].blocks[1].text.text, 'see &lt;log&gt;');
  assert.equal((await dryRun(['--status', 'success', ...args], { env: RUN_ENV })).text, '<@U0TOMAS01>');
  assert.equal((await dryRun(['--status', 'cancelled', ...args], { env: RUN_ENV })).text, undefined);
});

test('--mention-on: a name of the file is not taken for an ID, and an ID needs no file', async (t) => {
  const slack = await slackFor(t);
  const mentions = file(t, 'mentions.yml', 'USER: U0ADA0001\n');
  const result = await byWebhook(slack, ['--status', 'failure', '--mention-on', 'failure=@USER,S0ONCALL1', '--mentions', mentions]);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(slack.accepted[0].payload.text, '<@U0ADA0001> <!subteam^S0ONCALL1>');
});

test('--mention-on: a name in capitals is no ID', async () => {
  const result = await post(['--dry-run', '--status', 'failure', '--mention-on', 'failure=@SUPPORT'], { env: RUN_ENV });
  assert.equal(result.code, 65, result.stderr);
  assert.match(errorLine(result), /--mention-on names '@SUPPORT', who is not in the file/);
});

test('--status without the file of its event: the message all the same, with a notice', async () => {
  const result = await post(['--dry-run', '--status', 'failure'], { env: { ...RUN_ENV, GITHUB_EVENT_PATH: '/nowhere/event.json' } });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /failed/);
  assert.match(errorLine(result), /can't read the event from \/nowhere\/event\.json: .*; the message goes without what stands there/);
});

const STATUS_MISTAKES = [
  [['--status', 'broken'], 64, /--status is 'broken', but must be success, failure/],
  [['--status', 'failure', '--mention-on', 'failure=@here'], 64, /names @here, which needs --allow-broadcast/],
  [['--status', 'failure', '--mention-on', 'failure=@nobody'], 65,
    /--mention-on names '@nobody', who is not in the file of --mentions/],
  [['--status', 'failure', '--mention-on', 'failed=U0123ABCD'], 64,
    /--mention-on is 'failed=U0123ABCD', but must be a list like failure=@oncall,cancelled=@author/],
  [['--status', 'failure', '--mentions', fixture('slack/payload.json')], 64, /--mentions needs --mention-on/],
  [['--status', 'failure', '--mention-on', '@oncall'], 64, /must be a list like failure=@oncall/],
];
for (const [args, code, message] of STATUS_MISTAKES) {
  test(`${args.join(' ')}: ${code}`, async () => {
    const result = await post(['--dry-run', ...args], { env: RUN_ENV });
    assert.equal(result.code, code, result.stderr);
    assert.match(errorLine(result), message);
  });
}

// --- Wrong usage ---

const HOOKED = ['--webhook', HOOK];
const TOKENED = ['--token', 'xoxb-SECRET', '--channel', '#ops', '--api', 'http://127.0.0.1:1/', '--retries', '0'];
const MISTAKES = [
  [[...HOOKED, '--file', 'a'], '', /--file needs a bot token \(--token\), a webhook can't do it/],
  [[...HOOKED, '--update', '1.2', 'x'], '', /--update needs a bot token/],
  [[...HOOKED, '--ephemeral', 'U00000001', 'x'], '', /--ephemeral needs a bot token/],
  [[...HOOKED, '--user-email', 'a@b.example', 'x'], '', /--user-email needs a bot token/],
  [[...HOOKED, '--method', 'auth.test'], '', /--method needs a bot token/],
  [[...HOOKED, '--broadcast', 'x'], '', /--broadcast needs a bot token/],
  [[...HOOKED, '--channel', '#a,#b', 'x'], '', /several --channel needs a bot token/],
  [[...HOOKED, '--overflow', 'thread', 'x'], '', /--overflow thread needs a bot token/],
  [[...HOOKED, '--overflow', 'file', 'x'], '', /--overflow file needs a bot token/],
  [['--token', 'xoxb-SECRET', 'x'], '', /a bot token needs a --channel \(or --user-email\)/],
  [['--token', 'xoxb-SECRET', '--file', 'a'], '', /needs a --channel/],
  [['x'], '', /no way to Slack: give --webhook \(SLACK_WEBHOOK\), or --token \(SLACK_BOT_TOKEN\) with --channel/],
  [[...HOOKED, ...TOKENED, 'x'], '', /give --webhook or --token, not both/],
  [[...TOKENED, '--ephemeral', 'U00000001', '--file', fixture('slack/blocks.json')], '', /--ephemeral can't hide a file: .*--user-email/],
  [[...TOKENED, '--ephemeral', 'U00000001', '--overflow', 'file', 'x'], '', /--ephemeral can't hide a file/],
  [[...TOKENED, '--ephemeral', 'U00000001', '--method', 'files.uploadV2', '--payload', '{"content": "x"}'], '',
    /--method and --ephemeral can't go together/],
  [[...TOKENED, '--file', fixture('slack/blocks.json'), '--update', '1.2'], '', /--file and --update can't go together/],
  [[...TOKENED, '--file', fixture('slack/blocks.json'), '--method', 'chat.delete'], '', /--file and --method can't go together/],
  [[...HOOKED, '--markdown', '--mrkdwn', 'x'], '', /--markdown and --mrkdwn can't go together/],
  [[...TOKENED, '--file', fixture('slack/blocks.json'), '--overflow', 'fail'], '', /--file and --overflow can't go together/],
  ...['username', 'icon-emoji', 'icon-url'].flatMap((name) => [
    [[...HOOKED, '--payload', 'text: x', `--${name}`, 'x'], '', new RegExp(`--payload and --${name} can't go together`)],
    [[...HOOKED, '--payload-file', fixture('slack/payload.json'), `--${name}`, 'x'], '', new RegExp(`--payload-file-path and --${name} can't`)],
    [[...TOKENED, '--file', fixture('slack/blocks.json'), `--${name}`, 'x'], '', new RegExp(`--file and --${name} can't go together`)],
  ]),
  [[...HOOKED, '--payload', 'text: x', '--color', 'good'], '', /--payload and --color can't go together/],
  [[...HOOKED, '--payload', 'text: x', '--unfurl-links'], '', /--payload and --unfurl-links can't go together/],
  [[...HOOKED, '--payload', 'text: x', '--link-names'], '', /--payload and --link-names can't go together/],
  [[...HOOKED, '--payload', 'text: x', '--overflow', 'split'], '', /--payload and --overflow can't go together/],
  [[...HOOKED, '--payload', 'text: x', '--mrkdwn'], '', /--mrkdwn needs a text, or --payload-templated/],
  [[...HOOKED, '--blocks', fixture('slack/blocks.json'), '--overflow', 'fail', 'x'], '', /--blocks and --overflow can't go together/],
  [[...HOOKED, '--status', 'success', '--overflow', 'fail', 'x'], '', /--status and --overflow can't go together/],
  [[...HOOKED, '--allow-broadcast', 'x'], '',
    /--allow-broadcast needs --mrkdwn, --markdown, --link-names, --mention-on or --payload-templated/],
  [[...HOOKED, '--payload-templated', 'x'], '', /--payload-templated needs --payload, --payload-file-path or --blocks/],
  [[...TOKENED, '--file', fixture('slack/blocks.json'), '--footer', 'a'], '', /--file and --footer can't go together/],
  [[...TOKENED, '--ephemeral', 'U00000001', '--thread-ts', '1.2', '--broadcast', 'x'], '', /--ephemeral and --broadcast can't go together/],
  [[...TOKENED, '--update', RESULTS, 'x'], '', /--update with results names the channels itself; drop --channel/],
  [['--token', 'xoxb-SECRET', '--user-email', 'a@b.example', '--update', RESULTS, 'x'], '', /--update with results names the channels/],
  [[...HOOKED, '--retries', 'many', '--retry-budget', '5', 'x'], '', /--retries is 'many', but must be 0, 5, 10 or RAPID/],
  [[...HOOKED, '--stream', '--tee', '--json'], '', /--tee and JSON both want standard output/],
  [[...HOOKED, '--stream', '--tee', '--output', 'json'], '', /--tee and JSON both want standard output/],
  [[...HOOKED, '--stream', '--tee', '--dry-run'], '', /--tee and --dry-run both want standard output/],
  [['--token', 'xoxb-SECRET', '--webhook-type', 'webhook-trigger', '--payload', 'a: b'], '', /--webhook-type webhook-trigger needs --webhook/],
  [[...HOOKED, '--webhook-type', 'webhook-trigger', '--payload', 'a: b', '--channel', '#ops'], '', /give --payload instead of --channel/],
  [[...TOKENED, '--method', 'auth.test', '--mrkdwn'], '', /--mrkdwn needs a text, or --payload-templated/],
  [[...HOOKED, '--payload-delimiter', '_', 'x'], '', /--payload-delimiter needs --payload, --payload-file-path or --webhook-type webhook-trigger/],
  [[...TOKENED, '--broadcast', 'x'], '', /--broadcast needs --thread-ts/],
  [[...TOKENED, '--update', '1.2', '--thread-ts', '1.2', 'x'], '', /--update and --thread-ts can't go together/],
  [[...TOKENED, '--ephemeral', 'U00000001', '--overflow', 'thread', 'x'], '', /--ephemeral and --overflow thread can't go together/],
  [[...TOKENED, '--ephemeral', 'U00000001', '--method', 'chat.postMessage', 'x'], '', /--method and --ephemeral can't go together/],
  [[...TOKENED, '--update', '1.2', '--method', 'chat.delete'], '', /--method and --update can't go together/],
  [[...TOKENED, '--method', 'reactions.add', 'x'], '', /reactions\.add does not take a text; give its arguments as --payload/],
  [[...TOKENED, '--method', 'chat.delete', 'x'], '', /chat\.delete does not take a text/],
  [[...TOKENED, '--method', 'https://slack.com/api/chat.delete', 'x'], '', /--method is \(not shown\), but must be a method of the Web API, for example reactions\.add/],
  [[...TOKENED, '--method', 'delete', 'x'], '', /--method is 'delete', but must be a method/],
  [[...TOKENED, '--method', 'chat..delete', 'x'], '', /--method is 'chat\.\.delete', but must be/],
  [[...TOKENED, '--ephemeral', 'ada', 'x'], '', /--ephemeral is 'ada', but must be a user's ID \(U0123ABCD/],
  [['--dry-run', '--ephemeral', '@ada', 'x'], '', /--ephemeral is '@ada', but must be/],
  ...['title', 'footer', 'username', 'overflow'].map((name) => [
    [...HOOKED, '--webhook-type', 'webhook-trigger', '--payload', 'a: b', `--${name}`, 'split'], '', new RegExp(`--payload and --${name} can't go together`)]),
  [[...HOOKED, '--webhook-type', 'webhook-trigger', '--username', 'x'], '', /a workflow in Slack takes its inputs by name: give --payload instead of --username/],
  [[...HOOKED, '--webhook-type', 'webhook-trigger', '--status', 'success'], '', /give --payload instead of --status/],
  [[...HOOKED, '--tee', 'x'], '', /--tee needs --stream/],
  [[...HOOKED, '--interval', '2s', 'x'], '', /--interval needs --stream/],
  [[...HOOKED, '--duration', '5', 'x'], '', /--duration needs --status/],
  [[...TOKENED, '--filename', 'a.txt', 'x'], '', /--filename needs --file/],
  [[...TOKENED, '--status', 'success', '--file', 'a.txt'], '', /--file and --status can't go together/],
  [[...HOOKED, '--status', 'success', '--markdown'], '', /--status and --markdown can't go together/],
  [[...HOOKED, '--stream', '--overflow', 'fail'], '', /--stream and --overflow can't go together/],
  [[...HOOKED, '--stream', '--errors=false'], '', /--stream and --errors=false can't go together/],
  [[...HOOKED, '--stream', 'x'], '', /--stream posts standard input, so it can't go with a text/],
  [[...HOOKED, '--stream', '--payload', 'a: b'], '', /--stream and --payload can't go together/],
  [[...HOOKED, '--stream', '--title', 'a'], '', /--stream and --title can't go together/],
  [[...HOOKED, '--stream', '--markdown'], '', /--stream and --markdown can't go together/],
  [[...HOOKED, '--payload', 'text: x', 'x'], '', /--payload and --text can't go together; drop one of them/],
  [[...HOOKED, '--payload', 'text: x', '--blocks', fixture('slack/blocks.json')], '', /--payload and --blocks can't go together/],
  [[...HOOKED, '--payload', 'text: x', '--status', 'success'], '', /--payload and --status can't go together/],
  [[...HOOKED, '--payload', 'text: x', '--payload-file', 'a'], '', /--payload and --payload-file-path can't go together/],
  [[...HOOKED, '--markdown', '--blocks', fixture('slack/blocks.json'), 'x'], '', /--blocks and --markdown can't go together/],
  [[...TOKENED, '--file', '-', '--filename', 'a', '-'], 'x', /standard input \(-\) can be used once only/],
  [[...TOKENED, '--blocks', '-', '-'], '[{"type": "divider"}]', /standard input \(-\) can be used once only/],
  [[...TOKENED, '--blocks', '-', '-'], '', /standard input \(-\) can be used once only/],
  [[...TOKENED, '--file', '-', '--file', '-', '--filename', 'a'], 'x',
    /--filename names one file|can be used once only/],
  [[...TOKENED, '--file', '-'], 'x', /a file from standard input needs a name: give --filename/],
  [[...TOKENED, '--file', 'a', '--file', 'b', '--filename', 'c'], '',
    /--filename names one file, and there are several/],
  [[...TOKENED, '--file', 'a', '--blocks', fixture('slack/blocks.json')], '',
    /--blocks and --file can't go together/],
  [[...TOKENED, '--channel', '#a', '--thread-ts', '1.2', 'x'], '', /--thread-ts belongs to one channel/],
  [[...TOKENED, '--channel', '#a', '--update', '1.2', 'x'], '', /--update TS belongs to one channel/],
  [[...TOKENED, '--update', '1.2', '--ephemeral', 'U00000001', 'x'], '', /--update and --ephemeral can't go together/],
  [[...TOKENED, '--thread-ts', 'yesterday', 'x'], '', /--thread-ts is 'yesterday', but must be a message's ts/],
  [[...TOKENED, '--update', 'yesterday', 'x'], '', /--update is 'yesterday', but must be/],
  [[...HOOKED, '--webhook-type', 'webhook-trigger', 'x'], '', /a workflow in Slack takes its inputs by name/],
  [[...HOOKED, '--webhook-type', 'trigger', 'x'], '',
    /--webhook-type is 'trigger', but must be incoming-webhook or webhook-trigger/],
  [[...HOOKED, '--retries', 'many', 'x'], '', /--retries is 'many', but must be 0, 5, 10 or RAPID/],
  [[...HOOKED, '--overflow', 'wrap', 'x'], '', /--overflow is 'wrap', but must be split, thread, file or fail/],
  [[...HOOKED, '--errors=perhaps', 'x'], '', /--errors is 'perhaps', but must be true or false/],
  [[...HOOKED, '--color', 'reddish', 'x'], '', /--color is 'reddish'/],
  [[...HOOKED, '--proxy', 'http://u:SECRET @x', 'x'], '', /the proxy is no URL \(its value is not shown\)/],
  [['--webhook', 'hooks.slack.com/services/SECRET', 'x'], '', /the webhook is no URL \(its value is not shown\)/],
  [[...HOOKED, 'two', 'words'], '', /there is more than one text: 'words' is left over; put a text .* in quotes/],
  [[...HOOKED, '--chanel', '#ops', 'x'], '', /unknown option '--chanel'.*--channel/],
];
for (const [i, [args, stdin, message]] of MISTAKES.entries()) {
  test(`wrong usage ${i}, refused before anything is sent: ${message.source}`, async () => {
    const result = await post(args, { stdin });
    assert.equal(result.code, 64, result.stderr);
    assert.match(errorLine(result), message);
    assert.equal(result.stdout, '');
    assert.ok(!result.stderr.includes('SECRET'), 'a secret in the error');
  });
}

// --- Foreign text and secrets ---

const EVIL = '::error::x\n  ::stop-commands::y\n##[error]z\na ##[add-mask]b\r::warning::c';
const QUIET = [
  ['dry run', ['--dry-run', EVIL], undefined],
  ['dry run as JSON', ['--dry-run', '--json', EVIL], undefined],
  ['dry run with --mrkdwn', ['--dry-run', '--mrkdwn', EVIL], undefined],
  ['dry run of a payload', ['--dry-run', '--payload', JSON.stringify({ text: EVIL })], undefined],
  ['dry run to a channel of such a name', ['--dry-run', '--channel', '\n::error::x', 'x'], undefined],
  ['sent', [EVIL], undefined],
  ['refused', ['x'], { kind: 'status', status: 400, body: '::error::x' }],
  ['a reply that is no reply', ['x'], { kind: 'status', status: 200, body: 'oops\n::error::x ##[error]y' }],
  ['a wrong value', ['--color', EVIL, 'x'], undefined],
  ['a missing template', ['--payload-templated', '--payload', '{"text": "${{ env.A\\n::error::x }}"}'], undefined],
];
for (const [name, args, fault] of QUIET) {
  test(`the runner obeys nothing foreign in the log: ${name}`, async (t) => {
    const slack = await slackFor(t);
    if (fault) slack.fail(fault);
    const result = await byWebhook(slack, args, { env: { GITHUB_ACTIONS: 'true' } });
    const secrets = [slack.webhookUrl, slack.webhookUrl.split('/').at(-1)];
    for (const log of [result.stdout + result.stderr, result.stderr + result.stdout]) {
      for (const { name: command, data, properties } of readLog(log).commands) {
        const ours = command === 'add-mask' ? secrets.includes(data) : properties.startsWith('title=opsbelt');
        assert.ok(ours, `the runner obeyed ${command} ${properties} ${data}`);
      }
    }
    if (!args.includes('--json')) return;
    assert.ok(JSON.parse(result.stdout).text.startsWith(EVIL.split('\r')[0]), 'JSON stays JSON');
  });
}

test('an output can\'t be forged by foreign text in Slack\'s reply', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  slack.fail({ kind: 'word', word: 'x', detail: 'a\nok<<EOF\ntrue\nEOF\n' });
  await toOps(slack, ['ok<<EOF\ntrue\nEOF'], { env: { GITHUB_OUTPUT: outputs } });
  assert.equal(readOutputs(outputs).ok, 'false');
});

const SECRET_RUNS = [
  ['sent', [], undefined],
  ['as JSON', ['--json'], undefined],
  ['dry run', ['--dry-run'], undefined],
  ['dry run as JSON', ['--dry-run', '--json'], undefined],
  ['refused', [], { kind: 'word', word: 'invalid_auth' }],
  ['no reply', ['--timeout', '1'], { kind: 'reset-before-body' }],
  ['a strange reply', [], { kind: 'html' }],
  ['rate-limited', ['--retries', '0'], { kind: 'ratelimited', retryAfter: 100 }],
];
for (const send of [byWebhook, toOps]) {
  for (const [name, args, fault] of SECRET_RUNS) {
    test(`${send.name}: no secret in any output: ${name}`, async (t) => {
      const slack = await slackFor(t);
      if (fault) slack.fail(fault);
      const outputs = join(folder(t), 'outputs');
      const result = await send(slack, [...args, 'x'], { env: { GITHUB_OUTPUT: outputs } });
      const all = result.stdout + result.stderr + JSON.stringify(readOutputs(outputs));
      for (const secret of [slack.webhookUrl, slack.webhookUrl.split('/').at(-1), slack.token]) {
        assert.ok(!all.includes(secret), `${secret} in ${all}`);
      }
    });
  }
}

test('in Actions every secret is masked before anything else is said', async (t) => {
  const slack = await slackFor(t);
  const proxy = await proxyFor(t, { user: 'svc:hunter2@' });
  const result = await toOps(slack, ['--proxy', proxy.url, 'x'], { env: { GITHUB_ACTIONS: 'true',
    SLACK_WEBHOOK: slack.webhookUrl } });
  assert.equal(result.code, 0, result.stderr);
  const masked = readLog(result.stderr).commands.filter(({ name }) => name === 'add-mask').map(({ data }) => data);
  for (const secret of [slack.webhookUrl, slack.token, proxy.url]) assert.ok(masked.includes(secret), secret);
});
