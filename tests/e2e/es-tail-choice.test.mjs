// es-tail: which events are wanted, by filters and links, what the options refuse, and how it is stopped.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { esTail, eventStoreFor, linesOf, numbered, numbersOf, startTail, subscriptions, upTo } from './eventstore.mjs';
import { binary, errorLine, file, root } from './support.mjs';

const AT_ONCE = { concurrency: 8 };
const NUMBERS = ['-f', '%n\\n'];

// --- Filters ---

async function mixed(t, options) {
  const store = await eventStoreFor(t, options);
  for (const stream of ['order-1', 'order-2', 'user-1']) {
    store.append(stream, [{ type: 'Created' }, { type: 'Changed' }, { type: 'Créé' }]);
  }
  return store;
}

const FILTERS = [
  [['--event-type', 'Cr'], { on: 'type', regex: '', prefixes: ['Cr'] }, 'order-1:Created order-1:Créé order-2:Created order-2:Créé user-1:Created user-1:Créé'],
  [['--event-type', 'Created', '--event-type', 'Cré'], { on: 'type', regex: '', prefixes: ['Created', 'Cré'] }, 'order-1:Created order-1:Créé order-2:Created order-2:Créé user-1:Created user-1:Créé'],
  [['--event-type', 'Created,Cré'], { on: 'type', regex: '', prefixes: ['Created', 'Cré'] }, 'order-1:Created order-1:Créé order-2:Created order-2:Créé user-1:Created user-1:Créé'],
  [['--event-type-regex', '^Ch.*d$'], { on: 'type', regex: '^Ch.*d$', prefixes: [] }, 'order-1:Changed order-2:Changed user-1:Changed'],
  [['--stream-prefix', 'user-'], { on: 'stream', regex: '', prefixes: ['user-'] }, 'user-1:Created user-1:Changed user-1:Créé'],
  [['--stream-regex', '-2$'], { on: 'stream', regex: '-2$', prefixes: [] }, 'order-2:Created order-2:Changed order-2:Créé'],
];
describe('$all is filtered by the server', AT_ONCE, () => {
  for (const [args, filter, expected] of FILTERS) {
    test(`${args.join(' ')}: to the end, and followed`, async (t) => {
      const store = await mixed(t);
      const whole = await esTail(store, ['--all', '-e', ...args, '-f', '%s:%t ']);
      assert.equal(whole.stdout.trim(), expected, whole.stderr);
      const read = store.requests.find(({ filter: asked }) => asked);
      assert.deepEqual({ on: read.filter.on, regex: read.filter.regex, prefixes: read.filter.prefixes }, filter);
      const tail = startTail(t, store, ['--all', '-o', 'beginning', ...args, '-f', '%s:%t ']);
      await tail.until(({ stderr, stdout }) => stderr.includes('live') && stdout.trim() === expected);
      assert.equal((await tail.stop()).code, 0);
      const [asked] = subscriptions(store);
      assert.equal(asked.mistake, undefined);
      assert.ok(asked.filter.multiplier >= 1);
    });
  }

  for (const [args, , expected] of FILTERS.slice(0, 4)) {
    test(`${args.join(' ')}: of a single stream here`, async (t) => {
      const store = await mixed(t);
      const mine = expected.split(' ').filter((word) => word.startsWith('order-2:')).join(' ');
      assert.equal((await esTail(store, ['order-2', '-e', ...args, '-f', '%s:%t '])).stdout.trim(), mine);
      assert.equal((await esTail(store, ['order-2', '-e', ...args, '-c', '1', '-f', '%s:%t '])).stdout.trim(), mine.split(' ')[0]);
      assert.ok(store.requests.every(({ filter }) => filter === undefined));
    });
  }

  test('-o -N with a filter: the last N that pass it', async (t) => {
    const store = await mixed(t);
    const result = await esTail(store, ['--all', '-e', '-o', '-2', '--event-type', 'Created', '-f', '%s:%t ']);
    assert.equal(result.stdout, 'order-2:Created user-1:Created ');
  });

  test('-o -N with a filter on a stream: so many before the end, of which some pass', async (t) => {
    const store = await mixed(t);
    assert.equal((await esTail(store, ['order-1', '-e', '-o', '-2', '--event-type', 'Created', '-f', '%t '])).stdout, '');
  });

  for (const version of ['20.10', '22.10', '23.10', '25.1']) {
    test(`${version}: a filter that nothing passes: checkpoints move the place, and a restart goes on there`, async (t) => {
      const store = await eventStoreFor(t, { version });
      store.append('orders', numbered(500));
      const tail = startTail(t, store, ['--all', '-o', 'beginning', '--event-type', 'none', '-f', '%t\\n']);
      await store.until(() => subscriptions(store).length === 1);
      store.append('orders', numbered(500));
      await delay(300); // until the server has sent its checkpoints
      store.drop({ kind: 'reset' });
      await store.until(() => subscriptions(store).length === 2);
      const { from } = subscriptions(store)[1];
      assert.ok(from.commit > 4096n + 100n * 100n, `${from.commit}`);
      store.append('orders', [{ type: 'none' }]);
      await tail.until(({ stdout }) => stdout === 'none\n');
      await tail.stop();
    });
  }
});

const WRONG_REGEXES = [['--event-type-regex', '('], ['--event-type-regex', '[']];
for (const [option, regex] of WRONG_REGEXES) {
  test(`${option} ${regex} on a stream is 64`, async (t) => {
    const store = await eventStoreFor(t);
    const result = await esTail(store, ['orders', option, regex]);
    assert.equal(result.code, 64, result.stderr);
    assert.match(errorLine(result), /the regular expression for event types is wrong/);
    assert.equal(store.connections.length, 0);
  });
}

// --- Positions of $all ---

test('--all -o COMMIT/PREPARE goes on behind it, as %p prints it', async (t) => {
  const store = await mixed(t);
  const all = linesOf(await esTail(store, ['--all', '-e', '-J']));
  const { stdout } = await esTail(store, ['--all', '-e', '-c', '4', '-f', '%p\\n']);
  const at = stdout.trim().split('\n')[3];
  for (const args of [['-e'], ['-c', '5']]) {
    assert.deepEqual(linesOf(await esTail(store, ['--all', '-o', at, '-J', ...args])), all.slice(4));
  }
});

for (const [offset, expected] of [['beginning', 9], ['end', 0], ['-4', 4], ['-99', 9], ['9223372036854775807/9223372036854775807', 0]]) {
  test(`--all -o ${offset}`, async (t) => {
    const store = await mixed(t);
    const result = await esTail(store, ['--all', '-e', '-o', offset, '-f', 'x']);
    assert.equal(result.stdout.length, expected, result.stderr);
  });
}

test('$all as a stream\'s name is --all', async (t) => {
  assert.equal((await esTail(await mixed(t), ['$all', '-e', '-f', 'x'])).stdout.length, 9);
});

// --- Links ---

test('links: themselves without --resolve-links, else what they point to, with the link\'s number', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(5));
  for (const revision of [3n, 1n]) store.link('view', { stream: 'orders', revision });
  assert.equal((await esTail(store, ['view', '-e', '-f', '%n %t %d\\n'])).stdout, '0 $> 3@orders\n1 $> 1@orders\n');
  assert.equal((await esTail(store, ['view', '-e', '--resolve-links', '-f', '%n %s %t %d\\n'])).stdout,
    '0 orders order {"n":3}\n1 orders order {"n":1}\n');
  assert.deepEqual(store.requests.filter(({ backwards }) => !backwards).map(({ resolveLinks }) => resolveLinks), [false, true]);
});

for (const direction of ['forwards', 'backwards']) {
  test(`links to what is gone hold nothing up, ${direction}, and a drop resumes behind the link`, async (t) => {
    const store = await eventStoreFor(t);
    store.append('gone', numbered(1));
    store.append('there', numbered(9));
    for (let i = 0; i < 6; i += 1) store.link('view', { stream: i % 2 ? 'gone' : 'there', revision: i % 2 ? 0n : BigInt(i) });
    store.delete('gone');
    store.fail({ kind: 'reset', after: 4 });
    const result = await esTail(store, ['view', '-e', '--resolve-links', '--direction', direction, ...NUMBERS]);
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(numbersOf(result), direction === 'forwards' ? upTo(6) : upTo(6).reverse());
  });
}

test('a filter on a stream with resolved links looks at the target\'s type; of a link to nothing at none', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', [{ type: 'a' }, { type: 'b' }]);
  for (const revision of [0n, 1n, 7n]) store.link('view', { stream: 'orders', revision });
  assert.deepEqual(numbersOf(await esTail(store, ['view', '-e', '--resolve-links', '--event-type', 'b', ...NUMBERS])), [1]);
});

for (const word of ['replay', 'checkpoints']) {
  test(`"${word}" alone is a stream's name, and it is said`, async (t) => {
    const store = await eventStoreFor(t);
    store.append(word, numbered(1));
    const result = await esTail(store, [word, '-e', ...NUMBERS]);
    assert.deepEqual(numbersOf(result), [0]);
    assert.match(result.stderr, new RegExp(`${word} alone is taken for a stream's name; `));
  });
}

// --- What does not go together ---

const REFUSED = [
  [[], /no stream is given: name one, or give --all or --from-file FILE/],
  [['a', 'b'], /more than one stream: 'b' is left over/],
  [['a', '--all'], /--stream and --all can't go together/],
  [['a', '--from-file', 'x'], /--from-file and --stream can't go together/],
  [['--from-file', 'x', '-o', 'end'], /--from-file and --offset/],
  [['--from-file', 'x', '-e'], /--from-file and --exit/],
  [['--from-file', 'x', '--url', 'esdb://x'], /--from-file and --url/],
  [['--from-file', 'x', '--resolve-links'], /--from-file and --resolve-links/],
  [['a', '-J', '-f', '%d'], /--json and --format/],
  [['a', '--stream-prefix', 'x'], /--stream-prefix needs --all or --from-file/],
  [['a', '--stream-regex', 'x'], /--stream-regex needs --all or --from-file/],
  [['--all', '--event-type', 'x', '--stream-prefix', 'y'], /--event-type and --stream-prefix/],
  [['--all', '--event-type', 'x', '--event-type-regex', 'y'], /--event-type and --event-type-regex/],
  [['--all', '--stream-prefix', 'x', '--stream-regex', 'y'], /--stream-prefix and --stream-regex/],
  [['a', '--checkpoints', 'x'], /--checkpoints needs --processors/],
  [['a', '--sync-interval', '1s'], /--sync-interval needs --checkpoints/],
  [['a', '--fail-fast'], /--fail-fast needs --processors/],
  [['a', '--group-buffer', '5'], /--group-buffer needs --group/],
  [['a', '--drain-timeout', '5s'], /--drain-timeout needs --processors/],
  [['a', '--group', 'g', '-o', 'end'], /--group and --offset/],
  [['a', '--group', 'g', '-e'], /--group and --exit/],
  [['a', '--processors', 'x', '-J'], /--processors and --json/],
  [['a', '--direction', 'sideways'], /--direction is 'sideways', but must be forwards or backwards/],
  [['a', '-c', '0'], /--count is '0'/], [['a', '-c', '-1'], /--count/], [['a', '-c', 'x'], /--count is 'x'/],
  [['a', '--max-downtime', 'soon'], /--max-downtime is 'soon'/],
  [['a', '--colour'], /colour/],
  [['checkpoints', 'list'], /add --checkpoints FILE/],
  [['replay', 'x'], /add --processors FILE/],
  [['a', '--url', 'http://x'], /--url: its scheme is unknown/],
  [['a', '--url', 'localhost:2113'], /--url: it begins with no esdb:\/\//],
  [['a', '--url', 'esdb://me:secret@x?tls=maybe'], /--url: tls must be true or false/],
  [['a', '--url', 'esdb://x?userKeyFile=y'], /userCertFile and userKeyFile belong together/],
];
describe('usage errors are one clear line and 64, and nobody is asked', AT_ONCE, () => {
  for (const [args, says] of REFUSED) {
    test(args.join(' ') || 'nothing', async (t) => {
      const store = await eventStoreFor(t);
      const result = await esTail(store, args);
      assert.equal(result.code, 64, result.stderr);
      assert.match(errorLine(result), says);
      assert.ok(!result.stderr.includes('secret'));
      assert.equal(result.stdout, '');
      assert.equal(store.connections.length, 0);
    });
  }

  test('a wrong ES_URL is told by its name', async () => {
    const result = await esTail({ url: 'esdb://me:secret@' }, ['a']);
    assert.equal(result.code, 64);
    assert.match(errorLine(result), /ES_URL: host 1 is empty/);
    assert.ok(!result.stderr.includes('secret'));
  });

  test('a key that is not known is named, and has no effect', async (t) => {
    const store = await eventStoreFor(t);
    store.append('a', numbered(1));
    const result = await esTail(store, ['a', '-e', ...NUMBERS], { env: { ES_URL: `${store.url}&throwOnAppendFailure=true` } });
    assert.deepEqual([result.code, result.stdout], [0, '0\n']);
    assert.match(errorLine(result), /throwOnAppendFailure of ES_URL is not known, and has no effect/);
  });

  test('--url before ES_URL', async (t) => {
    const store = await eventStoreFor(t);
    store.append('a', numbered(1));
    const result = await esTail(store, ['a', '-e', '--url', store.url, ...NUMBERS], { env: { ES_URL: 'esdb://127.0.0.1:1' } });
    assert.equal(result.stdout, '0\n', result.stderr);
  });
});

// --- Stopped ---

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
  test(`${signal}: 0, and all that came is printed`, async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(20_000));
    const tail = startTail(t, store, ['orders', '-o', 'beginning', ...NUMBERS]);
    await tail.until(({ stdout }) => stdout.length > 0);
    const result = await tail.stop(signal);
    assert.equal(result.code, 0, result.stderr);
    const numbers = numbersOf(result);
    assert.deepEqual(numbers, upTo(numbers.length));
    assert.ok(result.stdout.endsWith('\n'));
  });
}

const WAITING = [
  ['nobody listens', (store) => store.stop()],
  ['a server that says nothing', (store) => store.fail({ kind: 'mute', on: 'connection' })],
  ['a call without a reply', (store) => store.fail({ kind: 'hang' })],
];
for (const [name, spoil] of WAITING) {
  test(`SIGTERM while it waits: ${name}`, async (t) => {
    const store = await eventStoreFor(t);
    await spoil(store);
    const tail = startTail(t, store, ['orders', '--max-downtime', '10m']);
    await tail.until(() => store.unusedFaults.length === 0, 'the fault is met');
    const result = await tail.stop();
    assert.equal(result.code, 0, result.stderr);
  });
}

test('a reader that stalls: SIGTERM ends it with 74, as a part is lost', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(50_000));
  const tail = spawn(binary, ['es-tail', 'orders', '-o', 'beginning'], { cwd: root, env: { ES_URL: store.url }, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => tail.kill('SIGKILL'));
  let stderr = '';
  tail.stderr.on('data', (data) => { stderr += data; });
  await store.until(() => subscriptions(store).length > 0);
  await delay(500);
  tail.kill('SIGTERM');
  const [code] = await once(tail, 'exit');
  assert.equal(code, 74, stderr);
  assert.match(stderr, /nobody reads standard output, so a part of it is lost/);
});

test('a reader that stalls and then reads on gets all', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(50_000));
  const tail = spawn(binary, ['es-tail', 'orders', '-e', ...NUMBERS], { cwd: root, env: { ES_URL: store.url }, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => tail.kill('SIGKILL'));
  await delay(500);
  let stdout = '';
  tail.stdout.on('data', (data) => { stdout += data; });
  const [code] = await once(tail, 'close');
  assert.equal(code, 0);
  assert.deepEqual(numbersOf({ stdout }), upTo(50_000));
});

test('what is done at once says nothing of its progress', async (t) => {
  const path = file(t, 'x', '');
  const store = await eventStoreFor(t);
  store.append('orders', numbered(1000));
  const result = await esTail(store, ['orders', '-e', '--output-file', path]);
  assert.deepEqual([result.code, result.stdout, result.stderr], [0, '', '']);
});

test('a stop before the end of what was asked for is 130, and what came is printed', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(3));
  const tail = startTail(t, store, ['orders', '-o', 'beginning', '-c', '5', ...NUMBERS]);
  await tail.until(({ stdout }) => stdout === '0\n1\n2\n', 'three');
  const result = await tail.stop();
  assert.deepEqual([result.code, numbersOf(result)], [130, upTo(3)], result.stderr);
  assert.match(result.stderr, /stopped before the end, after 3 events/);
});
