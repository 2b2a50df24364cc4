// Real VPN tunnels for udp-load: ocserv in one network namespace, openconnect in another, a veth pair between them.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { folder } from './support.mjs';
import { namespaceFor } from './udp_bed.mjs';

const GATE = '192.0.2.1';
export const BEHIND = '10.99.0.1'; // what the tunnels lead to

// Leases are scattered over the network: predictable-ips takes them from a hash of the user's name.
const config = (path) => `auth = "plain[passwd=${path}/passwd]"
tcp-port = 443
udp-port = 443
run-as-user = nobody
run-as-group = nogroup
socket-file = ${path}/socket
server-cert = ${path}/cert.pem
server-key = ${path}/key.pem
isolate-workers = false
max-clients = 0
max-same-clients = 0
rate-limit-ms = 0
max-ban-score = 0
keepalive = 60
try-mtu-discovery = false
compression = false
cookie-timeout = 60
use-occtl = false
pid-file = ${path}/ocserv.pid
device = vpns
predictable-ips = true
ipv4-network = 10.88.0.0
ipv4-netmask = 255.255.0.0
route = ${BEHIND}/255.255.255.255
dtls-legacy = true
cisco-client-compat = false
`;

// Only the address: no routes, no resolver.
const SCRIPT = `#!/bin/sh
[ "$reason" = connect ] || exit 0
ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
ip link set "$TUNDEV" mtu "$INTERNAL_IP4_MTU" up
`;

function prepare(path, users) {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=gate', '-addext',
    `subjectAltName=IP:${GATE}`, '-keyout', join(path, 'key.pem'), '-out', join(path, 'cert.pem')], { stdio: 'ignore' });
  const pin = execFileSync('sh', ['-c', `openssl x509 -in "$0/cert.pem" -pubkey -noout |
    openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64`, path]).toString().trim();
  for (const user of users) execFileSync('ocpasswd', ['-c', join(path, 'passwd'), user], { input: 'secret\nsecret\n', stdio: 'pipe' });
  writeFileSync(join(path, 'ocserv.conf'), config(path));
  writeFileSync(join(path, 'script'), SCRIPT, { mode: 0o755 });
  return `pin-sha256:${pin}`;
}

function link(client, server) {
  client.ip(`link add wire type veth peer name wire netns ${server.name}`);
  client.ip('addr add 192.0.2.2/24 dev wire');
  server.ip(`addr add ${GATE}/24 dev wire`);
  server.ip(`addr add ${BEHIND}/32 dev lo`);
  client.ip('link set wire up');
  server.ip('link set wire up');
}

async function until(what, isDone, { tries = 100, log = () => '' } = {}) {
  for (let i = 0; i < tries; i += 1) {
    if (isDone()) return;
    await sleep(100);
  }
  assert.fail(`${what} did not come within ${tries / 10} s: ${log()}`);
}

const collect = (child) => {
  const log = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { log.text += data; });
  return log;
};

// Tunnels tun0, tun1, …, each by DTLS, up. { client, server, addresses: { tun0: '10.88.…' } }
export async function vpnFor(t, count) {
  const path = folder(t);
  chmodSync(path, 0o755); // its workers run as nobody
  const users = Array.from({ length: count }, (_, i) => `user${i}`);
  const pin = prepare(path, users);
  const client = namespaceFor(t, 'vpnc');
  const server = namespaceFor(t, 'vpns');
  link(client, server);
  const gate = collect(server.spawn('ocserv', ['--foreground', '--config', join(path, 'ocserv.conf')]));
  await until('ocserv', () => server.exec('cat', ['/proc/net/tcp']).includes(':01BB '), { log: () => gate.text });
  const logs = users.map((user, i) => {
    const child = client.spawn('openconnect', ['--protocol=anyconnect', '--user', user, '--passwd-on-stdin', '--non-inter',
      '--servercert', pin, '--script', join(path, 'script'), '--interface', `tun${i}`, '--no-proxy', `https://${GATE}/`]);
    child.stdin.end('secret\n');
    return collect(child);
  });
  const addresses = () => Object.fromEntries(client.ip('-o -4 addr show').split('\n')
    .map((line) => line.match(/ (tun\d+) +inet (10\.88\.[\d.]+)/)).filter(Boolean).map(([, name, address]) => [name, address]));
  const isUp = () => Object.keys(addresses()).length === count && logs.every(({ text }) => /DTLS connect|Established DTLS/.test(text));
  await until('the tunnels', isUp, { tries: 200, log: () => logs[0].text + gate.text });
  return { client, server, addresses: addresses(), logs };
}
