// es-tail's checkpoint file: when it can't be written, when it is none, when another process has it; and how people look
// into it and change it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmdirSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventStoreFor, numbered } from './eventstore.mjs';
import { checkpoints, lines, processorsFile, revisions, runOn, runOnFile, start, startOn, until } from './eventstore_run.mjs';
import { binary, file, folder } from './support.mjs';

const AT_ONCE = { concurrency: 4 };
const MOUNTS = { skip: process.getuid() !== 0 && 'needs root' };
const OK = { name: 'p', print: true, say: '{number}' };
const dbFor = (t) => join(folder(t), 'a.db');

// --- When it can't be written ---

// A file system of its own, which goes away with the test, behind whatever was started before.
function mounted(t, size) {
  const dir = mkdtempSync(join(tmpdir(), 'e2e-mount-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dir]);
  t.after(() => {
    execFileSync('umount', ['-l', dir]);
    rmdirSync(dir);
  });
  return dir;
}

function fill(dir) {
  try { writeFileSync(join(dir, 'fill'), 'x'.repeat(1 << 20)); } catch { /* it is full */ }
}

const FILLED = 'a checkpoint that can\'t be written stops the processor, with the reason; nothing is passed over';
describe(FILLED, AT_ONCE, () => {
  for (const [how, slow] of [['at once', ''], ['while the program works', 'sleep 0.1; ']]) {
    test(`the disk is full, ${how}`, MOUNTS, async (t) => {
      const dir = mounted(t, '256k');
      const db = join(dir, 'a.db');
      const store = await eventStoreFor(t);
      store.append('s', numbered(3));
      const processor = { name: 'p', exec: ['sh', '-c', `${slow}cat`], skip_bad_events: true, retry: { attempts: 2, wait: '1ms' } };
      const tail = startOn(t, store, 's', [processor, { ...OK, name: 'other' }], ['--checkpoints', db, '--sync-interval', '20ms']);
      await until(async () => (await revisions(db)).p === 2, 'places are written');
      fill(dir);
      store.append('s', numbered(2000));
      const result = await tail.closed;
      assert.deepEqual([result.code, result.signal], [74, null], result.stderr);
      for (const name of ['p', 'other']) assert.match(result.stderr, new RegExp(`^opsbelt: es-tail: ${name}: can't (write to|use|open) the checkpoint file .*a\\.db`, 'm'));
      const kept = (await revisions(db)).p;
      const did = lines(result).filter((line) => line.startsWith('{')).length;
      assert.ok(kept >= 2 && kept < did, `${kept} kept, ${did} done`);
      assert.ok(did < 2003, 'it stopped');
    });
  }

  test('the disk is read-only from the start: nothing is begun, and list works', MOUNTS, async (t) => {
    const dir = mounted(t, '256k');
    const db = join(dir, 'a.db');
    await runOnFile(t, numbered(3), OK, ['--checkpoints', db]);
    execFileSync('mount', ['-o', 'remount,ro', dir]);
    const result = await runOnFile(t, numbered(3), OK, ['--checkpoints', db]);
    assert.deepEqual([result.code, result.stdout], [74, ''], result.stderr);
    assert.match(result.stderr, /can't open the checkpoint file .*: Read-only file system; give one to write to/);
    assert.deepEqual(await revisions(db), { p: 3 });
  });

  test('the limit of file sizes is met at the end, when the file is done already', async (t) => {
    const db = dbFor(t);
    const yaml = processorsFile(t, { name: 'p', exec: ['sh', '-c', 'sleep 0.02'] });
    const events = file(t, 'e.jsonl', numbered(60).map((event) => `${JSON.stringify(event)}\n`).join(''));
    await runOnFile(t, numbered(1), OK, ['--checkpoints', db]);
    const command = `ulimit -f 20; trap "" XFSZ; exec ${binary} es-tail --from-file ${events} --processors ${yaml} --checkpoints ${db} --sync-interval 0`;
    const result = await start(t, ['-c', command], { program: 'bash' }).closed;
    assert.deepEqual([result.code, result.signal], [74, null], result.stderr);
    assert.match(result.stderr, /can't (write to|use) the checkpoint file/);
    const { p } = await revisions(db);
    assert.ok(p === undefined || p < 60, `${p}`);
  });
});

// --- Files that are none ---

describe('the file', AT_ONCE, () => {
  const whole = async (t) => {
    const db = dbFor(t);
    await runOnFile(t, numbered(50), [OK, { ...OK, name: 'q' }], ['--checkpoints', db]);
    return db;
  };
  const WRONG = [
    ['a text', (t) => file(t, 'a.db', 'hello, I am your shopping list\n'.repeat(40)), /damaged|no checkpoints/],
    ['damaged in the middle', async (t) => {
      const db = await whole(t);
      const bytes = readFileSync(db);
      bytes.fill(0x5a, 100);
      writeFileSync(db, bytes);
      return db;
    }, /is damaged .*restore a copy/],
    ['cut off', async (t) => {
      const db = await whole(t);
      truncateSync(db, 5000);
      return db;
    }, /is damaged .*restore a copy/],
    ['another program\'s database', (t) => {
      const db = dbFor(t);
      execFileSync('python3', ['-c', `import sqlite3; sqlite3.connect("${db}").execute("CREATE TABLE precious (x)").connection.commit()`]);
      return db;
    }, /holds no checkpoints, but something else/],
    ['a directory', (t) => folder(t), /can't open/],
    ['in a directory that is not there', () => '/nowhere/a.db', /its directory must exist/],
  ];
  for (const [name, make, says] of WRONG) {
    test(`${name}: 74, nothing is processed, and it stays as it is`, async (t) => {
      const db = await make(t);
      const before = existsSync(db) && name !== 'a directory' ? readFileSync(db) : undefined;
      const result = await runOnFile(t, numbered(3), OK, ['--checkpoints', db]);
      assert.deepEqual([result.code, result.stdout], [74, ''], result.stderr);
      assert.match(result.stderr, says);
      if (before) assert.ok(before.equals(readFileSync(db)), 'unchanged');
    });
  }

  test('an empty file becomes one; a copy of it goes on as the first did', async (t) => {
    const db = file(t, 'a.db', '');
    await runOnFile(t, numbered(3), OK, ['--checkpoints', db]);
    copyFileSync(db, `${db}.copy`);
    assert.deepEqual(await revisions(`${db}.copy`), { p: 3 });
  });

  test('a second process on it is refused with 75; list works meanwhile, set and reset do not', async (t) => {
    const store = await eventStoreFor(t);
    const db = dbFor(t);
    store.append('s', numbered(3));
    const tail = startOn(t, store, 's', OK, ['--checkpoints', db, '--sync-interval', '0']);
    await tail.until(({ stdout }) => stdout === '0\n1\n2\n', 'it runs');
    for (const result of [await runOn(t, store, 's', OK, ['-e', '--checkpoints', db]), await checkpoints(db, ['set', 'p', 's', '0']), await checkpoints(db, ['reset', 'p'])]) {
      assert.equal(result.code, 75, result.stderr);
      assert.match(result.stderr, /another process uses the checkpoint file/);
    }
    await until(async () => (await revisions(db)).p === 2, 'list shows what is kept now');
    assert.equal((await tail.stop('SIGKILL')).signal, 'SIGKILL');
    assert.equal((await runOn(t, store, 's', OK, ['-e', '--checkpoints', db])).code, 0, 'a killed one holds nothing');
  });
});

describe('checkpoints list, set, reset', AT_ONCE, () => {
  test('list: a line each, JSON with -J; a note when there are none', async (t) => {
    const db = dbFor(t);
    await runOnFile(t, [{ type: 'a', data: { n: 2.5 } }], { name: 'total', sum: 'n' }, ['--checkpoints', db]);
    await checkpoints(db, ['set', 'p', '$all', '10/9']);
    const [json, text] = [await checkpoints(db), await checkpoints(db, ['list'])];
    const [p, total] = lines(json).map((line) => JSON.parse(line));
    assert.deepEqual([p.processor, p.source, p.commit, p.prepare, p.revision], ['p', '$all', 10, 9, undefined]);
    assert.deepEqual([total.revision, total.state], [1, '{"total":"2.5","count":1}']);
    assert.match(p.saved, /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.match(text.stdout, /^p +\$all +10\/9 .*\ntotal +file:.* 1 .*2\.5/);
    await checkpoints(db, ['reset', 'p']);
    await checkpoints(db, ['reset', 'total']);
    const none = await checkpoints(db, ['list']);
    assert.deepEqual([none.code, none.stdout], [0, '']);
    assert.match(none.stderr, /no checkpoints in it/);
  });

  test('set: goes on behind that event, its running value stays; reset begins anew', async (t) => {
    const store = await eventStoreFor(t);
    const db = dbFor(t);
    const processor = { name: 'v', sum: 'n' };
    store.append('s', numbered(4));
    const go = async () => lines(await runOn(t, store, 's', processor, ['-e', '--checkpoints', db]));
    assert.deepEqual(await go(), ['v: 0', 'v: 1', 'v: 3', 'v: 6']);
    assert.equal((await checkpoints(db, ['set', 'v', 's', '2'])).code, 0);
    assert.deepEqual(await go(), ['v: 9']);
    assert.equal((await checkpoints(db, ['reset', 'v'])).code, 0);
    assert.deepEqual(await go(), ['v: 0', 'v: 1', 'v: 3', 'v: 6']);
  });

  const WRONG = [
    [['set', 'p', 's', 'x'], 64, /is no place in s/], [['set', 'p', 's', '-1'], 64, /.*/], [['set', 'p', 's', '1/2'], 64, /no place/],
    [['set', 'p', 's', '18446744073709551616'], 64, /no place/], [['set', 'p', '$all', '7'], 64, /no place in \$all.*COMMIT\/PREPARE/],
    [['set', 'p', 's'], 64, /checkpoints set PROCESSOR STREAM NUMBER/], [['set', 'p', 's', '1', '2'], 64, /checkpoints is one of/],
    [['reset'], 64, /checkpoints is one of/], [['reset', 'nobody'], 66, /there is no checkpoint of .nobody/],
    [['nonsense'], 64, /checkpoints is one of/], [['list', 'p'], 64, /checkpoints is one of/],
    [['list', '--url', 'esdb://x'], 64, /--url has no effect/], [['set', 'p', 's', '1', '-J'], 64, /--json has no effect/],
  ];
  for (const [args, code, says] of WRONG) {
    test(`${args.join(' ')}: ${code}`, async (t) => {
      const db = dbFor(t);
      await runOnFile(t, numbered(1), { ...OK, name: 'there' }, ['--checkpoints', db]);
      const result = await checkpoints(db, args);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, says);
      assert.deepEqual(await revisions(db), { there: 1 });
    });
  }

  for (const args of [['list'], ['reset', 'p']]) {
    test(`${args[0]} of a file that is not there: 66, and it is not made`, async (t) => {
      const db = dbFor(t);
      const result = await checkpoints(db, args);
      assert.equal(result.code, 66, result.stderr);
      assert.equal(existsSync(db), false);
    });
  }

  test('a running value that is none: 65, and the remedy', async (t) => {
    const db = dbFor(t);
    const store = await eventStoreFor(t);
    store.append('s', numbered(1));
    await runOn(t, store, 's', { name: 'v', count: true }, ['-e', '--checkpoints', db]);
    execFileSync('python3', ['-c', `import sqlite3; c = sqlite3.connect("${db}"); c.execute("UPDATE checkpoints SET state = 'x'"); c.commit()`]);
    const result = await runOn(t, store, 's', { name: 'v', count: true }, ['-e', '--checkpoints', db]);
    assert.equal(result.code, 65, result.stderr);
    assert.match(result.stderr, /the stored value of processor v is x.*reset the checkpoint/);
  });
});
