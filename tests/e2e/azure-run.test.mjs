// azure-run on the stand-in Azure: how scripts and arguments arrive, what comes back of them, exit codes, many machines,
// what a step of GitHub Actions gets. Scripts are really run, on this machine.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readLog } from '../standin/runner.mjs';
import {
  answering, azureRun, envOf, noPwsh, onLinux, onWindows, ownLines, scriptErrors, starts, vmNames,
} from './azure.mjs';
import { azureFor, errorLine, file, folder, readOutputs, run } from './support.mjs';

const ok = (result) => assert.equal(result.code, 0, result.stderr);
const bodyOf = (azure, i = 0) => starts(azure)[i].json;
const failing = (names) => answering((vm) => ({ stdout: `on ${vm}\n`, exitCode: names.includes(vm) ? 2 : 0 }));
const isKnown = (path) => (existsSync(path) ? false : `needs ${path}`);

const AT_ONCE = { concurrency: 8 }; // most of a run is waiting

describe('exit codes', AT_ONCE, () => {
  const CODES = [
    ['success', 'exit 0', [], 0, 0],
    ['a failure', 'exit 3', [], 1, 3],
    ['a failure, passed through', 'exit 3', ['--exit-code', 'remote'], 3, 3],
    ['success, passed through', 'true', ['--exit-code', 'remote'], 0, 0],
    ['the highest, passed through', 'exit 255', ['--exit-code', 'remote'], 255, 255],
    ['a command that is not there', 'no-such-command-anywhere', ['--exit-code', 'remote'], 127, 127],
    ['a script that is killed', 'kill -9 $$', ['--exit-code', 'remote'], 137, 137],
    ['set -e', 'set -e; false; true', [], 1, 1],
  ];
  for (const [name, script, args, code, remote] of CODES) {
    test(`the exit code is true: ${name}`, async (t) => {
      const azure = await azureFor(t);
      const outputs = join(folder(t), 'outputs');
      const result = await onLinux(azure, ['--scripts', script, ...args], { env: { GITHUB_OUTPUT: outputs } });
      assert.equal(result.code, code, result.stderr);
      assert.equal(readOutputs(outputs).exit_code, String(remote));
      assert.match(ownLines(result).at(-1), new RegExp(`^opsbelt: azure-run: linux-1: exit code ${remote} after \\d+ s$`));
      assert.equal(azure.runs.length, 1);
    });
  }

  // Windows' codes have 32 bits, with a sign or without.
  const LARGE_CODES = [['256', 256, 1], ['-1', -1, 1], ['3221225477', 3221225477, 5], ['257', 257, 1]];
  for (const [name, exitCode, code] of LARGE_CODES) {
    test(`an exit code that no process here can end with does not become 0: ${name}`, async (t) => {
      const azure = await azureFor(t, { run: answering(() => ({ exitCode })) });
      const result = await onWindows(azure, ['--scripts', 'x', '--exit-code', 'remote']);
      assert.equal(result.code, code, result.stderr);
      assert.match(errorLine(result), new RegExp(`windows-1: exit code ${exitCode} after`));
    });
  }
});

describe('output', AT_ONCE, () => {
  const ODD_TEXT = 'q"u\'o`te $HOME \\n ^ & % < > | ; * ? ~ # ! {a,b} Grüße 日本 🎉';
  const OUTPUTS = [
    ['quotes and what shells eat', ODD_TEXT],
    ['blank lines', '\n\na\n\n\nb\n\n'],
    ['no last line break', 'a\nb'],
    ['CRLF and a lone CR', 'a\r\nb\rc\r\n'],
    ['white space at both ends', '  a\t\n \n'],
    ['nothing', ''],
    ['a word of Azure\'s frame', '[stdout]\nx\n[stderr]\ny\nEnable succeeded: \n'],
    ['NUL bytes', 'a\0b\0\0\n'],
    ['bytes that are no UTF-8', Buffer.from([...Array(256).keys()]).toString('latin1')],
  ];
  for (const [name, text] of OUTPUTS) {
    test(`both streams come back byte for byte and apart: ${name}`, async (t) => {
      const azure = await azureFor(t);
      const bytes = Buffer.from(text, name === 'bytes that are no UTF-8' ? 'latin1' : 'utf8');
      const path = file(t, 'bytes', bytes);
      const script = `cat ${path}; cat ${path} >&2; printf 'the end\\n' >&2`;
      const result = await onLinux(azure, ['--scripts', script], { encoding: 'latin1' });
      ok(result);
      assert.equal(result.stdout, bytes.toString('latin1'));
      const errors = `${bytes.toString('latin1')}the end\nopsbelt: azure-run: linux-1: exit code 0 after 0 s\n`;
      assert.equal(result.stderr.replace(/after \d+ s/, 'after 0 s'), errors);
    });
  }

  test('output of exactly what Azure keeps, 4,096 bytes, comes whole and is not called cut', async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, ['--scripts', "printf '%4096s' x; printf '%4096s' y >&2; echo >&2"]);
    ok(result);
    assert.equal(result.stdout, 'x'.padStart(4096));
    assert.equal(scriptErrors(result), `${'y'.padStart(4096)}\n`);
    assert.doesNotMatch(result.stderr, /cut/);
  });

  test('100 KB of a usual log come whole in one run', async (t) => {
    const azure = await azureFor(t);
    let log = '';
    for (let i = 0; log.length < 100_000; i += 1) log += `2024-05-01 12:00:${i % 60} web-1 nginx: GET /index.html 200\n`;
    const result = await onLinux(azure, ['--scripts', `cat ${file(t, 'log', log)}`]);
    ok(result);
    assert.equal(result.stdout, log);
    assert.equal(azure.runs.length, 1);
    assert.doesNotMatch(result.stderr, /cut/);
  });

  test('what does not fit is cut to its end, and that is said with numbers', async (t) => {
    const azure = await azureFor(t);
    const outputs = join(folder(t), 'outputs');
    const bytes = randomBytes(30_000);
    const result = await onLinux(azure, ['--scripts', `cat ${file(t, 'bytes', bytes)}; echo fine >&2`],
      { encoding: 'latin1', env: { GITHUB_OUTPUT: outputs } });
    ok(result);
    assert.ok(result.stdout.length >= 2_500, `${result.stdout.length} bytes came`);
    assert.equal(result.stdout, bytes.subarray(-result.stdout.length).toString('latin1'));
    assert.deepEqual(ownLines(result).slice(0, 1), [
      `opsbelt: azure-run: linux-1: standard output is cut: ${result.stdout.length} of 30000 bytes came; `
      + '--full-output brings all',
    ]);
    const { stdout_bytes, stdout_cut, stderr_cut } = JSON.parse(readOutputs(outputs).results)['linux-1'];
    assert.deepEqual([stdout_bytes, stdout_cut, stderr_cut], [30_000, true, false]);
  });

  test('--full-output brings all bytes of both streams, says what it costs, and leaves nothing behind', async (t) => {
    const azure = await azureFor(t, { operationMs: 0 });
    const [out, err] = [randomBytes(30_000), randomBytes(8_000)];
    const [outPath, errPath] = [file(t, 'o', out), file(t, 'e', err)];
    const outputs = join(folder(t), 'outputs');
    const result = await onLinux(azure, ['--full-output', '--scripts', `cat ${outPath}; cat ${errPath} >&2; exit 7`],
      { encoding: 'latin1', env: { GITHUB_OUTPUT: outputs } });
    assert.equal(result.code, 1, result.stderr.slice(0, 300));
    assert.equal(Buffer.compare(Buffer.from(result.stdout, 'latin1'), out), 0, 'standard output');
    assert.ok(result.stderr.includes(err.toString('latin1')), 'standard error');
    const [said] = ownLines(result);
    assert.match(said, /linux-1: \d+ of 38000 bytes came; fetching the others takes about \d+ more runs of 20 s or more/);
    const more = Number(/about (\d+) more/.exec(said)[1]);
    assert.ok(Math.abs(azure.runs.length - 1 - more) <= 1 + more / 4, `${azure.runs.length - 1} more runs, ${more} said`);
    const results = JSON.parse(readOutputs(outputs).results)['linux-1'];
    assert.deepEqual([results.exit_code, results.stdout_cut, results.stderr_cut], [7, false, false]);
    const [, kept] = /w_dir=(\S+)/.exec(azure.runs[0].script);
    assert.equal(existsSync(kept), false, `${kept} is left`);
  });

  test('a run leaves nothing in /tmp, whatever came of it', async (t) => {
    const azure = await azureFor(t);
    for (const script of ['echo x', 'exit 9', 'kill -9 $$', 'head -c 20000 /dev/urandom']) {
      await onLinux(azure, ['--scripts', script], { encoding: 'latin1' });
    }
    assert.equal(azure.runs.length, 4);
    for (const { script } of azure.runs) assert.equal(existsSync(/w_dir=(\S+)/.exec(script)[1]), false);
  });

  test('what looks like our own report is output like any other', async (t) => {
    const azure = await azureFor(t);
    const script = 'n=${0%/script}; n=${n##*-}; echo "$n+o aGFja2Vk b 0 6 0 0 $n-o"; echo "$n+e aGFja2Vk b 0 6 0 0 $n-e" >&2; exit 5';
    const result = await onLinux(azure, ['--scripts', script, '--exit-code', 'remote']);
    assert.equal(result.code, 5, result.stderr);
    const [, nonce] = /opsbelt-([0-9a-f]{16})/.exec(azure.runs[0].script);
    assert.equal(result.stdout, `${nonce}+o aGFja2Vk b 0 6 0 0 ${nonce}-o\n`);
    assert.equal(scriptErrors(result), `${nonce}+e aGFja2Vk b 0 6 0 0 ${nonce}-e\n`);
  });

  test('what a script leaves running holds up nothing', async (t) => {
    const azure = await azureFor(t);
    const began = performance.now();
    const result = await onLinux(azure, ['--scripts', 'sleep 20 & echo started']);
    ok(result);
    assert.equal(result.stdout, 'started\n');
    assert.ok(performance.now() - began < 10_000);
  });

  test('a script that ends the machine\'s wrapper brings no exit code: 76, with what Azure shows', async (t) => {
    const azure = await azureFor(t, { run: () => ({ stdout: 'some words', stderr: '', exitCode: 0 }) });
    const result = await onLinux(azure, ['--scripts', 'x']);
    assert.equal(result.code, 76);
    assert.match(errorLine(result), /the script's exit code did not come back; Azure shows: .*some words/);
  });
});

describe('how scripts and arguments arrive', AT_ONCE, () => {
  const SHOW = 'for each in "$@"; do printf "<%s>" "$each"; done';
  const WORDS = [
    ['plain ones', ['a', 'b c']],
    ['an empty one', ['', 'a', '']],
    ['leading dashes', ['-n', '--scripts', '--', '-']],
    ['quotes', ['"', "'", '`', '"a" \'b\'']],
    ['what shells and cmd.exe eat', ['^ & % < > |', '%PATH%', '$HOME', '$(id)', '\\', 'a\\\\b', '*', '!x', '~', ';']],
    ['non-ASCII', ['Grüße', '日本', '🎉']],
    ['line breaks and tabs', ['a\nb', '\n', '\ta ']],
    ['a long one', ['x'.repeat(50_000)]],
  ];
  for (const [name, words] of WORDS) {
    test(`arguments behind -- arrive as they are: ${name}`, async (t) => {
      const result = await onLinux(await azureFor(t), ['--scripts', SHOW, '--', ...words]);
      ok(result);
      // What has 50,000 characters comes back by its end only when it can't be compressed; this one can.
      assert.equal(result.stdout, words.map((word) => `<${word}>`).join(''));
    });
  }

  const PARAMETERS = [
    ['with names', ['A=1', 'B=two words'], '1|two words|1|two words'],
    ['without names', ['1', 'two words'], '||1|two words'],
    ['both', ['A=x', 'y'], 'x||x|y'],
    ['an = in the value', ['A=b=c', 'B='], 'b=c||b=c|'],
    ['odd bytes', ['A=^ & % < > | " \' \\ $HOME', 'B=日本\n'], '^ & % < > | " \' \\ $HOME|日本\n|^ & % < > | " \' \\ $HOME|日本\n'],
  ];
  for (const [name, parameters, expected] of PARAMETERS) {
    test(`--parameters are variables and, in order, arguments: ${name}`, async (t) => {
      const result = await onLinux(await azureFor(t),
        ['--parameters', ...parameters, '--scripts', 'printf "%s|%s|%s|%s" "$A" "$B" "$1" "$2"']);
      ok(result);
      assert.equal(result.stdout, expected);
    });
  }

  test('--parameters stand before the arguments behind --', async (t) => {
    const result = await onLinux(await azureFor(t), ['--parameters', 'A=1', '2', '--scripts', SHOW, '--', '3']);
    assert.equal(result.stdout, '<1><2><3>');
  });

  const SCRIPT = 'echo "one $1"\n\n\techo \'two\'\n';
  const SOURCES = [
    ['--scripts', () => ['--scripts', SCRIPT], {}],
    ['--scripts, several words are its lines', () => ['--scripts', 'echo "one $1"', '', "\techo 'two'"], {}],
    ['--scripts more than once', () => ['--scripts', 'echo "one $1"', '--scripts', "echo 'two'"], {}],
    ['--scripts @FILE', (path) => ['--scripts', `@${path}`], {}],
    ['--script-file', (path) => ['--script-file', path], {}],
    ['standard input', () => ['--script-file', '-'], { stdin: SCRIPT }],
    ['the input of the action', () => [], { env: { INPUT_SCRIPTS: SCRIPT } }],
  ];
  for (const [name, args, options] of SOURCES) {
    test(`the script is what was given, from: ${name}`, async (t) => {
      const given = args(file(t, 'script.sh', SCRIPT));
      const result = await onLinux(await azureFor(t), [...given, '--', 'x'], options);
      ok(result);
      assert.equal(result.stdout, 'one x\ntwo\n');
    });
  }

  test('a script that is no UTF-8 and has CRLF inside a here-document arrives byte for byte', async (t) => {
    const bytes = Buffer.concat([Buffer.from('cat <<"END"\n'), Buffer.from([0xe9, 0x0d, 0x0a, 0xff, 0x0a]), Buffer.from('END\n')]);
    const result = await onLinux(await azureFor(t), ['--script-file', file(t, 'script', bytes)], { encoding: 'latin1' });
    ok(result);
    assert.equal(result.stdout, '\xe9\r\n\xff\n');
  });

  const SHEBANGS = [
    ['bash by env', '#!/usr/bin/env bash\na=("$@"); [[ ${#a[@]} == 2 ]] && echo "${a[1]}"', ['x', 'y z'], 'y z\n', '/usr/bin/env'],
    ['awk with an argument', '#!/usr/bin/awk -f\nBEGIN { print ARGV[1] }', ['y z'], 'y z\n', '/usr/bin/awk'],
    ['perl', '#!/usr/bin/perl -w\nprint "$ARGV[0]\\n"; exit 0;', ['y z'], 'y z\n', '/usr/bin/perl'],
  ];
  for (const [name, script, words, expected, needs] of SHEBANGS) {
    test(`a script's own first line says what runs it: ${name}`, { skip: isKnown(needs) }, async (t) => {
      const result = await onLinux(await azureFor(t), ['--scripts', script, '--', ...words]);
      ok(result);
      assert.equal(result.stdout, expected);
    });
  }

  test('named parameters reach a script with a first line of its own', { skip: isKnown('/usr/bin/env') }, async (t) => {
    const script = '#!/usr/bin/env bash\necho "$A $1 $2"';
    const result = await onLinux(await azureFor(t), ['--scripts', script, '--parameters', 'A=x y', '--', 'z']);
    assert.equal(result.stdout, 'x y x y z\n');
  });

  test('--shell bash runs what has no first line of its own', { skip: isKnown('/bin/bash') }, async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, ['--shell', 'bash', '--scripts', 'a=(x y); [[ a == a ]] && echo "${a[1]}"']);
    ok(result);
    assert.equal(result.stdout, 'y\n');
    assert.equal(bodyOf(azure).commandId, 'RunShellScript');
  });

  test('--remote-script runs what is there, executable or not, with arguments', async (t) => {
    const azure = await azureFor(t);
    const path = file(t, 'a script.sh', `#!/bin/sh\n${SHOW}; exit 4\n`);
    for (const mode of [0o755, 0o644]) {
      chmodSync(path, mode);
      const result = await onLinux(azure, ['--remote-script', path, '--exit-code', 'remote', '--', 'a b', '']);
      assert.equal(result.code, 4, result.stderr);
      assert.equal(result.stdout, '<a b><>');
    }
  });

  test('a --remote-script that is not there is a failure in the shell\'s own words', async (t) => {
    const result = await onLinux(await azureFor(t), ['--remote-script', '/nowhere/x.sh', '--exit-code', 'remote']);
    assert.equal(result.code, 127);
    assert.match(scriptErrors(result), /\/nowhere\/x\.sh: (not found|No such file)/);
  });
});

describe('which system, which command', AT_ONCE, () => {
  test('the system is asked from the machine; --shell and --command-id save that request', async (t) => {
    const azure = await azureFor(t);
    const asked = () => azure.requests.splice(0).map(({ method, path }) => `${method} ${path.split('/').at(-1)}`);
    ok(await onLinux(azure, ['--scripts', 'true']));
    assert.ok(asked().includes('GET linux-1'));
    for (const args of [['--shell', 'sh'], ['--command-id', 'RunShellScript'], ['--command-id', 'runshellscript']]) {
      ok(await onLinux(azure, ['--scripts', 'true', ...args]));
      assert.ok(!asked().includes('GET linux-1'), args.join(' '));
    }
  });

  test('a machine whose system was wrongly said is refused by Azure, and nothing runs', async (t) => {
    const azure = await azureFor(t);
    const result = await onWindows(azure, ['--scripts', 'true', '--shell', 'sh']);
    assert.equal(result.code, 65);
    assert.match(errorLine(result), /Run command 'RunShellScript' is for Linux/);
    assert.equal(azure.runs.length, 0);
  });

  test('the wrapped script is one element and no parameters are left to Azure', async (t) => {
    const azure = await azureFor(t);
    ok(await onLinux(azure, ['--scripts', 'true', '--parameters', 'A=1', '--', 'x']));
    const body = bodyOf(azure);
    assert.deepEqual([Object.keys(body), body.script.length], [['commandId', 'script'], 1]);
  });

  test('--command-id of Azure\'s own needs no script, and asks nothing of the machine', async (t) => {
    const azure = await azureFor(t, { run: () => ({ stdout: 'eth0: 10.0.0.4\n', stderr: '', exitCode: 0 }) });
    const result = await onLinux(azure, ['--command-id', 'ifconfig', '--parameters', 'arg=1']);
    ok(result);
    assert.equal(result.stdout, 'eth0: 10.0.0.4\n');
    assert.deepEqual(bodyOf(azure), { commandId: 'ifconfig', parameters: [{ name: 'arg', value: '1' }] });
    assert.match(errorLine(result), /Azure says it succeeded after \d+ s; its exit code is not known/);
  });

  test('a --command-id that Azure does not know is refused: 66', async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, ['--command-id', 'NoSuchCommand']);
    assert.equal(result.code, 66);
    assert.match(errorLine(result), /The entity 'NoSuchCommand' was not found/);
  });

  test('--raw sends the script as it is, and does not know how it ended', async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, ['--raw', '--scripts', 'echo "$A" "$1"; echo e >&2; exit 3', '--parameters', 'A=x']);
    ok(result);
    assert.deepEqual(bodyOf(azure), {
      commandId: 'RunShellScript', script: ['echo "$A" "$1"; echo e >&2; exit 3'], parameters: [{ name: 'A', value: 'x' }],
    });
    assert.equal(result.stdout, 'x x\n');
    assert.match(result.stderr, /^e\n+opsbelt: azure-run: linux-1: Azure says it succeeded after \d+ s; its exit code is not known\n$/);
  });

  test('--raw: 4,096 bytes may be all or the end of more, and that is said', async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, ['--raw', '--scripts', "printf '%5000s' x"]);
    ok(result);
    assert.equal(result.stdout, 'x'.padStart(4096));
    assert.match(ownLines(result)[0], /standard output may be cut: Azure keeps its last 4,096 bytes only/);
  });

  test('--raw on Windows has both streams apart', async (t) => {
    const azure = await azureFor(t, { run: () => ({ stdout: 'o', stderr: 'e\n', exitCode: 0 }) });
    const result = await onWindows(azure, ['--raw', '--scripts', 'x']);
    ok(result);
    assert.deepEqual([result.stdout, scriptErrors(result)], ['o', 'e\n']);
    assert.equal(bodyOf(azure).commandId, 'RunPowerShellScript');
  });
});

// --- PowerShell ---

describe('PowerShell', { skip: noPwsh, concurrency: 4 }, () => {
  test('a script\'s streams, exit code and arguments, byte for byte', async (t) => {
    const script = 'param($A, [switch]$On, [Parameter(ValueFromRemainingArguments)]$rest)\n'
      + '[Console]::Out.Write("$A|$On|$($rest -join "+")"); [Console]::Error.Write("Grüße`n"); exit 3';
    const result = await onWindows(await azureFor(t), ['--scripts', script, '--exit-code', 'remote',
      '--parameters', 'A=q"u\'o ^ & % < > | $x 日本', 'On=true', '--', 'b c', '-d']);
    assert.equal(result.code, 3, result.stderr);
    assert.equal(result.stdout, 'q"u\'o ^ & % < > | $x 日本|True|b c+-d');
    assert.equal(scriptErrors(result), 'Grüße\n');
  });

  test('an uncaught throw is a failure, and is told on standard error', async (t) => {
    const result = await onWindows(await azureFor(t), ['--scripts', '"before"; throw "broken"', '--exit-code', 'remote']);
    assert.equal(result.code, 1, result.stderr);
    assert.equal(result.stdout.trim(), 'before');
    assert.match(scriptErrors(result), /broken/);
  });

  test('--remote-script, and --raw as az does it', async (t) => {
    const path = file(t, 'a script.ps1', 'param($a) "got $a"; exit 2');
    const azure = await azureFor(t);
    const [remote, raw] = await Promise.all([
      onWindows(azure, ['--remote-script', path, '--exit-code', 'remote', '--', 'x y']),
      azureRun(await azureFor(t), ['-n', 'windows-1', '--raw', '--scripts', '"raw"; exit 2']),
    ]);
    assert.deepEqual([remote.code, remote.stdout.trim()], [2, 'got x y'], remote.stderr);
    assert.deepEqual([raw.code, raw.stdout.trim()], [0, 'raw'], raw.stderr);
  });

  test('what does not fit is cut, and --full-output brings it', async (t) => {
    const bytes = randomBytes(7_000);
    const script = `$b = [IO.File]::ReadAllBytes('${file(t, 'bytes', bytes)}'); $o = [Console]::OpenStandardOutput(); $o.Write($b, 0, 7000)`;
    const result = await onWindows(await azureFor(t), ['--full-output', '--scripts', script], { encoding: 'latin1' });
    ok(result);
    assert.equal(Buffer.compare(Buffer.from(result.stdout, 'latin1'), bytes), 0);
  });
});

describe('what can\'t be sent', AT_ONCE, () => {
  test('a script over 256 KiB is refused with its size before anything is asked: 65', async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, ['--script-file', '-', '--shell', 'sh'], { stdin: '#'.repeat(262_145) });
    assert.equal(result.code, 65);
    assert.match(errorLine(result), /has \d+ bytes when wrapped, and Azure takes at most 262144; put it on the machine/);
    assert.equal(azure.requests.length, 0);
  });

  const EMPTY = [
    ['--scripts', ['--scripts', ''], {}],
    ['standard input', ['--script-file', '-'], { stdin: '' }],
    ['a file', (t) => ['--script-file', file(t, 'empty', '')], {}],
  ];
  for (const [name, args, options] of EMPTY) {
    test(`an empty script is refused before anything is asked: ${name}`, async (t) => {
      const azure = await azureFor(t);
      const result = await onLinux(azure, typeof args === 'function' ? args(t) : args, options);
      assert.equal(result.code, 65);
      assert.match(errorLine(result), /the script is empty/);
      assert.equal(azure.requests.length, 0);
    });
  }

  const ID = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm';
  const X = ['--scripts', 'true'];
  const USAGE = [
    ['nothing to run', ['-n', 'a'], {}, 64, /nothing to run; give --scripts, --script-file or --remote-script/],
    ['which machine', X, {}, 64, /which machine\? give --name, --ids, --tag, --vmss or --all/],
    ['no group', ['-n', 'a', ...X], { AZURE_RESOURCE_GROUP: '' }, 64, /--name and --vmss need --resource-group/],
    ['no group for a scale set', ['--vmss', 'a', ...X], { AZURE_RESOURCE_GROUP: '' }, 64, /--name and --vmss need --resource-group/],
    ['no subscription', ['-n', 'a', ...X], { AZURE_SUBSCRIPTION_ID: '' }, 64, /which subscription\? give --subscription or set AZURE_SUBSCRIPTION_ID/],
    ['no subscription for --all', ['--all', ...X], { AZURE_SUBSCRIPTION_ID: '' }, 64, /which subscription\?/],
    ['an ID that is none', ['--ids', '/subscriptions/s', ...X], {}, 64, /'\/subscriptions\/s' is no resource ID of a virtual machine; it must look like/],
    ['--instance-id alone', ['--ids', ID, '--instance-id', '0', ...X], {}, 64, /--instance-id needs --vmss/],
    ['two scripts', ['-n', 'a', ...X, '--script-file', 'x'], {}, 64, /--scripts and --script-file can't go together/],
    ['a script and --attach', ['--attach', 'x', ...X], {}, 64, /--scripts and --attach can't go together/],
    ['a machine and --attach', ['--attach', 'x', '-n', 'a'], {}, 64, /--attach and --name can't go together; drop one of them/],
    ['--raw with arguments', ['-n', 'a', '--raw', ...X, '--', 'x'], {}, 64, /--raw and --arguments can't go together/],
    ['--raw and --full-output', ['-n', 'a', '--raw', '--full-output', ...X], {}, 64, /--raw and --full-output can't go together/],
    ['--managed and --full-output', ['-n', 'a', '--managed', '--full-output', ...X], {}, 64, /--managed and --full-output can't go together/],
    ['--detach and --exit-code', ['-n', 'a', '--detach', '--exit-code', 'remote', ...X], {}, 64, /--detach and --exit-code can't go together/],
    ['--fail-fast and --max-failures', ['--all', '--fail-fast', '--max-failures', '2', ...X], {}, 64, /--fail-fast and --max-failures can't go together/],
    ['--all and --name', ['--all', '-n', 'a', ...X], {}, 64, /--all and --name can't go together/],
    ['--all and --ids', ['--all', '--ids', ID, ...X], {}, 64, /--all and --ids can't go together/],
    ['--all and --vmss', ['--all', '--vmss', 'a', ...X], {}, 64, /--all and --vmss can't go together/],
    ['--tag and --name', ['--tag', 'a=b', '-n', 'a', ...X], {}, 64, /--tag and --name can't go together/],
    ['--tag and --ids', ['--tag', 'a=b', '--ids', ID, ...X], {}, 64, /--tag and --ids can't go together/],
    ['--tag and --vmss', ['--tag', 'a=b', '--vmss', 'a', ...X], {}, 64, /--tag and --vmss can't go together/],
    ['--all without a group', ['--all', ...X], { AZURE_RESOURCE_GROUP: '' }, 64, /--tag and --all need --resource-group, or --whole-subscription if all its groups are meant/],
    ['--tag without a group', ['--tag', 'a=b', ...X], { AZURE_RESOURCE_GROUP: '' }, 64, /--tag and --all need --resource-group, or --whole-subscription/],
    ['--whole-subscription and a group', ['--all', '--whole-subscription', '-g', 'g', ...X], {}, 64, /--whole-subscription and --resource-group can't go together/],
    ['--whole-subscription for one', ['-n', 'a', '--whole-subscription', ...X], {}, 64, /--whole-subscription needs --all or --tag/],
    ['--raw and --managed', ['-n', 'a', '--raw', '--managed', ...X], {}, 64, /--raw and --managed can't go together/],
    ['--all and --tag', ['--all', '--tag', 'a=b', ...X], {}, 64, /--all and --tag can't go together/],
    ['--run-as alone', ['-n', 'a', '--run-as', 'u', ...X], {}, 64, /--run-as needs --managed/],
    ['a password for nobody', ['-n', 'a', '--managed', '--run-as-password', 'p', ...X], {}, 64, /--run-as-password needs --run-as/],
    ['a secret and a certificate', ['-n', 'a', '--client-secret', 's', '--certificate', 'c', ...X], {}, 64, /--client-secret and --certificate can't go together/],
    ['another cloud twice', ['-n', 'a', '--cloud', 'china', ...X], {}, 64, /--arm-endpoint and --cloud can't go together/],
    ['a shell that is none', ['-n', 'a', '--shell', 'fish', ...X], {}, 64, /--shell is 'fish', but must be sh, bash or powershell/],
    ['a shell and a command that contradict', ['-n', 'a', '--shell', 'sh', '--command-id', 'RunPowerShellScript', ...X], {}, 64, /--shell and --command-id contradict each other/],
    ['a script for a command of Azure\'s', ['-n', 'a', '--command-id', 'ifconfig', ...X], {}, 64, /--command-id 'ifconfig' takes no script; with a script it is RunShellScript or RunPowerShellScript/],
    ['a script for a mistyped command', ['-n', 'a', '--command-id', 'RunShelScript', ...X], {}, 64, /did you mean RunShellScript\?/],
    ['an exit code that is none', ['-n', 'a', '--exit-code', 'both', ...X], {}, 64, /--exit-code is 'both', but must be answer or remote/],
    ['an output that is none', ['-n', 'a', '--output', 'table', ...X], {}, 64, /--output is 'table', but must be text, json or jsonl/],
    ['a time that is none', ['-n', 'a', '--timeout', 'soon', ...X], {}, 64, /--timeout is 'soon', but must be a time like 1s, 500ms or 2m/],
    ['a number that is none', ['-n', 'a', '--retry-budget', '-1', ...X], {}, 64, /--retry-budget is '-1', but must be a whole number/],
    ['no machine at a time', ['-n', 'a', '--concurrency', '0', ...X], {}, 64, /--concurrency is '0', but must be a whole number from 1/],
    ['failures that are no number', ['-n', 'a', '--max-failures', 'x', ...X], {}, 64, /--max-failures is 'x', but must be a whole number/],
    ['a cloud that is none', ['-n', 'a', ...X], { INPUT_CLOUD: 'mars' }, 64, /--arm-endpoint and --cloud can't go together/],
    ['a sign-in that is none', ['-n', 'a', '--auth', 'magic', ...X], {}, 64, /--auth is auto, secret, certificate, github, workload or managed, not "magic"/],
    ['a parameter\'s name that is none', ['-n', 'a', '--shell', 'sh', '--parameters', 'a-b=c', ...X], {}, 64, /'a-b' can't be a parameter's name; use letters, digits and _/],
    ['an unknown option', ['-n', 'a', '--vm', 'b', ...X], {}, 64, /--vm/],
    ['a script file that is not there', ['-n', 'a', '--script-file', '/nowhere/x'], {}, 66, /the script.*\/nowhere\/x/],
    ['@ a file that is not there', ['-n', 'a', '--scripts', '@/nowhere/x'], {}, 66, /the script.*\/nowhere\/x/],
  ];
  for (const [name, args, env, code, line] of USAGE) {
    test(`told in a line, before anything is asked: ${name}`, async (t) => {
      const azure = await azureFor(t);
      const result = await azureRun(azure, args, { env });
      assert.equal(result.code, code, result.stderr);
      assert.match(errorLine(result), line);
      assert.equal(result.stdout, '');
      assert.equal(azure.requests.length, 0);
    });
  }

  test('--help shows every option and needs nothing', async () => {
    const { code, stdout, stderr } = await run(['azure-run', '--help']);
    assert.deepEqual([code, stderr], [0, '']);
    for (const option of ['--name', '--scripts', '--managed', '--attach', '--auth', '--output']) assert.ok(stdout.includes(option));
  });
});

describe('many machines', AT_ONCE, () => {
  const word = ({ outcome }) => outcome;

  test('20 machines of which some fail: prefixes on each line, a table, exit code 1', async (t) => {
    const bad = ['vm-003', 'vm-017'];
    const azure = await azureFor(t, { vms: 20, run: answering((vm) => ({ stdout: `a ${vm}\nb`, stderr: 'e\n', exitCode: bad.includes(vm) ? 2 : 0 })) });
    const result = await azureRun(azure, ['-n', ...vmNames(20), '--scripts', 'x']);
    assert.equal(result.code, 1);
    assert.deepEqual(result.stdout.trimEnd().split('\n').toSorted(), vmNames(20).flatMap((vm) => [`${vm}: a ${vm}`, `${vm}: b`]));
    for (const vm of vmNames(20)) {
      assert.match(result.stderr, new RegExp(`^${vm}: e$`, 'm'));
      assert.match(result.stderr, new RegExp(`^${vm} +${bad.includes(vm) ? 'failed +2' : 'succeeded +0'} +\\d+$`, 'm'));
    }
    assert.match(result.stderr, /\n20 machines: 2 failed, 18 succeeded\n$/);
    assert.equal(azure.runs.length, 20);
  });

  test('--output json is one object by machine', async (t) => {
    const azure = await azureFor(t, { vms: 3, run: failing(['vm-001']) });
    for (const args of [['--output', 'json'], ['--json']]) {
      const result = await azureRun(azure, ['--all', '--scripts', 'x', ...args]);
      assert.equal(result.code, 1);
      const all = JSON.parse(result.stdout);
      assert.deepEqual(Object.keys(all), vmNames(3));
      assert.deepEqual(Object.values(all).map(word), ['succeeded', 'failed', 'succeeded']);
      const { id, seconds, ...one } = all['vm-001'];
      assert.match(id, /\/virtualMachines\/vm-001$/);
      assert.ok(Number.isInteger(seconds));
      assert.deepEqual(one, {
        name: 'vm-001', outcome: 'failed', exit_code: 2, stdout: 'on vm-001\n', stdout_bytes: 10, stdout_cut: false,
        stderr: '', stderr_bytes: 0, stderr_cut: false,
      });
    }
  });

  test('--output json with bytes that are no UTF-8 is JSON still', async (t) => {
    const result = await onLinux(await azureFor(t), ['--json', '--scripts', "printf 'a\\377\\000\\001\"b'"]);
    ok(result);
    assert.equal(JSON.parse(result.stdout)['linux-1'].stdout, 'a\ufffd\0\u0001"b');
  });

  test('--output jsonl: a line as soon as a machine is over', async (t) => {
    const wait = { 'vm-000': 600, 'vm-001': 0, 'vm-002': 300 };
    const run = answering(async (vm) => { await delay(wait[vm]); return { stdout: vm }; });
    const azure = await azureFor(t, { vms: 3, run });
    const seen = [];
    const onStart = (child) => child.stdout.on('data', (data) => seen.push([performance.now(), String(data)]));
    const result = await azureRun(azure, ['--all', '--scripts', 'x', '--output', 'jsonl'], { onStart });
    ok(result);
    assert.deepEqual(result.stdout.trimEnd().split('\n').map((line) => JSON.parse(line).name), ['vm-001', 'vm-002', 'vm-000']);
    assert.ok(seen.at(-1)[0] - seen[0][0] > 300, 'they came all at once');
  });

  const VMS = [
    { name: 'web-1', tags: { role: 'web', env: 'prod' } }, { name: 'web-2', tags: { Role: 'web', env: 'test', spare: 'yes' } },
    { name: 'db-1', tags: { role: 'db', env: 'prod', spare: '' } }, { name: 'web-3', tags: { role: 'web', env: 'prod' }, resourceGroup: 'other-rg' },
    { name: 'web-1', tags: { role: 'x' }, resourceGroup: 'third-rg' },
  ];
  const idOf = (azure, name, group = azure.resourceGroup) =>
    `/subscriptions/${azure.subscription}/resourceGroups/${group}/providers/Microsoft.Compute/virtualMachines/${name}`;
  const CHOICES = [
    ['--tag', () => ['--tag', 'role=web'], ['web-1', 'web-2']],
    ['--tag twice: both', () => ['--tag', 'role=web', '--tag', 'env=prod'], ['web-1']],
    ['--tag with any value', () => ['--tag', 'env'], ['db-1', 'web-1', 'web-2']],
    ['--tag with an empty value', () => ['--tag', 'spare='], ['db-1']],
    ['--tag with any value, also an empty one', () => ['--tag', 'spare'], ['db-1', 'web-2']],
    ['--tag in the whole subscription', () => ['--whole-subscription', '--tag', 'role=web', '--tag', 'env=prod'], ['web-1', 'web-3'], { AZURE_RESOURCE_GROUP: '' }],
    ['--all', () => ['--all'], ['db-1', 'web-1', 'web-2']],
    ['--all of the subscription, though a group is set', () => ['--all', '--whole-subscription'], ['db-1', 'ops-rg/web-1', 'third-rg/web-1', 'web-2', 'web-3']],
    ['--all of the subscription, two of one name', () => ['--all', '--whole-subscription'], ['db-1', 'ops-rg/web-1', 'third-rg/web-1', 'web-2', 'web-3'], { AZURE_RESOURCE_GROUP: '' }],
    ['--ids in two groups', (azure) => ['--ids', idOf(azure, 'web-1'), idOf(azure, 'web-3', 'other-rg')], ['web-1', 'web-3'], { AZURE_RESOURCE_GROUP: '' }],
    ['names that are commas apart', () => ['-n', 'web-1,db-1'], ['db-1', 'web-1']],
    ['a machine that is named twice, once', (azure) => ['-n', 'web-1', 'WEB-1', '--ids', idOf(azure, 'Web-1').toUpperCase()], ['web-1']],
    ['--vmss', () => ['--vmss', 'set-1'], ['set-1/0', 'set-1/1', 'set-1/5']],
    ['--instance-id', () => ['--vmss', 'set-1', '--instance-id', '5', '0'], ['set-1/0', 'set-1/5']],
    ['an instance by its ID', (azure) => ['--ids', `${idOf(azure, 'set-1').replace('virtualMachines', 'virtualMachineScaleSets')}/virtualMachines/1`], ['set-1/1']],
  ];
  for (const [name, args, expected, env] of CHOICES) {
    test(`the machines are those that were meant: ${name}`, async (t) => {
      const azure = await azureFor(t, { vms: VMS, scaleSets: [{ name: 'set-1', instances: ['0', '1', '5'] }], run: failing([]) });
      const result = await azureRun(azure, [...args(azure), '--scripts', 'x', '--json'], { env });
      ok(result);
      const names = Object.keys(JSON.parse(result.stdout)).map((each) => each.toLowerCase());
      assert.deepEqual(names.toSorted(), expected);
      assert.equal(azure.runs.length, expected.length);
    });
  }

  test('--all reads every page of the list', async (t) => {
    const azure = await azureFor(t, { vms: 25, pageSize: 10, run: failing([]) });
    const result = await azureRun(azure, ['--all', '--scripts', 'x']);
    ok(result);
    assert.equal(azure.requests.filter(({ path }) => path.endsWith('/virtualMachines')).length, 3);
    assert.deepEqual(azure.runs.map(({ vm }) => vm).toSorted(), vmNames(25));
  });

  test('no machine fits: 66, and nothing is run', async (t) => {
    const azure = await azureFor(t, { vms: VMS });
    const result = await azureRun(azure, ['--tag', 'role=mail', '--scripts', 'x']);
    assert.equal(result.code, 66);
    assert.match(errorLine(result), /no machine in the resource group \S+ has the tag role=mail; check --tag and --resource-group; nothing was run/);
  });

  test('--concurrency: never more at once', async (t) => {
    let now = 0;
    let most = 0;
    const run = answering(async () => {
      most = Math.max(most, now += 1);
      await delay(30);
      now -= 1;
      return {};
    });
    const azure = await azureFor(t, { vms: 12, operationMs: 0, run });
    ok(await azureRun(azure, ['--all', '--scripts', 'x', '--concurrency', '3']));
    assert.equal(azure.runs.length, 12);
    assert.ok(most <= 3, `${most} at once`);
    assert.ok(most > 1, 'one after the other');
  });

  test('--fail-fast begins no more after the first failure; those that run are followed', async (t) => {
    const azure = await azureFor(t, { vms: 10, run: failing(['vm-000', 'vm-001', 'vm-002']) });
    const result = await azureRun(azure, ['--all', '--scripts', 'x', '--fail-fast', '--concurrency', '1']);
    assert.equal(result.code, 1);
    assert.equal(azure.runs.length, 1);
    assert.match(result.stderr, /\n10 machines: 1 failed, 9 not run\n$/);
  });

  test('--max-failures begins no more after so many', async (t) => {
    const azure = await azureFor(t, { vms: 10, run: failing(['vm-000', 'vm-002', 'vm-004']) });
    const result = await azureRun(azure, ['--all', '--scripts', 'x', '--max-failures', '2', '--concurrency', '1', '--json']);
    assert.equal(result.code, 1);
    assert.deepEqual(azure.runs.map(({ vm }) => vm), vmNames(3));
    assert.deepEqual(Object.values(JSON.parse(result.stdout)).map(word),
      ['failed', 'succeeded', 'failed', ...Array(7).fill('not run')]);
  });

  test('--output jsonl ends with a line for each machine that was never begun', async (t) => {
    const azure = await azureFor(t, { vms: 4, run: failing(['vm-000']) });
    const result = await azureRun(azure, ['--all', '--scripts', 'x', '--fail-fast', '--concurrency', '1', '--output', 'jsonl']);
    assert.equal(result.code, 1);
    const all = result.stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual(all.map(({ name, outcome }) => [name, outcome]), vmNames(4).map((vm, i) => [vm, i === 0 ? 'failed' : 'not run']));
  });

  test('500 machines of which 20 fail: 1, and all are accounted for', async (t) => {
    const bad = vmNames(500).filter((_, i) => i % 25 === 7);
    const azure = await azureFor(t, { vms: 500, operationMs: 5, run: failing(bad) });
    const outputs = join(folder(t), 'outputs');
    const result = await azureRun(azure, ['--all', '--scripts', 'x', '--json'], { env: { GITHUB_OUTPUT: outputs } });
    assert.equal(result.code, 1);
    const all = JSON.parse(result.stdout);
    assert.equal(Object.keys(all).length, 500);
    assert.deepEqual(Object.values(all).filter(({ exit_code }) => exit_code === 2).map(({ name }) => name), bad);
    assert.match(result.stderr, /\n500 machines: 20 failed, 480 succeeded\n$/);
    assert.deepEqual(readOutputs(outputs).failed.split('\n'), bad);
    assert.equal(azure.counts.runs, 500);
    assert.equal(azure.tokens.length, 1, 'one sign-in for all');
  });

  test('a machine that is not there hides nothing of the others, and its code goes before a 1', async (t) => {
    const azure = await azureFor(t, { vms: 2, run: failing(['vm-000']) });
    const result = await azureRun(azure, ['-n', 'vm-000', 'gone', 'vm-001', '--scripts', 'x']);
    assert.equal(result.code, 66);
    assert.deepEqual(result.stdout.split('\n').toSorted(), ['', 'vm-000: on vm-000', 'vm-001: on vm-001']);
    assert.match(result.stderr, /^gone +error +- +0 {2}Azure did not tell what machine this is: ResourceNotFound/m);
    assert.match(result.stderr, /\n3 machines: 1 error, 1 failed, 1 succeeded\n$/);
  });

  test('two machines of one name in two groups are told apart everywhere', async (t) => {
    const azure = await azureFor(t, { vms: VMS, run: failing([]) });
    const result = await azureRun(azure, ['--ids', idOf(azure, 'web-1'), idOf(azure, 'web-1', 'third-rg'), '--scripts', 'x']);
    ok(result);
    assert.deepEqual(result.stdout.split('\n').toSorted(), ['', 'ops-rg/web-1: on web-1', 'third-rg/web-1: on web-1']);
    assert.match(result.stderr, /^third-rg\/web-1 +succeeded/m);
  });
});

describe('GitHub Actions', AT_ONCE, () => {
  const actionsFor = (t) => {
    const at = folder(t);
    return { GITHUB_ACTIONS: 'true', GITHUB_OUTPUT: join(at, 'outputs'), GITHUB_STEP_SUMMARY: join(at, 'summary') };
  };

  test('outputs of one machine', async (t) => {
    const env = actionsFor(t);
    const result = await onLinux(await azureFor(t), ['--scripts', 'echo out; echo err >&2; exit 3'], { env });
    assert.equal(result.code, 1);
    const { results, ...outputs } = readOutputs(env.GITHUB_OUTPUT);
    assert.deepEqual(outputs, {
      ok: 'false', exit_code: '3', stdout: 'out\n', stderr: 'err\n', failed: 'linux-1', attach_token: '',
    });
    const { id, seconds, ...one } = JSON.parse(results)['linux-1'];
    assert.deepEqual(one, {
      name: 'linux-1', outcome: 'failed', exit_code: 3, stdout_bytes: 4, stdout_cut: false, stderr_bytes: 4, stderr_cut: false,
    });
    assert.ok(id && seconds >= 0);
  });

  test('outputs of several machines: no one\'s exit code or streams', async (t) => {
    const env = actionsFor(t);
    await azureRun(await azureFor(t, { vms: 3, run: failing(['vm-001', 'vm-002']) }), ['--all', '--scripts', 'x'], { env });
    const { results, ...outputs } = readOutputs(env.GITHUB_OUTPUT);
    assert.deepEqual(outputs, { ok: 'false', exit_code: '', stdout: '', stderr: '', failed: 'vm-001\nvm-002', attach_token: '' });
    assert.deepEqual(Object.keys(JSON.parse(results)), vmNames(3));
  });

  test('the job summary is a table in which foreign text breaks nothing, failures first', async (t) => {
    const env = actionsFor(t);
    const azure = await azureFor(t, { vms: [{ name: 'vm-000' }, { name: 'vm-001' }], run: failing(['vm-001']) });
    azure.fail({ kind: 'failed', on: 'poll', message: 'a|b <script>\nc' });
    await azureRun(azure, ['--all', '--scripts', 'x', '--concurrency', '1'], { env });
    const lines = readFileSync(env.GITHUB_STEP_SUMMARY, 'utf8').split('\n');
    assert.deepEqual(lines.slice(0, 2), ['| machine | result | exit code | seconds | |', '|---|---|---|---|---|']);
    assert.match(lines[2], /^\| vm-000 \| error \| - \| \d+ \| .*a\\\|b &lt;script> c \|$/);
    assert.match(lines[3], /^\| vm-001 \| failed \| 2 \| \d+ \| {2}\|$/);
  });

  test('annotations: an error for what failed, a notice for what is cut, none for success', async (t) => {
    const env = actionsFor(t);
    const azure = await azureFor(t);
    const commandsOf = ({ stdout, stderr }) => readLog(`${stdout}\n${stderr}`).commands.filter(({ name }) => name !== 'add-mask');
    assert.deepEqual(commandsOf(await onLinux(azure, ['--scripts', 'true'], { env })), []);
    const failed = commandsOf(await onLinux(azure, ['--scripts', 'exit 3'], { env }));
    assert.deepEqual(failed.map(({ name }) => name), ['error']);
    assert.match(failed[0].data, /linux-1: exit code 3 after/);
    const cut = commandsOf(await onLinux(azure, ['--scripts', 'head -c 20000 /dev/urandom; echo'], { env, encoding: 'latin1' }));
    assert.ok(cut.some(({ name, data }) => name === 'notice' && data.includes('standard output is cut')));
  });

  test('what a script prints is no workflow command, on neither stream', async (t) => {
    const lines = ['::set-output name=x::y', '  ::add-mask::a', 'a ##[set-env name=PATH]x', '::stop-commands::t', '\r::error::x',
      '::warning file=a::b', '##[group]g'];
    const script = `cat <<'END'\n${lines.join('\n')}\nEND\ncat <<'END' >&2\n${lines.join('\n')}\nEND`;
    for (const [args, vms] of [[['-n', 'linux-1'], ['linux-1']], [['--all'], ['linux-1', 'linux-2']]]) {
      const azure = await azureFor(t, { vms });
      for (const more of [[], ['--json'], ['--output', 'jsonl'], ['--raw']]) {
        const result = await azureRun(azure, [...args, '--scripts', script, ...more], { env: actionsFor(t) });
        ok(result);
        for (const text of [result.stdout, result.stderr]) {
          const names = readLog(text).commands.map(({ name }) => name);
          const masks = readLog(text).commands.map(({ data }) => data);
          assert.ok(names.every((name) => name === 'add-mask' || name === 'notice'), `${more}: ${names}`);
          assert.ok(!masks.includes('a'), 'a mask of the script\'s');
        }
      }
    }
  });

  test('outside Actions the same text stays as it is', async (t) => {
    const result = await onLinux(await azureFor(t), ['--scripts', "echo '::error::x'; echo '##[group]' >&2"]);
    assert.equal(result.stdout, '::error::x\n');
    assert.equal(scriptErrors(result), '##[group]\n');
  });

  test('secret and tokens are masked before anything else can show them, and shown nowhere', async (t) => {
    const env = actionsFor(t);
    const azure = await azureFor(t);
    const result = await onLinux(azure, ['--scripts', 'true', '--managed', '--run-as', 'u'], { env: { ...env, AZURE_RUN_AS_PASSWORD: 'pass-word-1' } });
    ok(result);
    const { commands, lines } = readLog(`${result.stdout}\n${result.stderr}`);
    const masked = commands.filter(({ name }) => name === 'add-mask').map(({ data }) => data);
    const secrets = [azure.clientSecret, 'pass-word-1', ...azure.tokens.map(({ token }) => token)];
    for (const secret of secrets) assert.ok(masked.includes(secret), secret);
    const shown = lines.join('\n') + readFileSync(env.GITHUB_OUTPUT, 'utf8') + readFileSync(env.GITHUB_STEP_SUMMARY, 'utf8');
    for (const secret of secrets) assert.ok(!shown.includes(secret), secret);
  });

  test('outside Actions no secret is printed at all', async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, ['--scripts', 'true']);
    for (const secret of [azure.clientSecret, azure.tokens[0].token]) {
      assert.ok(!result.stderr.includes(secret) && !result.stdout.includes(secret));
    }
  });

  test('every option as an input of the action', async (t) => {
    const azure = await azureFor(t, { vms: [{ name: 'web-1', tags: { role: 'web' } }, { name: 'web-2', tags: { role: 'web' } }, 'db-1'] });
    const { AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_POD_IDENTITY_AUTHORITY_HOST, HTTPS_PROXY, NO_PROXY } = envOf(azure);
    const env = {
      HTTPS_PROXY, NO_PROXY, AZURE_POD_IDENTITY_AUTHORITY_HOST, INPUT_TENANT: AZURE_TENANT_ID, 'INPUT_CLIENT-ID': AZURE_CLIENT_ID,
      'INPUT_CLIENT-SECRET': AZURE_CLIENT_SECRET, INPUT_SUBSCRIPTION: azure.subscription,
      'INPUT_RESOURCE-GROUP': azure.resourceGroup, INPUT_AUTHORITY: azure.authorityUrl, 'INPUT_ARM-ENDPOINT': azure.armUrl,
      INPUT_SCRIPTS: 'echo "$A $1 $2 $3"\necho two\n', INPUT_ARGUMENTS: 'x y\n-z\n', INPUT_PARAMETERS: 'A=one\n',
      INPUT_TAG: 'role=web', INPUT_OUTPUT: 'json', 'INPUT_POLL-INTERVAL': '20ms', INPUT_MANAGED: 'false', INPUT_NAME: '',
    };
    const result = await run(['azure-run'], { env });
    ok(result);
    const all = JSON.parse(result.stdout);
    assert.deepEqual(Object.values(all).map(({ stdout }) => stdout), Array(2).fill('one one x y -z\ntwo\n'));
    assert.deepEqual(Object.keys(all), ['web-1', 'web-2']);
  });
});

test('a script that no machine could take is refused before anything is asked, also without --shell', async (t) => {
  const azure = await azureFor(t);
  const result = await onLinux(azure, ['--script-file', '-'], { stdin: '#'.repeat(262_145) });
  assert.equal(result.code, 65);
  assert.equal(azure.requests.length, 0);
});

for (const [name, args] of [['one machine', ['-n', 'linux-1']], ['two machines', ['--all']]]) {
  test(`our own line begins a line, whatever the script left open on standard error: ${name}`, async (t) => {
    const azure = await azureFor(t, { vms: ['linux-1', 'linux-2'] });
    for (const more of [[], ['--managed']]) {
      const result = await azureRun(azure, [...args, ...more, '--scripts', 'printf x >&2; exit 3']);
      assert.equal(result.code, 1);
      const prefix = name === 'one machine' ? '' : 'linux-1: ';
      assert.match(result.stderr, new RegExp(`^${prefix}x\n`, 'm'));
      assert.match(result.stderr, /^opsbelt: azure-run: linux-1: exit code 3/m);
    }
  });
}
