// es-tail with processors, for tests: files of processors, programs that note what they get, a process to stop or kill.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { esTail } from './eventstore.mjs';
import { binary, file, folder, root, run } from './support.mjs';

// A file of processors; each is { name, … } as YAML has it.
export const processorsFile = (t, ...processors) => file(t, 'processors.yaml', JSON.stringify({ processors }));

// es-tail on a stream with these processors, to its end or, with `-e` among the arguments, to the stream's.
export function runOn(t, store, stream, processors, args = [], options = {}) {
  return esTail(store, [stream, '--processors', processorsFile(t, ...[processors].flat()), ...args], withPath(options));
}

// The same on a file of events, which are { type, data, … }.
export function runOnFile(t, events, processors, args = [], options = {}) {
  const path = Array.isArray(events) ? eventsFile(t, events) : events;
  return run(['es-tail', '--from-file', path, '--processors', processorsFile(t, ...[processors].flat()), ...args], withPath(options));
}

export const eventsFile = (t, events) => file(t, 'events.jsonl', events.map((event) => `${JSON.stringify(event)}\n`).join(''));

const withPath = ({ env = {}, ...options }) => ({ ...options, env: { PATH: process.env.PATH, ...env } });

// es-tail in the background: { child, out, closed, stop(signal), until(condition, what) }. It is killed with the test.
export function start(t, args, { env = {}, program = binary, ...options } = {}) {
  const child = spawn(program, args, { cwd: root, env: { PATH: process.env.PATH, ...env }, ...options });
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name]?.on('data', (data) => { out[name] += data; });
  child.stdin?.on('error', () => {}); // it need not read its input
  const closed = once(child, 'close').then(([code, signal]) => ({ code, signal, ...out }));
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await closed;
  });
  return {
    child, out, closed,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return closed;
    },
    until: (condition, what) => until(() => condition(out), `${what ?? condition}; it said: ${out.stderr}`, () => child.exitCode !== null),
  };
}

export const startOn = (t, store, stream, processors, args = [], options = {}) =>
  start(t, ['es-tail', ...(stream ? [stream] : ['--all']), '--url', store.url, '--processors', processorsFile(t, ...[processors].flat()), ...args], options);

export async function until(condition, what = String(condition), isOver = () => false, most_ms = 20_000) {
  for (const end = Date.now() + most_ms; !(await condition());) {
    if (Date.now() > end || isOver()) throw new Error(`did not happen: ${what}`);
    await delay(10);
  }
}

// A program for `pipe` that appends each event's number (or the field in $1) to a file before it says ok.
export function noter(t, more = '') {
  const notes = join(folder(t), 'notes');
  const code = `
    const { appendFileSync, openSync, writeSync } = require('fs');
    const notes = openSync(${JSON.stringify(notes)}, 'a');
    require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const event = JSON.parse(line);
      const number = event.data.n;
      let answer = 'ok';
      ${more}
      if (answer === 'ok') writeSync(notes, number + '\\n');
      if (answer !== undefined) writeSync(1, answer + '\\n');
    });`;
  return { argv: [process.execPath, file(t, 'noter.cjs', code)], notes, numbers: () => numbersIn(notes) };
}

export const numbersIn = (path) => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean).map(Number) : []);

// A server for webhooks: answer(event, request, response, i) replies; what came stands in `got`.
export async function hookFor(t, answer = (event, request, response) => response.writeHead(204).end()) {
  const got = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (data) => { body += data; });
    request.on('end', () => {
      const event = JSON.parse(body);
      got.push({ event, headers: request.headers, at_ms: performance.now() });
      answer(event, request, response, got.length - 1);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { got, url: `http://127.0.0.1:${server.address().port}/hook` };
}

export const checkpoints = (path, args = ['list', '-J']) => run(['es-tail', 'checkpoints', ...args, '--checkpoints', path]);

// { 'processor source': { revision | commit, prepare, state } }
export async function places(path) {
  const { stdout } = await checkpoints(path);
  const lines = stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  return Object.fromEntries(lines.map((line) => [`${line.processor} ${line.source}`, line]));
}

// Where each processor of a stream is: { name: revision }.
export async function revisions(path) {
  return Object.fromEntries(Object.values(await places(path)).map(({ processor, revision }) => [processor, revision]));
}

export const lines = ({ stdout }) => stdout.split('\n').filter(Boolean);

export const upTo = (count, from = 0) => Array.from({ length: count }, (_, i) => from + i);
