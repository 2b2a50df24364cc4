// The server of udp-load under load and faults: clients come and report, are killed or interrupted in the middle, lose
// their control connection; packets that are malformed, of no session, too long; control connections that say nothing,
// nonsense, half a line, or open a session and leave.

import { once } from 'node:events';
import dgram from 'node:dgram';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { hello, packet } from '../e2e/udp_faults.mjs';
import { run } from '../e2e/support.mjs';
import { eachLine, every, start } from './process.mjs';

const CALLERS = 10;
const SECONDS = 3;

export async function soakUdpLoad(signal) {
  const counts = { packets: 0, reports: 0, ended: 0, clients: 0, failed: 0, killed: 0, malformed: 0, control: 0 };
  const server = start(['udp-load', 'server', '--port', '0', '--output', 'json', '--max-sessions', '8'], {
    onStdout: eachLine((line) => {
      const report = JSON.parse(line);
      counts.reports += 1;
      counts.packets += report.totals.received ?? 0;
      if (report.ended) counts.ended += 1;
    }),
  });
  const port = Number((await server.wait(/waiting for tests at \S+ port (\d+)/))[1]);
  const socket = dgram.createSocket('udp4').on('error', () => {});
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const loads = [
    every(signal, 500, (i) => call(port, i, counts)),
    every(signal, 2000, (i) => callAndDie(port, i, counts)),
    every(signal, 50, (i) => {
      counts.malformed += 1;
      socket.send(strange(i), port, '127.0.0.1');
    }),
    every(signal, 800, (i) => speak(signal, port, i, counts)),
  ];
  return {
    parts: [{ name: 'udp-load server', process: server, handled: () => counts.packets,
      errors: () => `${counts.failed} of ${counts.clients} clients failed, ${counts.ended} of ${counts.reports} tests ended early`,
      faults: () => `${counts.malformed} strange packets, ${counts.control} strange connections, ${counts.killed} clients killed` }],
    async close() {
      await Promise.all(loads);
      socket.close();
      return [await server.stop(), ...(counts.failed > counts.clients / 10 ? [{ problem: `${counts.failed} clients failed` }] : [])];
    },
  };
}

const clientArgs = (port, args) => ['udp-load', 'client', '--host', `127.0.0.1:${port}`, '--clients', String(CALLERS), '--ramp', '0s',
  '--max-late', '20s', '-q', ...args];

async function call(port, i, counts) {
  const { code } = await run(clientArgs(port, ['--seconds', String(SECONDS), ...(i % 2 === 0 ? ['--echo'] : []), '--output', 'json']));
  counts.clients += 1;
  if (code !== 0) counts.failed += 1;
}

async function callAndDie(port, i, counts) {
  const signal = ['SIGKILL', 'SIGINT', 'SIGKILL', 'SIGTERM'][i % 4];
  await run(clientArgs(port, ['--seconds', '30']), { onStart: (child) => delay(700 + (i % 7) * 100).then(() => child.kill(signal)) });
  counts.killed += 1;
}

function strange(i) {
  const kinds = [
    () => Buffer.alloc(0), () => Buffer.from('OB'), () => packet({ version: 9 }), () => packet({ cookie: Buffer.alloc(8, i) }),
    () => packet({ kind: 200 }), () => packet({ size: 24 }), () => Buffer.alloc(1400, i), () => packet({ client: 4_000_000_000 }),
    () => packet({ size: 24 }).subarray(0, 19),
  ];
  return kinds[i % kinds.length]();
}

// A control connection, for two seconds at most.
async function speak(signal, port, i, counts) {
  counts.control += 1;
  const line = (words) => `${JSON.stringify(words)}\n`;
  const texts = ['', 'GET / HTTP/1.1\r\n\r\n', '{"hello":', line({ hello: 99 }), line(hello({ clients: 4_000_000_000 })), line(hello()),
    'x'.repeat(100_000), line({ session: 'ffffffffffffffff' }), '\x00\xff\n'];
  const socket = net.connect(port, '127.0.0.1', () => socket.write(texts[i % texts.length], 'latin1'));
  socket.on('error', () => {}).resume();
  await delay(i % 3 === 0 ? 2000 : 200, undefined, { signal }).catch(() => {});
  if (i % 2 === 0) socket.resetAndDestroy();
  else socket.destroy();
}
