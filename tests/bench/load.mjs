// Load for the benchmarks of servers: requests over keep-alive connections to loopback, one at a time on each, all
// answered 200 or it throws.
//
//   await push(port, count, make)               each connection asks again when it is answered; make() -> the bytes
//   await pace(port, requests, rate_per_s)      each request at its time, however long the others take; spins, so it
//     -> { waits_ms, delays_ms }                takes a whole core. waits_ms: from the sending to the whole answer;
//                                               delays_ms: how much later than due they were sent. Both sorted.

import { once } from 'node:events';
import net from 'node:net';

const PUSHING = 16;
const PACED = 256; // so many may be unanswered before a request waits for a connection
const HEAD_END = '\r\n\r\n';

async function open(port) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  socket.setEncoding('latin1');
  const connection = {
    onAnswer: () => {}, onError: () => {},
    ask: (bytes) => socket.write(bytes),
    close: () => socket.destroy(),
  };
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
    if (!isWhole(text)) return;
    const answer = text;
    text = '';
    if (answer.startsWith('HTTP/1.1 200 ')) connection.onAnswer();
    else connection.onError(new Error(`answered ${answer.slice(0, answer.indexOf('\r\n'))}`));
  });
  socket.on('error', (error) => connection.onError(error));
  socket.on('end', () => connection.onError(new Error('the server closed a connection')));
  return connection;
}

function isWhole(text) {
  const head = text.indexOf(HEAD_END);
  if (head < 0) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))?.[1];
  return length === undefined ? text.endsWith(`\r\n0${HEAD_END}`) : text.length === head + HEAD_END.length + Number(length);
}

const openAll = (port, count) => Promise.all(Array.from({ length: count }, () => open(port)));

export async function push(port, count, make) {
  const connections = await openAll(port, PUSHING);
  let sent = 0;
  let answered = 0;
  await new Promise((resolve, reject) => {
    for (const connection of connections) {
      const next = () => {
        if (sent === count) return;
        sent += 1;
        connection.ask(make());
      };
      connection.onError = reject;
      connection.onAnswer = () => {
        answered += 1;
        if (answered === count) resolve();
        else next();
      };
      next();
    }
  }).finally(() => connections.forEach((connection) => connection.close()));
}

export async function pace(port, requests, rate_per_s) {
  const connections = await openAll(port, PACED);
  const free = [...connections];
  const waits_ms = [];
  const delays_ms = [];
  await new Promise((resolve, reject) => {
    for (const connection of connections) {
      connection.onError = reject;
      connection.onAnswer = () => {
        waits_ms.push(performance.now() - connection.sent_ms);
        free.push(connection);
      };
    }
    const start_ms = performance.now() + 20;
    const turn = () => {
      for (let now_ms = performance.now(); free.length > 0 && delays_ms.length < requests.length; now_ms = performance.now()) {
        const due_ms = start_ms + delays_ms.length * 1000 / rate_per_s;
        if (now_ms < due_ms) break;
        const connection = free.pop();
        connection.sent_ms = now_ms;
        connection.ask(requests[delays_ms.length]);
        delays_ms.push(now_ms - due_ms);
      }
      if (waits_ms.length === requests.length) resolve();
      else setImmediate(turn);
    };
    turn();
  }).finally(() => connections.forEach((connection) => connection.close()));
  return { waits_ms: waits_ms.sort((a, b) => a - b), delays_ms: delays_ms.sort((a, b) => a - b) };
}
