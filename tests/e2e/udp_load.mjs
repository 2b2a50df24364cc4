// What tests of udp-load on the loopback need: a server, a client, what they say.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { binary, run } from './support.mjs';

// Short, and no word about this machine's load.
export const BRIEF = ['--ramp', '0', '--max-late', '2s'];
export const SHORT = ['--seconds', '1', ...BRIEF];

export const udp = (args, options) => run(['udp-load', ...args], options);

// A program that is ended with the test. { say: what stands on standard error, once it fits; stop, ended }
export function start(t, args, { env = {} } = {}) {
  const child = spawn(binary, ['udp-load', ...args], { env });
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (data) => { out[name] += data; });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...out }));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const wait = async (pattern, from = 'stderr') => {
    for (let i = 0; i < 1000; i += 1) {
      const found = out[from].match(pattern);
      if (found) return found;
      if (child.exitCode !== null) break;
      await sleep(20);
    }
    return assert.fail(`${pattern} does not come: ${out.stdout}${out.stderr}`);
  };
  const stop = (signal = 'SIGINT') => {
    child.kill(signal);
    return ended;
  };
  return { wait, stop, ended };
}

// A server at a free port. As start(), and port, host: of IPv4.
export async function serverFor(t, args = [], options = {}) {
  const server = start(t, ['server', '--port', '0', ...args], options);
  const [, port] = await server.wait(/waiting for tests at \S+ port (\d+)/);
  return { ...server, port, host: `127.0.0.1:${port}` };
}

// A server for several tests.
export async function sharedServer() {
  const undo = [];
  const server = await serverFor({ after: (f) => undo.push(f) });
  return { ...server, close: () => Promise.all(undo.map((f) => f())) };
}

// A client's run that must come to a report. { code, stdout, stderr, report }
export async function client(host, args, options) {
  const result = await udp(['client', '--host', host, '--output', 'json', ...args], options);
  assert.match(result.stdout, /^\{.*\}\n$/, `no report, code ${result.code}: ${result.stdout}${result.stderr}`);
  return { ...result, report: JSON.parse(result.stdout) };
}

// Plain fields of a CSV whose quotes hold no line breaks.
export function readCsv(text) {
  assert.ok(text.endsWith('\r\n'));
  const [head, ...rows] = text.slice(0, -2).split('\r\n').map((line) =>
    [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, field]) => field.replace(/^"|"$/g, '').replaceAll('""', '"')).slice(0, line.split(',').length));
  return rows.map((row) => {
    assert.equal(row.length, head.length);
    return Object.fromEntries(head.map((name, i) => [name, row[i]]));
  });
}

// Those figures of an object that are expected.
export function assertHas(found, expected) {
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, found[name]])), expected);
}
