// The fault matrix: every command through every fault that can meet it, with the real binary. Each row holds its exit
// code, what was sent and what became of it; no trace of a secret may be found in anything that was said or written.
// docs/FAULTS.md is what was observed: UPDATE_FAULTS=1 writes it, else it is compared.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { azureRun } from '../faults/azure_run.mjs';
import { esTail } from '../faults/es_tail.mjs';
import { gollumNotify } from '../faults/gollum_notify.mjs';
import { slackPost } from '../faults/slack_post.mjs';
import { slackServe } from '../faults/slack_serve.mjs';
import { stageFor } from '../faults/stage.mjs';
import { documentOf, lastWords, steady } from '../faults/table.mjs';
import { udpLoad } from '../faults/udp_load.mjs';
import { root } from './support.mjs';

const COMMANDS = [gollumNotify, slackPost, slackServe, azureRun, esTail, udpLoad];
const PAGE = join(root, 'docs/FAULTS.md');
const AT_ONCE = 8; // most of them wait

// row -> what was observed
const observed = new Map();

before(() => { process.env.FAULTS_FOLDER = mkdtempSync(join(tmpdir(), 'faults-')); });
after(() => rmSync(process.env.FAULTS_FOLDER, { recursive: true }));

// With what step's log would show: GitHub's runner hides what it was told to hide.
const withoutMasks = (text) => text.replace(/^::add-mask::.*\n/gm, '');

const notPacked = process.env.SANITIZED ? 'the program of a sanitizer is too large to be packed' : false;

for (const { command, rows, concurrency = AT_ONCE } of COMMANDS) {
  describe(command, { concurrency }, () => {
    for (const row of rows) {
      test(`${row.way}: ${row.fault}`, { skip: row.packs && notPacked }, async (t) => {
        const stage = stageFor(t);
        const result = await row.act(stage);
        const says = steady(lastWords(result), row.fault, [stage.folder, process.env.FAULTS_FOLDER]);
        observed.set(row, { command, ...row, says, code: result.code, sent: result.sent, done: result.done });
        assert.deepEqual([result.code, result.sent, result.done], [row.code, row.sent, row.done], `code, sent, done\n${result.stderr}`);
        if (![0, 1, 130].includes(result.code)) assert.match(says, new RegExp(`^opsbelt: (${command}: |interrupted)`, 'm'), 'a line that says who');
        const said = withoutMasks(`${result.stdout}\n${result.stderr}\n${result.children ?? ''}`);
        assert.deepEqual(stage.secrets.traces(said), [], 'a secret was said');
        assert.deepEqual(stage.secrets.traces(stage.written()), [], 'a secret was written');
      });
    }
  });
}

test('docs/FAULTS.md holds what was observed', () => {
  const rows = COMMANDS.flatMap((one) => one.rows.map((row) => observed.get(row)));
  if (rows.includes(undefined)) return; // a row that failed has said so
  const page = documentOf(COMMANDS, rows);
  if (process.env.UPDATE_FAULTS) writeFileSync(PAGE, page);
  assert.equal(page, readFileSync(PAGE, 'utf8'), 'write it anew with UPDATE_FAULTS=1, and read what has changed');
});
