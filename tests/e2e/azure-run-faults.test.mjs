// azure-run when Azure does not go along: refusals, rate limits, lost replies, odd replies, expired tokens; and when it
// is stopped, detached or attached again. A script is never started twice.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  answering, attachToken, azureRun, envOf, followWords, onLinux, ownLines, polls, scriptErrors, starts, vmNames,
} from './azure.mjs';
import { azureFor, closedPort, errorLine, file, folder, readOutputs, run } from './support.mjs';

const AT_ONCE = { concurrency: 24 }; // most of them wait
const SOON = { 'retry-after-ms': '20' };
const HELLO = ['--scripts', 'echo hello; exit 3'];
const tokensAsked = (azure) => azure.requests.filter(({ path }) => path.endsWith('/token'));
const status = (on, code, more = {}) => ({ kind: 'status', on, status: code, ...more });

// The script ran once, and its answer is told.
function answered(azure, result) {
  assert.equal(result.code, 1, result.stderr);
  assert.equal(result.stdout, 'hello\n');
  assert.equal(azure.runs.length, 1, 'scripts started');
}

// --- Waited out ---

const HARMLESS = [
  ['token', 429], ['token', 503], ['token', 500], ['vm', 429], ['vm', 500], ['vm', 502], ['vm', 503], ['vm', 504], ['vm', 408],
  ['poll', 429], ['poll', 500], ['poll', 502], ['poll', 503], ['poll', 504], ['poll', 408],
];
describe('what may be asked again is asked again, and the script runs once', AT_ONCE, () => {
  for (const [on, code] of HARMLESS) {
    test(`${code} for ${on}`, async (t) => {
      const azure = await azureFor(t);
      for (let i = 0; i < 2; i += 1) azure.fail(status(on, code, { headers: SOON }));
      const result = await onLinux(azure, HELLO);
      answered(azure, result);
      assert.match(ownLines(result)[0], new RegExp(`HTTP ${code}.*; next attempt in 1 s`));
    });
  }

  const LOST = ['reset-before-body', 'reset-after-body', 'reset-in-reply', 'truncated-json', 'html'];
  for (const kind of LOST) {
    for (const on of ['vm', 'poll']) {
      test(`${kind} for ${on}`, async (t) => {
        const azure = await azureFor(t);
        azure.fail({ kind, on });
        answered(azure, await onLinux(azure, HELLO));
      });
    }
  }

  test('several faults one after the other', async (t) => {
    const azure = await azureFor(t);
    azure.fail({ kind: 'truncated-json', on: 'poll' });
    for (const code of [500, 429, 503]) azure.fail(status('poll', code, { headers: SOON }));
    answered(azure, await onLinux(azure, HELLO));
  });

  test('what fails in the list of machines is asked again, too', async (t) => {
    const azure = await azureFor(t, { vms: ['linux-1'] });
    azure.fail(status('list', 503, { headers: SOON }));
    answered(azure, await azureRun(azure, ['--all', ...HELLO]));
  });

  test('a budget that is spent: 75, with Azure\'s words and the way to follow the script', async (t) => {
    const azure = await azureFor(t);
    azure.fail(status('poll', 503));
    const result = await onLinux(azure, [...HELLO, '--retry-budget', '0']);
    assert.equal(result.code, 75, result.stderr);
    assert.match(result.stderr, /Azure did not tell how the script goes: ServiceUnavailable: .* \(HTTP 503\)/);
    assert.ok(attachToken(result));
  });

  test('nobody there: 69, and the script is not started', async (t) => {
    const azure = await azureFor(t);
    const nobody = `http://127.0.0.1:${await closedPort()}`;
    const result = await onLinux(azure, ['--authority', nobody, ...HELLO, '--retry-budget', '0']);
    assert.equal(result.code, 69, result.stderr);
    assert.match(errorLine(result), /127\.0\.0\.1/);
    assert.equal(azure.runs.length, 0);
  });
});

// --- How long ---

const WAITS = [
  ['seconds', { 'retry-after': '1' }, 1000],
  ['an HTTP date', () => ({ 'retry-after': new Date(Date.now() + 2000).toUTCString() }), 900],
  ['retry-after-ms', { 'retry-after-ms': '300' }, 300],
  ['x-ms-retry-after-ms', { 'x-ms-retry-after-ms': '300' }, 300],
  ['retry-after-ms before Retry-After', { 'retry-after-ms': '300', 'retry-after': '9' }, 300],
  ['no header', {}, 1000],
];
describe('a 429 says how long, and that is kept', AT_ONCE, () => {
  for (const [name, headers, least_ms] of WAITS) {
    for (const on of ['runCommand', 'poll', 'token']) {
      test(`${name}, for ${on}`, async (t) => {
        const azure = await azureFor(t);
        azure.fail(status(on, 429, { headers: typeof headers === 'function' ? headers() : headers }));
        answered(azure, await onLinux(azure, HELLO));
        const which = { runCommand: starts, poll: polls, token: tokensAsked }[on](azure);
        const waited_ms = which[1].at_ms - which[0].at_ms;
        assert.ok(waited_ms >= least_ms - 5, `${waited_ms} ms`);
        assert.ok(waited_ms < least_ms + 3000, `${waited_ms} ms`);
      });
    }
  }

  test('Retry-After of a 202 and of a running operation', async (t) => {
    const azure = await azureFor(t, { retryAfter: 1 });
    const result = await onLinux(azure, ['--scripts', 'sleep 1.2']);
    assert.equal(result.code, 0, result.stderr);
    const times = [starts(azure)[0], ...polls(azure)].map(({ at_ms }) => at_ms);
    assert.equal(times.length, 3, 'polls');
    for (const [i, time] of times.slice(1).entries()) assert.ok(time - times[i] >= 995, `${time - times[i]} ms`);
  });

  test('a wait longer than the budget is not begun', async (t) => {
    const azure = await azureFor(t);
    azure.fail(status('runCommand', 429, { headers: { 'retry-after': '600' } }));
    const result = await onLinux(azure, [...HELLO, '--retry-budget', '5']);
    assert.equal(result.code, 75, result.stderr);
    assert.match(errorLine(result), /Azure did not start the script: TooManyRequests: .*\(HTTP 429\); run on fewer machines at a time/);
    assert.equal(azure.runs.length, 0);
  });
});

// --- A start is never sent twice ---

const UNCLEAR = [
  ...[500, 502, 503, 504].flatMap((code) => [[`${code}`, status('runCommand', code)], [`${code}, though it was taken`, status('runCommand', code, { accepted: true })]]),
  ['reset-after-body', { kind: 'reset-after-body', on: 'runCommand' }],
  ['reset-after-body, though it was taken', { kind: 'reset-after-body', on: 'runCommand', accepted: true }],
  ['reset-in-reply', { kind: 'reset-in-reply', on: 'runCommand' }, 76],
  ['reset-before-body', { kind: 'reset-before-body', on: 'runCommand' }],
];
describe('a start whose fate is unclear is not sent again, and it says so', AT_ONCE, () => {
  for (const [name, fault, code = 75] of UNCLEAR) {
    test(`${name}: ${code}`, async (t) => {
      const azure = await azureFor(t);
      azure.fail(fault);
      const result = await onLinux(azure, HELLO);
      assert.equal(result.code, code, result.stderr);
      assert.equal(starts(azure).length, 1, 'sent');
      assert.ok(azure.runs.length <= 1);
      assert.equal(attachToken(result), undefined, 'there is nothing to follow');
      assert.match(errorLine(result), /the script may be running: look before you run it again|it may have been done: look before you send it again/);
    });
  }

  const FAULTS = [status('runCommand', 500), status('runCommand', 408, { accepted: true }), { kind: 'reset-after-body', on: 'runCommand' }];
  for (const fault of FAULTS) {
    test(`its outcome is unfinished, without a token: ${fault.status ?? fault.kind}`, async (t) => {
      const azure = await azureFor(t);
      azure.fail(fault);
      const result = await onLinux(azure, [...HELLO, '--json']);
      assert.equal(result.code, 75, result.stderr);
      const { outcome, exit_code, attach_token } = JSON.parse(result.stdout)['linux-1'];
      assert.deepEqual([outcome, exit_code, attach_token], ['unfinished', null, undefined]);
      assert.equal(starts(azure).length, 1);
    });
  }

  test('of many machines only the one is in doubt', async (t) => {
    const azure = await azureFor(t, { vms: 5, run: answering(() => ({})) });
    azure.fail(status('runCommand', 500, { accepted: true }));
    const result = await azureRun(azure, ['--all', '--scripts', 'x']);
    assert.equal(result.code, 75);
    assert.equal(azure.runs.length, 5);
    assert.match(result.stderr, /\n5 machines: 4 succeeded, 1 unfinished\n$/);
  });

  test('a lost start of a run that fetches output loses no exit code', async (t) => {
    const azure = await azureFor(t);
    const onStart = () => {};
    const script = 'head -c 9000 /dev/urandom | base64 -w0; exit 4';
    const run = azureRun(azure, ['-n', 'linux-1', '--full-output', '--scripts', script], { onStart });
    while (starts(azure).length < 1) await delay(5);
    azure.fail(status('runCommand', 500));
    const result = await run;
    assert.equal(result.code, 1, result.stderr);
    assert.match(result.stderr, /the rest of the output was not fetched: .*HTTP 500/);
    assert.match(result.stderr, /linux-1: exit code 4 after/);
  });
});

// --- Tokens ---

describe('tokens', AT_ONCE, () => {
  test('one that expires while the script runs is renewed once', async (t) => {
    const azure = await azureFor(t);
    const result = onLinux(azure, ['--scripts', 'sleep .5; echo hello; exit 3']);
    while (polls(azure).length === 0) await delay(5);
    azure.expireTokens();
    answered(azure, await result);
    assert.equal(azure.tokens.length, 2);
  });

  test('those that live a second only are renewed before they expire', async (t) => {
    const azure = await azureFor(t, { tokenSeconds: 1 });
    answered(azure, await onLinux(azure, ['--scripts', 'sleep 1.3; echo hello; exit 3']));
    assert.ok(azure.tokens.length >= 2);
  });

  for (const on of ['vm', 'runCommand', 'poll']) {
    test(`a 401 for ${on} is answered by a new token, once`, async (t) => {
      const azure = await azureFor(t);
      azure.fail(status(on, 401));
      answered(azure, await onLinux(azure, HELLO));
      assert.equal(azure.tokens.length, 2);
    });

    test(`always 401 for ${on}: 77, and no endless loop`, async (t) => {
      const azure = await azureFor(t);
      for (let i = 0; i < 2; i += 1) azure.fail(status(on, 401));
      const result = await onLinux(azure, HELLO);
      assert.equal(result.code, 77, result.stderr);
      assert.match(result.stderr, /InvalidAuthenticationToken: .* \(HTTP 401\); sign in as somebody of this tenant/);
      assert.equal(azure.tokens.length, 2);
      assert.equal(azure.runs.length, on === 'poll' ? 1 : 0);
    });
  }

  test('500 machines whose token expires at once sign in few times', async (t) => {
    const azure = await azureFor(t, { vms: 60, operationMs: 100, run: answering(() => ({})) });
    const result = azureRun(azure, ['--all', '--scripts', 'x']);
    while (polls(azure).length < 20) await delay(2);
    azure.expireTokens();
    const { code, stderr } = await result;
    assert.equal(code, 0, stderr);
    assert.ok(azure.tokens.length <= 3, `${azure.tokens.length} tokens`);
  });
});

describe('refused', AT_ONCE, () => {
  const VM_ROLE_ONLY = { vm: ['*'], resourceGroup: [] };

  test('who may not start scripts is told which role is missing where: 77', async (t) => {
    const azure = await azureFor(t, { roles: { vm: ['Microsoft.Compute/*/read'], resourceGroup: [] } });
    const result = await onLinux(azure, HELLO);
    assert.equal(result.code, 77);
    const line = errorLine(result);
    assert.match(line, /Azure did not start the script: AuthorizationFailed: .*'Microsoft\.Compute\/virtualMachines\/runCommand\/action' over scope '\/subscriptions\/.*\/linux-1'/);
    assert.match(line, /give the role Virtual Machine Contributor on the resource group/);
    assert.equal(azure.runs.length, 0);
  });

  test('with the role on the machine alone it starts, is not followed, says why, and is not started twice', async (t) => {
    const azure = await azureFor(t, { roles: VM_ROLE_ONLY });
    const result = await onLinux(azure, HELLO);
    assert.equal(result.code, 77);
    assert.match(result.stderr, /Azure did not tell how the script goes: AuthorizationFailed/);
    assert.match(result.stderr, /on the resource group to who signs in \(on the machine alone it can start a script, but not follow it\)/);
    assert.ok(attachToken(result), result.stderr);
    assert.equal(azure.runs.length, 1);
  });

  const GONE = [
    ['a machine', ['-n', 'gone', '--shell', 'sh'], /ResourceNotFound: .*gone.* \(HTTP 404\); check --subscription, --resource-group and --name/],
    ['a resource group', ['-n', 'linux-1', '-g', 'gone'], /ResourceGroupNotFound: .*'gone'/],
    ['a subscription', ['-n', 'linux-1', '--subscription', '99999999-1111-4222-8333-444444444444'], /SubscriptionNotFound: .*; check --subscription$/],
    ['an instance', ['--vmss', 'set', '--instance-id', '7'], /ResourceNotFound/],
  ];
  for (const [name, args, line] of GONE) {
    test(`${name} that is not there: 66`, async (t) => {
      const azure = await azureFor(t);
      const result = await azureRun(azure, [...args, ...HELLO]);
      assert.equal(result.code, 66, result.stderr);
      assert.match(errorLine(result), line);
      assert.equal(azure.runs.length, 0);
    });
  }

  test('an operation that Azure does not know any more is told as such, not as a wrong --name: 66', async (t) => {
    const azure = await azureFor(t);
    azure.fail({ kind: 'operation-not-found', on: 'poll' });
    const result = await onLinux(azure, HELLO);
    assert.equal(result.code, 66);
    assert.match(errorLine(result), /linux-1: Azure no longer knows the run; look on the machine what became of it$/);
    assert.equal(azure.runs.length, 1);
  });

  for (const powerState of ['stopped', 'deallocated', 'starting']) {
    test(`a machine that is ${powerState} is not waited for: 69`, async (t) => {
      const azure = await azureFor(t, { vms: [{ name: 'linux-1', powerState }] });
      const result = await onLinux(azure, HELLO);
      assert.equal(result.code, 69);
      assert.match(errorLine(result), /requires the VM to be running .* \(HTTP 409\); start the machine first/);
      assert.equal(starts(azure).length, 1);
    });
  }

  test('a script for the other system: 65, and how to have the machine asked', async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, [...HELLO, '--shell', 'powershell']);
    assert.equal(result.code, 65, result.stderr);
    assert.match(errorLine(result), /is Linux\. \(HTTP 400\); without --shell and --command-id the machine is asked what it runs$/);
  });

  test('the same under the code Conflict is known by its words', async (t) => {
    const azure = await azureFor(t);
    const body = { error: { code: 'Conflict', message: 'Cannot do it; this requires the VM to be running (or set to run).' } };
    azure.fail(status('runCommand', 409, { body }));
    const result = await onLinux(azure, HELLO);
    assert.equal(result.code, 69);
    assert.equal(starts(azure).length, 1);
  });
});

// A script that goes on until it is released.
function heldScript(t) {
  const path = join(folder(t), 'released');
  return { script: `until [ -e ${path} ]; do sleep .02; done`, release: () => writeFileSync(path, '') };
}

describe('another script on the machine', AT_ONCE, () => {
  test('another script on the machine is waited for', async (t) => {
    const azure = await azureFor(t);
    const held = heldScript(t);
    const first = onLinux(azure, ['--scripts', `${held.script}; echo first`]);
    while (azure.runs.length === 0) await delay(5);
    const waits = onLinux(azure, HELLO);
    while (starts(azure).length < 2) await delay(5);
    held.release();
    const second = await waits;
    assert.equal(second.code, 1, second.stderr);
    assert.equal(second.stdout, 'hello\n');
    assert.equal((await first).stdout, 'first\n');
    assert.equal(azure.runs.length, 2);
    assert.equal(ownLines(second).filter((line) => line.includes('another script runs there; waiting for its end')).length, 1);
  });

  test('no longer than --wait-conflict: 69, with Azure\'s words', async (t) => {
    const azure = await azureFor(t);
    const held = heldScript(t);
    const first = onLinux(azure, ['--scripts', held.script]);
    while (azure.runs.length === 0) await delay(5);
    for (const [wait, waited] of [['0s', '0 s'], ['150ms', '\\d+ ms']]) {
      const result = await onLinux(azure, [...HELLO, '--wait-conflict', wait]);
      assert.equal(result.code, 69, result.stderr);
      assert.match(result.stderr, new RegExp(`Run command extension execution is in progress\\. .*; waited ${waited} for it \\(--wait-conflict\\)`));
    }
    held.release();
    await first;
    assert.equal(azure.runs.length, 1);
  });
});

describe('odd replies', AT_ONCE, () => {
  const SHAPES = [
    ['only Azure-AsyncOperation', {}, { kind: 'only-async' }],
    ['only Location', {}, { kind: 'only-location' }],
    ['status words in odd case', {}, { kind: 'odd-case', on: 'runCommand' }],
    ['addresses of 6 KB', { longUrls: true }],
    ['addresses of 6 KB, only Location', { longUrls: true }, { kind: 'only-location' }],
    ['a result that is a bare array', { resultShape: 'array' }],
  ];
  for (const [name, options, fault] of SHAPES) {
    test(`Azure may say it otherwise: ${name}`, async (t) => {
      const azure = await azureFor(t, options);
      if (fault) azure.fail(fault);
      answered(azure, await onLinux(azure, HELLO));
    });
  }

  test('a 202 without any address is an error, not an endless wait: 76', async (t) => {
    const azure = await azureFor(t);
    azure.fail({ kind: 'no-headers' });
    const result = await onLinux(azure, HELLO);
    assert.equal(result.code, 76);
    assert.match(errorLine(result), /tells no address to follow it; the script may be running: look before you run it again/);
    assert.equal(azure.runs.length, 1);
  });

  const ENDS = [
    ['failed', { kind: 'failed', on: 'runCommand' }, /ended as Failed: VMExtensionProvisioningError: VM has reported a failure/],
    ['failed, told by a poll', { kind: 'failed', on: 'poll', code: 'VMExtensionProvisioningTimeout', message: 'more than 90 minutes' }, /VMExtensionProvisioningTimeout: more than 90 minutes/],
    ['canceled', { kind: 'canceled', on: 'runCommand' }, /ended as Canceled: OperationCanceled/],
    ['Cancelled with two l', { kind: 'canceled', on: 'poll', status: 'Cancelled' }, /ended as Cancelled/],
  ];
  for (const [name, fault, line] of ENDS) {
    test(`an operation that ${name} is no answer of the script: 69, with its words`, async (t) => {
      const azure = await azureFor(t);
      azure.fail(fault);
      const result = await onLinux(azure, HELLO);
      assert.equal(result.code, 69, result.stderr);
      assert.match(errorLine(result), line);
      assert.equal(result.stdout, '');
    });
  }

  test('the token goes to no other host than Azure\'s: 76', async (t) => {
    const asked = [];
    const thief = http.createServer((req, res) => {
      asked.push(req.headers);
      res.end('{}');
    }).listen(0, '127.0.0.1');
    t.after(() => thief.close());
    await once(thief, 'listening');
    const azure = await azureFor(t);
    azure.fail({ kind: 'foreign-poll-host', origin: `http://127.0.0.1:${thief.address().port}` });
    const result = await onLinux(azure, HELLO);
    assert.equal(result.code, 76);
    assert.match(errorLine(result), /no token is sent there; the script may be running/);
    assert.deepEqual(asked, []);
  });

  test('a nextLink to another host is not followed: 76', async (t) => {
    const azure = await azureFor(t);
    azure.fail(status('list', 200, { body: { value: [], nextLink: 'http://127.0.0.1:1/x' } }));
    const result = await azureRun(azure, ['--all', ...HELLO]);
    assert.equal(result.code, 76);
    assert.match(errorLine(result), /goes on at another host; no token is sent there/);
  });

  const SENSELESS = [
    ['a machine without an id', 'vm', { name: 'linux-1' }, /without a usable id/],
    ['a machine of no system', 'vm', { id: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v' }, /does not tell the machine's system; say --shell/],
    ['an operation of no state', 'poll', { name: 'x' }, /does not tell the state of the operation/],
    ['a list that is none', 'list', { value: 7 }, /list of machines has no "value"/],
    ['a result of another kind', 'poll', { status: 'Succeeded', properties: { output: 'x' } }, /not what came of it/],
  ];
  for (const [name, on, body, line] of SENSELESS) {
    test(`a reply that makes no sense is told as such: ${name}: 76`, async (t) => {
      const azure = await azureFor(t);
      azure.fail(status(on, 200, { body }));
      const result = await azureRun(azure, [...(on === 'list' ? ['--all'] : ['-n', 'linux-1']), ...HELLO]);
      assert.equal(result.code, 76, result.stderr);
      assert.match(result.stderr, line);
    });
  }
});

// --- Stopped, left, found again ---

// The results that --output json or jsonl prints, in their order.
const resultsOf = ({ stdout }, output) =>
  (output === 'json' ? Object.values(JSON.parse(stdout)) : stdout.trimEnd().split('\n').map((line) => JSON.parse(line)));

// Resolves with the run's result and how long it took to end after the signal.
async function stopped(azure, args, signal, isTime, options = {}) {
  let child;
  const onStart = (started) => {
    child = started;
    options.onStart?.(started);
  };
  const running = azureRun(azure, args, { ...options, onStart });
  for (const end = Date.now() + 10_000; !isTime();) {
    if (Date.now() > end) throw new Error('it did not come to that');
    await delay(5);
  }
  const began = performance.now();
  child.kill(signal);
  const result = await running;
  return { ...result, took_ms: performance.now() - began };
}

describe('stopped and followed again', AT_ONCE, () => {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    test(`${signal} leaves the script running, ends at once, and says how to follow it: 130`, async (t) => {
      const azure = await azureFor(t);
      const result = await stopped(azure, ['-n', 'linux-1', '--scripts', 'sleep .6; echo hello; echo e >&2; exit 3'], signal,
        () => polls(azure).length > 0);
      assert.deepEqual([result.code, result.signal, result.stdout], [130, null, ''], result.stderr);
      assert.ok(result.took_ms < 5000, `${result.took_ms} ms`);
      assert.match(ownLines(result)[0], /linux-1: interrupted; the script goes on$/);
      const followed = await azureRun(azure, ['--attach', attachToken(result), '--exit-code', 'remote']);
      assert.deepEqual([followed.code, followed.stdout, scriptErrors(followed)], [3, 'hello\n', 'e\n'], followed.stderr);
      assert.equal(azure.runs.length, 1);
    });
  }

  test('a stop while a long wait is kept ends at once, too', async (t) => {
    const azure = await azureFor(t);
    azure.fail(status('poll', 429, { headers: { 'retry-after': '60' } }));
    const result = await stopped(azure, ['-n', 'linux-1', ...HELLO], 'SIGINT', () => polls(azure).length > 0);
    assert.equal(result.code, 130, result.stderr);
    assert.ok(result.took_ms < 5000, `${result.took_ms} ms`);
    assert.ok(attachToken(result));
  });

  test('a stop while Azure does not answer ends at once, too', async (t) => {
    const azure = await azureFor(t);
    azure.fail({ kind: 'hang', on: 'poll' });
    const result = await stopped(azure, ['-n', 'linux-1', ...HELLO], 'SIGINT', () => polls(azure).length > 0);
    assert.equal(result.code, 130, result.stderr);
    assert.ok(result.took_ms < 5000, `${result.took_ms} ms`);
    assert.ok(attachToken(result));
  });

  test('a stop while a start hangs is no reason to start again, and says that it may be running', async (t) => {
    const azure = await azureFor(t);
    azure.fail({ kind: 'hang', on: 'runCommand', accepted: true });
    let child;
    const running = azureRun(azure, ['-n', 'linux-1', ...HELLO], { onStart: (started) => { child = started; } });
    while (azure.runs.length === 0) await delay(5);
    child.kill('SIGINT');
    await delay(300);
    child.kill('SIGINT'); // the second stops even that
    const result = await Promise.race([running, delay(3000)]);
    if (!result) child.kill('SIGKILL');
    assert.ok(result, 'it does not end');
    assert.equal(starts(azure).length, 1);
    assert.notEqual(result.code, 0);
  });

  test('a stop while it signs in: 130, nothing is started', async (t) => {
    const azure = await azureFor(t);
    azure.fail({ kind: 'hang', on: 'token' });
    const result = await stopped(azure, ['-n', 'linux-1', ...HELLO], 'SIGTERM', () => azure.requests.length > 0);
    assert.equal(result.code, 130, result.stderr);
    assert.ok(result.took_ms < 5000, `${result.took_ms} ms`);
    assert.equal(azure.runs.length, 0);
  });

  for (const output of ['json', 'jsonl']) {
    test(`a stop of two, told as ${output}: both are unfinished, with a token each that works`, async (t) => {
      const azure = await azureFor(t, { vms: 2, run: answering(async (vm) => { await delay(4000); return { stdout: vm, exitCode: 3 }; }) });
      const result = await stopped(azure, ['--all', '--output', output, '--scripts', 'x'], 'SIGINT', () => polls(azure).length > 2);
      assert.equal(result.code, 130, result.stderr);
      const all = resultsOf(result, output);
      assert.deepEqual(all.map(({ name }) => name).toSorted(), vmNames(2));
      for (const { name, outcome, exit_code, error, attach_token } of all) {
        assert.deepEqual([outcome, exit_code, error], ['unfinished', null, 'interrupted; the script goes on']);
        const followed = await azureRun(azure, ['--attach', attach_token, '--exit-code', 'remote']);
        assert.deepEqual([followed.code, followed.stdout], [3, name], followed.stderr);
      }
      assert.equal(azure.runs.length, 2);
    });
  }

  test('a stop before all are begun tells those that run from those that do not', async (t) => {
    const azure = await azureFor(t, { vms: 3, run: answering(async () => { await delay(4000); return {}; }) });
    const result = await stopped(azure, ['--all', '--concurrency', '1', '--output', 'jsonl', '--scripts', 'x'], 'SIGTERM',
      () => polls(azure).length > 0);
    assert.equal(result.code, 130, result.stderr);
    assert.deepEqual(resultsOf(result, 'jsonl').map(({ outcome, attach_token }) => [outcome, typeof attach_token]),
      [['unfinished', 'string'], ['not run', 'undefined'], ['not run', 'undefined']]);
    assert.equal(starts(azure).length, 1);
  });

  test('a stop while nobody reads standard output ends in a few seconds, by itself: 130 or 74', async (t) => {
    const azure = await azureFor(t);
    const onStart = (child) => {
      child.stdout.pause();
      child.on('exit', () => child.stdout.resume());
    };
    let [count, since] = [0, 0];
    const isStuck = () => {
      if (polls(azure).length !== count) [count, since] = [polls(azure).length, performance.now()];
      return count > 0 && performance.now() - since > 300;
    };
    // More than any pipe holds, and well compressed.
    const result = await stopped(azure, ['-n', 'linux-1', '--scripts', "head -c 1000000 /dev/zero | tr '\\0' x"], 'SIGTERM', isStuck, { onStart });
    assert.equal(result.signal, null, 'killed');
    assert.ok([130, 74].includes(result.code), `${result.code}: ${result.stderr}`);
    assert.ok(result.took_ms < 7000, `${result.took_ms} ms`);
  });

  test('a stop among many tells of each, and one token follows all that run', async (t) => {
    const azure = await azureFor(t, { vms: 4, operationMs: 0, run: answering(async (vm) => {
      await delay(vm === 'vm-000' ? 0 : 4000);
      return { stdout: `${vm}\n` };
    }) });
    const result = await stopped(azure, ['--all', '--concurrency', '3', '--scripts', 'x'], 'SIGINT',
      () => azure.runs.length === 4);
    assert.equal(result.code, 130, result.stderr);
    assert.equal(result.stdout, 'vm-000: vm-000\n');
    const followed = await azureRun(azure, ['--attach', attachToken(result)]);
    assert.equal(followed.code, 0, followed.stderr);
    assert.deepEqual(followed.stdout.trimEnd().split('\n').toSorted(), vmNames(4).slice(1).map((vm) => `${vm}: ${vm}`));
    assert.equal(azure.runs.length, 4);
  });

  test('--timeout leaves the script running: 75, with the way to follow it', async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, ['--timeout', '400ms', '--scripts', 'sleep 1; echo hello; exit 3']);
    assert.equal(result.code, 75, result.stderr);
    assert.match(result.stderr, /linux-1: not over after 400 ms \(--timeout\)/);
    const followed = await azureRun(azure, ['--attach', attachToken(result)]);
    answered(azure, followed);
  });

  test('--detach prints the token alone, and as an output; standard input takes it back', async (t) => {
    const azure = await azureFor(t);
    const env = { GITHUB_OUTPUT: join(folder(t), 'outputs') };
    const result = await onLinux(azure, ['--detach', '--scripts', 'sleep .3; echo hello; exit 3'], { env });
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /^[\w-]+\n$/);
    assert.equal(polls(azure).length, 0);
    const outputs = readOutputs(env.GITHUB_OUTPUT);
    assert.deepEqual([outputs.ok, outputs.attach_token], ['true', result.stdout.trim()]);
    answered(azure, await azureRun(azure, ['--attach', '-'], { stdin: result.stdout }));
  });

  for (const output of ['json', 'jsonl']) {
    test(`--detach --output ${output}: each machine's token stands with its result, and works`, async (t) => {
      const azure = await azureFor(t, { vms: 2, run: answering((vm) => ({ stdout: vm })) });
      const result = await azureRun(azure, ['--all', '--detach', '--output', output, '--scripts', 'x']);
      assert.equal(result.code, 0, result.stderr);
      for (const { name, outcome, attach_token } of resultsOf(result, output)) {
        assert.equal(outcome, 'detached');
        const followed = await azureRun(azure, ['--attach', attach_token]);
        assert.deepEqual([followed.code, followed.stdout], [0, name], followed.stderr);
      }
    });
  }

  test('--no-wait is --detach', async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, ['--no-wait', '--scripts', 'echo hello; exit 3']);
    assert.equal(result.code, 0, result.stderr);
    assert.equal(polls(azure).length, 0);
    answered(azure, await azureRun(azure, ['--attach', result.stdout.trim()]));
  });

  test('--detach on many gives one token for all', async (t) => {
    const azure = await azureFor(t, { vms: 3, run: answering((vm) => ({ stdout: vm, exitCode: vm === 'vm-001' ? 5 : 0 })) });
    const { code, stdout } = await azureRun(azure, ['--all', '--detach', '--scripts', 'x']);
    assert.equal(code, 0);
    const followed = await azureRun(azure, ['--attach', stdout.trim(), '--json']);
    assert.equal(followed.code, 1, followed.stderr);
    assert.deepEqual(Object.values(JSON.parse(followed.stdout)).map(({ exit_code }) => exit_code), [0, 5, 0]);
    assert.equal(azure.runs.length, 3);
  });

  test('--detach --full-output brings all when it is attached', async (t) => {
    const azure = await azureFor(t, { operationMs: 0 });
    const text = Array.from({ length: 9000 }, () => 'abcdefghijklmnopqrstuvwxyz0123456789'[Math.floor(Math.random() * 36)]).join('');
    const path = file(t, 'text', text);
    const { stdout } = await onLinux(azure, ['--detach', '--full-output', '--scripts', `cat ${path}`]);
    const followed = await azureRun(azure, ['--attach', stdout.trim()]);
    assert.equal(followed.code, 0, followed.stderr);
    assert.equal(followed.stdout, text);
  });

  test('the token tells nothing that signs in', async (t) => {
    const azure = await azureFor(t);
    const { stdout } = await onLinux(azure, ['--detach', '--scripts', 'true']);
    const text = Buffer.from(stdout.trim(), 'base64url').toString();
    for (const secret of [azure.clientSecret, azure.tokens[0].token]) assert.ok(!text.includes(secret));
  });

  const TOKENS = [
    ['garbage', 'garbage!'], ['base64 of garbage', Buffer.from('garbage').toString('base64url')],
    ['an empty list', Buffer.from('[]').toString('base64url')], ['another list', Buffer.from('[{"id":"x"}]').toString('base64url')],
    ['half of one', 'W3siaWQiOiIvc3Vic2NyaXB0aW9ucy8wMDAw'],
  ];
  for (const [name, token] of TOKENS) {
    test(`a token that is none: ${name}: 65, before anything is asked`, async (t) => {
      const azure = await azureFor(t);
      for (const [given, stdin] of [[token, ''], [`@${file(t, 'token', token)}`, ''], ['-', token]]) {
        const result = await azureRun(azure, ['--attach', given], { stdin });
        assert.equal(result.code, 65);
        assert.match(errorLine(result), /the token to attach to can't be read; copy the whole line that --detach printed/);
      }
      assert.equal(azure.requests.length, 0);
    });
  }

  test('a managed script\'s token of another Azure is refused before it is followed: 65', async (t) => {
    const [azure, other] = [await azureFor(t), await azureFor(t)];
    const { stdout } = await onLinux(other, ['--managed', '--detach', '--scripts', 'true']);
    const result = await azureRun(azure, ['--attach', stdout.trim()]);
    assert.equal(result.code, 65, result.stderr);
    assert.ok(azure.requests.every(({ path }) => path.endsWith('/token')), 'more than a sign-in');
  });

  test('a token of another Azure is refused before it is followed: 65', async (t) => {
    const [azure, other] = [await azureFor(t), await azureFor(t)];
    const { stdout } = await onLinux(other, ['--detach', '--scripts', 'true']);
    const count = other.requests.length;
    const result = await azureRun(azure, ['--attach', stdout.trim()]);
    assert.equal(result.code, 65);
    const line = errorLine(result);
    for (const words of [`belongs to ${other.armUrl}, not to ${azure.armUrl}`, 'give --cloud or --arm-endpoint']) assert.ok(line.includes(words), line);
    assert.equal(other.requests.length, count);
    assert.ok(azure.requests.every(({ path }) => path.endsWith('/token')), 'more than a sign-in');
  });
});

test('standard output that is full: 74, whatever the script said', async (t) => {
  const azure = await azureFor(t);
  const result = await run(['-c', `exec "$0" azure-run --arm-endpoint ${azure.armUrl} --poll-interval 20ms -n linux-1 --scripts 'echo x' >/dev/full`,
    process.env.OPSBELT_BINARY ?? 'build/release/opsbelt'], { program: '/bin/sh', env: {
    PATH: process.env.PATH, AZURE_TENANT_ID: azure.tenant, AZURE_CLIENT_ID: azure.clientId, AZURE_CLIENT_SECRET: azure.clientSecret,
    AZURE_SUBSCRIPTION_ID: azure.subscription, AZURE_RESOURCE_GROUP: azure.resourceGroup, AZURE_AUTHORITY_HOST: azure.authorityUrl,
    AZURE_POD_IDENTITY_AUTHORITY_HOST: azure.imdsUrl,
  } });
  assert.equal(result.code, 74, result.stderr);
  assert.equal(azure.runs.length, 1);
});

describe('--full-output that fails half way', AT_ONCE, () => {
  const SCRIPTS = [['succeeded', '', 75, 0], ['failed', '; exit 4', 1, 4]];
  for (const [name, end, code, remote] of SCRIPTS) {
    test(`the result of a script that ${name} stays, and what is left is named: ${code}`, async (t) => {
      const azure = await azureFor(t, { operationMs: 100 });
      const running = onLinux(azure, ['--full-output', '--scripts', `head -c 20000 /dev/urandom | base64 -w0${end}`]);
      while (azure.runs.length < 2) await delay(5);
      azure.fail(status('runCommand', 500));
      const result = await running;
      const [, kept] = /w_dir=(\S+)/.exec(azure.runs[0].script);
      t.after(() => rmSync(kept, { recursive: true, force: true }));
      assert.equal(result.code, code, result.stderr);
      const said = ownLines(result).join('\n');
      assert.match(said, /linux-1: the rest of the output was not fetched: .*HTTP 500/);
      assert.ok(existsSync(kept) && said.includes(`it is left on the machine in ${kept}`), said);
      assert.match(said, new RegExp(`linux-1: exit code ${remote} after`));
      assert.match(said, /standard output is cut: \d+ of \d+ bytes came$/m);
    });
  }
});

describe('the line that says how to follow a script works as it is printed', AT_ONCE, () => {
  const AFTER = ['--timeout', '100ms', '--scripts', 'sleep .3; echo hello; exit 3'];

  test('with the token itself', async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, AFTER);
    answered(azure, await run(followWords(result), { env: envOf(azure) }));
  });

  test('with where to sign in, when that was given', async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, ['--authority', azure.authorityUrl, ...AFTER]);
    const { AZURE_AUTHORITY_HOST: _, ...env } = envOf(azure);
    answered(azure, await run(followWords(result), { env }));
  });

  for (const where of ['RUNNER_TEMP', '/tmp']) {
    test(`of many machines with a file in ${where}`, async (t) => {
      const azure = await azureFor(t, { vms: 3, longUrls: true, operationMs: 600, run: answering((vm) => ({ stdout: vm })) });
      const at = where === '/tmp' ? where : folder(t);
      const result = await azureRun(azure, ['--all', '--timeout', '300ms', '--scripts', 'x'],
        { env: where === '/tmp' ? {} : { RUNNER_TEMP: at } });
      assert.equal(result.code, 75, result.stderr);
      const said = attachToken(result);
      assert.match(said, new RegExp(`^@${at}/opsbelt-attach-[0-9a-f]{16}$`));
      t.after(() => rmSync(said.slice(1), { force: true }));
      const followed = await run(followWords(result), { env: envOf(azure) });
      assert.equal(followed.code, 0, followed.stderr);
      assert.deepEqual(followed.stdout.trimEnd().split('\n').toSorted(), vmNames(3).map((vm) => `${vm}: ${vm}`));
      assert.equal(azure.runs.length, 3);
    });
  }

  test('a RUNNER_TEMP that can\'t be written to loses no token', async (t) => {
    const azure = await azureFor(t, { vms: 3, longUrls: true, operationMs: 600, run: answering(() => ({})) });
    const result = await azureRun(azure, ['--all', '--timeout', '300ms', '--scripts', 'x'], { env: { RUNNER_TEMP: '/nowhere' } });
    const said = attachToken(result);
    if (said?.startsWith('@')) t.after(() => rmSync(said.slice(1), { force: true }));
    assert.equal(result.code, 75, result.stderr);
    assert.ok(said, 'nothing tells how to follow the scripts');
  });

  test('a token of 4,000 characters or less of few machines is no file', async (t) => {
    const azure = await azureFor(t, { vms: 2, operationMs: 600, run: answering(() => ({})) });
    const result = await azureRun(azure, ['--all', '--timeout', '300ms', '--scripts', 'x']);
    assert.match(attachToken(result), /^[\w-]{1,4000}$/);
  });

  test('--attach @FILE that is not there: 66, before anything is asked', async (t) => {
    const azure = await azureFor(t);
    const result = await azureRun(azure, ['--attach', '@/nowhere/token']);
    assert.equal(result.code, 66);
    assert.match(errorLine(result), /the token.*\/nowhere\/token/);
    assert.equal(azure.requests.length, 0);
  });
});
