// slack-post with payloads: documents pass as they are, templates can't break them, and the steps of
// slackapi/slack-github-action do the same as there.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse as parseYaml } from 'yaml';
import { errorLine, file, fixture, folder, readFixture, readOutputs, root, run, slackFor } from './support.mjs';

const FIRST_TS = '1700000000.000100'; // of the first message that the stand-in takes
const post = (args, options) => run(['slack-post', ...args], options);
const byWebhook = (slack, args, options = {}) => post(args,
  { ...options, env: { SLACK_WEBHOOK: slack.webhookUrl, ...options.env } });
const byToken = (slack, args, options = {}) => post(args,
  { ...options, env: { SLACK_BOT_TOKEN: slack.token, SLACK_API_URL: slack.apiUrl, ...options.env } });
const dryRun = async (args, options) => {
  const result = await post(['--dry-run', '--json', ...args], options);
  assert.equal(result.code, 0, result.stderr);
  return JSON.parse(result.stdout);
};
const templated = (document, env = {}, args = []) => dryRun(['--payload-templated', ...args,
  '--payload', typeof document === 'string' ? document : JSON.stringify(document)], { env });
const RUN_ENV = {
  GITHUB_EVENT_NAME: 'push', GITHUB_EVENT_PATH: fixture('slack/push.json'), GITHUB_RUN_ID: '4711',
    GITHUB_RUN_NUMBER: '17',
  GITHUB_RUN_ATTEMPT: '2', GITHUB_ACTOR: 'tomas-lind', GITHUB_REPOSITORY: 'mira-dahl/harbor',
    GITHUB_REF: 'refs/heads/main',
  GITHUB_REF_NAME: 'main', GITHUB_SHA: '6dcb09b5b57875f334f61aebed695e2e4193db5e', GITHUB_WORKFLOW: 'CI',
    GITHUB_JOB: 'build',
  GITHUB_SERVER_URL: 'https://github.com',
};
const EVENT = readFixture('slack/push.json');

// --- Documents ---

const DOCUMENTS = [
  ['JSON', '{"text": "<!here> *x*", "unfurl_links": true, "n": 1.50}',
    { text: '<!here> *x*', unfurl_links: true, n: 1.5 }],
  ['YAML', 'text: "<!here> *x*"\nblocks:\n  - type: divider\n', { text: '<!here> *x*', blocks: [{ type: 'divider' }] }],
  ['a ts without quotes keeps its digits', 'text: x\nthread_ts: 1700000000.000100',
    { text: 'x', thread_ts: '1700000000.000100' }],
  ['members without braces', '"text": "x",\n"channel": "#ops"', { text: 'x', channel: '#ops' }],
  ['members without braces, a comma behind the last', '"text": "x: y",\n"channel": "#ops",\n',
    { text: 'x: y', channel: '#ops' }],
  ['a block of lines in YAML', 'text: |\n  one\n  two\n', { text: 'one\ntwo\n' }],
  ['folded lines in YAML', 'text: >-\n  one\n  two\n', { text: 'one two' }],
  ['anchors in YAML', 'text: &a hello\nfallback: *a', { text: 'hello', fallback: 'hello' }],
  ['YAML\'s old booleans stay words', 'text: on\nother: no', { text: 'on', other: 'no' }],
  ['a version stays a word', 'text: 1.10.0', { text: '1.10.0' }],
  ['tabs and escapes in JSON', '{"text": "a\\tb\\u00e9\\ud83c\\udf89"}', { text: 'a\tbé🎉' }],
  ['white space around it', '\n\n  {"text": "x"}\n\n', { text: 'x' }],
  ['templates are left alone when they are not asked for', 'text: ${{ env.X }}', { text: '${{ env.X }}' }],
];
for (const [name, document, expected] of DOCUMENTS) {
  test(`a payload passes as it is: ${name}`, async (t) => {
    assert.deepEqual(await dryRun(['--payload', document]), expected);
    assert.deepEqual(await dryRun(['--payload-file-path', file(t, 'payload', document)]), expected);
    assert.deepEqual(await dryRun(['--payload-file', '-'], { stdin: document }), expected);
    assert.deepEqual(await dryRun([], { env: { INPUT_PAYLOAD: document } }), expected);
  });
}

test('a large whole number in JSON keeps its digits', async () => {
  const result = await post(['--dry-run', '--json', '--payload', '{"text":"x","n":12345678901234567890}']);
  assert.match(result.stdout, /"n":"?12345678901234567890\b/);
});

test('a payload goes by webhook and by token; --channel outweighs the payload\'s', async (t) => {
  const slack = await slackFor(t);
  const document = 'text: "<!here>"\nchannel: "#general"\nmetadata: {event_type: x, event_payload: {a: [1]}}';
  assert.equal((await byWebhook(slack, ['--payload', document])).code, 0);
  assert.equal(slack.requests[0].json.text, '<!here>');
  assert.equal((await byToken(slack, ['--payload', document])).code, 0);
  assert.equal(slack.accepted[1].channel, 'C00000001');
  assert.deepEqual(JSON.parse(slack.requests[1].form.metadata), { event_type: 'x', event_payload: { a: [1] } });
  assert.equal((await byToken(slack, ['--channel', '#ops', '--payload', document])).code, 0);
  assert.equal(slack.accepted[2].channel, 'C00000002');
  assert.equal(slack.requests[2].body.match(/channel=/g).length, 1);
});

const BROKEN = [
  ['YAML', 'a: b\n  c: [d', /^opsbelt: slack-post: \S*payload\S* is not YAML: line 2, column \d+: /],
  ['YAML, further down', 'text: x\nblocks:\n  - type: [divider\n', /line [34], column \d+/],
  ['a quote in YAML that is not closed', 'text: x\nblocks:\n  - type: "open\n', /line [34], column \d+/],
  ['a tab in YAML', 'text: x\nblocks:\n\t- type: divider', /line 3, column \d+/],
  ['JSON', '{"text": "x",\n "a": ]}', /line 2, column 7/],
  ['JSON, a missing comma', '{"text": "x"\n "a": 1}', /line 2, column 2/],
  ['JSON that is cut off', '{"text": "x", "blocks": [{"type": "divider"}', /line 1, column \d+/],
];
for (const [name, document, message] of BROKEN) {
  test(`a broken payload names line and column: ${name}`, async (t) => {
    const path = file(t, 'payload', document);
    const result = await post(['--dry-run', '--payload-file', path]);
    assert.equal(result.code, 65, result.stdout + result.stderr);
    assert.match(errorLine(result), message);
    assert.ok(result.stderr.includes(path), result.stderr);
  });
}

for (const document of ['[1]', '- a\n- b', 'just words', '17', '"x"', 'null']) {
  test(`a payload that is no map is 65: ${document.replace('\n', '\\n')}`, async () => {
    const result = await post(['--dry-run', '--payload', document]);
    assert.equal(result.code, 65, result.stdout);
    assert.match(errorLine(result), /the payload is no map of names to values/);
  });
}

test('both kinds of payload are 64, a payload file that is missing is 66', async (t) => {
  const both = await post(['--dry-run', '--payload', 'text: x', '--payload-file', fixture('slack/payload.json')]);
  assert.equal(both.code, 64);
  assert.match(errorLine(both), /--payload and --payload-file-path can't go together/);
  const missing = await post(['--dry-run', '--payload-file', join(folder(t), 'nothing.json')]);
  assert.equal(missing.code, 66);
  assert.match(errorLine(missing), /nothing\.json/);
});

const TWICE = [
  ['text: a\nchannel: C1\ntext: b', /the payload, at \/text: this name stands twice; drop one of them/],
  ['{"text": "a", "text": "b"}', /the payload, at \/text: this name stands twice/],
  ['blocks:\n- type: divider\n- block_id: x\n  type: a\n  block_id: y', /the payload, at \/blocks\/1\/block_id: this name stands twice/],
];
for (const [document, message] of TWICE) {
  test(`a name that stands twice in a payload is 65: ${JSON.stringify(document)}`, async () => {
    const result = await post(['--dry-run', '--payload', document]);
    assert.equal(result.code, 65, result.stdout);
    assert.match(errorLine(result), message);
  });
}

test('an empty payload is not sent as an empty message', async (t) => {
  const slack = await slackFor(t);
  for (const document of ['{}', '\n# a remark only\n']) {
    const result = await byWebhook(slack, ['--payload', document]);
    assert.equal(result.code, 65, result.stderr);
  }
  assert.equal(slack.accepted.length, 0);
});

// --- Templates ---

// Values that break documents when they are put in as text.
const VALUES = [
  'two\nlines', '"quoted"', 'a: b', '} ] {', '- item', '# remark', "it's", '\\n \\u0041', '${{ env.OTHER }}',
    '%s $1 $& {{x}}',
  'trailing: ', '  leading', '\ttab', 'é🎉', '|', '>', '&a *a', '"}, "text": "forged", "x": {"', 'a'.repeat(5000),
];
for (const value of VALUES) {
  test(`no value breaks the document it is put into: ${JSON.stringify(value.slice(0, 30))}`, async () => {
    const env = { V: value, OTHER: 'OTHER WAS LOOKED AT' };
    const documents = [
      'url: "${{ env.V }}"\ntext: x', 'url: ${{ env.V }}\ntext: x', 'url: |-\n  ${{ env.V }}\ntext: x',
        "url: '${{ env.V }}'\ntext: x",
      '{"url": "${{ env.V }}", "text": "x"}', '"url": "${{env.V}}",\n"text": "x"',
    ];
    for (const document of documents) {
      assert.deepEqual(await templated(document, env), { url: value, text: 'x' }, document);
    }
    const inside = await templated({ url: 'a ${{ env.V }} b ${{ env.V }}', text: 'x' }, env);
    assert.equal(inside.url, `a ${value} b ${value}`);
  });
}

test('values are escaped where Slack reads mrkdwn, and raw in URLs and values', async () => {
  const { text, blocks } = await dryRun(['--payload-templated', '--payload-file', fixture('slack/templated.yml')],
    { env: { ...RUN_ENV, NOTE: '<!channel> & "x": *y*' } });
  assert.equal(text, 'Build of mira-dahl/harbor by tomas-lind: &lt;!channel&gt; &amp; "x": *y*');
  assert.equal(blocks[0].text.text, '*Tomas Lind*\nFix the &lt;pump&gt; &amp; valves\n\nsecond line: "quoted"');
  const [button] = blocks[1].elements;
  assert.deepEqual([button.url, button.value, button.text.text],
    [EVENT.head_commit.url, '<!channel> & "x": *y*', 'Run 4711']);
});

test('attachments too: text, pretext, title, footer and the values of fields', async () => {
  const attachment = { text: '${{ env.V }}', pretext: '${{ env.V }}', title: '${{ env.V }}', footer: '${{ env.V }}',
    title_link: '${{ env.V }}', fields: [{ title: '${{ env.V }}', value: '${{ env.V }}', short: true }] };
  const { attachments: [shown] } = await templated({ attachments: [attachment] }, { V: '<!here>&' });
  const safe = '&lt;!here&gt;&amp;';
  assert.deepEqual(shown, { text: safe, pretext: safe, title: safe, footer: safe, title_link: '<!here>&',
    fields: [{ title: safe, value: safe, short: true }] });
});

test('markup of the document itself works; a value can\'t add any', async () => {
  const { text } = await templated({ text: '<!here> *<https://x.example|${{ env.V }}>*' }, { V: '|x>\n<!channel>' });
  assert.ok(text.startsWith('<!here> *<https://x.example|'), text);
  assert.doesNotMatch(text, /<!channel/);
});

test('a value with a date\'s mark is text like any other', async () => {
  const { text } = await templated({ text: '<https://x.example|${{ env.V }}>' },
    { V: '<!date^1^{date}^https://evil.example|x' });
  assert.ok(!text.includes('<!date'), text);
});

test('--mrkdwn trusts what templates bring, but for mentions of everybody', async () => {
  const V = '*b* <https://x.example|l> <@U00000001> <!channel> <!subteam^S1>';
  const { text } = await templated({ text: '${{ env.V }}' }, { V }, ['--mrkdwn']);
  assert.ok(text.startsWith('*b* <https://x.example|l> <@U00000001> '), text);
  assert.doesNotMatch(text, /<!(channel|subteam)/);
  assert.equal((await templated({ text: '${{ env.V }}' }, { V }, ['--mrkdwn', '--allow-broadcast'])).text, V);
});

for (const allowed of [{ link_names: true }, { link_names: 1 }, { parse: 'full' }]) {
  test(`a value can't call everybody where the document lets Slack make mentions: ${JSON.stringify(allowed)}`, async () => {
    const { text } = await templated({ text: 'by ${{ env.WHO }}', ...allowed }, { WHO: '@channel @here' });
    assert.doesNotMatch(text, /@channel|@here/);
  });
}

test('templates of variables need no event; one of the event needs it', async () => {
  const env = { GITHUB_EVENT_PATH: '/nowhere/event.json', A: 'x' };
  assert.equal((await templated({ text: '${{ env.A }}' }, env)).text, 'x');
  const result = await post(['--dry-run', '--payload-templated', '--payload', '{"text": "${{ github.event.ref }}"}'], { env });
  assert.equal(result.code, 66, result.stdout);
  assert.match(errorLine(result), /can't read the event from \/nowhere\/event\.json/);
});

const PATHS = [
  ['github.event.head_commit.author.username', 'tomas-lind'],
  ['github.payload.head_commit.author.username', 'tomas-lind'],
  ['github.event.commits.0.id', EVENT.head_commit.id],
  ['github.event.repository.private', 'false'],
  ['github.event.repository.id', '35129377'],
  ['github.runId', '4711'], ['github.run_id', '4711'], ['github.runNumber', '17'], ['github.run_number', '17'],
  ['github.run_attempt', '2'], ['github.actor', 'tomas-lind'], ['github.sha', EVENT.head_commit.id],
    ['github.ref', 'refs/heads/main'],
  ['github.ref_name', 'main'], ['github.repository', 'mira-dahl/harbor'], ['github.repo.owner', 'mira-dahl'],
    ['github.repo.repo', 'harbor'],
  ['github.eventName', 'push'], ['github.event_name', 'push'], ['github.workflow', 'CI'], ['github.job', 'build'],
  ['github.serverUrl', 'https://github.com'], ['github.server_url', 'https://github.com'],
  ['github.repository_owner', 'mira-dahl', { GITHUB_REPOSITORY_OWNER: 'mira-dahl' }],
];
for (const [path, expected, more] of PATHS) {
  test(`template ${path}`, async () => {
    assert.equal((await templated({ url: `\${{ ${path} }}`, text: 'x' }, { ...RUN_ENV, ...more })).url, expected);
  });
}

test('a variable that is set to nothing is fine', async () => {
  assert.equal((await templated({ text: 'a${{ env.V }}b' }, { V: '' })).text, 'ab');
});

const MISSING = [
  ['a variable', { text: 'x', blocks: [{ type: 'section', text: { type: 'mrkdwn', text: '${{ env.NOPE }}' } }] },
    /at \/blocks\/0\/text\/text: \$\{\{ env\.NOPE \}\} has no value/],
  ['a path of the event', { text: '${{ github.event.nothing.here }}' },
    /at \/text: \$\{\{ github\.event\.nothing\.here \}\} has no value/],
  ['another context', { text: '${{ secrets.TOKEN }}' },
    /at \/text: \$\{\{ secrets\.TOKEN \}\} has no value; templates know env\.NAME/],
  ['an expression', { text: "${{ env.A || 'b' }}" }, /at \/text: .* has no value/],
  ['nothing inside', { text: '${{ }}' }, /at \/text: .* has no value/],
  ['not closed', { text: 'a ${{ env.V' }, /'\$\{\{ env\.V' is not closed by \}\}/],
];
for (const [name, document, message] of MISSING) {
  test(`a template without a value names file, template and place, 65: ${name}`, async (t) => {
    const slack = await slackFor(t);
    const path = file(t, 'my-payload.json', JSON.stringify(document));
    const result = await byWebhook(slack, ['--payload-templated', '--payload-file', path], { env: RUN_ENV });
    assert.equal(result.code, 65, result.stderr);
    assert.match(errorLine(result), message);
    assert.ok(result.stderr.includes(path), 'the file is named');
    assert.equal(slack.requests.length, 0);
  });
}

// --- Workflows in Slack ---

test('a workflow in Slack gets its inputs', async (t) => {
  const slack = await slackFor(t);
  const outputs = join(folder(t), 'outputs');
  const result = await post(['--webhook-type', 'webhook-trigger', '--payload', '{"status": "ok", "option": "false"}'],
    { env: { SLACK_WEBHOOK_URL: slack.triggerUrl, GITHUB_OUTPUT: outputs } });
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(slack.accepted.map(({ via, payload }) => [via, payload]),
    [['trigger', { status: 'ok', option: 'false' }]]);
  assert.deepEqual([readOutputs(outputs).ok, readOutputs(outputs).response], ['true', '{"ok":true}']);
});

test('a workflow is started by the webhook, whatever else the environment knows, and nothing is added', async (t) => {
  const slack = await slackFor(t);
  const result = await byToken(slack, ['--webhook-type', 'webhook-trigger', '--payload', 'a: b'],
    { env: { SLACK_WEBHOOK: slack.triggerUrl, SLACK_CHANNEL: '#ops' } });
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(slack.accepted.map(({ via, payload }) => [via, payload]), [['trigger', { a: 'b' }]]);
});

test('payload-templated without a payload is nothing to complain of where another source brings it', async (t) => {
  const slack = await slackFor(t);
  const env = { 'INPUT_PAYLOAD-TEMPLATED': 'true' };
  const trigger = await run(['slack-post'], { env: { ...env, INPUT_WEBHOOK: slack.triggerUrl, 'INPUT_WEBHOOK-TYPE': 'webhook-trigger',
    'INPUT_PAYLOAD-DELIMITER': '_' } });
  assert.notEqual(trigger.code, 64, trigger.stderr);
  const method = await byToken(slack, ['--method', 'auth.test'], { env });
  assert.equal(method.code, 0, method.stderr);
});

test('templates for a workflow bring values raw: what they mean is the workflow\'s', async () => {
  const payload = await templated({ text: '${{ env.V }}' }, { V: '<a> & b' }, ['--webhook-type', 'webhook-trigger']);
  assert.equal(payload.text, '<a> & b');
});

const FLAT = [
  ['_', { a: { b: [true, { c: 1.5 }] }, d: null, e: 'x' }, { a_b_0: 'true', a_b_1_c: '1.5', d: 'null', e: 'x' }],
  ['.', { a: { b: 1 } }, { 'a.b': '1' }],
];
for (const [delimiter, document, expected] of FLAT) {
  test(`--payload-delimiter ${delimiter} flattens, all values as text`, async (t) => {
    const slack = await slackFor(t);
    const result = await post(['--webhook-type', 'webhook-trigger', '--payload-delimiter', delimiter, '--payload',
      JSON.stringify(document)],
      { env: { SLACK_WEBHOOK: slack.triggerUrl } });
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(slack.accepted[0].payload, expected);
  });
}

test('a workflow in Slack without a payload gets the run\'s context, flattened', async (t) => {
  const slack = await slackFor(t);
  const result = await post(['--webhook-type', 'webhook-trigger', '--payload-delimiter', '_'],
    { env: { ...RUN_ENV, SLACK_WEBHOOK: slack.triggerUrl } });
  assert.equal(result.code, 0, result.stderr);
  const { payload } = slack.accepted[0];
  assert.deepEqual([payload.eventName, payload.actor, payload.runId, payload.payload_repository_full_name,
    payload.payload_commits_0_id],
    ['push', 'tomas-lind', '4711', 'mira-dahl/harbor', EVENT.head_commit.id]);
});

test('what a workflow in Slack refuses is told', async (t) => {
  const slack = await slackFor(t);
  const result = await post(['--webhook-type', 'webhook-trigger', '--payload', '{"n": 1}'],
    { env: { SLACK_WEBHOOK: slack.triggerUrl } });
  assert.equal(result.code, 65, result.stderr);
  assert.match(errorLine(result), /invalid_workflow_input.*check the names of the workflow's inputs/);
});

// --- Blocks ---

const BLOCKS = readFixture('slack/blocks.json');

test('--blocks: a list or an object with blocks, in JSON or YAML, with a text for notifications', async (t) => {
  const yaml = file(t, 'blocks.yml', '- type: divider\n- type: section\n  text: {type: mrkdwn, text: "*x*"}\n');
  assert.deepEqual((await dryRun(['--blocks', fixture('slack/blocks.json'), 'News & more'])), {
    text: 'News &amp; more', unfurl_links: false, blocks: BLOCKS });
  assert.deepEqual((await dryRun(['--blocks', file(t, 'b.json', JSON.stringify({ blocks: BLOCKS }))])).blocks, BLOCKS);
  assert.deepEqual((await dryRun(['--blocks', yaml])).blocks[1].text, { type: 'mrkdwn', text: '*x*' });
  assert.deepEqual((await dryRun(['--blocks', '-'], { stdin: JSON.stringify(BLOCKS) })).blocks, BLOCKS);
});

test('--blocks with a colour stand in an attachment', async (t) => {
  const slack = await slackFor(t);
  const result = await byToken(slack, ['--channel', '#ops', '--color', 'danger', '--blocks',
    fixture('slack/blocks.json'), 'x']);
  assert.equal(result.code, 0, result.stderr);
  const { attachments } = slack.accepted[0].payload;
  assert.deepEqual([attachments[0].color, attachments[0].blocks], ['danger', BLOCKS]);
});

test('--blocks with templates', async (t) => {
  const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: '${{ env.V }}' } }];
  const path = file(t, 'blocks.json', JSON.stringify(blocks));
  const sent = await dryRun(['--payload-templated', '--blocks', path, 'x'], { env: { V: '<!here>\n"' } });
  assert.equal(sent.blocks[0].text.text, '&lt;!here&gt;\n"');
});

for (const [name, content] of [['an empty list', '[]'], ['an object without any', '{"text": "x"}'], ['a word', 'x']]) {
  test(`--blocks without blocks is 65: ${name}`, async (t) => {
    const path = file(t, 'blocks.json', content);
    const result = await post(['--dry-run', '--blocks', path, 'x']);
    assert.equal(result.code, 65);
    assert.match(errorLine(result), /blocks\.json holds no list of blocks/);
  });
}

test('blocks that Slack refuses: its word and the place', async (t) => {
  const slack = await slackFor(t);
  const path = file(t, 'blocks.json', JSON.stringify([{ type: 'section',
    text: { type: 'mrkdwn', text: 'x'.repeat(3001) } }]));
  const result = await byToken(slack, ['--channel', '#ops', '--blocks', path, 'x']);
  assert.equal(result.code, 65);
  assert.match(errorLine(result),
    /invalid_blocks.*must be less than 3001 characters \[json-pointer:\/blocks\/0\/text\/text\]/);
});

test('blocks that are too long together are 65', async (t) => {
  const slack = await slackFor(t);
  const block = { type: 'section', text: { type: 'mrkdwn', text: 'x'.repeat(2900) } };
  const result = await byToken(slack, ['--channel', '#ops', '--payload',
    JSON.stringify({ text: 'x', blocks: Array(5).fill(block) })]);
  assert.equal(result.code, 65);
  assert.match(errorLine(result), /msg_blocks_too_long/);
});

// --- files.uploadV2 ---

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const UPLOADS = [
  ['a file', { file: 'fixtures/slack/push.json', title: 'The event' },
    [['push.json', 'The event', readFileSync(fixture('slack/push.json'))]]],
  ['content', { content: 'a: b\n', filename: 'a.yml' }, [['a.yml', 'a.yml', 'a: b\n']]],
  ['several', { file_uploads: [{ file: 'fixtures/slack/payload.json', filename: 'p.json' },
    { content: 'x', filename: 'x.txt', title: 'X' }] },
    [['p.json', 'p.json', readFileSync(fixture('slack/payload.json'))], ['x.txt', 'X', 'x']]],
];
for (const [name, payload, files] of UPLOADS) {
  test(`files.uploadV2, the official clients' word for the whole flow: ${name}`, async (t) => {
    const slack = await slackFor(t);
    const document = { channel_id: 'C00000002', initial_comment: 'see *this*', ...payload };
    const result = await byToken(slack, ['--method', 'files.uploadV2', '--payload', JSON.stringify(document)]);
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(slack.files.map(({ filename, shared, sha256: sum }) => [filename, shared[0].title, sum]),
      files.map(([filename, title, bytes]) => [filename, title, sha256(bytes)]));
    for (const { shared } of slack.files) {
      assert.deepEqual([shared.length, shared[0].channel, shared[0].initial_comment], [1, 'C00000002', 'see *this*']);
    }
  });
}

for (const [name, value] of [['channels', 'C00000002'], ['channel', 'C00000002'], ['channels', 'C00000002,C00000001']]) {
  test(`files.uploadV2 shares by its argument ${name}: ${value}`, async (t) => {
    const slack = await slackFor(t);
    const result = await byToken(slack, ['--method', 'files.uploadV2', '--payload', JSON.stringify({ content: 'x', [name]: value })]);
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(slack.files.flatMap(({ shared }) => shared).map(({ channel }) => channel), value.split(','));
  });
}

test('files.uploadV2 with file and file_uploads together uploads all of them', async (t) => {
  const slack = await slackFor(t);
  const document = { channel_id: 'C00000002', content: 'one', filename: '1.txt',
    file_uploads: [{ content: 'two', filename: '2.txt' }] };
  const result = await byToken(slack, ['--method', 'files.uploadV2', '--payload', JSON.stringify(document)]);
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(slack.files.map(({ filename }) => filename), ['1.txt', '2.txt']);
});

test('files.uploadV2 without a file is 65, with a file that is missing 66; without a channel it is not shared',
  async (t) => {
  const slack = await slackFor(t);
  const call = (payload) => byToken(slack, ['--method', 'files.uploadV2', '--payload', JSON.stringify(payload)]);
  const none = await call({ channel_id: 'C00000002' });
  assert.equal(none.code, 65);
  assert.match(errorLine(none), /files\.uploadV2 wants a file \(a path\) or content/);
  assert.equal((await call({ channel_id: 'C00000002', file: '/nowhere/at/all' })).code, 66);
  const unshared = await call({ content: 'x', filename: 'x.txt' });
  assert.equal(unshared.code, 0, unshared.stderr);
  assert.deepEqual([slack.files.length, slack.files[0].shared], [1, []]);
});

// --- Workflows of slackapi/slack-github-action ---

// What GitHub's runner knows; all that the fixtures name.
const knownOf = (slack, outputs) => ({
  'secrets.SLACK_BOT_TOKEN': slack.token, 'secrets.SLACK_CHANNEL_ID': 'C00000002',
    'secrets.SLACK_WEBHOOK_URL': slack.webhookUrl,
  'secrets.SLACK_WEBHOOK_TRIGGER': slack.triggerUrl, 'github.ref_name': 'main', 'github.sha': EVENT.head_commit.id,
    'job.status': 'success',
  'github.event.head_commit.url': EVENT.head_commit.url,
  ...Object.fromEntries(Object.entries(outputs.slack ?? {}).map(([name, value]) =>
    [`steps.slack.outputs.${name}`, value])),
});

// Runs each step of a workflow as the runner runs this action: inputs (and the action's defaults) as
// INPUT_*, no arguments. [{ name, code, stderr, accepted, outputs }]
async function runSteps(t, slack, name) {
  const [job] = Object.values(parseYaml(readFileSync(fixture(name), 'utf8')).jobs);
  const { inputs: declared } = parseYaml(readFileSync(join(root, 'action.yml'), 'utf8'));
  const outputs = {};
  const done = [];
  for (const step of job.steps) {
    const known = knownOf(slack, outputs);
    const filled = (value) => String(value).replace(/\$\{\{ *(.*?) *\}\}/g, (_, expression) => {
      assert.ok(Object.hasOwn(known, expression), `${step.name}: ${expression}`);
      return known[expression];
    });
    const env = { ...RUN_ENV, GITHUB_ACTIONS: 'true', SLACK_API_URL: slack.apiUrl,
      GITHUB_OUTPUT: join(folder(t), 'outputs') };
    for (const [input, { default: value = '' }] of Object.entries(declared)) env[`INPUT_${input.toUpperCase()}`] =
      String(value);
    for (const [variable, value] of Object.entries(step.env ?? {})) env[variable] = filled(value);
    for (const [input, value] of Object.entries({ ...step.with, command: 'slack-post' })) {
      assert.ok(Object.hasOwn(declared, input), `action.yml does not declare ${input}`);
      env[`INPUT_${input.toUpperCase()}`] = filled(value);
    }
    const before = slack.accepted.length;
    const { code, stderr } = await run([], { env });
    const written = readOutputs(env.GITHUB_OUTPUT);
    if (step.id) outputs[step.id] = written;
    done.push({ name: step.name, code, stderr, accepted: slack.accepted.slice(before), outputs: written });
  }
  return done;
}

// What Slack must have accepted of each step: code, way, part of the payload, the output ok.
const OPS = { channel: 'C00000002' };
const ADOPTED = {
  'slack/method.yml': {
    'post a message': [0, 'chat.postMessage', { ...OPS, text: 'howdy <@channel>! Deploying *main*' }],
    'answer in its thread': [0, 'chat.postMessage', { ...OPS, thread_ts: FIRST_TS,
      attachments: [{ color: 'dbab09', fields: [{ title: 'Status', short: true, value: 'In Progress' }] }] }],
    'answer with an unquoted ts': [0, 'chat.postMessage', { ...OPS, thread_ts: FIRST_TS, text: 'one more' }],
    'update the message': [0, 'chat.update', { ...OPS, ts: FIRST_TS, text: 'Deployment finished! :rocket:' }],
    react: [0, 'reactions.add', { ...OPS, timestamp: FIRST_TS, name: 'tada' }],
    'members without braces': [0, 'chat.postMessage', { ...OPS, text: 'bare: members',
      blocks: [{ type: 'section', text: { type: 'mrkdwn', text: 'bare' } }] }],
    'upload a file': [0, 'files.completeUploadExternal', { channel_id: 'C00000002',
      initial_comment: 'the results are in!' }],
    'a quiet failure': [0, undefined],
    'a loud failure': [78, undefined],
    'the token in the environment': [0, 'chat.postMessage', { ...OPS, text: 'from env' }],
  },
  'slack/webhook.yml': {
    'blocks in YAML': [0, 'webhook', { text: '*GitHub Action build result*: success', blocks: [{ type: 'section',
      text: { type: 'mrkdwn', text: `GitHub Action build result: success\n${EVENT.head_commit.url}` } }] }],
    'JSON, the webhook in the environment': [0, 'webhook', { text: 'build: success <!here>', unfurl_links: true }],
    'a payload file': [0, 'webhook', readFixture('slack/payload.json')],
    'a templated payload file': [0, 'webhook',
      { text: 'Build of mira-dahl/harbor by tomas-lind: two: "lines"\nof } note' }],
    'a workflow in Slack': [0, 'trigger', { status: 'success', option: 'false' }],
    'a workflow in Slack, flattened': [0, 'trigger',
      { apples_crisp: 'true', apples_count: '3', apples_kinds_0: 'braeburn', apples_kinds_1: 'gala', nothing: 'null' }],
    'a workflow in Slack, with the run\'s context': [0, 'trigger', { actor: 'tomas-lind',
      payload_ref: 'refs/heads/main' }],
  },
};
for (const [workflow, steps] of Object.entries(ADOPTED)) {
  test(`the steps of ${workflow} do here what they did with slack-github-action`, async (t) => {
    const slack = await slackFor(t);
    const done = await runSteps(t, slack, workflow);
    assert.deepEqual(done.map(({ name }) => name), Object.keys(steps));
    for (const { name, code, stderr, accepted, outputs } of done) {
      const [expectedCode, via, payload] = steps[name];
      assert.equal(code, expectedCode, `${name}: ${stderr}`);
      assert.deepEqual(accepted.map((write) => write.via), via === undefined ? [] : [via], name);
      for (const [field, value] of Object.entries(payload ?? {})) assert.deepEqual(accepted[0].payload[field], value,
        `${name}: ${field}`);
      assert.equal(outputs.ok, String(via !== undefined), name);
      assert.match(outputs.time, /^\d{10}$/, name);
      assert.notEqual(outputs.response, '', name);
      if (via === 'chat.postMessage') {
        const { channel, ts, thread_ts } = accepted[0];
        assert.deepEqual([outputs.channel_id, outputs.ts, outputs.thread_ts], [channel, ts, thread_ts ?? ts], name);
      }
      if (via === undefined) assert.equal(JSON.parse(outputs.response).error, 'channel_not_found', name);
    }
  });
}

test('the whole payload passes: nothing is added to what a webhook\'s step says', async (t) => {
  const slack = await slackFor(t);
  await runSteps(t, slack, 'slack/webhook.yml');
  assert.deepEqual(slack.requests[2].json, readFixture('slack/payload.json'));
  assert.deepEqual(Object.keys(slack.requests[1].json), ['text', 'unfurl_links']);
});
