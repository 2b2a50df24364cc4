// A TCP proxy on the loopback that spoils connections on request.
//
//   const proxy = await startProxy(port, { host })          forwards to that port
//   proxy.host, .port               where it is
//   proxy.connections   how many came; proxy.bytes          { up, down }: how much was forwarded, down is to the client
//   proxy.cut()         both sides of all connections are reset
//   proxy.freeze(), proxy.thaw()    nothing is forwarded any more, and nothing closed: half-open connections, also new ones
//   proxy.chop(on)      each byte down to the client in a write of its own, without Nagle's algorithm
//   proxy.throttle(bytes_per_s)     down to the client at most so many; 0: as they come
//   await proxy.close()
//
// Asserts nothing.

import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const SLICE_MS = 10;

export async function startProxy(port, { host = '127.0.0.1' } = {}) {
  const proxy = { pairs: new Set(), count: 0, bytes: { up: 0, down: 0 }, isFrozen: false, isChopped: false, rate: 0, thawed: [] };
  const server = net.createServer({ noDelay: true }, (client) => join(proxy, client, net.connect({ port, host, noDelay: true })));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: '127.0.0.1', port: server.address().port, bytes: proxy.bytes,
    get connections() { return proxy.count; },
    cut: () => cut(proxy),
    freeze: () => { proxy.isFrozen = true; },
    thaw: () => thaw(proxy),
    chop: (on = true) => { proxy.isChopped = on; },
    throttle: (bytes_per_s) => { proxy.rate = bytes_per_s; },
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      cut(proxy);
      thaw(proxy);
      await closed;
    },
  };
}

function join(proxy, client, upstream) {
  const pair = [client, upstream];
  proxy.count += 1;
  proxy.pairs.add(pair);
  const end = () => {
    if (proxy.isFrozen) return; // the other side is not told
    proxy.pairs.delete(pair);
    for (const socket of pair) socket.destroy();
  };
  for (const socket of pair) socket.on('error', () => {}).on('close', end);
  forward(proxy, client, upstream, 'up');
  forward(proxy, upstream, client, 'down');
}

async function forward(proxy, from, to, way) {
  try {
    for await (const data of from) {
      await unfrozen(proxy);
      proxy.bytes[way] += data.length;
      await pass(proxy, data, to, way === 'down');
    }
    await unfrozen(proxy);
    to.end();
  } catch {
    to.destroy(); // one of them went away
  }
}

async function pass(proxy, data, to, isDown) {
  const size = !isDown ? data.length : proxy.isChopped ? 1 : proxy.rate > 0 ? Math.ceil(proxy.rate * SLICE_MS / 1000) : data.length;
  for (let at = 0; at < data.length; at += size) {
    if (to.destroyed) return;
    await new Promise((resolve) => { to.write(data.subarray(at, at + size), resolve); }); // also called when it is destroyed
    if (isDown && proxy.rate > 0) await delay(SLICE_MS);
    else if (size === 1) await new Promise(setImmediate); // the client has the time to read it alone
    await unfrozen(proxy);
  }
}

function unfrozen(proxy) {
  return proxy.isFrozen ? new Promise((resolve) => { proxy.thawed.push(resolve); }) : undefined;
}

function thaw(proxy) {
  proxy.isFrozen = false;
  for (const resolve of proxy.thawed.splice(0)) resolve();
}

function cut(proxy) {
  for (const socket of [...proxy.pairs].flat()) {
    if (socket.writableEnded) socket.destroy(); // a reset behind an end fails, and Node would never come to its own end
    else socket.resetAndDestroy();
  }
  proxy.pairs.clear();
}
