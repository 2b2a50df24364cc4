// es-tail's processors, groups and files of events, faults that a review found.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { esTail, eventStoreFor, numbered } from './eventstore.mjs';
import {
  eventsFile, hookFor, lines, processorsFile, runOn, runOnFile, start, startOn, until, upTo,
} from './eventstore_run.mjs';
import { binary, file, folder, root, run } from './support.mjs';

const AT_ONCE = { concurrency: 6 };
const FAST = { attempts: 2, wait: '1ms' };
const FAILS = { name: 'p', exec: ['sh', '-c', 'echo no room >&2; exit 3'], retry: FAST };

describe('a group whose events wait here for longer than the message timeout', AT_ONCE, () => {
  for (const [name, more] of [['', {}], [', by two instances', { instances: 2, key: 'n' }]]) {
    test(`what is given again meanwhile is done once${name}, and acknowledged`, async (t) => {
      const store = await eventStoreFor(t);
      store.createGroup('s', 'g', { messageTimeoutMs: 300 });
      store.append('s', numbered(12));
      const hook = await hookFor(t, (event, request, response) => setTimeout(() => response.writeHead(204).end(), 120));
      const tail = startOn(t, store, 's', { name: 'p', webhook: hook.url, ...more }, ['--group', 'g']);
      await tail.until(() => new Set(hook.got.map(({ event }) => event.data.n)).size === 12, 'all are done');
      await until(() => store.group('s', 'g').consumers[0]?.held.size === 0, 'all are acknowledged');
      assert.equal((await tail.stop()).code, 0, tail.out.stderr);
      assert.ok(store.requests.find(({ kind }) => kind === 'group').sent > 12, 'the stand-in gave none again');
      assert.deepEqual(hook.got.map(({ event }) => event.data.n).sort((a, b) => a - b), upTo(12));
      assert.deepEqual(store.group('s', 'g').parked, []);
      assert.match(tail.out.stderr, /p: 12 events done/);
    });
  }

  test('--group-buffer is 10 when nothing is said', async (t) => {
    const store = await eventStoreFor(t);
    store.createGroup('s', 'g');
    store.append('s', numbered(1));
    const result = await esTail(store, ['s', '--group', 'g', '-c', '1', '-f', '%n']);
    assert.deepEqual([result.code, store.requests.at(-1).bufferSize], [0, 10], result.stderr);
  });
});

describe('an id that is none', AT_ONCE, () => {
  for (const id of ['a\r\nEvil: 1', 'a\nb', 'a b', 'a\0b', 'é']) {
    for (const action of ['webhook', 'print']) {
      test(`${JSON.stringify(id)} in a file, ${action}: 65, nothing is sent or printed`, async (t) => {
        const hook = await hookFor(t);
        const processor = { name: 'p', ...(action === 'webhook' ? { webhook: hook.url } : { print: true, say: '{id}' }), skip_bad_events: true };
        const result = await runOnFile(t, [{ id, type: 'a' }], processor);
        assert.equal(result.code, 65, result.stderr);
        assert.match(result.stderr, /events\.jsonl: line 1/);
        assert.deepEqual([hook.got, result.stdout], [[], '']);
      });
    }
  }

  test('from a server: 76, no header is added', async (t) => {
    const store = await eventStoreFor(t);
    store.append('s', [{ id: 'a\r\nEvil: 1' }]);
    const hook = await hookFor(t);
    const result = await runOn(t, store, 's', { name: 'p', webhook: hook.url }, ['-e']);
    assert.deepEqual([result.code, hook.got], [76, []], result.stderr);
  });
});

describe('output does not wait for the end', AT_ONCE, () => {
  for (const [name, args] of [
    ['a filter', () => ['--event-type', 'wanted', '-f', '%t\\n']],
    ['a processor of one type', (t) => ['--processors', processorsFile(t, { name: 'p', events: 'wanted', print: true, say: '{type}' })]],
  ]) {
    test(`${name}: the one event that is wanted is printed while millions of others are read`, async (t) => {
      const tail = start(t, ['es-tail', '--from-file', '-', ...args(t)]);
      const others = '{"type":"other","data":{"n":1}}\n'.repeat(10_000);
      let printed = '';
      tail.child.stdout.on('data', (data) => { printed += data; });
      tail.child.stdin.write('{"type":"wanted"}\n');
      for (let i = 0; i < 400 && printed === '' && tail.child.exitCode === null; i += 1) {
        if (!tail.child.stdin.write(others)) await Promise.race([once(tail.child.stdin, 'drain'), tail.closed]);
      }
      assert.equal(printed, 'wanted\n', 'before the end of the file');
    });
  }
});

describe('standard output that nobody reads', AT_ONCE, () => {
  test('--fail-fast ends all the same', async (t) => {
    const store = await eventStoreFor(t);
    store.append('s', upTo(5000).map(() => ({ data: 'x'.repeat(2000) })));
    const processors = [
      { name: 'prints', print: true, say: '{data}' },
      { name: 'fails', exec: ['sh', '-c', 'sleep 1; exit 1'], retry: { attempts: 1 } },
    ];
    const args = ['es-tail', 's', '--url', store.url, '--processors', processorsFile(t, ...processors), '--fail-fast', '--drain-timeout', '1s'];
    const child = spawn(binary, args, { cwd: root, env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    let stderr = '';
    child.stderr.on('data', (data) => { stderr += data; });
    let code;
    child.on('exit', (its) => { code = its; });
    await until(() => code !== undefined, 'its end');
    assert.ok([1, 74].includes(code), `${code}: ${stderr}`); // a part of the output is lost
    assert.match(stderr, /fails: fails stopped at event 0 of s/);
  });
});

test('children have no descriptors but 0, 1 and 2 (ls has one of its own)', async (t) => {
  const store = await eventStoreFor(t);
  const hook = await hookFor(t);
  const lists = ['a', 'b', 'c'].map((name) => join(folder(t), name));
  const pipe = (list) => ['sh', '-c', `ls /proc/self/fd > ${list}; while read -r line; do echo ok; done`];
  const tail = startOn(t, store, 's', [
    { name: 'hook', webhook: hook.url },
    { name: 'a', events: 'later', pipe: pipe(lists[0]) }, { name: 'b', events: 'later', pipe: pipe(lists[1]) },
    { name: 'c', events: 'later', exec: ['sh', '-c', `sleep 0.1; ls /proc/self/fd >> ${lists[2]}`] },
  ], ['--checkpoints', join(folder(t), 'a.db'), '--sync-interval', '0']);
  store.append('s', numbered(1));
  await until(() => hook.got.length === 1, 'the webhook');
  store.append('s', numbered(10, { type: 'later' }));
  const listed = (path) => lines({ stdout: existsSync(path) ? readFileSync(path, 'utf8') : '' });
  await until(() => listed(lists[2]).length >= 40 && listed(lists[0]).length > 3 && listed(lists[1]).length > 3, 'the lists');
  assert.equal((await tail.stop()).code, 0, tail.out.stderr);
  for (const path of lists) assert.deepEqual([...new Set(listed(path))].sort(), ['0', '1', '2', '3'], path);
});

describe('a number over 64 bits in the data spoils nothing else', AT_ONCE, () => {
  const datas = [18446744073709551616n, 123456789012345678901234567890n, -9223372036854775809n].map((big, i) => `{"big":${big},"amount":${i + 1},"customer":"me"}`);
  const SOURCES = [
    ['of a server', async (t, processor, args = []) => {
      const store = await eventStoreFor(t);
      store.append('s', datas.map((data) => ({ data })));
      return runOn(t, store, 's', processor, ['-e', ...args]);
    }],
    ['of a file', async (t, processor) => runOnFile(t, file(t, 'events.jsonl', datas.map((data) => `{"type":"a","data":${data}}\n`).join('')), processor)],
  ];
  for (const [name, runIt] of SOURCES) {
    test(`sum of another field, {data.customer} in say, an event ${name}`, async (t) => {
      const result = await runIt(t, { name: 'p', sum: 'amount', say: '{total} {data.customer}', retry: FAST });
      assert.deepEqual([result.code, lines(result)], [0, ['1 me', '3 me', '6 me']], result.stderr);
    });

    test(`print and its fields, an event ${name}`, async (t) => {
      const result = await runIt(t, { name: 'p', print: true, say: '{data.customer} {data.amount}' });
      assert.deepEqual([result.code, lines(result)], [0, ['me 1', 'me 2', 'me 3']], result.stderr);
    });

    test(`exec gets the digits as they are, an event ${name}`, async (t) => {
      const result = await runIt(t, { name: 'p', exec: ['cat'] });
      assert.equal(result.code, 0, result.stderr);
      for (const [i, line] of lines(result).entries()) assert.ok(line.includes(datas[i]), line);
    });
  }
});

describe('--quiet tells what is lost all the same, and only that', AT_ONCE, () => {
  const events = numbered(1);
  test('skipped', async (t) => {
    const result = await runOnFile(t, events, { ...FAILS, skip_bad_events: true }, ['-q']);
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stderr, /was skipped: .*no room/);
    assert.doesNotMatch(result.stderr, /events done|live/);
  });

  test('put into the dead letters', async (t) => {
    const letters = join(folder(t), 'bad.jsonl');
    const result = await runOnFile(t, events, { ...FAILS, skip_bad_events: true, dead_letter: letters }, ['-q']);
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stderr, /was put into .*bad\.jsonl/);
  });

  test('parked', async (t) => {
    const store = await eventStoreFor(t);
    store.createGroup('s', 'g');
    store.append('s', events);
    const tail = startOn(t, store, 's', FAILS, ['--group', 'g', '-q']);
    await tail.until(({ stderr }) => /event 0 of s was parked/.test(stderr), 'the notice');
    assert.equal((await tail.stop()).code, 0);
  });

  test('nothing lost, nothing said', async (t) => {
    const result = await runOnFile(t, events, { name: 'p', print: true }, ['-q']);
    assert.deepEqual([result.code, result.stderr], [0, '']);
  });
});

describe('a line without an end', AT_ONCE, () => {
  for (const [name, args] of [['printed', () => []], ['processed', (t) => ['--processors', processorsFile(t, { name: 'p', print: true })]]]) {
    test(`${name}: 65 beyond 64 MiB, and memory is bounded`, async (t) => {
      const tail = start(t, ['es-tail', '--from-file', '-', ...args(t)]);
      const piece = Buffer.alloc(1 << 20, 'x');
      let peak_kib = 0;
      for (let mib = 0; mib < 1000 && tail.child.exitCode === null; mib += 1) {
        if (!tail.child.stdin.write(piece)) await Promise.race([once(tail.child.stdin, 'drain').catch(() => {}), tail.closed]);
        peak_kib = peakOf(tail.child.pid) ?? peak_kib;
      }
      const result = await tail.closed;
      assert.equal(result.code, 65, result.stderr);
      assert.match(result.stderr, /line 1 .*64 MiB/);
      assert.ok(peak_kib > 32 << 10 && peak_kib < 256 << 10, `${peak_kib} KiB`);
    });
  }

  test('one of 60 MiB with an end is read', async (t) => {
    const path = eventsFile(t, [{ type: 'a', data: 'x'.repeat(60 << 20) }, { type: 'b' }]);
    const result = await run(['es-tail', '--from-file', path, '-f', '%t\\n']);
    assert.deepEqual([result.code, result.stdout], [0, 'a\nb\n'], result.stderr);
  });
});

function peakOf(pid) {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  } catch {
    return undefined; // it has ended
  }
}

describe('an event of a file without a stream is told by its file and line, or its type', AT_ONCE, () => {
  for (const [name, more, code] of [['stopped', {}, 1], ['skipped', { skip_bad_events: true }, 0]]) {
    test(name, async (t) => {
      const result = await runOnFile(t, [{ type: 'fine' }, { type: 'order', data: { n: 1 } }],
        { ...FAILS, events: 'order', ...more });
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, /events\.jsonl: line 2|type order/);
      assert.doesNotMatch(result.stderr, /event 0 of /);
    });
  }
});
