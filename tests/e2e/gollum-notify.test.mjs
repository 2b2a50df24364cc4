// gollum-notify: a wiki event in, one Slack message out.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { schemas } from '@octokit/openapi-webhooks';
import { parse as parseYaml } from 'yaml';
import { readLog } from '../standin/runner.mjs';
import { blocksOf } from './documents.mjs';
import { errorLine, file, fixture, folder, readFixture, readOutputs, run, slackFor } from './support.mjs';

const githubExamples = createRequire(import.meta.url)('@octokit/webhooks-examples');
const twoPages = fixture('gollum/two_pages.json');
const twoPagesDiff = fixture('gollum/two_pages.diff');
const notify = (args, options) => run(['gollum-notify', ...args], options);
const blockTexts = (payload) => (payload.attachments?.[0] ?? payload).blocks
  .map((block) => block.text?.text ?? block.elements[0].text);
const manyPages = (count) => {
  const event = readFixture('gollum/two_pages.json');
  const page = event.pages[0];
  event.pages = Array.from({ length: count }, (_, i) => ({ ...page, page_name: `P${i}`, title: `Page ${i}` }));
  return event;
};

// --- The message ---

test('one message for all pages: linked titles, what, by whom, summary, diff, history, repository', async (t) => {
  const slack = await slackFor(t);
  const result = await notify(['--event', twoPages], { env: { SLACK_WEBHOOK: slack.webhookUrl } });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stdout, 'told webhook of 2 pages\n');
  assert.equal(result.stderr, '');
  assert.equal(slack.accepted.length, 1);
  const { payload } = slack.accepted[0];
  const repo = 'https://github.com/mira-dahl/harbor';
  const page = (name) => `${repo}/wiki/${name}`;
  const sha = readFixture('gollum/two_pages.json').pages[0].sha;
  assert.deepEqual(blockTexts(payload), [
    `<${repo}/wiki|mira-dahl/harbor> wiki: 2 pages changed by <https://github.com/tomas-lind|tomas-lind>`,
    `*<${page('Runbook-failover')}|Runbook failover>* edited · <${page('Runbook-failover')}/_compare/${sha}|diff>`
      + ` · <${page('Runbook-failover')}/_history|history>\n> Name the new standby`,
    `*<${page('On-call-phone-list')}|On-call phone list>* created · <${page('On-call-phone-list')}/_compare/${sha}|diff>`
      + ` · <${page('On-call-phone-list')}/_history|history>`,
  ]);
  assert.match(payload.text, /Runbook failover \(edited\), On-call phone list \(created\)$/);
  assert.equal(payload.unfurl_links, false);
});

test('--diff adds counts, an excerpt, deletions and renames', async (t) => {
  const slack = await slackFor(t);
  const result = await notify(['--event', twoPages, '--diff', twoPagesDiff, '--excerpt-lines', '2'],
    { env: { SLACK_WEBHOOK: slack.webhookUrl } });
  assert.equal(result.code, 0, result.stderr);
  const texts = blockTexts(slack.accepted[0].payload);
  assert.match(texts[0], /4 pages changed/);
  assert.ok(texts[1].includes('edited +2/-1'), texts[1]);
  assert.ok(texts[1].endsWith('\n```\n-Promote db-2 and wait for the green light.\n'
    + '+Promote db-3 and wait for the green light.\n```'), texts[1]);
  assert.ok(texts[2].includes('created +3/-0'), texts[2]);
  assert.ok(texts[3].startsWith('*Old phone list* deleted +0/-2'), texts[3]);
  assert.ok(texts[4].startsWith('*<https://github.com/mira-dahl/harbor/wiki/Black-start|Black start>* renamed from Cold start'));
  assert.equal(texts.length, 5);
});

test('event and diff from standard input', async (t) => {
  const slack = await slackFor(t);
  const env = { SLACK_WEBHOOK: slack.webhookUrl };
  assert.equal((await notify(['--event', '-'], { env, stdin: readFileSync(twoPages) })).code, 0);
  const diff = await notify(['--event', twoPages, '--diff', '-'], { env, stdin: readFileSync(twoPagesDiff) });
  assert.equal(diff.code, 0);
  assert.match(blockTexts(slack.accepted[1].payload)[0], /4 pages/);
});

test('hosts come from the payload: GitHub Enterprise Server', async (t) => {
  const slack = await slackFor(t);
  await notify(['--event', fixture('gollum/enterprise_server.json')], { env: { SLACK_WEBHOOK: slack.webhookUrl } });
  const text = JSON.stringify(slack.accepted[0].payload);
  assert.ok(text.includes('https://git.acme.example/mira-dahl/harbor/wiki/Home'));
  assert.ok(!text.includes('github.com'));
});

test('5,000 pages: sent, within the limits, the rest counted', async (t) => {
  const slack = await slackFor(t);
  const event = file(t, 'event.json', JSON.stringify(manyPages(5000)));
  const outputs = join(folder(t), 'outputs');
  const result = await notify(['--event', event],
    { env: { SLACK_WEBHOOK: slack.webhookUrl, GITHUB_OUTPUT: outputs, GITHUB_STEP_SUMMARY: join(folder(t), 's') } });
  assert.equal(result.code, 0, result.stderr);
  const texts = blockTexts(slack.accepted[0].payload);
  const told = texts.filter((text) => text.startsWith('*<')).length;
  assert.ok(told >= 20, `${told} told`);
  assert.match(texts.at(-1), new RegExp(`^and ${5000 - told} more: <https://github.com/mira-dahl/harbor/wiki/_history\\|`));
  assert.equal(readOutputs(outputs).matched, '5000');
  assert.ok(readOutputs(outputs).pages.length < 600_000);
});

test('looks: name, icons, colour, unfurling', async (t) => {
  const slack = await slackFor(t);
  const result = await notify(['--event', twoPages, '--username', 'wiki', '--icon-emoji', 'books',
    '--icon-url', 'https://x.example/i.png', '--color', '#36a64f', '--unfurl-links', '--text-prefix', '*News* <!here>'],
  { env: { SLACK_WEBHOOK: slack.webhookUrl } });
  assert.equal(result.code, 0, result.stderr);
  const { payload } = slack.accepted[0];
  assert.equal(payload.username, 'wiki');
  assert.equal(payload.icon_emoji, ':books:');
  assert.equal(payload.icon_url, 'https://x.example/i.png');
  assert.equal(payload.unfurl_links, true);
  assert.equal(payload.attachments[0].color, '#36a64f');
  assert.match(payload.attachments[0].fallback, /Runbook failover \(edited\)/);
  assert.equal(blockTexts(payload)[0], '*News* <!here>');
});

test('--mentions names the author on Slack; logins in any case', async (t) => {
  const slack = await slackFor(t);
  const env = { SLACK_WEBHOOK: slack.webhookUrl };
  for (const content of ['Tomas-Lind: U0TOMAS01\nmira-dahl: U0MIRA001\n', '{"tomas-lind": "U0TOMAS01"}']) {
    const result = await notify(['--event', twoPages, '--mentions', file(t, 'mentions.yml', content)], { env });
    assert.equal(result.code, 0, result.stderr);
    assert.match(blockTexts(slack.accepted.at(-1).payload)[0], /changed by <@U0TOMAS01>$/);
  }
});

test('the documented step makes the diff from a real wiki repository', async (t) => {
  const [script] = blocksOf('docs/gollum-notify.md').filter(({ language }) => language === 'yaml').map(({ text }) => parseYaml(text))
    .flatMap((workflow) => workflow.jobs?.notify?.steps ?? []).filter((step) => step.run).map((step) => step.run);
  const here = folder(t);
  const wiki = join(here, 'wiki');
  const git = (...args) => execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', '-C', wiki, ...args]).toString().trim();
  const commit = () => { git('add', '-A'); git('commit', '-qm', 'x'); return git('rev-parse', 'HEAD'); };
  execFileSync('git', ['init', '-q', wiki]);
  writeFileSync(join(wiki, 'Home.md'), 'one\n');
  writeFileSync(join(wiki, 'Über-uns.md'), 'text\n'.repeat(5));
  writeFileSync(join(wiki, 'Old.md'), 'old\n');
  const first = commit();
  writeFileSync(join(wiki, 'Home.md'), 'one\ntwo\n');
  const second = commit();
  git('mv', 'Über-uns.md', 'Wir.md');
  git('rm', '-q', 'Old.md');
  commit();
  const summaries = [];
  for (const sha of [first, second]) { // the first has no parent
    const event = readFixture('gollum/two_pages.json');
    event.pages = [{ ...event.pages[0], page_name: 'Home', title: 'Home', sha }];
    writeFileSync(join(here, 'event.json'), JSON.stringify(event));
    execFileSync('bash', ['-e', '-c', script], { cwd: here, env: { ...process.env, GITHUB_EVENT_PATH: 'event.json' } });
    const outputs = join(folder(t), 'outputs');
    const result = await notify(['--dry-run', '--event', 'event.json', '--diff', 'wiki.diff'], { cwd: here, env: { GITHUB_OUTPUT: outputs } });
    assert.equal(result.code, 0, result.stderr);
    summaries.push(JSON.parse(readOutputs(outputs).pages).map((page) => `${page.title} ${page.action} +${page.added}/-${page.removed}`));
  }
  assert.deepEqual(summaries[1].toSorted(), ['Home edited +1/-0', 'Old deleted +0/-1', 'Wir renamed +0/-0']);
  assert.ok(summaries[0].includes('Home edited +2/-0'), summaries[0].join());
});

// --- Filters ---

const FILTERS = [
  [['--pages', 'runbook*'], ['Runbook failover']],
  [['--pages', 'RUNBOOK?FAILOVER'], ['Runbook failover']],
  [['--pages', 'On-call-phone-list'], ['On-call phone list']],
  [['--pages', 'on-call*\nrunbook*'], ['Runbook failover', 'On-call phone list']],
  [['--pages', 'runbook*', '--pages', 'on-call*'], ['Runbook failover', 'On-call phone list']],
  [['--ignore-pages', '*phone*, nothing'], ['Runbook failover']],
  [['--actions', 'created'], ['On-call phone list']],
  [['--actions', 'Created,edited'], ['Runbook failover', 'On-call phone list']],
  [['--titles', 'on-call PHONE list'], ['On-call phone list']],
  [['--titles', 'on-call*'], []],
  [['--ignore-authors', 'TOMAS-*'], []],
  [['--ignore-authors', '*[bot]'], ['Runbook failover', 'On-call phone list']],
  [['--pages', 'nothing'], []],
  [['--pages', '', '--actions', ''], ['Runbook failover', 'On-call phone list']],
];
for (const [args, titles] of FILTERS) {
  test(`filter ${args.join(' ').replace('\n', '\\n')}: ${titles.length} pages`, async (t) => {
    const slack = await slackFor(t);
    const outputs = join(folder(t), 'outputs');
    const result = await notify(['--event', twoPages, ...args],
      { env: { SLACK_WEBHOOK: slack.webhookUrl, GITHUB_OUTPUT: outputs } });
    assert.equal(result.code, 0, result.stderr);
    const written = readOutputs(outputs);
    assert.equal(written.matched, String(titles.length));
    assert.deepEqual(JSON.parse(written.pages).map((page) => page.title), titles);
    assert.equal(slack.accepted.length, titles.length === 0 ? 0 : 1);
    if (titles.length === 0) assert.match(errorLine(result), /nothing to tell: no filter lets any of 2 pages through/);
    assert.equal(written.ok, titles.length === 0 ? '' : 'true');
  });
}

test('--actions deleted tells only the deletions that the diff knows', async (t) => {
  const slack = await slackFor(t);
  await notify(['--event', twoPages, '--diff', twoPagesDiff, '--actions', 'deleted'],
    { env: { SLACK_WEBHOOK: slack.webhookUrl } });
  const texts = blockTexts(slack.accepted[0].payload);
  assert.equal(texts.length, 2);
  assert.match(texts[1], /^\*Old phone list\* deleted/);
});

// --- Delivery ---

test('bot token: channel, thread, outputs, summary', async (t) => {
  const slack = await slackFor(t);
  const [outputs, summary] = [join(folder(t), 'outputs'), join(folder(t), 'summary')];
  const result = await notify(['--event', twoPages, '--api', slack.apiUrl.slice(0, -1), '--channel', '#ops',
    '--thread-ts', '1700000000.000100'],
  { env: { SLACK_BOT_TOKEN: slack.token, GITHUB_OUTPUT: outputs, GITHUB_STEP_SUMMARY: summary } });
  assert.equal(result.code, 0, result.stderr);
  const [message] = slack.accepted;
  assert.equal(message.thread_ts, '1700000000.000100');
  const written = readOutputs(outputs);
  assert.deepEqual([written.matched, written.ok, written.channel_id, written.ts, written.thread_ts],
    ['2', 'true', message.channel, message.ts, '1700000000.000100']);
  assert.deepEqual(JSON.parse(written.results), { '#ops': { ok: true, channel_id: message.channel, ts: message.ts } });
  assert.equal(result.stdout, `told #ops of 2 pages (${message.channel} ${message.ts})\n`);
  const markdown = readFileSync(summary, 'utf8');
  assert.match(markdown, /### Wiki of mira&#45;dahl\/harbor: 2 pages changed by tomas&#45;lind/);
  assert.match(markdown, /\| \[Runbook failover\]\(https:\/\/github.com\/mira-dahl\/harbor\/wiki\/Runbook-failover\) \| edited /);
  assert.equal(slack.requests[0].headers.authorization, `Bearer ${slack.token}`);
});

test('routes: first match wins, one message a channel, the others to --channel', async (t) => {
  const slack = await slackFor(t);
  const result = await notify(['--event', twoPages, '--diff', twoPagesDiff, '--api', slack.apiUrl, '--channel', '#general',
    '--route', 'runbook*=#runbooks', '--route', '*phone*=#ops', '--route', 'On-call*=#general', '--output', 'json'],
  { env: { SLACK_BOT_TOKEN: slack.token } });
  assert.equal(result.code, 0, result.stderr);
  const byChannel = Object.keys(JSON.parse(result.stdout));
  assert.deepEqual(byChannel, ['#runbooks', '#ops', '#general']);
  const told = slack.accepted.map((message) => blockTexts(message.payload).slice(1)
    .map((text) => text.match(/^\*(?:<[^|]*\|)?([^>*]*)/)[1]));
  assert.deepEqual(told, [['Runbook failover'], ['On-call phone list', 'Old phone list'], ['Black start']]);
});

test('routes as an action input, a line each; without --channel the other pages are left out', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  const env = { INPUT_TOKEN: slack.token, INPUT_API: slack.apiUrl, INPUT_EVENT: twoPages, GITHUB_OUTPUT: outputs };
  const result = await notify([], { env: { ...env, INPUT_ROUTE: 'nothing=#ops\nrunbook*=#runbooks' } });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(slack.accepted.length, 1);
  assert.match(errorLine(result), /no route fits 1 page, and there is no --channel/);
  assert.equal(readOutputs(outputs).matched, '1');
  const none = await notify([], { env: { ...env, INPUT_ROUTE: 'nothing=#ops' } });
  assert.equal(none.code, 0);
  assert.match(none.stderr, /nothing to tell: no page has a channel/);
  assert.equal(slack.accepted.length, 1);
});

test('a channel named twice gets one message', async (t) => {
  const slack = await slackFor(t);
  const result = await notify(['--event', twoPages, '--api', slack.apiUrl, '--channel', '#ops,#ops'],
    { env: { SLACK_BOT_TOKEN: slack.token } });
  assert.match(result.stdout, /^told #ops of 2 pages/);
  assert.equal(slack.accepted.length, 1);
});

test('a webhook with a channel: old webhooks obey it, so it is sent, but nothing is said of it', async (t) => {
  const slack = await slackFor(t);
  const result = await notify(['--event', twoPages, '--channel', '#ops'], { env: { SLACK_WEBHOOK: slack.webhookUrl } });
  assert.equal(result.stdout, 'told webhook of 2 pages\n');
  assert.equal(slack.accepted[0].payload.channel ?? slack.requests[0].json.channel, '#ops');
});

test('one failing channel does not keep the others from their message; the exit code tells', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  const result = await notify(['--event', twoPages, '--api', slack.apiUrl, '--channel', '#attic,#boardroom,#ops'],
    { env: { SLACK_BOT_TOKEN: slack.token, GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 78);
  assert.match(result.stderr, /#attic: Slack says is_archived; unarchive/);
  assert.match(result.stderr, /#boardroom: Slack says not_in_channel; invite the bot/);
  assert.equal(slack.accepted.length, 1);
  assert.match(result.stdout, /^told #ops of 2 pages/);
  const written = readOutputs(outputs);
  assert.equal(written.ok, 'false');
  assert.deepEqual(Object.values(JSON.parse(written.results)).map((entry) => entry.ok), [false, false, true]);
});

// The one rule: flag > action input > environment > default; empty means absent.
const VALUES = [
  ['flag beats all', ['--username', 'flag'], { INPUT_USERNAME: 'input' }, 'flag'],
  ['input', [], { INPUT_USERNAME: 'input' }, 'input'],
  ['empty flag is none', ['--username', ''], { INPUT_USERNAME: 'input' }, 'input'],
  ['empty input is none', [], { INPUT_USERNAME: '' }, undefined],
  ['white space is none', ['--username', ' '], { INPUT_USERNAME: ' \n' }, undefined],
];
for (const [name, args, env, expected] of VALUES) {
  test(`values: ${name}`, async () => {
    const result = await notify(['--event', twoPages, '--dry-run', '--json', ...args], { env });
    assert.equal(JSON.parse(result.stdout).username, expected);
  });
}

test('a webhook and a token: the one given more directly sends', async (t) => {
  const slack = await slackFor(t);
  const known = { SLACK_API_URL: slack.apiUrl };
  const send = async (args, env) => {
    const result = await notify(['--event', twoPages, ...args], { env: { ...known, ...env } });
    return result.code === 0 ? slack.accepted.at(-1).via : result.code;
  };
  const [webhook, token] = [slack.webhookUrl, slack.token];
  assert.equal(await send(['--webhook', webhook], { SLACK_BOT_TOKEN: token }), 'webhook');
  assert.equal(await send(['--channel', '#ops'], { SLACK_WEBHOOK_URL: webhook, SLACK_TOKEN: token }), 'chat.postMessage');
  assert.equal(await send([], { SLACK_WEBHOOK_URL: webhook, SLACK_TOKEN: token }), 'webhook');
  assert.equal(await send(['--channel', '#ops'], { SLACK_WEBHOOK: webhook, INPUT_TOKEN: token }), 'chat.postMessage');
  assert.equal(await send(['--webhook', webhook, '--token', token, '--channel', '#ops'], {}), 64);
});

const CONTRADICTIONS = [
  [[], {}, /no way to Slack: give --webhook/],
  [['--token', 'xoxb-1'], {}, /a bot token needs a --channel/],
  [['--webhook', 'https://x.example/h', '--route', 'a=#b'], {}, /--route needs a bot token/],
  [['--webhook', 'https://x.example/h', '--event', '-', '--diff', '-'], {}, /can't both be standard input/],
  [['--token', 'xoxb-1', '--route', 'a=#b', '--thread-ts', '1.2'], {}, /--thread-ts belongs to one channel/],
  [['--token', 'xoxb-1', '--channel', 'a,b', '--thread-ts', '1.2'], {}, /--thread-ts belongs to one channel/],
  [['--webhook', 'https://x.example/h', '--channel', '#a,#b'], {}, /a webhook posts to one channel only/],
  [['--token', 'xoxb-1', '--route', 'a#b'], {}, /--route 'a#b' is no PATTERN=CHANNEL/],
  [['--webhook', 'hooks.slack.com/services/T/B/SECRET'], {}, /the webhook is no URL/],
  [['--token', 'xoxb-SECRET two', '--channel', 'x'], {}, /the token holds a space/],
  [['--token', 'xoxb-1', '--channel', 'x', '--thread-ts', 'abc'], {}, /--thread-ts is 'abc', but must be a message's ts, for example/],
  [['--token', 'xoxb-1', '--channel', 'x', '--api', 'slack.com/api'], {}, /--api is 'slack.com\/api', but must be a URL, for example https:/],
  [['--dry-run', '--color', 'reddish'], {}, /--color is 'reddish', but must be good, warning/],
  [['--dry-run', '--pages', 'x', '--timeout', 'soon'], {}, /--timeout is 'soon'/],
  [['--dry-run', '--pages', 'x', '--unfurl-links=maybe'], {}, /--unfurl-links is 'maybe'/],
  [['--dry-run', '--api', 'hooks.slack.com/services/T/B/SECRET'], {}, /--api is \(not shown\), but must be a URL/],
  [['--dry-run', '--output', 'xml'], {}, /--output is 'xml', but must be text or json/],
  [['--dry-run', '--actions', 'made'], {}, /--actions is 'made', but must be a list of created, edited, deleted, renamed/],
  [['--dry-run', '--actions', 'deleted'], {}, /--actions deleted and renamed are known from a --diff only/],
  [['--dry-run'], { INPUT_COLOR: 'xoxb-SECRET' }, /INPUT_COLOR is \(not shown\), but must be good/],
  [['--token', 'xoxb-1', '--route', 'a=#b,#c'], {}, /is no PATTERN=CHANNEL/],
  [['--dry-run'], { 'INPUT_EXCERPT-LINES': '-1' }, /INPUT_EXCERPT-LINES is '-1'/],
  [[], { 'INPUT_DRY-RUN': 'perhaps' }, /INPUT_DRY-RUN is 'perhaps', but must be true or false/],
];
for (const [args, env, message] of CONTRADICTIONS) {
  test(`refused before anything is sent: ${message.source}`, async () => {
    const result = await notify(['--event', twoPages, ...args], { env });
    assert.equal(result.code, 64, result.stderr);
    assert.equal(result.stdout, '');
    assert.match(errorLine(result), message);
    assert.ok(!result.stderr.includes('SECRET'), 'a secret in the error');
  });
}

test('--json and --output contradict each other: the one given more directly', async () => {
  const inputs = { INPUT_JSON: 'true' };
  assert.match((await notify(['--event', twoPages, '--dry-run'], { env: inputs })).stdout, /^\{/);
  assert.match((await notify(['--event', twoPages, '--dry-run', '--output', 'text'], { env: inputs })).stdout, /^---/);
});

// --- Dry run ---

test('--dry-run sends nothing; text for people, json the exact payload', async (t) => {
  const slack = await slackFor(t);
  const env = { SLACK_WEBHOOK: slack.webhookUrl };
  const text = await notify(['--event', twoPages, '--dry-run'], { env });
  assert.equal(text.code, 0);
  assert.match(text.stdout, /Runbook failover edited · diff · history\n> Name the new standby\n/);
  const json = await notify(['--event', twoPages, '--dry-run', '--output', 'json'], { env });
  assert.equal(slack.requests.length, 0);
  await notify(['--event', twoPages], { env });
  assert.equal(slack.requests[0].body + '\n', json.stdout);
  const link = text.stdout.match(/https:\/\/app\.slack\.com\/block-kit-builder\/#(\S+)/)[1];
  assert.deepEqual(JSON.parse(decodeURIComponent(link)).blocks, slack.requests[0].json.blocks);
});

// --- precious ---

test('a workflow of precious keeps working: its own env, no inputs, one message', async (t) => {
  const slack = await slackFor(t);
  const workflow = parseYaml(readFileSync(fixture('gollum/precious_workflow.yml'), 'utf8'));
  const { env } = workflow.jobs.notify.steps[0];
  const event = readFixture('gollum/precious.json');
  delete event.sender;
  const result = await run([], { env: { ...env, SLACK_WEBHOOK: slack.webhookUrl, GITHUB_ACTIONS: 'true',
    GITHUB_EVENT_NAME: 'gollum', GITHUB_EVENT_PATH: file(t, 'event.json', JSON.stringify(event)), GITHUB_ACTOR: 'gandalf' } });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(slack.accepted.length, 1);
  const texts = blockTexts(slack.accepted[0].payload);
  assert.equal(texts[0], 'Wiki updated!!!');
  assert.match(texts[1], /1 page changed by <https:\/\/github.com\/gandalf\|gandalf>$/);
  assert.match(texts[2], /\|Test Page>\* edited/);
  assert.equal(texts.length, 3);
});

// --- Oracles ---

test('GitHub\'s own example payloads are told', async (t) => {
  const slack = await slackFor(t);
  const { examples: payloads } = githubExamples.find((event) => event.name === 'gollum');
  assert.equal(payloads.length, 3);
  for (const payload of payloads) {
    const result = await notify(['--event', '-'], { stdin: JSON.stringify(payload), env: { SLACK_WEBHOOK: slack.webhookUrl } });
    assert.equal(result.code, 0, result.stderr);
    assert.match(blockTexts(slack.accepted.at(-1).payload)[1], /\|Home>\* edited/);
  }
});

test('the fixtures have GitHub\'s shape', () => {
  const { components } = schemas['api.github.com'];
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true });
  addFormats(ajv);
  ajv.addFormat('repo.nwo', /^[^/]+\/[^/]+$/);
  ajv.addSchema({ $id: 'github', components });
  const validate = ajv.compile({ $ref: 'github#/components/schemas/webhook-gollum' });
  for (const name of ['two_pages', 'precious', 'hostile', 'no_pages', 'enterprise_server']) {
    assert.ok(validate(readFixture(`gollum/${name}.json`)), `${name}: ${JSON.stringify(validate.errors?.slice(0, 3))}`);
  }
  const broken = readFixture('gollum/two_pages.json');
  delete broken.pages[0].title;
  assert.ok(!validate(broken), 'the schema lets everything through');
});

// --- Foreign text ---

const HOSTILE = ['<!channel>', '<!here>', '<@U1>'];

test('hostile titles and summaries are escaped in the message', async (t) => {
  const slack = await slackFor(t);
  const result = await notify(['--event', fixture('gollum/hostile.json')], { env: { SLACK_WEBHOOK: slack.webhookUrl } });
  assert.equal(result.code, 0, result.stderr);
  const text = JSON.stringify(slack.accepted[0].payload);
  for (const mark of HOSTILE) assert.ok(!text.includes(mark), `${mark} in ${text}`);
  const [, first, second] = blockTexts(slack.accepted[0].payload);
  assert.match(first, /\|a¦b &lt;!channel&gt; &amp; ˋcodeˋ &gt; \*x\* ::error::x>\* edited/);
  assert.equal(first.split('\n').length, 2, 'the title and the summary keep to a line each');
  assert.doesNotMatch(second, /[\u202a-\u202e\u2066-\u2069]/);
});

const QUIET = [
  ['sent', [], undefined],
  ['dry run', ['--dry-run'], undefined],
  ['dry run as JSON', ['--dry-run', '--json'], undefined],
  ['filtered', ['--pages', 'x'], undefined],
  ['refused with a command of the old form', [], { kind: 'status', status: 400, body: '##[error]x' }],
  ['refused with a command of the new form', [], { kind: 'status', status: 400, body: '::error::x' }],
  ['a reply with a command on a line of its own', [], { kind: 'status', status: 200, body: 'oops\n::error::x\r::error::y' }],
];
for (const [name, args, fault] of QUIET) {
  test(`the runner obeys nothing foreign in the log: ${name}`, async (t) => {
    const slack = await slackFor(t);
    if (fault) slack.fail(fault);
    const diff = file(t, 'wiki.diff', ['diff --git a/Evil.md b/Evil.md', '--- a/Evil.md', '+++ b/Evil.md', '@@ -1 +1,3 @@',
      '-::error::old', '+::error::new', '+ ##[error]new', '+::stop-commands::x', ''].join('\n'));
    const result = await notify(['--event', fixture('gollum/hostile.json'), '--diff', diff, ...args],
      { env: { SLACK_WEBHOOK: slack.webhookUrl, GITHUB_ACTIONS: 'true' } });
    const secrets = [slack.webhookUrl, slack.webhookUrl.split('/').at(-1)];
    for (const log of [result.stdout + result.stderr, result.stderr + result.stdout]) {
      for (const { name: command, data, properties } of readLog(log).commands) {
        const ours = command === 'add-mask' ? secrets.includes(data) : properties.startsWith('title=opsbelt');
        assert.ok(ours, `the runner obeyed ${command} ${properties} ${data}`);
      }
    }
    if (args.includes('--json')) assert.ok(JSON.parse(result.stdout).blocks, 'JSON stays JSON');
  });
}

test('in Actions a short last part of a URL is not masked: it would hide ordinary words', async () => {
  const result = await notify(['--event', twoPages, '--dry-run'], { env: { GITHUB_ACTIONS: 'true', SLACK_WEBHOOK: 'https://x.example/hook' } });
  assert.deepEqual(readLog(result.stderr).commands.map((command) => command.data), ['https://x.example/hook']);
});

test('in Actions every secret that is known is masked, also the one that does not send', async (t) => {
  const slack = await slackFor(t);
  const result = await notify(['--event', twoPages, '--channel', '#ops'], { env: { GITHUB_ACTIONS: 'true',
    SLACK_API_URL: slack.apiUrl, SLACK_BOT_TOKEN: slack.token, SLACK_WEBHOOK: slack.webhookUrl } });
  assert.equal(result.code, 0, result.stderr);
  const masked = readLog(result.stderr).commands.map((command) => command.data);
  assert.deepEqual(masked, [slack.webhookUrl, slack.webhookUrl.split('/').at(-1), slack.token]);
});

test('the runner\'s reader is not blind: raw foreign text would be obeyed', () => {
  assert.deepEqual(readLog('x\n  ::error file=a::b%0Ac\ny ##[error]z').commands, [
    { name: 'error', properties: 'file=a', data: 'b\nc' }, { name: 'error', properties: '', data: 'z' }]);
  assert.deepEqual(readLog('::stop-commands::T\n::error::x\n##[error]y\n::T::\n::error::z').commands.map((c) => c.data), ['T', 'z']);
});

test('in Actions: secrets are masked first, an error is one line and one annotation', async (t) => {
  const slack = await slackFor(t);
  slack.fail({ kind: 'word', word: 'channel_is_archived' });
  const result = await notify(['--event', twoPages], { env: { SLACK_WEBHOOK: slack.webhookUrl, GITHUB_ACTIONS: 'true' } });
  assert.equal(result.code, 78);
  const { commands, lines } = readLog(result.stderr);
  assert.deepEqual(commands.map((c) => c.name), ['add-mask', 'add-mask', 'error']);
  assert.equal(commands[0].data, slack.webhookUrl);
  assert.match(commands[2].data, /^Slack says channel_is_archived \(HTTP 410\); unarchive/);
  assert.equal(lines.join('').includes(slack.webhookUrl), false);
  assert.match(lines[0], /^opsbelt: gollum-notify: Slack says channel_is_archived/);
});

// --- Events of another kind ---

test('an event of another kind: 65, or a notice and 0 with --ignore-other-events', async (t) => {
  const push = file(t, 'event.json', '{"ref":"refs/heads/main","commits":[]}');
  const byName = { GITHUB_EVENT_PATH: push, GITHUB_EVENT_NAME: 'push' };
  const refused = await notify(['--dry-run'], { env: byName });
  assert.equal(refused.code, 65);
  assert.match(errorLine(refused), /this is a 'push' event, not a wiki event \(gollum\); run it 'on: gollum'/);
  const outputs = join(folder(t), 'outputs');
  const ignored = await notify(['--dry-run', '--ignore-other-events'], { env: { ...byName, GITHUB_OUTPUT: outputs } });
  assert.equal(ignored.code, 0);
  assert.match(errorLine(ignored), /nothing to tell: this is a 'push' event/);
  assert.equal(readOutputs(outputs).matched, '0');
  const byShape = await notify(['--dry-run', '--event', push, '--ignore-other-events'], { env: {} });
  assert.equal(byShape.code, 0);
  assert.match(errorLine(byShape), /an event without pages/);
  const given = await notify(['--dry-run', '--event', twoPages], { env: { GITHUB_EVENT_NAME: 'workflow_dispatch' } });
  assert.equal(given.code, 0, 'the name belongs to GITHUB_EVENT_PATH, not to a file given by hand');
});
