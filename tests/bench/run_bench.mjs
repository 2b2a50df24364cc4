// Runs one benchmark in a process of its own, so that a fault or the heap of one does not touch the next.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

// In this order, each a file beside this one.
export const BENCHES = ['binary', 'gollum-notify', 'slack-post', 'slack-serve', 'azure-run', 'es-tail', 'udp-load', 'image'];

// { command, how, rows }, or undefined when it failed: it has said why on standard error. Its own table goes there too.
export async function runBench(name, env = process.env) {
  const child = fork(fileURLToPath(new URL(`${name}.mjs`, import.meta.url)), { env, stdio: ['ignore', 2, 2, 'ipc'], serialization: 'advanced' });
  let result;
  child.on('message', (message) => { result = message; });
  const [code] = await once(child, 'close');
  return code === 0 ? result : undefined;
}
