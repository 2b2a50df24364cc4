// es-tail: how events are printed: lines for people, -J, -f, a file, a terminal, GitHub Actions.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { esTail, eventStoreFor, linesOf, numbered, numbersOf, startTail, upTo } from './eventstore.mjs';
import { binary, errorLine, file, folder, root } from './support.mjs';

const ALL = ['-o', 'beginning', '-e'];
const AT = new Date('2026-11-25T12:00:00.125Z');
const ID = '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9';
const event = (more = {}) => ({ type: 'sold', id: ID, created: AT, data: '{"amount":5}', ...more });
const printed = async (store, args, options) => {
  const result = await esTail(store, ['orders', ...ALL, ...args], options);
  assert.equal(result.code, 0, result.stderr);
  return result;
};

// --- Lines for people ---

const LINES = [
  ['JSON', event(), '{"amount":5}'],
  ['JSON over several lines stays in one', event({ data: '{\n  "amount": 5\n}' }), '{   "amount": 5 }'],
  ['bytes that are no text are only counted', event({ data: Buffer.from([0xff, 0, 1]) }), '(3 bytes of application/octet-stream)'],
  ['no escape sequence reaches the terminal', event({ data: '\u001b[2J' }), /^[^\u001b]*$/],
  ['nothing', event({ data: '' }), ''],
];
describe('a line holds time, number, stream, type and data', { concurrency: 8 }, () => {
  for (const [name, written, data] of LINES) {
    test(name, async (t) => {
      const store = await eventStoreFor(t);
      store.append('orders', [written]);
      const { stdout, stderr } = await printed(store, []);
      const found = /^2026-11-25T12:00:00\.1250000Z 0@orders sold (.*)\n$/.exec(stdout);
      assert.ok(found, stdout);
      if (typeof data === 'string') assert.equal(found[1], data);
      else assert.match(found[1], data);
      assert.equal(stderr, '');
    });
  }

  test('a type with a line break or an escape sequence stays one harmless line', async (t) => {
    const store = await eventStoreFor(t);
    store.append('a\nb', [event({ type: 'x\n\u001b[31my' })]);
    const { stdout, code } = await esTail(store, ['a\nb', ...ALL]);
    assert.equal(code, 0);
    assert.equal(stdout.split('\n').length, 2);
    assert.ok(!stdout.includes('\u001b'));
  });
});

// --- JSON Lines ---

test('-J gives every member, and positions as whole numbers beyond 2^53', async (t) => {
  const store = await eventStoreFor(t);
  const [record] = store.append('orders', [event({ metadata: { by: 'me' }, prepare: 2n ** 60n + 1n })]);
  const { stdout } = await printed(store, ['-J']);
  assert.equal(stdout, `{"stream":"orders","revision":0,"commit":${record.commit},"prepare":1152921504606846977,"type":"sold",`
    + `"id":"${ID}","created":"2026-11-25T12:00:00.1250000Z","content_type":"application/json","data":{"amount":5},"metadata":{"by":"me"}}\n`);
});

const DATA = [
  ['JSON', '{"a":[1,2.50,null]}', { data: { a: [1, 2.5, null] } }],
  ['a text of JSON with escapes', '"\\u00e9\\n\\ud83d\\ude80"', { data: 'é\n🚀' }],
  ['pretty-printed JSON', JSON.stringify({ a: { b: [1, 'x\ny'] } }, null, 2), { data: { a: { b: [1, 'x\ny'] } } }],
  ['JSON with CR LF', '{\r\n"a": 1\r\n}', { data: { a: 1 } }],
  ['null', 'null', { data: null }],
  ['a number beyond 2^53', '12345678901234567890', { data: 12345678901234567890n }],
  ['what is called JSON and is none', '{"a":', { base64: '{"a":' }],
  ['JSON with bytes that are no UTF-8', Buffer.from('7b2261223a22ff227d', 'hex'), { base64: Buffer.from('7b2261223a22ff227d', 'hex') }, 'application/json'],
  ['bytes', Buffer.from([0, 1, 255]), { base64: Buffer.from([0, 1, 255]) }],
  ['nothing', '', {}],
];
describe('-J: data as JSON or as Base64, one line each, and --from-file reads it back the same', { concurrency: 8 }, () => {
  for (const [name, data, expected, contentType] of DATA) {
    test(name, async (t) => {
      const store = await eventStoreFor(t);
      store.append('orders', [{ type: 'x', data, contentType }]);
      const result = await printed(store, ['-J']);
      assert.equal(result.stdout.split('\n').length, 2, 'one line');
      const line = JSON.parse(result.stdout);
      if (typeof expected.data === 'bigint') assert.ok(result.stdout.includes(`"data":${expected.data},`) || result.stdout.includes(`"data":${expected.data}}`));
      else assert.deepEqual(line.data, expected.data);
      assert.deepEqual(line.data_base64 && Buffer.from(line.data_base64, 'base64'), expected.base64 && Buffer.from(expected.base64));
      const again = await esTail({ url: 'esdb://127.0.0.1:1' }, ['--from-file', '-', '-J'], { stdin: result.stdout });
      assert.equal(again.stdout, result.stdout, again.stderr);
    });
  }

  test('names that are no UTF-8', async (t) => {
    const store = await eventStoreFor(t);
    store.append(Buffer.from([0x61, 0xff]), [event({ data: Buffer.from([0xfe]), metadata: Buffer.from([0xfd]) })]);
    const result = await esTail(store, ['--all', ...ALL, '-J']);
    const [line] = linesOf(result);
    assert.equal(line.stream, 'a\ufffd');
    assert.equal(line.stream_base64, Buffer.from([0x61, 0xff]).toString('base64'));
    assert.equal(line.metadata_base64, Buffer.from([0xfd]).toString('base64'));
    const again = await esTail(store, ['--from-file', '-', '-J'], { stdin: result.stdout });
    assert.equal(again.stdout, result.stdout);
  });

  test('links, resolved and with a deleted target', async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(2));
    store.link('view', { stream: 'orders', revision: 1n });
    store.append('gone', numbered(1));
    store.link('view', { stream: 'gone', revision: 0n });
    store.delete('gone');
    const result = await esTail(store, ['view', ...ALL, '-J', '--resolve-links']);
    const [first, second] = linesOf(result);
    assert.deepEqual([first.stream, first.revision, first.data, first.link.stream, first.link.revision], ['orders', 1, { n: 1 }, 'view', 0]);
    assert.deepEqual(Object.keys(second), ['link', 'missing']);
    assert.equal(second.link.revision, 1);
    const again = await esTail(store, ['--from-file', '-', '-J'], { stdin: result.stdout });
    assert.equal(again.stdout, result.stdout, again.stderr);
    const words = await esTail(store, ['view', ...ALL, '--resolve-links']);
    assert.match(words.stdout, / 0@view order \{"n":1\}\n.* 1@view .*\(the link's target was deleted\)\n$/);
  });

  test('an event of 16 MiB', async (t) => {
    const store = await eventStoreFor(t);
    const data = JSON.stringify({ text: 'x'.repeat(16 * 1024 * 1024 - 20) });
    store.append('orders', [{ data }, event()]);
    const result = await printed(store, ['-J']);
    assert.equal(linesOf(result)[0].data.text.length, 16 * 1024 * 1024 - 20);
    assert.equal(linesOf(result).length, 2);
  });
});

// --- Formats ---

const FORMATS = [
  ['%s', 'orders'], ['%n', '0'], ['%t', 'sold'], ['%d', '{"amount":5}'], ['%m', '{"by":"me"}'], ['%i', ID],
  ['%T', '2026-11-25T12:00:00.1250000Z'], ['%c', 'application/json'], ['%p', '4096/4096'], ['%r', '0'], ['%%', '%'],
  ['a\\nb\\tc\\rd\\\\e', 'a\nb\tc\rd\\e'], ['\\x41\\x0a', 'A\n'], ['\\0', '\0'], ['%%n%n', '%n0'], ['é%n🚀', 'é0🚀'],
];
const WRONG_FORMATS = ['%q', '%', '\\q', '\\x4', '\\xzz', '\\', 'ab%', '%é', 'é%é'];
describe('-f', { concurrency: 8 }, () => {
  for (const [format, text] of FORMATS) {
    test(JSON.stringify(format), async (t) => {
      const store = await eventStoreFor(t);
      store.append('orders', [event({ metadata: { by: 'me' } })]);
      assert.equal((await printed(store, ['-f', format])).stdout, text);
    });
  }
  for (const format of WRONG_FORMATS) {
    test(`${JSON.stringify(format)} is refused, and nobody asked`, async (t) => {
      const store = await eventStoreFor(t);
      const result = await esTail(store, ['orders', '-f', format]);
      assert.equal(result.code, 64, result.stderr);
      assert.match(errorLine(result), /--format: .* at character \d+; known are %s/);
      assert.equal(store.requests.length, 0);
    });
  }

  test('data comes byte for byte', async (t) => {
    const store = await eventStoreFor(t);
    const bytes = Buffer.from(upTo(256));
    store.append('orders', [event({ data: bytes })]);
    assert.deepEqual(Buffer.from((await printed(store, ['-f', '%d'], { encoding: 'latin1' })).stdout, 'latin1'), bytes);
  });
});

// --- To a file ---

test('--output-file appends, and standard output stays empty', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(3));
  const path = join(folder(t), 'events');
  writeFileSync(path, 'before\n');
  for (let i = 0; i < 2; i += 1) assert.equal((await printed(store, ['-f', '%n\\n', '--output-file', path])).stdout, '');
  assert.equal(readFileSync(path, 'utf8'), 'before\n0\n1\n2\n0\n1\n2\n');
});

test('--output-file holds each event soon, not only at the end', async (t) => {
  const store = await eventStoreFor(t);
  const path = join(folder(t), 'events');
  const tail = startTail(t, store, ['orders', '-f', '%n\\n', '--output-file', path]);
  await tail.until(({ stderr }) => stderr.includes('live'));
  store.append('orders', numbered(2));
  await tail.until(() => existsSync(path) && readFileSync(path, 'utf8') === '0\n1\n');
  assert.equal((await tail.stop()).code, 0);
});

const UNWRITABLE = [
  ['a full disk', '/dev/full', /can't write to \/dev\/full: No space left/],
  ['no such folder', '/nowhere/x', /can't write to \/nowhere\/x: No such file/],
  ['a folder', '/tmp', /can't write to \/tmp: Is a directory/],
];
for (const [name, path, words] of UNWRITABLE) {
  test(`--output-file on ${name}: 74 with the reason`, async (t) => {
    const store = await eventStoreFor(t);
    store.append('orders', numbered(3));
    const result = await esTail(store, ['orders', ...ALL, '--output-file', path]);
    assert.equal(result.code, 74, result.stderr);
    assert.match(errorLine(result), words);
  });
}

test('a disk that fills up: what had room is not written twice', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(2000));
  const path = join(folder(t), 'events');
  const script = `trap '' XFSZ; ulimit -f 8; exec "$@"`; // 8 KiB in blocks of 1 KiB
  const result = await esTail(store, ['--norc', '-c', script, 'bash', binary, 'es-tail', 'orders', ...ALL, '-f', '%n\\n', '--output-file', path], { program: 'bash', bare: true });
  assert.equal(result.code, 74, result.stderr);
  assert.match(errorLine(result), /File too large/);
  const expected = upTo(2000).map((n) => `${n}\n`).join('');
  assert.ok(expected.startsWith(readFileSync(path, 'utf8')));
});

test('standard output that is full or closed: 74', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(5000));
  const options = { program: 'bash', bare: true, env: { PATH: process.env.PATH } };
  const full = await esTail(store, ['--norc', '-c', '"$@" > /dev/full', 'bash', binary, 'es-tail', 'orders', ...ALL], options);
  assert.equal(full.code, 74, full.stderr);
  assert.match(errorLine(full), /No space left/);
  const closed = await esTail(store, ['--norc', '-c', '"$@" | head -1; exit ${PIPESTATUS[0]}', 'bash', binary, 'es-tail', 'orders', '-o', 'beginning'], options);
  assert.equal(closed.code, 74, closed.stderr);
  assert.match(closed.stderr, /Broken pipe/);
});

// --- On a terminal ---

function onTerminal(store, args, env = {}) {
  const command = [binary, 'es-tail', ...args].map((word) => `'${word}'`).join(' ');
  return execFileSync('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env.PATH, ES_URL: store.url, ...env }, encoding: 'utf8', cwd: root, input: '', timeout: 20_000,
  });
}

test('on a terminal lines are coloured and aligned; not with NO_COLOR, -f and -J', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', [event(), event({ type: 'a-longer-type' })]);
  // The stand-in runs in this process, so the terminal's program gets its events from a file.
  const { stdout: events } = await printed(store, ['-J']);
  const path = join(folder(t), 'events.jsonl');
  writeFileSync(path, events);
  const lines = onTerminal(store, ['--from-file', path]).trimEnd().split('\r\n');
  assert.match(lines[0], /\u001b\[1msold {16}\u001b\[0m \{"amount":5\}$/);
  const plain = lines.map((line) => line.replaceAll(/\u001b\[\d*m/g, ''));
  assert.equal(plain[0].indexOf('{'), plain[1].indexOf('{'));
  for (const [args, env] of [[[], { NO_COLOR: '1' }], [['-J'], {}], [['-f', '%t\\n'], {}]]) {
    assert.ok(!onTerminal(store, ['--from-file', path, ...args], env).includes('\u001b[1m'), args.join(' '));
  }
});

// --- In GitHub Actions ---

test('in Actions no event is a command for the runner, in any shape, and its JSON means the same', async (t) => {
  const store = await eventStoreFor(t);
  const evil = ['::error::x', '##[error]x', '::stop-commands::y', 'a\n::add-mask::z', 'a\r::set-env name=A::b'];
  store.append('orders', evil.flatMap((text) => [event({ data: text, type: text }), event({ data: JSON.stringify({ [text]: text }) })]));
  for (const shape of [['-J'], ['-f', '%d\\n'], ['-f', '%t'], ['-f', '\\r%d\\n'], []]) {
    const result = await printed(store, shape, { env: { GITHUB_ACTIONS: 'true' } });
    for (const line of result.stdout.split(/[\r\n]/)) assert.doesNotMatch(line, /^\s*::|##\[/, shape.join(' '));
  }
  const outside = await printed(store, ['-J']);
  const inside = await printed(store, ['-J'], { env: { GITHUB_ACTIONS: 'true' } });
  assert.deepEqual(linesOf(inside), linesOf(outside));
  const processors = file(t, 'p.yaml', 'processors:\n  - name: p\n    print: true\n');
  const byProcessor = await esTail(store, ['--from-file', file(t, 'e.jsonl', outside.stdout), '--processors', processors], { env: { GITHUB_ACTIONS: 'true' } });
  assert.deepEqual(linesOf(byProcessor), linesOf(outside));
  assert.ok(!byProcessor.stdout.includes('##['));
});

test('in Actions --output-file gets the bytes as they are', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', [event({ data: '::error::x' })]);
  const path = join(folder(t), 'events');
  await printed(store, ['-f', '%d\\n', '--output-file', path], { env: { GITHUB_ACTIONS: 'true' } });
  assert.equal(readFileSync(path, 'utf8'), '::error::x\n');
});

test('in Actions the password is masked, alone and in the URL, and in no error', async (t) => {
  const store = await eventStoreFor(t, { users: { admin: 'right' } });
  const url = store.url.replace('esdb://', 'esdb://admin:s3cret%3Apass%40word@');
  for (const [args, env] of [[[], { ES_URL: url }], [['--url', url], {}], [[], { ES_URL: '', INPUT_URL: url, INPUT_COMMAND: 'es-tail' }]]) {
    const result = await esTail(store, ['orders', ...args], { env: { GITHUB_ACTIONS: 'true', ...env } });
    assert.equal(result.code, 77, result.stderr);
    const masks = result.stderr.split('\n').filter((line) => line.startsWith('::add-mask::')).map((line) => line.slice(12).replaceAll('%25', '%'));
    assert.ok(masks.includes(url), result.stderr);
    assert.ok(masks.includes('s3cret:pass@word'), result.stderr);
    const rest = result.stderr.split('\n').filter((line) => !line.startsWith('::add-mask::')).join('\n');
    assert.doesNotMatch(rest, /s3cret/);
  }
});

test('outside Actions nothing says the password', async (t) => {
  const store = await eventStoreFor(t, { users: { admin: 'right' } });
  const result = await esTail(store, ['orders'], { env: { ES_URL: store.url.replace('esdb://', 'esdb://admin:s3cret@') } });
  assert.equal(result.code, 77, result.stderr);
  assert.doesNotMatch(errorLine(result), /s3cret/);
});

// --- From a file ---

const WRONG_FILES = [
  ['a line that is no JSON', '{"type":"a"}\n{"type"\n', /2/],
  ['no type', '{"data":1}\n', /has no "type"/],
  ['a revision that is no number', '{"type":"a","revision":"x"}\n', /revision/],
];
for (const [name, stdin, words] of WRONG_FILES) {
  test(`--from-file with ${name}: 65, with the line; what stands before it is printed`, async () => {
    const result = await esTail({ url: '' }, ['--from-file', '-', '-f', '%t\\n'], { stdin });
    assert.equal(result.code, 65, result.stderr);
    assert.match(errorLine(result), words);
    assert.equal(result.stdout, stdin.startsWith('{"type":"a"}') ? 'a\n' : '');
  });
}

test('--from-file: filters and --count work, also without a line break in the end', async () => {
  const stdin = '{"type":"ab","stream":"s1"}\n\n{"type":"b","stream":"s2"}\n{"type":"abc","stream":"s2"}';
  const types = async (...args) => (await esTail({ url: '' }, ['--from-file', '-', '-f', '%t ', ...args], { stdin })).stdout;
  assert.equal(await types(), 'ab b abc ');
  assert.equal(await types('--event-type', 'ab'), 'ab abc ');
  assert.equal(await types('--stream-prefix', 's2', '-c', '1'), 'b ');
  assert.equal(await types('--event-type-regex', '^b$'), 'b ');
});

test('--from-file that is not there: 66', async () => {
  const result = await esTail({ url: '' }, ['--from-file', '/nowhere/x']);
  assert.equal(result.code, 66, result.stderr);
  assert.match(errorLine(result), /\/nowhere\/x/);
});

test('-c ends after so many, of more and of fewer', async (t) => {
  const store = await eventStoreFor(t);
  store.append('orders', numbered(5));
  assert.deepEqual(numbersOf(await esTail(store, ['orders', '-o', 'beginning', '-c', '3', '-f', '%n\\n'])), [0, 1, 2]);
  assert.deepEqual(numbersOf(await esTail(store, ['orders', ...ALL, '-c', '9', '-f', '%n\\n'])), upTo(5));
});
