// es-tail's processors, one by one: what each does with events, what it prints, where it goes on.

import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventStoreFor, numbered } from './eventstore.mjs';
import {
  eventsFile, hookFor, lines, noter, processorsFile, revisions, runOn, runOnFile, start, startOn, upTo,
} from './eventstore_run.mjs';
import { file, fixture, folder, run } from './support.mjs';

const AT_ONCE = { concurrency: 4 };
const amounts = (type, ...values) => values.map((amount) => ({ type, data: { amount } }));
const SUM = { name: 'sales', events: ['ItemSold'], sum: 'amount' };
const FAST = { attempts: 3, wait: '1ms' };

describe('--from-file', AT_ONCE, () => {
  const args = ['es-tail', '--from-file', fixture('eventstore/sales.jsonl'), '--processors', fixture('eventstore/sales.yaml')];
  const SAID = `Incoming sales amount 7, Total sales amount 7
Incoming sales amount 5, Total sales amount 12
Incoming sales amount 0.1, Total sales amount 12.1
Incoming sales amount 0.2, Total sales amount 12.3
`;
  test("the seed's sample, to the letter", async () => {
    const result = await run(args);
    assert.deepEqual([result.code, result.stdout, result.stderr], [0, SAID, 'opsbelt: es-tail: sales: 4 events done\n']);
  });

  test('a second run finds nothing to do; a line more is added to the total', async (t) => {
    const events = file(t, 'sales.jsonl', readFileSync(fixture('eventstore/sales.jsonl')));
    const again = () => run(['es-tail', '--from-file', events, '--processors', fixture('eventstore/sales.yaml'), '--checkpoints', `${events}.db`]);
    assert.equal((await again()).stdout, SAID);
    assert.equal((await again()).stdout, '');
    appendFileSync(events, '{"type":"ItemSold","data":{"amount":-0.3}}\n');
    assert.equal((await again()).stdout, 'Incoming sales amount -0.3, Total sales amount 12\n');
  });

  test('a file that is shorter than what was done is another file: it says so, and leaves the place', async (t) => {
    const db = join(folder(t), 'a.db');
    const events = eventsFile(t, numbered(5));
    const processor = { name: 'p', print: true };
    await runOnFile(t, events, processor, ['--checkpoints', db]);
    writeFileSync(events, '{"type":"a"}\n');
    const result = await runOnFile(t, events, processor, ['--checkpoints', db]);
    assert.equal(result.code, 65);
    assert.match(result.stderr, /has 1 lines, but 5 were done.*checkpoints reset/);
    assert.deepEqual(await revisions(db), { p: 5 });
  });

  test('standard input, also where it is a socket; a line without its end; empty lines', async (t) => {
    const result = await runOnFile(t, '-', { name: 'p', print: true, say: '{type}' }, [], { stdin: '{"type":"a"}\r\n\n  \n{"type":"b"}' });
    assert.deepEqual([result.code, result.stdout], [0, 'a\nb\n'], result.stderr);
  });

  test('a stop while standard input says nothing', async (t) => {
    const yaml = processorsFile(t, { name: 'p', print: true, say: '{type}' });
    const tail = start(t, ['es-tail', '--from-file', '-', '--processors', yaml]);
    tail.child.stdin.write('{"type":"a"}\n{"ty');
    await tail.until(({ stdout }) => stdout === 'a\n', 'the event that is whole');
    const result = await tail.stop();
    assert.deepEqual([result.code, result.stdout], [0, 'a\n'], result.stderr);
  });

  test('events that are longer than any buffer', async (t) => {
    const long = 'x'.repeat(3_000_000);
    const result = await runOnFile(t, [{ type: 'a', data: { long } }, { type: 'b', data: {} }], { name: 'p', print: true, say: '{type}{data.long}' });
    assert.equal(result.stdout, `a${long}\nb\n`);
  });

  const WRONG = [
    ['no JSON', 'nonsense\n', 65, /line 2/], ['no object', '[]\n', 65, /line 2/], ['no type', '{"data":1}\n', 65, /line 2/],
    ['half a line', '{"type":"a","data":{"n"', 65, /line 2/],
  ];
  for (const [name, line, code, says] of WRONG) {
    test(`${name}: the line is named, and what stands before it is done once`, async (t) => {
      const db = join(folder(t), 'a.db');
      const events = file(t, 'events.jsonl', `{"type":"a"}\n${line}`);
      const processor = { name: 'p', print: true, say: '{type}' };
      const [first, second] = [0, 1].map(() => () => runOnFile(t, events, processor, ['--checkpoints', db]));
      const [one, two] = [await first(), await second()];
      assert.deepEqual([one.code, one.stdout, two.code, two.stdout], [code, 'a\n', code, ''], one.stderr);
      assert.match(one.stderr, says);
    });
  }

  for (const [name, path] of [['missing', '/nowhere/events.jsonl'], ['a directory', '/tmp']]) {
    test(`${name}: 66`, async (t) => {
      const result = await runOnFile(t, path, { name: 'p', print: true });
      assert.equal(result.code, 66, result.stderr);
      assert.match(result.stderr, new RegExp(path));
    });
  }
});

describe('running values', AT_ONCE, () => {
  const VALUES = [
    ['sum', { sum: 'amount' }, ['v: 5', 'v: 8'], ['v: 12']],
    ['count', { count: true }, ['v: 1', 'v: 2'], ['v: 3']],
    ['max', { max: 'amount' }, ['v: 5', 'v: 5'], ['v: 5']],
    ['a dotted field, and a text of one\'s own', { sum: { field: 'amount' }, say: '{type} {number} {{{value}}} {total} {count}' },
      ['ItemSold 0 {5} 5 1', 'ItemSold 1 {3} 8 2'], ['ItemSold 2 {4} 12 3']],
  ];
  for (const [name, action, first, second] of VALUES) {
    for (const sync of ['0', '500ms', '1h']) {
      test(`${name} over a restart with --sync-interval ${sync}`, async (t) => {
        const store = await eventStoreFor(t);
        const args = ['-e', '--checkpoints', join(folder(t), 'a.db'), '--sync-interval', sync];
        store.append('s', amounts('ItemSold', 5, 3));
        assert.deepEqual(lines(await runOn(t, store, 's', { name: 'v', ...action }, args)), first);
        store.append('s', amounts('ItemSold', 4));
        assert.deepEqual(lines(await runOn(t, store, 's', { name: 'v', ...action }, args)), second);
        assert.deepEqual(lines(await runOn(t, store, 's', { name: 'v', ...action }, args)), []);
      });
    }
  }

  test('two types feed one total, a third does not; two processors have totals of their own', async (t) => {
    const store = await eventStoreFor(t);
    store.append('s', [...amounts('Sold', 10), ...amounts('Returned', -4), ...amounts('Viewed', 100), ...amounts('Sold', 1)]);
    const result = await runOn(t, store, 's', [
      { name: 'net', events: ['Sold', 'Returned'], sum: 'amount' }, { name: 'sold', events: 'Sold', sum: 'amount' },
    ], ['-e']);
    assert.deepEqual(lines(result).filter((line) => line.startsWith('net')), ['net: 10', 'net: 6', 'net: 7']);
    assert.deepEqual(lines(result).filter((line) => line.startsWith('sold')), ['sold: 10', 'sold: 11']);
  });

  const BAD = [['no number', { amount: 'much' }], ['no field', {}], ['no JSON', 'nonsense'], ['null', { amount: null }], ['too large', { amount: 1e30 }]];
  for (const [name, data] of BAD) {
    test(`${name}: stops there by default, is left out of the total when skipped`, async (t) => {
      const store = await eventStoreFor(t);
      const db = join(folder(t), 'a.db');
      store.append('s', [...amounts('ItemSold', 5), { type: 'ItemSold', data }, ...amounts('ItemSold', 6)]);
      const stopped = await runOn(t, store, 's', { ...SUM, retry: FAST }, ['-e', '--checkpoints', db]);
      assert.deepEqual([stopped.code, stopped.stdout], [1, 'sales: 5\n'], stopped.stderr);
      assert.match(stopped.stderr, /sales stopped at event 1 of s: .*skip_bad_events/);
      const skipped = await runOn(t, store, 's', { ...SUM, retry: FAST, skip_bad_events: true }, ['-e', '--checkpoints', db]);
      assert.deepEqual([skipped.code, skipped.stdout], [0, 'sales: 11\n'], skipped.stderr);
      assert.match(skipped.stderr, /event 1 of s was skipped: .*\n(.*\n)*.*sales: 1 events done, 1 given up/);
      assert.deepEqual(await revisions(db), { sales: 2 });
    });
  }
});

describe('exec', AT_ONCE, () => {
  test('a process an event: the JSON on its input, its output printed, the environment its own', async (t) => {
    const store = await eventStoreFor(t);
    store.append('s', numbered(3));
    const result = await runOn(t, store, 's', { name: 'p', exec: ['sh', '-c', 'read -r event; echo "$WHO $$ $event"'] }, ['-e'], { env: { WHO: 'me' } });
    assert.equal(result.code, 0, result.stderr);
    const said = lines(result).map((line) => /^me (\d+) (.*)$/.exec(line));
    assert.equal(new Set(said.map(([, pid]) => pid)).size, 3, 'three processes');
    assert.deepEqual(said.map(([, , event]) => JSON.parse(event)).map(({ stream, revision, type, data }) => [stream, revision, type, data.n]),
      upTo(3).map((n) => ['s', n, 'order', n]));
  });

  test('arguments are not a shell\'s; input that is not read and output that is long harm nobody', async (t) => {
    const events = [{ type: 'a', data: { text: 'x'.repeat(500_000) } }];
    const quoted = await runOnFile(t, events, { name: 'p', exec: ['printf', '%s|', '$HOME', '`id`', 'a b', ''] });
    assert.deepEqual([quoted.code, quoted.stdout], [0, '$HOME|`id`|a b||\n'], quoted.stderr);
    const long = await runOnFile(t, events, { name: 'p', exec: ['sh', '-c', 'yes y | head -c 300000'] });
    assert.equal(long.stdout.length, 300_000);
  });

  test('a time-out is a failure: it is killed with what it started', async (t) => {
    const pids = join(folder(t), 'pids');
    const result = await runOnFile(t, numbered(1), {
      name: 'p', exec: ['sh', '-c', `sleep 600 & echo $! >> ${pids}; wait`], timeout: '200ms', retry: { attempts: 2, wait: '1ms' },
    });
    assert.equal(result.code, 1, result.stderr);
    assert.match(result.stderr, /sh was ended: it took longer than/);
    const left = lines({ stdout: readFileSync(pids, 'utf8') });
    assert.equal(left.length, 2, 'attempts');
    for (const pid of left) assert.ok(!existsSync(`/proc/${pid}`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')), `${pid} is still there`);
  });
});

describe('pipe', AT_ONCE, () => {
  test('one process for all events, in their order', async (t) => {
    const { argv, numbers } = noter(t, 'if (number === 0) process.stderr.write(`pid ${process.pid}\\n`);');
    const store = await eventStoreFor(t);
    store.append('s', numbered(2000));
    const result = await runOn(t, store, 's', { name: 'p', pipe: argv }, ['-e']);
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(numbers(), upTo(2000));
    assert.equal(result.stderr.match(/pid/g).length, 1);
  });

  const ODD = [
    ['dies in the middle', 'if (number === 5 && !process.env.X) { writeSync(notes, "5\\n"); process.exit(3); }', /ended with code 3/],
    ['answers nonsense', 'if (number === 5) answer = "well";', /answered neither ok nor error, but: well/],
    ['answers error', 'if (number === 5) answer = "error no room";', /no room/],
    ['hangs', 'while (number === 5);', /gave no answer within/],
  ];
  for (const [name, more, says] of ODD) {
    test(`${name}: its attempts, then it stops there; skipped, all others are done in order`, async (t) => {
      const one = noter(t, more);
      const processor = { name: 'p', pipe: one.argv, timeout: '1s', retry: { attempts: 2, wait: '1ms' } };
      const stopped = await runOnFile(t, numbered(9), processor);
      assert.equal(stopped.code, 1, stopped.stderr);
      assert.match(stopped.stderr, says);
      assert.deepEqual(one.numbers().filter((n) => n < 5), upTo(5));
      const other = noter(t, more);
      const skipped = await runOnFile(t, numbered(9), { ...processor, pipe: other.argv, skip_bad_events: true });
      assert.equal(skipped.code, 0, skipped.stderr);
      // It gets lines before it has answered those before them; what it did too early it does again.
      assert.deepEqual([...new Set(other.numbers())].filter((n) => n !== 5), upTo(9).filter((n) => n !== 5));
    });
  }
});

describe('webhook', AT_ONCE, () => {
  test('POSTs the event with its id as the key, and headers with what the environment says', async (t) => {
    const hook = await hookFor(t);
    const store = await eventStoreFor(t);
    const records = store.append('s', numbered(2));
    const result = await runOn(t, store, 's', { name: 'p', webhook: { url: hook.url, headers: { Authorization: 'Bearer ${TOKEN}' } } },
      ['-e'], { env: { TOKEN: 's3cret' } });
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(hook.got.map(({ event, headers }) => [event.data.n, headers['idempotency-key'], headers.authorization, headers['content-type']]),
      records.map(({ id }, n) => [n, id, 'Bearer s3cret', 'application/json']));
  });

  test('what it answers is told, the secret in it is not', async (t) => {
    const hook = await hookFor(t, (event, request, response) => response.writeHead(403).end('bad s3cret'));
    const result = await runOnFile(t, numbered(1), { name: 'p', webhook: `${hook.url}?key=\${TOKEN}`, retry: FAST }, [], { env: { TOKEN: 's3cret' } });
    assert.equal(result.code, 1);
    assert.match(result.stderr, /127\.0\.0\.1:\d+ answered with status 403: bad \*\*\*/);
    assert.doesNotMatch(result.stderr, /s3cret/);
    assert.equal(hook.got.length, 3, 'attempts');
  });

  test('a variable that is not set: 78, and nothing is sent', async (t) => {
    const result = await runOnFile(t, numbered(1), { name: 'p', webhook: 'http://127.0.0.1:9/${NOPE}' });
    assert.equal(result.code, 78, result.stderr);
    assert.match(result.stderr, /NOPE is not set/);
  });
});

describe('several instances', AT_ONCE, () => {
  test('the order of each key is kept, and keys are done at the same time', async (t) => {
    const store = await eventStoreFor(t);
    const active = new Map();
    let most = 0;
    const hook = await hookFor(t, async ({ data }, request, response) => {
      assert.equal(active.get(data.key), undefined, 'one of a key at a time');
      active.set(data.key, true);
      most = Math.max(most, active.size);
      setTimeout(() => {
        active.delete(data.key);
        response.writeHead(204).end();
      }, (data.n * 7919) % 20);
    });
    store.append('s', upTo(200).map((n) => ({ data: { n, key: `k${n % 7}` } })));
    const result = await runOn(t, store, 's', { name: 'p', webhook: hook.url, instances: 4, key: 'key' }, ['-e']);
    assert.equal(result.code, 0, result.stderr);
    for (const key of upTo(7)) {
      const own = hook.got.map(({ event }) => event.data).filter((data) => data.key === `k${key}`).map(({ n }) => n);
      assert.deepEqual(own, upTo(200).filter((n) => n % 7 === key));
    }
    assert.ok(most > 1 && most <= 4, `${most} at once`);
  });

  test('without a key the streams of $all are kept in order', async (t) => {
    const store = await eventStoreFor(t);
    const hook = await hookFor(t);
    for (const n of upTo(60)) store.append(`s-${n % 6}`, [{ data: { n } }]);
    const tail = startOn(t, store, undefined, { name: 'p', webhook: hook.url, instances: 3 }, ['--stream-prefix', 's-']);
    await tail.until(() => hook.got.length === 60, 'all events');
    await tail.stop();
    for (const stream of upTo(6)) {
      const own = hook.got.filter(({ event }) => event.stream === `s-${stream}`).map(({ event }) => event.data.n);
      assert.deepEqual(own, upTo(60).filter((n) => n % 6 === stream));
    }
  });

  test('the checkpoint is never past an event that is not finished', async (t) => {
    const store = await eventStoreFor(t);
    const db = join(folder(t), 'a.db');
    const held = [];
    const hook = await hookFor(t, ({ data }, request, response) => (data.n === 3 ? held.push(response) : response.writeHead(204).end()));
    store.append('s', upTo(40).map((n) => ({ data: { n, key: n === 3 ? 'slow' : `fast${n}` } })));
    const tail = startOn(t, store, 's', { name: 'p', webhook: hook.url, instances: 8, key: 'key' }, ['--checkpoints', db, '--sync-interval', '0', '--drain-timeout', '100ms']);
    await tail.until(() => hook.got.length > 20 && held.length === 1, 'those beside it are done');
    const result = await tail.stop();
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(await revisions(db), { p: 2 });
  });
});
