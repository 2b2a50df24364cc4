// The connections of the stand-in EventStoreDB: faults on arrival, and the server's own keepalive.

// What comes to the port; true: it is let in. The TCP socket is kept, for faults below HTTP/2.
export function admit(store, raw) {
  raw.on('error', () => {});
  const port = raw.remotePort;
  store.raws.set(port, raw);
  raw.on('close', () => store.raws.delete(port));
  const at = store.faults.findIndex(({ on }) => on === 'connection');
  if (at < 0) return true;
  const [{ kind }] = store.faults.splice(at, 1);
  if (kind === 'refuse') raw.resetAndDestroy();
  return false;
}

export function newConnection(store, session) {
  const { socket } = session;
  const connection = {
    index: store.connections.length, at_ms: performance.now() - store.started_ms, closed_ms: undefined,
    pings: 0, pongs: 0, clientPings: 0, isKilled: false, isSilent: false,
    certificate: socket.encrypted ? socket.getPeerCertificate().subject?.CN : undefined,
  };
  Object.defineProperty(connection, 'raw', { value: store.raws.get(socket.remotePort) }); // not for printing
  if (store.keepRequests) store.connections.push(connection);
  session.on('ping', () => { connection.clientPings += 1; });
  session.on('close', () => { connection.closed_ms = performance.now() - store.started_ms; });
  return connection;
}

// As the server does: a PING every so often, and the end when it is not answered in time.
export function keepAlive(store, session, connection) {
  const timers = new Set();
  const interval = setInterval(() => {
    if (connection.isSilent || session.closed || session.destroyed) return;
    connection.pings += 1;
    const timer = setTimeout(() => {
      if (connection.isSilent) return;
      connection.isKilled = true;
      connection.raw.destroy();
    }, store.keepAliveTimeoutMs);
    timers.add(timer);
    session.ping((error) => {
      timers.delete(timer);
      clearTimeout(timer);
      if (!error) connection.pongs += 1;
    });
  }, store.keepAliveMs);
  session.on('close', () => {
    clearInterval(interval);
    for (const timer of timers) clearTimeout(timer);
  });
}
