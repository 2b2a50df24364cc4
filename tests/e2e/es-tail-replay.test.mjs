// es-tail replay: dead letters run again; what fails again, was cut off or is nobody's stays in the file.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventStoreFor, numbered } from './eventstore.mjs';
import { hookFor, lines, noter, numbersIn, processorsFile, runOnFile, start, startOn, until, upTo } from './eventstore_run.mjs';
import { folder, run } from './support.mjs';

const AT_ONCE = { concurrency: 4 };
const FAST = { attempts: 2, wait: '1ms' };
const SKIPS = { retry: FAST, skip_bad_events: true };
const lettersIn = (path) => (existsSync(path) ? lines({ stdout: readFileSync(path, 'utf8') }).map((line) => JSON.parse(line)) : []);
const numbersLeft = (path) => lettersIn(path).map(({ data }) => data.n);
const PRINT = { name: 'p', print: true, say: '{data.n}', ...SKIPS };
const FAILS = { name: 'p', exec: ['sh', '-c', 'echo still broken >&2; exit 3'], ...SKIPS };

// Letters of a processor, as es-tail wrote them.
async function letters(t, count = 5, name = 'p') {
  const path = join(folder(t), 'bad.jsonl');
  await runOnFile(t, numbered(count), { name, exec: ['false'], ...SKIPS, dead_letter: path });
  assert.deepEqual(numbersLeft(path), upTo(count));
  return path;
}
const replay = (t, path, processors, args = [], options = {}) => run(['es-tail', 'replay', path, '--processors', processorsFile(t, ...[processors].flat()), ...args],
  { env: { PATH: process.env.PATH }, ...options });
const startReplay = (t, path, processors, args = []) => start(t, ['es-tail', 'replay', path, '--processors', processorsFile(t, ...[processors].flat()), ...args]);

describe('replay', AT_ONCE, () => {
  test('what is done now is gone, and so is the file', async (t) => {
    const path = await letters(t);
    const result = await replay(t, path, PRINT);
    assert.deepEqual([result.code, lines(result).map(Number)], [0, upTo(5)], result.stderr);
    assert.match(result.stderr, /p: 5 events done, 0 failed again/);
    for (const left of [path, `${path}.replaying`]) assert.equal(existsSync(left), false, left);
  });

  test('the event is as it was: bytes, metadata, link; and the types of the processor do not matter', async (t) => {
    const store = await eventStoreFor(t);
    const path = join(folder(t), 'bad.jsonl');
    store.append('s', [{ type: 'a', data: Buffer.from([0, 255, 10]), metadata: { m: 1 } }]);
    store.link('l', { stream: 's', revision: 0 });
    const first = startOn(t, store, 'l', { name: 'p', exec: ['sh', '-c', 'cat >&2; exit 1'], ...SKIPS, dead_letter: path }, ['--resolve-links']);
    await until(() => existsSync(path) && lettersIn(path).length === 1, 'the letter');
    await first.stop();
    const [{ processor, error, failed, ...event }] = lettersIn(path);
    const result = await replay(t, path, { name: 'p', events: ['other'], print: true });
    assert.deepEqual(JSON.parse(result.stdout), event);
    assert.deepEqual([event.data_base64, event.metadata, event.link.stream], ['AP8K', { m: 1 }, 'l']);
  });

  test('what fails again stays with its new error; exit code 1', async (t) => {
    const path = await letters(t);
    const result = await replay(t, path, FAILS);
    assert.equal(result.code, 1, result.stderr);
    assert.deepEqual(numbersLeft(path), upTo(5));
    for (const letter of lettersIn(path)) assert.match(letter.error, /still broken/);
    assert.equal(existsSync(`${path}.replaying`), false);
    assert.equal((await replay(t, path, PRINT)).code, 0);
  });

  test('some fail again: those stay', async (t) => {
    const path = await letters(t);
    const hook = await hookFor(t, ({ data }, request, response) => response.writeHead(data.n % 2 ? 500 : 200).end());
    const result = await replay(t, path, { name: 'p', webhook: hook.url, ...SKIPS });
    assert.equal(result.code, 1, result.stderr);
    assert.match(result.stderr, /p: 3 events done, 2 failed again/);
    assert.deepEqual(numbersLeft(path), [1, 3]);
  });

  const STAYS = [
    ['a processor that is not in the file', [{ ...PRINT, name: 'q' }], /has no processor p; its letters stay/],
    ['a processor that keeps a running value', [{ name: 'p', count: true }], /keeps a running value/],
  ];
  for (const [name, processors, says] of STAYS) {
    test(`${name}: its letters stay as they are, 1`, async (t) => {
      const path = await letters(t);
      const before = readFileSync(path, 'utf8');
      const result = await replay(t, path, processors);
      assert.equal(result.code, 1, result.stderr);
      assert.match(result.stderr, says);
      assert.equal(readFileSync(path, 'utf8'), before);
    });
  }

  test('letters of two processors: each does its own; what is no letter stays', async (t) => {
    const path = await letters(t, 2, 'p');
    const other = readFileSync(await letters(t, 2, 'q'), 'utf8');
    const odd = 'hello\n{"type":"a"}\n{"processor":7}\n';
    writeFileSync(path, `${readFileSync(path, 'utf8')}${odd}\n${other.trimEnd()}`);
    const result = await replay(t, path, [{ ...PRINT, say: 'p{data.n}' }, { ...PRINT, name: 'q', say: 'q{data.n}' }]);
    assert.deepEqual([result.code, lines(result).sort()], [1, ['p0', 'p1', 'q0', 'q1']], result.stderr);
    assert.match(result.stderr, /lines that are no dead letters stay as they are/);
    assert.equal(readFileSync(path, 'utf8'), odd);
  });

  test('a letter whose event can\'t be read ends its processor there; it and what is behind it stay', async (t) => {
    const path = await letters(t, 3);
    const [a, b, c] = readFileSync(path, 'utf8').trimEnd().split('\n');
    writeFileSync(path, `${a}\n${b.replace('"type":"order"', '"type":7')}\n${c}\n`);
    const result = await replay(t, path, PRINT);
    assert.deepEqual([result.code, result.stdout], [1, '0\n'], result.stderr);
    assert.match(result.stderr, /line 2/);
    assert.deepEqual(numbersLeft(path), [1, 2]);
  });

  test('a program that is not there: the letters stay as they were', async (t) => {
    const path = await letters(t);
    const before = readFileSync(path, 'utf8');
    const result = await replay(t, path, { name: 'p', exec: ['no-such-program'], ...SKIPS });
    assert.equal(result.code, 1, result.stderr);
    assert.match(result.stderr, /can't run no-such-program/);
    assert.equal(readFileSync(path, 'utf8'), before);
  });

  test('a file that is not there: 66; options that mean nothing: 64', async (t) => {
    const path = join(folder(t), 'none.jsonl');
    assert.equal((await replay(t, path, PRINT)).code, 66);
    for (const args of [['--all'], ['--checkpoints', 'x'], ['--url', 'esdb://x'], ['--sync-interval', '0']]) {
      const result = await replay(t, path, PRINT, args);
      assert.equal(result.code, 64, result.stderr);
      assert.match(result.stderr, new RegExp(`${args[0]} has no effect on replay`));
    }
    assert.equal((await run(['es-tail', 'replay', path])).code, 64);
  });

  test('--quiet says nothing of what goes well', async (t) => {
    const result = await replay(t, await letters(t), PRINT, ['-q']);
    assert.deepEqual([result.code, result.stderr], [0, '']);
  });
});

describe('replay cut off', AT_ONCE, () => {
  // Holds the third letter until it is let go.
  async function halting(t) {
    const held = [];
    const hook = await hookFor(t, ({ data }, request, response) => (data.n === 2 ? held.push(response) : response.writeHead(200).end()));
    return { hook, held, processor: { name: 'p', webhook: hook.url, ...SKIPS } };
  }

  test('a stop leaves what was not done', async (t) => {
    const path = await letters(t);
    const { held, processor } = await halting(t);
    const replaying = startReplay(t, path, processor, ['--drain-timeout', '100ms']);
    await until(() => held.length === 1, 'the third');
    const result = await replaying.stop();
    assert.equal(result.code, 1, result.stderr);
    assert.deepEqual(numbersLeft(path), [2, 3, 4]);
    assert.equal(existsSync(`${path}.replaying`), false);
  });

  test('kill -9 loses nothing: the next replay takes up what it left, and what came since', async (t) => {
    const path = await letters(t);
    const { held, processor } = await halting(t);
    const replaying = startReplay(t, path, processor);
    await until(() => held.length === 1, 'the third');
    await replaying.stop('SIGKILL');
    assert.equal(existsSync(`${path}.replaying`), true);
    await runOnFile(t, numbered(2, { from: 100 }), { name: 'p', exec: ['false'], ...SKIPS, dead_letter: path });
    const result = await replay(t, path, PRINT);
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(lines(result).map(Number).sort((a, b) => a - b), [0, 1, 2, 3, 4, 100, 101]);
    for (const left of [path, `${path}.replaying`]) assert.equal(existsSync(left), false, left);
  });

  test('only FILE.replaying is there: it is taken up, too', async (t) => {
    const path = await letters(t);
    writeFileSync(`${path}.replaying`, readFileSync(path));
    rmSync(path);
    const result = await replay(t, path, PRINT);
    assert.deepEqual([result.code, lines(result).map(Number)], [0, upTo(5)], result.stderr);
  });

  test('a second replay meanwhile is refused with 75, and the first one finishes', async (t) => {
    const path = await letters(t);
    const { hook, held, processor } = await halting(t);
    const first = startReplay(t, path, processor);
    await until(() => held.length === 1, 'the third');
    const second = await replay(t, path, PRINT);
    assert.deepEqual([second.code, second.stdout], [75, ''], second.stderr);
    assert.match(second.stderr, /another replay works on/);
    held[0].writeHead(200).end();
    const result = await first.closed;
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(hook.got.map(({ event }) => event.data.n), upTo(5));
    assert.equal(existsSync(path), false);
  });

  test('an es-tail that writes letters meanwhile loses none', async (t) => {
    const path = await letters(t, 3);
    const store = await eventStoreFor(t);
    const sum = { name: 'v', sum: 'amount', ...SKIPS, retry: { attempts: 1 }, dead_letter: path };
    const tail = startOn(t, store, 's', sum, ['-q']);
    const { argv, notes } = noter(t);
    const processors = [PRINT, { name: 'v', pipe: argv, ...SKIPS }].map(({ say, print, ...one }) => ({ ...one, pipe: argv }));
    let written = 0;
    for (let round = 0; round < 8; round += 1) {
      store.append('s', numbered(300, { from: 1000 + written }));
      written += 300;
      const result = await replay(t, path, processors);
      assert.ok(result.code === 0 || (result.code === 66 && round > 0), result.stderr);
    }
    await until(() => new Set([...numbersIn(notes), ...numbersLeft(path)]).size === 3 + written, 'all letters');
    await tail.stop();
    const all = [...numbersIn(notes), ...numbersLeft(path)].sort((a, b) => a - b);
    assert.deepEqual(all, [0, 1, 2, ...upTo(written, 1000)]);
  });
});
