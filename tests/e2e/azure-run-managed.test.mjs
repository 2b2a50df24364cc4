// azure-run --managed: output while the script runs, its exit code, an end by signal or time-out, and nothing left behind.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readLog } from '../standin/runner.mjs';
import { attachToken, azureRun, onLinux, ownLines, scriptErrors } from './azure.mjs';
import { azureFor, errorLine, file, folder, readOutputs } from './support.mjs';

const AT_ONCE = { concurrency: 8 };
const managed = (azure, args, options) => onLinux(azure, ['--managed', ...args], options);
const requestsOf = (azure, method) => azure.requests.filter((request) => request.method === method && request.path.includes('/runCommands/'));

// What is left of managed run commands at the machine.
async function left(azure) {
  const by = { authorization: `Bearer ${azure.tokens[0].token}` };
  const machine = `${azure.armUrl}/subscriptions/${azure.subscription}/resourceGroups/${azure.resourceGroup}`
    + '/providers/Microsoft.Compute/virtualMachines/linux-1';
  for (const end = Date.now() + 5000; ;) {
    const reply = await fetch(`${machine}/runCommands?api-version=2024-11-01`, { headers: by });
    const names = (await reply.json()).value.map(({ name }) => name);
    if (names.length === 0 || Date.now() > end) return names;
    await delay(20); // a DELETE takes its time
  }
}

const until = async (isTime) => {
  for (const end = Date.now() + 10_000; !isTime();) {
    if (Date.now() > end) throw new Error('it did not come to that');
    await delay(5);
  }
};

describe('managed', AT_ONCE, () => {
  const CODES = [['success', 'exit 0', [], 0, '0'], ['a failure', 'exit 3', [], 1, '3'], ['passed through', 'exit 255', ['--exit-code', 'remote'], 255, '255']];
  for (const [name, script, args, code, remote] of CODES) {
    test(`the exit code is true, and the run command is deleted: ${name}`, async (t) => {
      const azure = await azureFor(t);
      const outputs = join(folder(t), 'outputs');
      const result = await managed(azure, ['--scripts', `echo out; echo err >&2; ${script}`, ...args], { env: { GITHUB_OUTPUT: outputs } });
      assert.equal(result.code, code, result.stderr);
      assert.deepEqual([result.stdout, scriptErrors(result)], ['out\n', 'err\n']);
      const told = readOutputs(outputs);
      assert.deepEqual([told.exit_code, told.stdout, told.stderr], [remote, 'out\n', 'err\n']);
      assert.deepEqual(await left(azure), []);
      assert.deepEqual(azure.runs.map(({ kind, asyncExecution }) => [kind, asyncExecution]), [['managed', true]]);
    });
  }

  test('output comes while the script runs, on both streams', async (t) => {
    const azure = await azureFor(t, { updateMs: 50 });
    const seen = [];
    const onStart = (child) => {
      for (const name of ['stdout', 'stderr']) child[name].on('data', (data) => seen.push([name, String(data), performance.now()]));
    };
    const result = await managed(azure, ['--scripts', 'echo one; echo two >&2; sleep .6; echo three'], { onStart });
    const ended = performance.now();
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual([result.stdout, scriptErrors(result)], ['one\nthree\n', 'two\n']);
    const at = (text) => seen.find(([, data]) => data.includes(text))[2];
    assert.ok(at('three') - at('one') > 300, `${at('three') - at('one')} ms apart`);
    assert.ok(at('three') - at('two') > 300);
    assert.ok(ended - at('one') > 300);
  });

  test('what was shown already is not shown again, also when the tail moves on', async (t) => {
    const azure = await azureFor(t, { updateMs: 30 });
    const script = 'i=0; while [ $i -lt 30 ]; do printf "line %04d %0300d\\n" $i 0; i=$((i+1)); sleep .02; done';
    const result = await managed(azure, ['--scripts', script]);
    assert.equal(result.code, 0, result.stderr);
    const numbers = result.stdout.match(/line \d{4}/g).map((word) => Number(word.slice(5)));
    assert.deepEqual(numbers, [...Array(30).keys()]);
    assert.doesNotMatch(result.stderr, /missing/);
  });

  test('where more is written than Azure keeps, the gap is named', async (t) => {
    const azure = await azureFor(t, { updateMs: 50 });
    const outputs = join(folder(t), 'outputs');
    const burst = file(t, 'burst', Array.from({ length: 900 }, (_, i) => `line ${1000 + i}\n`).join('')); // its tail begins with digits
    const result = await managed(azure, ['--scripts', `echo first; sleep .3; cat ${burst}`], { env: { GITHUB_OUTPUT: outputs } });
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /^first\n/);
    assert.match(result.stdout, /line 1899\n$/);
    assert.match(ownLines(result).join('\n'), /more was written to standard output than Azure keeps: a part is missing here/);
    assert.equal(JSON.parse(readOutputs(outputs).results)['linux-1'].stdout_cut, true);
  });

  test('several machines: each line has its machine, also when it came in two parts', async (t) => {
    const azure = await azureFor(t, { vms: ['a', 'b'], updateMs: 50 });
    const result = await azureRun(azure, ['--all', '--managed', '--scripts', 'printf "begin "; sleep .3; echo end; printf last']);
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(result.stdout.split('\n').toSorted(), ['', 'a: begin end', 'a: last', 'b: begin end', 'b: last']);
  });

  test('arguments, parameters and a first line of its own', async (t) => {
    const script = '#!/bin/sh -e\necho "$A|$1|$2|$3"';
    const result = await managed(await azureFor(t), ['--scripts', script, '--parameters', 'A=x "y"', '--', '$HOME', '']);
    assert.equal(result.code, 0, result.stderr);
    assert.equal(result.stdout, 'x "y"|x "y"|$HOME|\n');
  });

  test('--run-as and its password reach Azure, and the password nothing else', async (t) => {
    const azure = await azureFor(t);
    const result = await managed(azure, ['--scripts', 'true', '--run-as', 'deploy'], { env: { AZURE_RUN_AS_PASSWORD: 'pass-word-1' } });
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual([azure.runs[0].runAsUser, azure.runs[0].runAsPassword], ['deploy', 'pass-word-1']);
    assert.ok(!(result.stdout + result.stderr).includes('pass-word-1'));
  });

  test('an instance of a scale set', async (t) => {
    const azure = await azureFor(t, { scaleSets: [{ name: 'set', instances: ['3'] }] });
    const result = await azureRun(azure, ['--vmss', 'set', '--managed', '--scripts', 'echo hi; exit 2', '--exit-code', 'remote']);
    assert.deepEqual([result.code, result.stdout], [2, 'hi\n'], result.stderr);
  });

  for (const signal of ['SIGINT', 'SIGTERM']) {
    test(`${signal} ends the script and deletes the run command: 130`, async (t) => {
      const azure = await azureFor(t);
      const mark = join(folder(t), 'mark');
      let child;
      const running = managed(azure, ['--scripts', `sleep 1; echo x > ${mark}`], { onStart: (started) => { child = started; } });
      await until(() => requestsOf(azure, 'GET').length > 0);
      const began = performance.now();
      child.kill(signal);
      const result = await running;
      assert.equal(result.code, 130, result.stderr);
      assert.ok(performance.now() - began < 5000);
      assert.equal(requestsOf(azure, 'DELETE').length, 1);
      assert.deepEqual(await left(azure), []);
      assert.equal(attachToken(result), undefined, 'nothing is left to follow');
      await delay(Math.max(0, 1100 - (performance.now() - began)));
      assert.equal(existsSync(mark), false, 'the script went on');
    });
  }

  test('a stop while Azure does not delete the run command ends all the same, and names it: 130', async (t) => {
    const azure = await azureFor(t);
    azure.fail({ kind: 'hang', on: 'managed-delete' });
    let child;
    const running = managed(azure, ['--scripts', 'sleep 1'], { onStart: (started) => { child = started; } });
    await until(() => requestsOf(azure, 'GET').length > 0);
    const began = performance.now();
    child.kill('SIGINT');
    const result = await running;
    assert.equal(result.code, 130, result.stderr);
    assert.ok(performance.now() - began < 15_000);
    assert.match(result.stderr, /linux-1: the run command opsbelt-[0-9a-f]{16} (may be|is) left on the machine/);
  });

  test('a stop of two managed ones tells both as unfinished, and deletes both', async (t) => {
    const azure = await azureFor(t, { vms: ['linux-1', 'linux-2'] });
    let child;
    const running = azureRun(azure, ['--all', '--managed', '--json', '--scripts', 'sleep 3'], { onStart: (started) => { child = started; } });
    await until(() => requestsOf(azure, 'GET').length > 3);
    child.kill('SIGINT');
    const result = await running;
    assert.equal(result.code, 130, result.stderr);
    assert.deepEqual(Object.values(JSON.parse(result.stdout)).map(({ outcome, error, attach_token }) => [outcome, error, attach_token]),
      Array(2).fill(['unfinished', 'interrupted', undefined]));
    assert.equal(requestsOf(azure, 'DELETE').length, 2);
  });

  test('--timeout ends the script: 75', async (t) => {
    const azure = await azureFor(t);
    const mark = join(folder(t), 'mark');
    const result = await managed(azure, ['--timeout', '1500ms', '--scripts', `echo begun; sleep 3; echo x > ${mark}`]);
    assert.equal(result.code, 75, result.stderr);
    assert.match(ownLines(result).at(-1), /linux-1: not over after 1500 ms \(--timeout\)$/);
    assert.equal(attachToken(result), undefined, 'nothing is left to follow');
    assert.deepEqual(await left(azure), []);
    await delay(3000);
    assert.equal(existsSync(mark), false, 'the script went on');
  });

  test('--detach leaves it running; --attach follows it to its end and deletes it', async (t) => {
    const azure = await azureFor(t, { updateMs: 50 });
    const detached = await managed(azure, ['--detach', '--scripts', 'sleep .3; echo late; exit 6']);
    assert.equal(detached.code, 0, detached.stderr);
    assert.equal(requestsOf(azure, 'DELETE').length, 0);
    const followed = await azureRun(azure, ['--attach', detached.stdout.trim(), '--exit-code', 'remote']);
    assert.deepEqual([followed.code, followed.stdout], [6, 'late\n'], followed.stderr);
    assert.deepEqual(await left(azure), []);
    assert.equal(azure.runs.length, 1);
  });

  const LOST = [
    ['reset-after-body, though it was taken', { kind: 'reset-after-body', accepted: true }],
    ['reset-in-reply', { kind: 'reset-in-reply' }],
    ['500, though it was taken', { kind: 'status', status: 500, accepted: true }],
  ];
  for (const [name, fault] of LOST) {
    test(`a start whose reply is lost is looked for, not sent again: ${name}`, async (t) => {
      const azure = await azureFor(t);
      azure.fail({ ...fault, on: 'managed-put' });
      const result = await managed(azure, ['--scripts', 'echo hello; exit 3']);
      assert.equal(result.code, 1, result.stderr);
      assert.equal(result.stdout, 'hello\n');
      assert.equal(azure.runs.length, 1);
      assert.equal(requestsOf(azure, 'PUT').length, 1);
      assert.deepEqual(await left(azure), []);
    });
  }

  test('a start that was lost and not taken is an error, and is not sent again: 75', async (t) => {
    const azure = await azureFor(t);
    azure.fail({ kind: 'status', status: 503, on: 'managed-put' });
    const result = await managed(azure, ['--scripts', 'true']);
    assert.equal(result.code, 75, result.stderr);
    assert.match(errorLine(result), /ServiceUnavailable/);
    assert.equal(azure.runs.length, 0);
  });

  test('faults while it is followed or deleted are waited out', async (t) => {
    const azure = await azureFor(t);
    const headers = { 'retry-after-ms': '20' };
    for (const on of ['managed-get', 'managed-delete']) azure.fail({ kind: 'status', status: 503, on, headers });
    azure.fail({ kind: 'status', status: 401, on: 'managed-get' });
    const result = await managed(azure, ['--scripts', 'echo hello; exit 3']);
    assert.equal(result.code, 1, result.stderr);
    assert.equal(result.stdout, 'hello\n');
    assert.deepEqual(await left(azure), []);
  });

  test('a run command that can\'t be deleted is named, and the script\'s answer stands', async (t) => {
    const azure = await azureFor(t);
    azure.fail({ kind: 'status', status: 403, on: 'managed-delete' });
    const result = await managed(azure, ['--scripts', 'exit 3']);
    assert.equal(result.code, 1, result.stderr);
    assert.match(result.stderr, /the run command opsbelt-[0-9a-f]{16} is left on the machine: Azure did not delete the run command/);
  });

  test('more than 25 at a machine are refused in Azure\'s words: 69', async (t) => {
    const azure = await azureFor(t, { operationMs: 0 });
    const start = () => managed(azure, ['--detach', '--scripts', 'sleep 2']);
    for (let i = 0; i < 5; i += 1) {
      const all = await Promise.all([start(), start(), start(), start(), start()]);
      assert.deepEqual(all.map(({ code }) => code), Array(5).fill(0));
    }
    const result = await managed(azure, ['--scripts', 'true']);
    assert.equal(result.code, 69, result.stderr);
    assert.match(errorLine(result), /The maximum number of managed Run commands \(max=25, current=25\) has been exceeded/);
    assert.equal(azure.runs.length, 25);
  });

  test('a stopped machine: 69', async (t) => {
    const azure = await azureFor(t, { vms: [{ name: 'linux-1', powerState: 'stopped' }] });
    const result = await managed(azure, ['--scripts', 'true']);
    assert.equal(result.code, 69, result.stderr);
    assert.match(errorLine(result), /when the VM is not running/);
  });

  test('who may not is told: 77', async (t) => {
    const azure = await azureFor(t, { roles: { vm: ['*/read'], resourceGroup: [] } });
    const result = await managed(azure, ['--scripts', 'true']);
    assert.equal(result.code, 77, result.stderr);
    assert.match(errorLine(result), /'Microsoft\.Compute\/virtualMachines\/runCommands\/write'/);
  });

  test('a role on the machine alone is enough', async (t) => {
    const azure = await azureFor(t, { roles: { vm: ['*'], resourceGroup: [] } });
    const result = await managed(azure, ['--scripts', 'exit 3']);
    assert.equal(result.code, 1, result.stderr);
  });
});

test('live output that comes in two parts is no workflow command either', async (t) => {
  const scripts = ["printf ':'; sleep .3; echo ':error::x'", "printf '##'; sleep .3; echo '[error]x'", "printf ' :' >&2; sleep .3; echo ':error::x' >&2"];
  for (const script of scripts) {
    const azure = await azureFor(t, { updateMs: 30 });
    const result = await managed(azure, ['--scripts', script], { env: { GITHUB_ACTIONS: 'true' } });
    assert.equal(result.code, 0, result.stderr);
    const names = [result.stdout, result.stderr].flatMap((text) => readLog(text).commands.map(({ name }) => name));
    assert.ok(!names.includes('error'), script);
  }
});

test('a token that is renewed behind an open line of the script is masked all the same', async (t) => {
  const azure = await azureFor(t, { updateMs: 30 });
  const running = managed(azure, ['--scripts', 'printf "step 1 of 2: " >&2; sleep .6; echo done >&2'], { env: { GITHUB_ACTIONS: 'true' } });
  await until(() => requestsOf(azure, 'GET').length > 8);
  azure.expireTokens();
  const result = await running;
  assert.equal(result.code, 0, result.stderr);
  assert.equal(azure.tokens.length, 2);
  const { commands, lines } = readLog(result.stderr);
  const masked = commands.filter(({ name }) => name === 'add-mask').map(({ data }) => data);
  for (const { token } of azure.tokens) {
    assert.ok(masked.includes(token), 'the runner is not told of a token');
    assert.ok(!lines.some((line) => line.includes(token)), 'a token stands in the log');
  }
});

test('a gap is named also when the new tail begins with the byte that the old one ended with', async (t) => {
  const azure = await azureFor(t, { updateMs: 50 });
  // 4,096 is 455 lines of 9 bytes and a line break: the tail begins with that.
  const burst = file(t, 'burst', Array.from({ length: 900 }, (_, i) => `line ${100 + i % 900}\n`).join(''));
  const result = await managed(azure, ['--scripts', `echo first; sleep .3; cat ${burst}`, '--json']);
  assert.equal(result.code, 0, result.stderr);
  const { stdout, stdout_cut } = JSON.parse(result.stdout)['linux-1'];
  assert.ok(stdout.length < 8106, 'all of it came');
  assert.match(ownLines(result).join('\n'), /a part is missing here/);
  assert.equal(stdout_cut, true);
});

test('a managed run command that is gone is told as such, and not offered to follow: 66', async (t) => {
  const azure = await azureFor(t);
  azure.fail({ kind: 'status', status: 404, on: 'managed-get' });
  const result = await managed(azure, ['--scripts', 'sleep .2']);
  assert.equal(result.code, 66, result.stderr);
  assert.doesNotMatch(result.stderr, /check --subscription, --resource-group and --name/);
  assert.equal(attachToken(result), undefined, 'there is nothing to follow');
});

test('of a script that was ended it is said where its text may be left', async (t) => {
  const azure = await azureFor(t);
  const result = await managed(azure, ['--timeout', '200ms', '--scripts', 'echo PASSWORD=x; sleep .8']);
  assert.equal(result.code, 75, result.stderr);
  const [, kept] = /w_dir=(\S+)/.exec(azure.runs[0].script);
  assert.ok(ownLines(result)[0].endsWith(`linux-1: the script's text may be left on the machine in ${kept}`), result.stderr);
});
