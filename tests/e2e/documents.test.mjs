// Every command line and every workflow in README.md and docs/ is executed, against stand-ins (document_stage.mjs says
// which); output that stands right behind one is compared with what came out. A new one is run too, unless it
// is named here, with its reason.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse as parseYaml, stringify } from 'yaml';
import { startStage } from './document_stage.mjs';
import { runWorkflow } from './document_workflow.mjs';
import { blocks, documentNames, fileOf, linesIn, readDocument } from './documents.mjs';
import { root, run } from './support.mjs';

const stage = await startStage();
after(() => stage.close());

// Lines that are not run: [what they hold, why, how they are looked at instead].
const NOT_RUN = [
  ['./dev ', 'installs packages, builds or runs for long; CI runs it', isTaskOfDev],
];

function isTaskOfDev(line) {
  const [, task] = /\.\/dev (\S+)/.exec(line);
  assert.match(readFileSync(join(root, 'dev'), 'utf8'), new RegExp(`^ *(\\w+\\|)*${task}(\\|\\w+)*\\) `, 'm'), `./dev knows no ${task}`);
}

// --- Command lines ---

const notPacked = ({ text }) => (process.env.SANITIZED && text.includes('--zip') ? 'the program of a sanitizer is too large to be packed' : false);

// A place where a shell would start opsbelt, not a word in a text.
const COMMAND = /(?:^|[|;&(`]\s*|\bdo\s+|\bsudo\s+|\b[A-Z_]+=\S+\s+)opsbelt [a-z-]/gm;
const withoutComments = (text) => text.replaceAll(/(^|\s)#.*$/gm, '$1');
const commandsIn = (text) => [...withoutComments(text).matchAll(COMMAND)].length;

async function runLines({ document, text }) {
  const result = await stage.bash(stage.shown(text), { cwd: stage.workspace(document) });
  assert.equal(result.code, 0, `${text}\n${result.stdout}${result.stderr}`);
  assert.ok(result.calls.length >= commandsIn(text), `${commandsIn(text)} opsbelt lines, but only these ran: ${JSON.stringify(result.calls)}`);
  return result;
}

for (const block of blocks.filter((each) => each.language === 'sh' && !fileOf(each))) {
  test(`${block.document}:${block.line} runs`, { skip: notPacked(block) }, async (t) => {
    const listed = NOT_RUN.find(([part]) => block.text.includes(part));
    if (listed) {
      for (const line of block.text.trim().split('\n')) listed[2](line);
      return t.skip(listed[1]);
    }
    const result = await runLines(block);
    if (block.output !== undefined) assertShown(block.output, result.stdout + result.stderr);
    return undefined;
  });
}

// A unit of systemd: what it starts is a line like the others.
for (const block of blocks.filter(({ language }) => language === 'ini')) {
  test(`${block.document}:${block.line} starts`, () => {
    const lines = [...block.text.matchAll(/^ExecStart=\/usr\/bin\/(.*)$/gm)].map(([, line]) => line.replace(/\/var\/lib\/\w+\//, ''));
    assert.equal(lines.length, 1);
    return runLines({ document: block.document, text: lines[0] });
  });
}

test('every file that is shown is used by a line, a workflow or another file', () => {
  for (const block of blocks.filter((each) => fileOf(each) && !/workflows\/|systemd\//.test(fileOf(each)))) {
    const name = fileOf(block).split('/').at(-1);
    const users = blocks.filter((other) => other !== block && other.document === block.document && other.text.includes(name));
    assert.ok(users.length > 0, `${block.document}:${block.line}: nobody uses ${name}`);
  }
});

for (const line of documentNames.flatMap(linesIn)) {
  test(`${line.document}:${line.line} runs: ${line.text}`, () => runLines(line));
}

// What the document shows stands in what came out, line after line; … is anything in a line, alone any lines.
function assertShown(shown, printed) {
  const pattern = stage.shown(shown).trimEnd().split('\n')
    .map((line) => (line === '…' ? '(?:.*\\n)*?' : `${line.split('…').map((part) => RegExp.escape?.(part) ?? part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')} *\\n`));
  assert.match(printed, new RegExp(`(?:^|\\n)${pattern.join('')}`), `the document shows:\n${shown}\nit printed:\n${printed}`);
}

// --- Sessions: "$ command", and what it prints ---

const MARK = '\u001e';

for (const block of blocks.filter(({ language }) => language === 'console')) {
  test(`${block.document}:${block.line} goes as shown`, { skip: notPacked(block) }, async () => {
    const parts = block.text.split(/^\$ /m).slice(1).map(readPart);
    const script = parts.map(({ command }) => `${stage.shown(command)}\n__code=$?; printf '${MARK}'; (exit $__code)\n`).join('');
    const { stdout, calls } = await stage.bash(`exec 2>&1\n${script}`, { cwd: stage.workspace(block.document), flags: '-u' });
    const printed = stdout.split(MARK);
    parts.forEach(({ command, output }, i) => {
      if (output.trim() === '') assert.equal(printed[i].trim(), '', `${command} printed something`);
      else assertShown(output, `\n${printed[i]}`);
    });
    const commands = parts.map(({ command }) => commandsIn(command)).reduce((a, b) => a + b, 0);
    assert.ok(calls.length >= commands, `only these ran: ${JSON.stringify(calls)}`);
  });
}

// A command goes on over lines that end in a backslash, or until its quotes are closed.
function readPart(text) {
  const lines = text.split('\n');
  let count = 1;
  const isOpen = () => lines[count - 1].endsWith('\\') || (lines.slice(0, count).join('\n').split("'").length - 1) % 2 === 1;
  while (isOpen() && count < lines.length) count += 1;
  return { command: lines.slice(0, count).join('\n'), output: lines.slice(count).join('\n') };
}

// --- Workflows ---

function workflowOf(text) {
  const parsed = parseYaml(text);
  return Array.isArray(parsed) ? stringify({ on: 'gollum', jobs: { notify: { 'runs-on': 'ubuntu-latest', steps: parsed } } }) : text;
}

for (const block of blocks.filter(({ language, text }) => language === 'yaml' && /uses: OWNER\/opsbelt@/.test(text))) {
  test(`${block.document}:${block.line} runs as a workflow`, async () => {
    const jobs = await runWorkflow(stage, workflowOf(block.text), { document: block.document });
    for (const [name, job] of Object.entries(jobs)) {
      const last = job.steps.at(-1);
      assert.equal(job.result, 'success', `${name}: ${job.steps.map((step) => `${step.name} ${step.code} ${step.stderr}`).join('\n')}`);
      assert.ok(last, `${name} has no step that ran`);
    }
  });
}

test('a deployment that fails: the message becomes a failure, and who is on call is called in its thread', async () => {
  const [block] = blocks.filter(({ text }) => text.startsWith('# .github/workflows/deploy.yml'));
  const before = stage.slack.accepted.length;
  const { deploy } = await runWorkflow(stage, block.text, { document: block.document, breaks: './deploy.sh' });
  assert.equal(deploy.result, 'failure');
  const [first, changed, reply, ...more] = stage.slack.accepted.slice(before);
  assert.deepEqual(more, []);
  assert.deepEqual([first.via, changed.via, reply.via], ['chat.postMessage', 'chat.update', 'chat.postMessage']);
  assert.equal(changed.ts, first.ts);
  assert.equal(reply.thread_ts, first.ts);
  assert.match(JSON.stringify(changed.payload), /failed/);
  assert.match(JSON.stringify(reply.payload), /<@U00000002>/);
});

test('the night\'s script fails on a machine: the step fails, and Slack hears its name', async () => {
  const [block] = blocks.filter(({ text }) => text.startsWith('# .github/workflows/nightly.yml'));
  const before = stage.slack.accepted.length;
  const { machines } = await runWorkflow(stage, block.text.replace('tag: role=web', 'name: old1'), { document: block.document });
  assert.equal(machines.result, 'failure');
  const [message, ...more] = stage.slack.accepted.slice(before);
  assert.deepEqual(more, []);
  assert.match(JSON.stringify(message.payload), /Failed on: old1/);
});

test('there is no other language that nobody looks at', () => {
  const known = ['sh', 'console', 'yaml', 'cpp', 'text', 'ini', 'json', ''];
  for (const { document, line, language } of blocks) assert.ok(known.includes(language), `${document}:${line}: ${language}`);
});

// --- What the documents say about the binary ---

const overview = (await run(['--help'])).stdout;
const commands = [...overview.matchAll(/^ {2}([a-z]+-[a-z]+) {2,}/gm)].map(([, name]) => name);

// A table's rows as lists of cells, from the heading on.
function tableUnder(name, heading) {
  const [, section] = readDocument(name).split(new RegExp(`^## ${heading}$`, 'm'));
  const rows = section.split(/^## /m)[0].split('\n').filter((line) => line.startsWith('|')).slice(2);
  return rows.map((row) => row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
}
const namesIn = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name);

test('the exit codes are those of --help', async () => {
  const [, list] = (await run(['gollum-notify', '--help'])).stdout.split('\nExit codes\n');
  const codes = [...list.matchAll(/^ +(\d+) {2}(.*)$/gm)].map(([, code, meaning]) => [code, meaning]);
  assert.deepEqual(tableUnder('README.md', 'Exit codes'), codes);
});

test('the environment variables are those that the code reads, for the commands that declare them', async () => {
  const declared = new Map(); // variable -> its commands
  for (const command of commands) {
    const { stdout } = await run([command, '--help']);
    const names = [...stdout.replaceAll(/\s+/g, ' ').matchAll(/\[env: ([^\]]+)\]/g)].flatMap(([, list]) => list.split(', '));
    for (const name of names) declared.set(name, [...(declared.get(name) ?? []), command]);
  }
  const sources = readdirSync(join(root, 'src'), { recursive: true }).filter((name) => name.endsWith('.cpp'))
    .map((name) => readFileSync(join(root, 'src', name), 'utf8')).join('\n');
  const read = [...sources.matchAll(/(?:env(?:\(\))?|named_by)\("([A-Z_]+)"|"(GITHUB_[A-Z_]+)", (?:true|false)\}/g)].map(([, a, b]) => a ?? b);
  const byCurl = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'];
  const told = new Map(tableUnder('README.md', 'Environment variables').flatMap(([names, of]) => namesIn(names).map((name) => [name, of])));
  assert.deepEqual([...told.keys()].toSorted(), [...new Set([...declared.keys(), ...read, ...byCurl])].toSorted());
  for (const [name, of] of declared) {
    for (const command of of) assert.ok(told.get(name).includes(`\`${command}\``), `${name} is one of ${command}, too`);
  }
});

test('every link leads to a file, and to a heading in it', () => {
  const anchors = (name) => [...readDocument(name).matchAll(/^#+ (.*)$/gm)]
    .map(([, title]) => title.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'));
  for (const name of documentNames) {
    const prose = readDocument(name).replaceAll(/^ *```[\s\S]*?^ *```/gm, '');
    for (const [, target] of prose.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [path, anchor] = target.split('#');
      const file = path === '' ? name : join(name, '..', path);
      assert.doesNotThrow(() => readFileSync(join(root, file)), `${name} links to ${target}`);
      if (anchor) assert.ok(anchors(file).includes(anchor), `${name} links to ${target}: ${anchors(file)}`);
    }
  }
});
