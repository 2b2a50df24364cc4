// gollum-notify and bad input: the exit code, one clear line with the place, nothing sent.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { errorLine, file, fixture, folder, readFixture, readOutputs, run, slackFor } from './support.mjs';

const event = (change) => {
  const document = readFixture('gollum/two_pages.json');
  change(document);
  return JSON.stringify(document);
};

const EVENTS = [
  ['empty file', '', 65, /event\.json is empty$/],
  ['white space', ' \n ', 65, /event\.json is empty$/],
  ['not JSON', '{\n  "pages": [,]\n}', 65, /event\.json is not JSON: line 2, column 13: /],
  ['half a file', '{"pages": [{"title": "x"', 65, /is not JSON: line 1, column \d+: /],
  ['HTML', '<html></html>', 65, /is not JSON: line 1, column 1: /],
  ['two documents', '{"pages":[]} {"pages":[]}', 65, /line 1, column 14: something stands behind the end/],
  ['invalid UTF-8', Buffer.from('{"pages":[],"x":"\xff"}', 'latin1'), 65, /line 1, column 18: a byte that is not UTF-8/],
  ['an array', '[]', 65, /not a wiki event/],
  ['pages missing', event((e) => delete e.pages), 65, /this is an event without pages, not a wiki event \(gollum\)/],
  ['pages null', event((e) => { e.pages = null; }), 65, /an event without pages/],
  ['pages no list', event((e) => { e.pages = {}; }), 65, /it has no list of pages/],
  ['a page is no object', event((e) => { e.pages[1] = 'Home'; }), 65, /pages\[1\] is no object/],
  ['a title is missing', event((e) => delete e.pages[1].title), 65, /pages\[1\]\.title is missing/],
  ['a title is a number', event((e) => { e.pages[0].title = 7; }), 65, /pages\[0\]\.title is no text/],
  ['html_url is missing', event((e) => delete e.pages[0].html_url), 65, /pages\[0\]\.html_url is missing/],
  ['no repository', event((e) => delete e.repository), 65, /repository\.full_name is missing/],
  ['a line break in a text', '{"pages":[],\n"x":"a\nb"}', 65, /line 2, column 5: this string is not closed/],
  ['a wrong escape', '{"pages":[],\n"x":"\\q"}', 65, /line 2, column 6: a wrong escape/],
  ['nested too deep', '['.repeat(100_000), 65, /nests deeper than|is not JSON/],
];
for (const [name, content, code, message] of EVENTS) {
  test(`event: ${name}`, async (t) => {
    const slack = await slackFor(t);
    const outputs = join(folder(t), 'outputs');
    const result = await run(['gollum-notify', '--event', file(t, 'event.json', content)],
      { env: { SLACK_WEBHOOK: slack.webhookUrl, GITHUB_OUTPUT: outputs } });
    assert.equal(result.code, code, result.stderr);
    assert.deepEqual(readOutputs(outputs), { matched: '0', pages: '[]', ok: 'false', results: '{}' });
    assert.equal(result.stdout, '');
    assert.match(errorLine(result), /^opsbelt: gollum-notify: /);
    assert.match(errorLine(result), message);
    assert.equal(slack.requests.length, 0);
  });
}

test('event: pages empty is nothing to tell', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  const result = await run(['gollum-notify', '--event', fixture('gollum/no_pages.json')],
    { env: { SLACK_WEBHOOK: slack.webhookUrl, GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 0);
  assert.match(errorLine(result), /nothing to tell: the event names no pages/);
  assert.equal(readOutputs(outputs).matched, '0');
  assert.equal(slack.requests.length, 0);
});

test('event: over 25 MB', async (t) => {
  const path = file(t, 'event.json', Buffer.alloc(25 * 2 ** 20 + 1, ' '));
  const result = await run(['gollum-notify', '--dry-run', '--event', path]);
  assert.equal(result.code, 65);
  assert.match(errorLine(result), /event\.json is larger than 25 MiB/);
});

const PATHS = [
  ['no file', ['--event', '/no/such/event.json'], {}, 66, /can't read the event from \/no\/such\/event\.json: No such file/],
  ['a directory', ['--event', '/'], {}, 66, /can't read the event from \/: Is a directory/],
  ['GITHUB_EVENT_PATH names nothing', [], { GITHUB_EVENT_PATH: '/no/event' }, 66, /\/no\/event/],
  ['no event at all', [], {}, 66, /no event: GITHUB_EVENT_PATH is not set; give --event FILE/],
  ['no diff', ['--event', fixture('gollum/two_pages.json'), '--diff', '/no/diff'], {}, 66, /can't read the diff from \/no\/diff/],
  ['no mentions', ['--event', fixture('gollum/two_pages.json'), '--mentions', '/no/m'], {}, 66, /can't read the mentions from \/no\/m/],
  ['GITHUB_OUTPUT is full', ['--event', fixture('gollum/two_pages.json')], { GITHUB_OUTPUT: '/dev/full' }, 74, /can't write to \/dev\/full: No space left/],
];
for (const [name, args, env, code, message] of PATHS) {
  test(`path: ${name}`, async () => {
    const result = await run(['gollum-notify', '--dry-run', ...args], { env });
    assert.equal(result.code, code, result.stderr);
    assert.match(errorLine(result), message);
  });
}

const DIFFS = [
  ['not a diff', 'fatal: not a git repository\n', /wiki\.diff: line 1: no diff as git prints it/],
  ['breaks off', 'diff --git a/A.md b/A.md\n--- a/A.md\n+++ b/A.md\n@@ -1,3 +1,3 @@\n a\n-b\n', /line 4: the diff ends inside this hunk/],
  ['a hunk header that is none', 'diff --git a/A.md b/A.md\n@@ one two @@\n', /line 2: a hunk header that is none/],
  ['a line outside of its hunk', 'diff --git a/A.md b/A.md\n@@ -1 +1 @@\n-a\nb\n', /line 4: not a line of the hunk/],
];
for (const [name, content, message] of DIFFS) {
  test(`diff: ${name}`, async (t) => {
    const result = await run(['gollum-notify', '--dry-run', '--event', fixture('gollum/two_pages.json'),
      '--diff', file(t, 'wiki.diff', content)]);
    assert.equal(result.code, 65, result.stderr);
    assert.match(errorLine(result), message);
  });
}

const MENTIONS = [
  ['not YAML', 'a: [1\n', /mentions\.yml is not YAML: line \d+, column \d+: /],
  ['an alias of itself', 'a: &a\n  b: *a\n', /nests deeper than 500 levels/],
  ['a list', '- a\n', /mentions\.yml is no map of GitHub logins/],
  ['a name instead of an ID', 'tomas-lind: "@tomas"\n', /'tomas-lind' has no Slack user ID \(like U0123ABCD/],
  ['an injected ID', 'tomas-lind: "U1> <!channel"\n', /'tomas-lind' has no Slack user ID/],
];
for (const [name, content, message] of MENTIONS) {
  test(`mentions: ${name}`, async (t) => {
    const result = await run(['gollum-notify', '--dry-run', '--event', fixture('gollum/two_pages.json'),
      '--mentions', file(t, 'mentions.yml', content)]);
    assert.equal(result.code, 65, result.stderr);
    assert.match(errorLine(result), message);
  });
}
