// udp-load through 20 real DTLS tunnels: every packet through its caller's own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, missing, startServer } from './udp_bed.mjs';
import { BEHIND, vpnFor } from './udp_vpn.mjs';

const TUNNELS = 20;

// Packets sent, by interface.
const sentBy = (namespace) => Object.fromEntries(JSON.parse(namespace.ip('-j -s link show'))
  .map(({ ifname, stats64 }) => [ifname, stats64.tx.packets]));

// The tunnels the gate would send answers by, by address.
const gates = (namespace) => JSON.parse(namespace.ip('-j route show'));

test('20 tunnels, all packets through the right one', { skip: missing('ocserv', 'openconnect', 'ocpasswd') }, async (t) => {
  const { client, server, addresses } = await vpnFor(t, TUNNELS);
  client.ip(`route add ${BEHIND} dev tun0 src ${addresses.tun0}`); // for the control connection
  assert.ok(new Set(Object.values(addresses).map((address) => address.split('.')[2])).size > TUNNELS / 2, 'leases are scattered');
  await startServer(t, server);
  const before = sentBy(client);
  const { report, code, stderr } = await load(client, ['--interfaces', 'tun*', '--clients', String(TUNNELS), '--seconds', '3'], { host: BEHIND });
  const after = sentBy(client);
  assert.equal(code, 0, stderr);
  assert.deepEqual({ lost: report.totals.lost, callers: report.clients.length }, { lost: 0, callers: TUNNELS });
  assert.equal(gates(server).filter(({ dst }) => dst.startsWith('10.88.') && !dst.includes('/')).length, TUNNELS);
  for (const [i, caller] of report.clients.entries()) {
    const tunnel = `tun${i}`;
    assert.ok(caller.address.startsWith(addresses[tunnel]), `${tunnel} has ${addresses[tunnel]}, not ${caller.address}`);
    const sent = after[tunnel] - before[tunnel];
    // tun0 has the control connection beside; on the others the kernel may add a router solicitation.
    if (i > 0) assert.ok(sent >= caller.sent && sent <= caller.sent + 5, `${tunnel}: ${sent} packets for ${caller.sent}`);
    else assert.ok(sent >= caller.sent, `${tunnel}: ${sent} packets for ${caller.sent}`);
  }
});
