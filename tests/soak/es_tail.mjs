// es-tail under load and faults, three processes on one stand-in EventStoreDB: processors (a sum, a pipe in instances, a
// webhook, a program an event) with their places in a file; a consumer of a group; a tail of $all whose reader stalls and
// whose connection is throttled, cut and frozen. Calls meet resets, GOAWAYs, errors; the server goes away and comes back;
// the webhook answers 503, late, or not at all.

import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startEventStore } from '../standin/eventstore.mjs';
import { startProxy } from '../standin/tcp_proxy.mjs';
import { eachLine, every, start } from './process.mjs';

const DROPS = [
  { kind: 'reset' }, { kind: 'rst' }, { kind: 'goaway', lastStreamId: 1 }, { kind: 'too-slow' }, { kind: 'status', status: 14, message: 'soon' },
  { kind: 'close' }, { kind: 'not-ready' }, { kind: 'silence' }, { kind: 'rst', code: 8 }, { kind: 'status', status: 0 }, { kind: 'group-dropped' },
];
const IN_PLACE = [{ kind: 'too-busy' }, { kind: 'http', status: 503 }, { kind: 'refuse', on: 'connection' }, { kind: 'rst', code: 7 }];
const ANSWERER = 'while read -r line; do case $line in *\'"bad":true\'*) echo "error no";; *) echo ok;; esac; done';
const PING = '&keepAliveInterval=1000&keepAliveTimeout=2000';
const DRAIN_MS = 20_000;

const processors = (hook, deadLetters) => JSON.stringify({ processors: [
  { name: 'sales', events: ['ItemSold'], sum: 'amount', say: 'amount {value}, total {total}' },
  { name: 'mail', events: ['OrderPlaced'], pipe: ['sh', '-c', ANSWERER], instances: 2, key: 'customer', skip_bad_events: true,
    dead_letter: deadLetters, retry: { attempts: 2, wait: '20ms' } },
  { name: 'hook', events: ['OrderPlaced'], webhook: hook, timeout: '1s', retry: { attempts: 1000, wait: '20ms' } },
  { name: 'each', events: ['Rare'], exec: ['sh', '-c', 'cat > /dev/null'] },
] });

export async function soakEsTail(signal, folder) {
  const store = await startEventStore({ keepRequests: false, keepAliveMs: 2000, keepAliveTimeoutMs: 4000 });
  store.createGroup('orders', 'soak', { maxRetryCount: 1000, messageTimeoutMs: 5000 });
  const proxy = await startProxy(store.port);
  const hook = await startHook();
  const counts = { written: 0, sales: 0, total: 0, group: 0, all: 0, sold: 0, drops: 0, reconnects: 0 };
  const yaml = join(folder, 'processors.yaml');
  const places = join(folder, 'places.db');
  writeFileSync(yaml, processors(hook.url, join(folder, 'dead.jsonl')));
  const noteReconnects = (text) => { counts.reconnects += text.split('connected again').length - 1; };
  const url = store.url + PING;
  const processing = start(['es-tail', 'orders', '--url', url, '-o', 'beginning', '--processors', yaml, '--checkpoints', places],
    { onStdout: eachLine((line) => { counts.sales += 1; counts.total = Number(/total (\d+)/.exec(line)?.[1]); }), onStderr: noteReconnects });
  const grouped = start(['es-tail', 'orders', '--url', url, '--group', 'soak', '-J'],
    { onStdout: eachLine(() => { counts.group += 1; }), onStderr: noteReconnects });
  const tailing = start(['es-tail', '--all', '-J', '--url', url.replace(`:${store.port}`, `:${proxy.port}`)],
    { onStdout: eachLine(() => { counts.all += 1; }), onStderr: noteReconnects });
  const loads = [
    every(signal, 60, (i) => write(store, i, counts)),
    every(signal, 5000, (i) => {
      counts.drops += store.drop(DROPS[i % DROPS.length]);
      if (store.unusedFaults.length === 0) store.fail({ on: 'subscribe', ...IN_PLACE[i % IN_PLACE.length] });
    }),
    every(signal, 45_000, async (i) => {
      if (i === 0) return;
      await store.stop();
      await delay(1500);
      await store.start();
    }),
    every(signal, 7000, (i) => spoil(proxy, i)),
    every(signal, 3000, (i) => (i % 2 === 0 ? tailing.child.stdout.pause() : tailing.child.stdout.resume())),
  ];
  return {
    parts: [
      { name: 'es-tail, processors', process: processing, handled: () => counts.sales + hook.taken(),
        errors: () => `${hook.refused()} webhooks failed`, faults: () => `${counts.drops} calls dropped` },
      { name: 'es-tail, group', process: grouped, handled: () => counts.group, errors: () => '', faults: () => 'the same' },
      { name: 'es-tail, $all, slow reader', process: tailing, handled: () => counts.all,
        errors: () => `${counts.reconnects} reconnections of the three`, faults: () => 'the same; cut, frozen, throttled' },
    ],
    async close() {
      await Promise.all(loads);
      proxy.thaw();
      proxy.throttle(0);
      tailing.child.stdout.resume();
      const missing = await missed(counts);
      const ended = await Promise.all([processing.stop(), grouped.stop(), tailing.stop()]);
      hook.close();
      await proxy.close();
      await store.close();
      return [...ended, ...missing];
    },
  };
}

function write(store, i, counts) {
  const customer = i % 17;
  const events = [{ type: 'OrderPlaced', data: { n: i, customer, bad: i % 50 === 0 } }];
  if (i % 2 === 0) events.push({ type: 'ItemSold', data: { amount: 1 } });
  if (i % 100 === 0) events.push({ type: 'Rare', data: { n: i, text: 'x'.repeat(50_000) } });
  if (i % 70 === 0) events.push({ type: 'Odd', data: Buffer.from([0, 255, 1]), contentType: 'application/octet-stream' });
  counts.sold += i % 2 === 0 ? 1 : 0;
  counts.written += events.length;
  store.append('orders', events);
}

function spoil(proxy, i) {
  const how = i % 5;
  if (how === 0) proxy.cut();
  if (how === 1) proxy.throttle(20_000);
  if (how === 2) proxy.throttle(0);
  if (how === 3) proxy.freeze();
  if (how === 4) {
    proxy.thaw();
    proxy.cut();
  }
}

// That no event was left out: once the load is over, the total is what was sold. Waits for it.
async function missed(counts) {
  for (const end = Date.now() + DRAIN_MS; Date.now() < end && counts.total !== counts.sold;) await delay(100);
  return counts.total === counts.sold ? [] : [{ problem: `es-tail's total is ${counts.total}, but ${counts.sold} were sold` }];
}

async function startHook() {
  const counts = { taken: 0, refused: 0 };
  let i = 0;
  const server = http.createServer((request, response) => {
    request.resume().on('end', () => {
      i += 1;
      if (i % 40 === 0) { counts.refused += 1; return response.writeHead(503).end('later'); }
      if (i % 55 === 0) { counts.refused += 1; return response.destroy(); }
      if (i % 300 === 0) { counts.refused += 1; return setTimeout(() => response.destroy(), 2000); }
      counts.taken += 1;
      return response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/hook`, taken: () => counts.taken, refused: () => counts.refused,
    close: () => { server.close(); server.closeAllConnections(); },
  };
}
