// es-tail: where it begins and ends, which events it wants, and what it asks the server for.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { esTail, eventStoreFor, linesOf, numbered, numbersOf, startTail, subscriptions, upTo } from './eventstore.mjs';
import { errorLine } from './support.mjs';

const AT_ONCE = { concurrency: 8 };
const NUMBERS = ['-f', '%n\\n'];
const VERSIONS = ['20.10', '22.10', '23.10', '24.2', '25.1'];
const MINUTE = 60_000;
const START = Date.UTC(2026, 10, 25, 12);

// Ten events, a minute apart, from 12:00 on.
async function tenMinutes(t, options) {
  const store = await eventStoreFor(t, options);
  store.append('orders', numbered(10).map((event, i) => ({ ...event, created: new Date(START + i * MINUTE) })));
  return store;
}
const from = (first, end = 10) => upTo(end).slice(first);

// --- -o on a stream ---

const OFFSETS = [
  ['beginning', from(0)], ['0', from(0)], ['7', from(7)], ['9', [9]], ['10', []], ['9223372036854775807', []],
  ['-1', [9]], ['-3', from(7)], ['-10', from(0)], ['-999', from(0)], ['-0', []], ['end', []],
  ['@2026-11-25T12:03:00Z', from(3)], ['@2026-11-25T12:03:00.000001Z', from(4)], ['@2026-11-25T13:03:00+01:00', from(3)],
  ['@2026-11-25', from(0)], ['@2026-11-26', []], [`@${START / 1000 + 180}`, from(3)], [`@${START + 180_001}`, from(4)], ['@0', from(0)],
  ['@-20000d', from(0)], ['@-0s', []], ['@2026-11-25T12:03:00', from(3)], [' 7 ', from(7)],
];
describe('-o, to the end', AT_ONCE, () => {
  for (const [offset, expected] of OFFSETS) {
    test(`-o '${offset}'`, async (t) => {
      const result = await esTail(await tenMinutes(t), ['orders', '-o', offset, '-e', ...NUMBERS]);
      assert.equal(result.code, 0, result.stderr);
      assert.deepEqual(numbersOf(result), expected);
    });
  }

  for (const [ago, expected] of [['10m', [4, 5]], ['1.5h', [2, 3, 4, 5]], ['30h', [1, 2, 3, 4, 5]], ['7d', upTo(6)], ['90s', [5]]]) {
    test(`@-${ago} is so long ago`, async (t) => {
      const store = await eventStoreFor(t);
      store.append('orders', [2880, 1500, 60, 30, 9, 1].map((minutes) => ({ created: new Date(Date.now() - minutes * MINUTE) })));
      assert.deepEqual(numbersOf(await esTail(store, ['orders', '-o', `@-${ago}`, '-e', ...NUMBERS])), expected);
    });
  }

  test('without -o: with -e from the beginning', async (t) => {
    assert.deepEqual(numbersOf(await esTail(await tenMinutes(t), ['orders', '-e', ...NUMBERS])), from(0));
  });

  for (const [name, shorten] of [
    ['truncated', (store) => store.truncate('orders', 4)],
    ['scavenged', () => {}, { at: 4 }],
  ]) {
    for (const [offset, expected] of [['beginning', from(4)], ['2', from(4)], ['6', from(6)], ['-3', from(7)], ['-9', from(4)],
      ['@2026-11-25T12:01:00Z', from(4)], ['@2026-11-25T12:04:00Z', from(4)], ['@2026-11-25T12:07:00Z', from(7)]]) {
      test(`-o ${offset} of a stream whose first four are ${name}`, async (t) => {
        let store;
        if (name === 'truncated') {
          store = await tenMinutes(t);
        } else {
          store = await eventStoreFor(t);
          store.append('orders', numbered(6).map((event, i) => ({ ...event, created: new Date(START + (i + 4) * MINUTE) })), { at: 4 });
        }
        shorten(store);
        assert.deepEqual(numbersOf(await esTail(store, ['orders', '-o', offset, '-e', ...NUMBERS])), expected);
      });
    }
  }

  test('by time it halves, and does not read the stream', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', upTo(5000).map((i) => ({ created: new Date(START + i * 1000) })));
    const result = await esTail(store, ['orders', '-o', `@${START / 1000 + 4990}`, '-e', ...NUMBERS]);
    assert.deepEqual(numbersOf(result), from(4990, 5000));
    assert.ok(store.requests.length < 20, `${store.requests.length} requests`);
    assert.ok(store.requests.every(({ sent }) => sent < 20));
  });
});

const WRONG_OFFSETS = ['middle', '1.5', '--5', '@', '@yesterday', '@2026-13-01', '9223372036854775808', '0x10', '-', '1/', '/1', '@-', '@1e3',
  '@-7', '@-7y', '@--7d', '@2026-02-30']
  .map((offset) => [['orders'], offset, /--offset is '.*', but must be beginning, end, N/]);
describe('-o that is none is 64, and nobody is asked', AT_ONCE, () => {
  for (const [words, offset, says] of [
    ...WRONG_OFFSETS,
    [['orders'], '5/5', /-o COMMIT\/PREPARE needs --all; a stream has numbers/],
    [['--all'], '5', /events of --all have no numbers; give -o COMMIT\/PREPARE/],
    [['--all'], '@2026-11-25', /--all can't be searched by time; give a single stream, or -o COMMIT\/PREPARE/],
    [['--all'], '9223372036854775808/1', /offset/],
    [['orders', '--direction', 'backwards'], 'beginning', /end, N or COMMIT\/PREPARE with --direction backwards/],
    [['orders', '--direction', 'backwards'], '-5', /backwards/],
    [['orders', '--direction', 'backwards'], '@0', /backwards/],
  ]) {
    test(`${words.join(' ')} -o ${offset}`, async (t) => {
      const store = await eventStoreFor(t);
      const result = await esTail(store, [...words, `--offset=${offset}`]);
      assert.equal(result.code, 64, result.stderr);
      assert.match(errorLine(result), says);
      assert.equal(store.connections.length, 0);
    });
  }
});

// --- Following ---

const FOLLOWED = [
  [[], []], [['-o', 'end'], []], [['-o', 'beginning'], from(0)], [['-o', '7'], from(7)], [['-o', '-2'], from(8)],
  [['-o', '9'], [9]], [['-o', '10'], []], [['-o', '@2026-11-25T12:08:00Z'], from(8)],
];
describe('what is there and what comes, on every version', AT_ONCE, () => {
  for (const version of VERSIONS) {
    for (const [args, expected] of FOLLOWED) {
      test(`${version} ${args.join(' ')}`, async (t) => {
        const store = await tenMinutes(t, { version });
        const tail = startTail(t, store, ['orders', ...args, ...NUMBERS]);
        await tail.until(({ stderr }) => stderr.includes(`live, after ${expected.length} events`));
        store.append('orders', numbered(3));
        await tail.until(({ stdout }) => stdout.includes('12\n'));
        const result = await tail.stop();
        assert.equal(result.code, 0, result.stderr);
        assert.deepEqual(numbersOf(result), [...expected, 10, 11, 12]);
        assert.equal(result.stderr, `opsbelt: es-tail: live, after ${expected.length} events\n`);
        assert.ok(store.requests.every(({ mistake }) => !mistake));
      });
    }
  }

  test('-o 12 of ten events: those between are not given', async (t) => {
    const store = await tenMinutes(t);
    const tail = startTail(t, store, ['orders', '-o', '12', ...NUMBERS]);
    await store.until(() => subscriptions(store).length > 0);
    store.append('orders', numbered(4));
    await tail.until(({ stdout }) => stdout.includes('13\n'));
    assert.deepEqual(numbersOf(await tail.stop()), [12, 13]);
  });

  test('an absent stream is followed: its first event is given', async (t) => {
    for (const offset of ['beginning', 'end', '-5', '0', '@0']) {
      const store = await eventStoreFor(t);
      const tail = startTail(t, store, ['later', '-o', offset, ...NUMBERS]);
      await store.until(() => subscriptions(store).length > 0);
      store.append('later', numbered(2));
      await tail.until(({ stdout }) => stdout.includes('1\n'));
      assert.deepEqual(numbersOf(await tail.stop()), [0, 1], offset);
    }
  });

  test('-q says nothing', async (t) => {
    const store = await tenMinutes(t);
    const tail = startTail(t, store, ['orders', '-q', '-o', 'beginning', ...NUMBERS]);
    await tail.until(({ stdout }) => stdout.includes('9\n'));
    assert.equal((await tail.stop()).stderr, '');
  });

  test('a soft-deleted stream that is written again goes on', async (t) => {
    const store = await tenMinutes(t);
    const tail = startTail(t, store, ['orders', ...NUMBERS]);
    await tail.until(({ stderr }) => stderr.includes('live'));
    store.delete('orders');
    store.append('orders', numbered(1));
    await tail.until(({ stdout }) => stdout.includes('10\n'));
    assert.deepEqual(numbersOf(await tail.stop()), [10]);
  });
});

// --- To the end ---

describe('-e ends, on every version', AT_ONCE, () => {
  for (const version of VERSIONS) {
    test(version, async (t) => {
      const store = await tenMinutes(t, { version });
      assert.deepEqual(numbersOf(await esTail(store, ['orders', '-e', ...NUMBERS])), from(0));
      assert.equal((await esTail(store, ['--all', '-e', '-f', 'x'])).stdout, 'xxxxxxxxxx');
      assert.deepEqual(numbersOf(await esTail(store, ['--all', '-e', '--event-type', 'order', ...NUMBERS])), from(0));
      assert.equal((await esTail(store, ['--all', '-e', '--event-type', 'none', ...NUMBERS])).stdout, '');
      const absent = await esTail(store, ['absent', '-e']);
      assert.equal(absent.code, 66, absent.stderr);
      assert.equal(errorLine(absent), 'opsbelt: es-tail: there is no stream absent');
    });
  }

  test('an empty store', async (t) => {
    const result = await esTail(await eventStoreFor(t), ['--all', '-e']);
    assert.deepEqual([result.code, result.stdout, result.stderr], [0, '', '']);
  });
});

// --- Backwards ---

const BACKWARDS = [
  [['orders'], from(0).reverse()], [['orders', '-o', 'end', '-c', '3'], [9, 8, 7]], [['orders', '-o', '4'], [4, 3, 2, 1, 0]],
  [['orders', '-o', '0'], [0]], [['orders', '-o', '99', '-c', '2'], [9, 8]], [['orders', '-o', '9223372036854775807', '-c', '1'], [9]],
  [['--all'], from(0).reverse()], [['--all', '--event-type', 'order', '-c', '2'], [9, 8]], [['orders', '--event-type', 'none'], []],
];
describe('--direction backwards, to the beginning', AT_ONCE, () => {
  for (const [args, expected] of BACKWARDS) {
    for (const version of ['20.10', '25.1']) {
      test(`${args.join(' ')} (${version})`, async (t) => {
        const result = await esTail(await tenMinutes(t, { version }), [...args, '--direction', 'backwards', ...NUMBERS]);
        assert.equal(result.code, 0, result.stderr);
        assert.deepEqual(numbersOf(result), expected);
        assert.equal(result.stderr, '');
      });
    }
  }

  test('$all before a position', async (t) => {
    const store = await tenMinutes(t);
    const [, , third] = linesOf(await esTail(store, ['--all', '-e', '-J']));
    const at = `${third.commit}/${third.prepare}`;
    assert.deepEqual(numbersOf(await esTail(store, ['--all', '--direction', 'backwards', '-o', at, ...NUMBERS])), [1, 0]);
  });

  test('an absent stream: 66', async (t) => {
    assert.equal((await esTail(await eventStoreFor(t), ['absent', '--direction', 'backwards'])).code, 66);
  });
});
