// What becomes of events that a processor can't do, of processors that fail for good, and of those beside them.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventStoreFor, numbered } from './eventstore.mjs';
import {
  hookFor, lines, noter, processorsFile, revisions, runOn, runOnFile, start, startOn, until, upTo,
} from './eventstore_run.mjs';
import { binary, closedPort, file, folder } from './support.mjs';

const AT_ONCE = { concurrency: 4 };
const FAST = { attempts: 2, wait: '1ms' };
const jsonLines = (path) => lines({ stdout: readFileSync(path, 'utf8') }).map((line) => JSON.parse(line));
const BAD_AT = (n) => ['sh', '-c', `read -r e; case "$e" in *'"n":${n}}'*) echo 'no room' >&2; exit 4;; esac; echo done`];

describe('retry', AT_ONCE, () => {
  test('attempts are counted, waits double; it is told once', async (t) => {
    const hook = await hookFor(t, (event, request, response) => response.writeHead(500).end('busy'));
    const result = await runOnFile(t, numbered(1), { name: 'p', webhook: hook.url, retry: { attempts: 5, wait: '20ms' } });
    assert.equal(result.code, 1, result.stderr);
    assert.equal(hook.got.length, 5);
    const waits = hook.got.slice(1).map(({ at_ms }, i) => at_ms - hook.got[i].at_ms);
    for (const [i, wait] of waits.entries()) assert.ok(wait >= 20 * 2 ** i - 2, `${i}: ${wait} ms`);
    assert.equal(result.stderr.match(/failed: .*500: busy/g).length, 1, result.stderr);
  });

  for (const failures of [1, 2]) {
    test(`what fails ${failures} times and then succeeds is done once, and the next ones after it`, async (t) => {
      const hook = await hookFor(t, ({ data }, request, response, i) => response.writeHead(data.n === 1 && i <= failures ? 503 : 200).end());
      const result = await runOnFile(t, numbered(3), { name: 'p', webhook: hook.url, retry: { attempts: 3, wait: '1ms' } });
      assert.equal(result.code, 0, result.stderr);
      assert.deepEqual(hook.got.map(({ event }) => event.data.n), [0, ...Array(failures + 1).fill(1), 2]);
    });
  }

  test('nobody at the webhook: attempts, then 1, and the place stays', async (t) => {
    const url = `http://127.0.0.1:${await closedPort()}/`;
    const db = join(folder(t), 'a.db');
    const result = await runOnFile(t, numbered(2), { name: 'p', webhook: url, retry: FAST }, ['--checkpoints', db]);
    assert.equal(result.code, 1, result.stderr);
    assert.deepEqual(await revisions(db), {});
  });

  test('a stop does not wait for a long retry', async (t) => {
    const store = await eventStoreFor(t);
    store.append('s', numbered(1));
    const tail = startOn(t, store, 's', { name: 'p', exec: ['false'], retry: { attempts: 9, wait: '10m' } });
    await tail.until(({ stderr }) => /failed/.test(stderr), 'the first failure');
    assert.equal((await tail.stop()).code, 0);
  });
});

describe('bad events', AT_ONCE, () => {
  test('a dead letter holds the event, the processor and the error; the rest is done; exit code 0', async (t) => {
    const store = await eventStoreFor(t);
    const letters = join(folder(t), 'bad.jsonl');
    const [, , record] = store.append('s', numbered(5));
    const result = await runOn(t, store, 's', { name: 'p', exec: BAD_AT(2), retry: FAST, skip_bad_events: true, dead_letter: letters }, ['-e']);
    assert.deepEqual([result.code, lines(result).length], [0, 4], result.stderr);
    const [letter, ...more] = jsonLines(letters);
    assert.deepEqual(more, []);
    assert.deepEqual([letter.stream, letter.revision, letter.id, letter.data, letter.processor], ['s', 2, record.id, { n: 2 }, 'p']);
    assert.match(letter.error, /sh ended with code 4: no room/);
    assert.match(letter.failed, /^20\d\d-.*Z$/);
    assert.match(result.stderr, /event 2 of s was put into .*bad\.jsonl/);
  });

  test('two processors may share a file of dead letters, and each letter is whole', async (t) => {
    const letters = join(folder(t), 'bad.jsonl');
    const one = (name) => ({ name, sum: 'amount', retry: FAST, skip_bad_events: true, dead_letter: letters });
    const result = await runOnFile(t, numbered(200), [one('a'), one('b')]);
    assert.equal(result.code, 0, result.stderr);
    for (const name of ['a', 'b']) assert.deepEqual(jsonLines(letters).filter(({ processor }) => processor === name).map(({ data }) => data.n), upTo(200));
  });

  for (const [name, path] of [['/dev/full', '/dev/full'], ['a directory that is not there', '/nowhere/bad.jsonl'], ['a directory', '/tmp']]) {
    test(`a letter that can't be written to ${name}: 74, and the event is not passed over`, async (t) => {
      const db = join(folder(t), 'a.db');
      const result = await runOnFile(t, numbered(5), { name: 'p', exec: BAD_AT(2), retry: FAST, skip_bad_events: true, dead_letter: path }, ['--checkpoints', db]);
      assert.equal(result.code, 74, result.stderr);
      assert.match(result.stderr, /p: can't use the dead letters in/);
      assert.deepEqual(await revisions(db), { p: 2 }); // two lines
    });
  }
});

describe('what is no event\'s fault ends the processor, though bad events are skipped', AT_ONCE, () => {
  const SKIPS = { retry: FAST, skip_bad_events: true };
  const noExecute = (t) => {
    const path = file(t, 'script.sh', '#!/bin/sh\n');
    chmodSync(path, 0o644);
    return path;
  };
  for (const action of ['exec', 'pipe']) {
    const PROGRAMS = [['no such program', () => 'no-such-program', 66], ['a typo in a path', () => './nope/run.sh', 66],
      ['not executable', noExecute, 74], ['its interpreter is missing', (t) => scriptOf(t, '#!/no/such/interpreter\n'), 66]];
    for (const [name, program, code] of PROGRAMS) {
      test(`${action}: ${name}`, async (t) => {
        const letters = join(folder(t), 'bad.jsonl');
        const db = join(folder(t), 'a.db');
        const result = await runOnFile(t, numbered(5), { name: 'p', [action]: [program(t)], ...SKIPS, dead_letter: letters }, ['--checkpoints', db]);
        assert.ok([code, 66, 74].includes(result.code), `${result.code}: ${result.stderr}`);
        assert.match(result.stderr, /^opsbelt: es-tail: p: can't run /m);
        assert.equal(existsSync(letters), false, 'letters');
        assert.deepEqual(await revisions(db), {});
      });
    }
  }

  const OUT = { print: { print: true }, sum: { sum: 'n' }, exec: { exec: ['echo', 'hello'] } };
  for (const [name, action] of Object.entries(OUT)) {
    for (const [where, shell] of [['/dev/full', '>/dev/full'], ['nobody reads', '| :']]) {
      test(`${name}: its output goes to ${where}`, async (t) => {
        const db = join(folder(t), 'a.db');
        const store = await eventStoreFor(t);
        store.append('s', numbered(20_000));
        const yaml = processorsFile(t, { name: 'p', ...action, ...SKIPS });
        const command = `"$@" ${shell}; echo "code \${PIPESTATUS[0]}" >&2`;
        const tail = start(t, ['-c', command, 'x', binary, 'es-tail', 's', '--url', store.url, '-q',
          '--processors', yaml, '--checkpoints', db, '--sync-interval', '0'], { program: 'bash' });
        const result = await tail.closed;
        assert.match(result.stderr, /code 74/);
        assert.match(result.stderr, /^opsbelt: es-tail: p: .*standard output/m);
        const { p = -1 } = await revisions(db);
        assert.ok(p < 20_000 - 1, `${p}`);
        if (where === '/dev/full') assert.equal(p, -1);
      });
    }
  }
});

describe('a processor beside others', AT_ONCE, () => {
  const OK = { name: 'good', print: true, say: '{number}' };
  const BAD = { name: 'bad', exec: BAD_AT(3), retry: FAST };

  test('one that stops for good is named at once; the others go on to the end; exit code 1', async (t) => {
    const store = await eventStoreFor(t);
    const db = join(folder(t), 'a.db');
    store.append('s', numbered(6));
    const tail = startOn(t, store, 's', [BAD, OK], ['--checkpoints', db, '--sync-interval', '20ms']);
    await tail.until(({ stderr }) => /bad: bad stopped at event 3 of s: sh ended with code 4: no room; .*\(the others go on\)/.test(stderr), 'it stops');
    store.append('s', numbered(1000, { from: 6 }));
    await tail.until(({ stdout }) => stdout.endsWith('\n1005\n'), 'the other goes on');
    await until(async () => (await revisions(db)).good === 1005, 'and its checkpoint too');
    const result = await tail.stop();
    assert.equal(result.code, 1, result.stderr);
    assert.deepEqual(await revisions(db), { bad: 2, good: 1005 });
  });

  test('when the reason is gone it goes on exactly there', async (t) => {
    const db = join(folder(t), 'a.db');
    const stopped = await runOnFile(t, numbered(6), [BAD, OK], ['--checkpoints', db]);
    assert.equal(stopped.code, 1, stopped.stderr);
    const store = await eventStoreFor(t);
    store.append('s', numbered(6));
    await runOn(t, store, 's', [BAD, OK], ['-e', '--checkpoints', db]);
    const again = await runOn(t, store, 's', [{ ...OK, name: 'bad' }, OK], ['-e', '--checkpoints', db]);
    assert.deepEqual([again.code, lines(again)], [0, ['3', '4', '5']], again.stderr);
  });

  test('--fail-fast ends the others, who lose nothing', async (t) => {
    const store = await eventStoreFor(t);
    const db = join(folder(t), 'a.db');
    store.append('s', numbered(6));
    const result = await runOn(t, store, 's', [BAD, OK], ['--fail-fast', '--checkpoints', db]);
    assert.equal(result.code, 1, result.stderr);
    const { good } = await revisions(db);
    assert.equal(good ?? -1, lines(result).filter((line) => /^\d+$/.test(line)).length - 1);
  });

  test('all that stop for the same reason: its code, each named', async (t) => {
    const result = await runOnFile(t, numbered(1), [{ name: 'a', exec: ['nope1'] }, { name: 'b', exec: ['nope2'] }]);
    assert.equal(result.code, 66, result.stderr);
    assert.match(result.stderr, /a: can't run nope1/);
    assert.match(result.stderr, /b: can't run nope2/);
  });

  test('one that hangs holds up nobody, and memory stays flat', async (t) => {
    const store = await eventStoreFor(t);
    const hook = await hookFor(t, () => {}); // never answers
    const big = Array.from({ length: 3000 }, (_, n) => ({ data: { n, text: 'x'.repeat(10_000) } }));
    store.append('s', big);
    const { argv, numbers } = noter(t);
    const tail = startOn(t, store, 's', [{ name: 'hangs', webhook: hook.url, timeout: '10m' }, { name: 'good', pipe: argv }], ['--drain-timeout', '10ms']);
    await tail.until(() => numbers().length === 3000, '30 MB pass by');
    const peak_mib = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${tail.child.pid}/status`, 'utf8'))[1]) / 1024;
    assert.ok(peak_mib < 40, `${peak_mib} MiB`);
    const result = await tail.stop();
    assert.equal(result.code, 0, result.stderr);
    assert.equal(hook.got.length, 1);
  });

  test('one that waits for its retry holds up nobody', async (t) => {
    const store = await eventStoreFor(t);
    store.append('s', numbered(5000));
    const tail = startOn(t, store, 's', [{ name: 'waits', exec: ['false'], retry: { attempts: 5, wait: '1m' } }, OK]);
    await tail.until(({ stdout }) => stdout.endsWith('\n4999\n'), 'the other is through');
    assert.equal((await tail.stop()).code, 0);
  });
});

function scriptOf(t, text) {
  const path = file(t, 'script.sh', text);
  chmodSync(path, 0o755);
  return path;
}
