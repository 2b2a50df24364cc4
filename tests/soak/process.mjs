// The processes of the soak: started, looked at in /proc, ended; and what beats on them until a signal says stop.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { binary, root } from '../e2e/support.mjs';

const PATIENCE_MS = 20_000;
const KEPT_CHARACTERS = 20_000;

// A process whose output is handed on as it comes. { child, said(): the last of its standard error, isAlive(),
// wait(pattern): a match of it, stop(): { code, signal } }
export function start(args, { env = {}, onStdout, onStderr } = {}) {
  const child = spawn(binary, args, { cwd: root, env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const killIt = () => child.kill('SIGKILL'); // with this process, when that ends early
  process.on('exit', killIt);
  child.on('close', () => process.off('exit', killIt));
  if (onStdout) child.stdout.setEncoding('utf8').on('data', onStdout);
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said = (said + text).slice(-KEPT_CHARACTERS);
    onStderr?.(text);
  });
  const closed = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  return {
    child, isAlive, closed, said: () => said,
    async wait(pattern) {
      for (const end = Date.now() + PATIENCE_MS; Date.now() < end && isAlive(); await delay(20)) {
        const found = pattern.exec(said);
        if (found) return found;
      }
      throw new Error(`${pattern} does not come from ${args.join(' ')}: ${said}`);
    },
    async stop() {
      if (isAlive()) child.kill('SIGTERM');
      child.stdout.resume(); // what nobody reads any more must not keep it
      const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      const result = await closed;
      clearTimeout(timer);
      return result;
    },
  };
}

// Of a process that lives; undefined of one that does not. For root only: the program hides its memory from all others.
export function look(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)[1]);
    return { memory_bytes: field('VmRSS') * 1024, threads: field('Threads'), descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch (error) {
    if (!['ENOENT', 'ESRCH'].includes(error.code)) throw error;
    return undefined;
  }
}

// action(i) again and again, so many ms apart, until the signal.
export async function every(signal, ms, action) {
  for (let i = 0; !signal.aborted; i += 1) {
    await action(i);
    await delay(ms, undefined, { signal }).catch(() => {});
  }
}

// Text in pieces -> whole lines.
export function eachLine(onLine) {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    lines.forEach(onLine);
  };
}
