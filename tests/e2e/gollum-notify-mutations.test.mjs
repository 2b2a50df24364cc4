// gollum-notify and inputs nobody thought of: events and diffs of fixtures/, broken by chance. Whatever
// comes, it ends with 0 or 65 and one line, and what it would send is a message that Slack takes.
// A few hundred always, thousands with `./dev test --all`; SEED=N tries others.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkMessage, readMessage } from '../standin/slack_rules.mjs';
import { fixture, folder, run } from './support.mjs';

const ROUNDS = process.env.SLOW_TESTS === '1' ? 4000 : 200;
const SEED = Number(process.env.SEED ?? 1);
const NASTY = ['<!channel>', '```', '|', '>', '&', '\\u0000', '\\ud83d', '\\n', '\n', '"', '\\', '{', ']', '😀'.repeat(300),
  '&'.repeat(5000), '\u202e', '::error::x', '##[error]x', '`', '*', 'null', '-1', '@@ -1 +1 @@', '+', '-', 'diff --git a/x.md b/x.md\n'];

// Park and Miller's generator: small, and the same everywhere.
function randomFrom(seed) {
  let state = (seed % 2147483646) + 1;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

function mutate(bytes, random) {
  const text = bytes.toString('latin1');
  const at = random(text.length + 1);
  const length = random(60);
  switch (random(5)) {
    case 0: return Buffer.from(text.slice(0, at) + text.slice(at + length), 'latin1');
    case 1: return Buffer.from(text.slice(0, at) + text.slice(at, at + length) + text.slice(at), 'latin1');
    case 2: return Buffer.from(text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1), 'latin1');
    default: {
      const quote = text.indexOf('": "', at); // most often inside a text of the document
      const place = quote === -1 ? at : quote + 4;
      const nasty = Buffer.from(NASTY[random(NASTY.length)]).toString('latin1');
      return Buffer.from(text.slice(0, place) + nasty + text.slice(place), 'latin1');
    }
  }
}

function check(result, what) {
  assert.ok([0, 65].includes(result.code), `${what}: exit ${result.code} ${result.signal}\n${result.stderr}`);
  assert.ok(result.stderr.split('\n').length <= 2, `${what}: more than one line\n${result.stderr}`);
  if (result.code === 65) return;
  for (const line of result.stdout.trimEnd().split('\n')) {
    if (line === '') continue;
    const payload = JSON.parse(line);
    assert.equal(checkMessage(readMessage(payload)), null, `${what}: Slack would refuse it`);
    const texts = JSON.stringify(payload.blocks);
    assert.doesNotMatch(texts, /<[!@#]/, `${what}: a mention nobody wrote`);
    for (const block of payload.blocks) {
      const text = block.text?.text ?? block.elements[0].text;
      assert.equal((text.split('```').length - 1) % 2, 0, `${what}: an open code fence`);
    }
  }
}

const SEEDS = ['two_pages.json', 'hostile.json', 'enterprise_server.json'].map((name) => readFileSync(fixture(`gollum/${name}`)));
const DIFF = readFileSync(fixture('gollum/two_pages.diff'));

test(`${ROUNDS} broken inputs, SEED=${SEED}`, async (t) => {
  const random = randomFrom(SEED);
  const [event, diff] = ['event.json', 'wiki.diff'].map((name) => join(folder(t), name));
  let taken = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    let bytes = SEEDS[random(SEEDS.length)];
    let patch = DIFF;
    for (let i = random(3); i >= 0; i -= 1) bytes = mutate(bytes, random);
    for (let i = random(3); i > 0; i -= 1) patch = mutate(patch, random);
    writeFileSync(event, bytes);
    writeFileSync(diff, patch);
    const result = await run(['gollum-notify', '--dry-run', '--json', '--event', event, '--diff', diff]);
    check(result, `SEED=${SEED} round ${round}`);
    taken += result.code === 0 ? 1 : 0;
  }
  assert.ok(taken > ROUNDS / 20, `only ${taken} of ${ROUNDS} were taken: the test tests the parser alone`);
});
