// The manual pages: right by mandoc and groff, whole, and true: every option is there, every
// example parses, every message exists.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, errorLine, file, folder, root, run } from './support.mjs';

const commands = [...(await run(['--help'])).stdout.matchAll(/^ {2}([a-z-]+) {2,}/gm)].map((match) => match[1]);
const helps = Object.fromEntries(await Promise.all(
  commands.map(async (command) => [command, (await run([command, '--help'])).stdout])));

// As a person reads it: 80 columns, no bold.
const shown = (t, roff) => execFileSync('mandoc', ['-T', 'utf8', '-O', 'width=78', file(t, 'page.1', roff)]).toString()
  .replaceAll(/.\x08/g, ''); // eslint-disable-line no-control-regex
const joined = (text) => text.replaceAll(/\s+/g, ' ');
const section = (text, name) => (new RegExp(`^${name}\\n([\\s\\S]*?)(?=^[A-Z])`, 'm').exec(text) ?? [, ''])[1];
const written = (name) => readFileSync(join(root, `docs/man/${name}.txt`), 'utf8');
const examplesIn = (name) => [...written(name).matchAll(/^ {4}(.*)$/gm)].map((match) => match[1]);
const messagesIn = (name) => {
  const [, part] = /^DIAGNOSTICS\n([\s\S]*)/m.exec(written(name));
  return [...part.matchAll(/^\* (.*)$/gm)].map((match) => match[1]);
};

test('there is a hand-written part for the program and each command, and no other', () => {
  assert.deepEqual(readdirSync(join(root, 'docs/man')).toSorted(), ['opsbelt', ...commands].map((name) => `${name}.txt`).toSorted());
});

for (const name of ['opsbelt', ...commands]) {
  const args = name === 'opsbelt' ? ['manual'] : ['manual', name];
  test(`${args.join(' ')}: right by mandoc and groff, all sections, no line too wide`, async (t) => {
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 0, stderr);
    const page = file(t, 'page.1', stdout);
    const lint = execFileSync('sh', ['-c', 'mandoc -T lint -W warning "$0" || :', page]).toString();
    assert.equal(lint, '');
    const groff = execFileSync('sh', ['-c', 'groff -man -ww -z -Tutf8 "$0" 2>&1', page]).toString();
    assert.equal(groff, '');
    const text = shown(t, stdout);
    for (const part of ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'EXIT STATUS', 'EXAMPLES', 'DIAGNOSTICS', 'SEE ALSO']) {
      assert.match(text, new RegExp(`^${part}$`, 'm'));
    }
    for (const code of [0, 1, 64, 65, 66, 69, 70, 74, 75, 76, 77, 78, 130]) {
      assert.match(section(text, 'EXIT STATUS'), new RegExp(`^ +${code} `, 'm'));
    }
    const prose = text.replace(section(text, 'EXAMPLES'), ''); // command lines are not broken
    for (const line of prose.split('\n')) assert.ok(line.length <= 80, line);
    for (const example of examplesIn(name)) assert.ok(text.includes(example), example);
    for (const message of messagesIn(name)) assert.ok(joined(text).includes(joined(message)), message);
  });
}

test('each option stands in its page with value, environment, default and help', async (t) => {
  for (const command of commands) {
    const text = shown(t, (await run(['manual', command])).stdout);
    const flat = joined(text);
    for (const [, heading, about] of helps[command].matchAll(/^ {2}(--?.+)\n((?: {8}.*\n)+)/gm)) {
      assert.ok(flat.includes(joined(heading)), `${command}: ${heading}`);
      const [help] = joined(about).trim().split(/ \[env: | \[default: /);
      assert.ok(flat.includes(help), `${command} ${heading}: ${help}`);
      const [, environment] = /\[env: ([^\]]+)\]/.exec(joined(about)) ?? [];
      for (const variable of environment?.split(', ') ?? []) {
        assert.match(section(text, 'ENVIRONMENT'), new RegExp(`^ +${variable}\\b`, 'm'), `${command} ${heading}`);
      }
      const [, fallback] = /\[default: ([^\]]+)\]/.exec(joined(about)) ?? [];
      if (fallback) assert.ok(flat.includes(`Default: ${fallback}.`), `${command} ${heading}`);
    }
  }
});

// The command lines of opsbelt in an example, without what is piped in or out.
const callsIn = (line) => line.split(/ \| | > | <\(|\)/).filter((part) => part.startsWith('opsbelt '));

test('every option in an example exists', () => {
  for (const name of ['opsbelt', ...commands]) {
    for (const call of examplesIn(name).flatMap(callsIn)) {
      const [, command, ...words] = call.split(' ');
      const behind = words.includes('--') ? words.slice(0, words.indexOf('--')) : words;
      for (const flag of behind.filter((word) => /^--?[a-zA-Z]/.test(word))) {
        const known = new RegExp(`^ {2}(?:-\\S+, )*${flag}(?:,? |$)`, 'm');
        assert.ok(flag === '--help' || known.test(helps[command]), `${call}: ${flag}`);
      }
    }
  }
});

const SECRETS = {
  SLACK_BOT_TOKEN: 'xoxb-1', SLACK_CHANNEL: '#ops', SLACK_SIGNING_SECRET: 'secret', SLACK_APP_TOKEN: 'xapp-1', AZURE_TENANT_ID: 'tenant',
  AZURE_CLIENT_ID: 'client', AZURE_CLIENT_SECRET: 'secret', AZURE_SUBSCRIPTION_ID: 'subscription',
};

// Where no network is: nothing can be sent, whatever a line asks for.
test('every example is a command line that is taken', async (t) => {
  if (process.getuid() !== 0) return t.skip('a network of its own needs root');
  const lines = ['opsbelt', ...commands].flatMap((name) => examplesIn(name).flatMap(callsIn));
  assert.ok(lines.length >= 40, `${lines.length} found`);
  await Promise.all(lines.map(async (line) => {
    const home = folder(t);
    const script = `opsbelt() { timeout 5 ${binary} "$@"; }; ${line}`;
    const result = await run(['-n', 'bash', '-c', script],
      { program: 'unshare', cwd: home, env: { PATH: process.env.PATH, HOME: home, ...SECRETS } });
    assert.notEqual(result.code, 64, `${line}: ${result.stderr}`);
    assert.ok(![2, 126, 127].includes(result.code), `${line}: ${result.stderr}`);
  }));
  return undefined;
});

// A message of the sources: string literals joined, values as <words> in the manual.
const sources = execFileSync('git', ['grep', '-h', '', '--', 'src'], { cwd: root, maxBuffer: 2 ** 24 }).toString()
  .replaceAll(/"\s*\n\s*"/g, '').replaceAll(/"? ?PRODUCT_NAME ?"/g, 'opsbelt');
// Messages that are put together of several literals: as the binary says them.
const said = (await Promise.all([['xyz'], ['slack-post', '--zzzzzz'], ['udp-load', 'xyz'], ['manual', 'xyz'], ['completion']]
  .map(async (args) => (await run(args)).stderr))).join('');
const quoted = (text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

for (const name of ['opsbelt', ...commands]) {
  test(`the diagnostics of ${name} are messages of the program`, () => {
    assert.ok(messagesIn(name).length > 0);
    for (const message of messagesIn(name)) {
      const parts = message.split(/<[^>]+>/).map(quoted);
      const exists = new RegExp(parts.join('\\{[^}]*\\}')).test(sources) || new RegExp(`: ${parts.join('.+')}`, 'm').test(said);
      assert.ok(exists, message);
    }
  });
}

test('a page that is not there', async () => {
  const result = await run(['manual', 'slack-pots']);
  assert.equal(result.code, 64);
  assert.match(errorLine(result), /no page 'slack-pots'; did you mean slack-post\?; the pages are opsbelt, gollum-notify/);
});
