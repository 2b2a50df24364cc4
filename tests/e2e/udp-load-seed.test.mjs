// udptool's command lines run unchanged after "opsbelt udp-load", with its defaults.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closedPort, errorLine } from './support.mjs';
import { assertHas, BRIEF, client, sharedServer, start, udp } from './udp_load.mjs';

let server;
before(async () => { server = await sharedServer(); });
after(() => server.close());

const DEFAULTS = { clients: 1, bps: 68_000, packet_size: 160, echo: false, codec: 'g711' };

describe("udptool's command lines", { concurrency: 4 }, () => {
  test('its defaults: 127.0.0.1, one client, 10 s, 68,000 bit/s, 160 bytes', async () => {
    const { code, stdout, stderr } = await udp(['-port', server.port, '--output', 'json', '--max-late', '2s']);
    assert.equal(code, 0, stderr);
    const { settings, totals } = JSON.parse(stdout);
    assertHas(settings, { server: server.host, ...DEFAULTS });
    assert.equal(Math.round(settings.seconds * 10), 100);
    assert.equal(totals.received, Math.ceil(68_000 / 8 / 160 * 10));
  });

  const lines = [
    [['-noclients', '10', '-noclientaddr', '10', '-minclientaddr', '127.7.0.1', '-bps', '65000', '-seconds', '1', '-host'], { clients: 10, bps: 65_000 }, '127.7.0.10'],
    [['-noclients', '10', '-seconds', '1', '-host'], { clients: 10 }, ''],
    [['-noclients', '3', '-minclientaddr', '127.7.0.1', '-seconds', '1', '-host'], { clients: 3 }, '127.7.0.1'],
    [['-noclients', '3', '-noclientaddr', '2', '-seconds', '1', '-host'], { clients: 3 }, '127.0.0.1'],
    [['-packetsize', '200', '-seconds', '1', '-verbose', '-host'], { packet_size: 200 }, ''],
    [['-server=false', '-serverrespond', '-seconds', '1', '-host'], {}, ''],
  ];
  for (const [words, settings, last] of lines) {
    const forms = {
      'one dash': words,
      'two dashes': words.map((word) => word.replace(/^-/, '--')),
      'with =': words.join(' ').replace(/ (?=[^-])/g, '=').split(' '),
    };
    for (const [form, line] of Object.entries(forms)) {
      test(`${line.join(' ')} runs: ${form}`, async () => {
        const host = line.at(-1).includes('=') ? [] : [server.host];
        const { code, stdout, stderr } = await udp([...line, ...host, '--output', 'json', ...BRIEF]);
        assert.equal(code, 0, stderr);
        const report = JSON.parse(stdout);
        assertHas(report.settings, { ...DEFAULTS, ...settings });
        assert.equal(report.clients.at(-1).address, last);
        assert.equal(report.totals.lost, 0);
      });
    }
  }

  for (const dashes of ['-', '--']) {
    test(`${dashes}server ${dashes}serverrespond is a server that echoes in every test`, async (t) => {
      const port = String(await closedPort());
      const started = start(t, [`${dashes}server`, `${dashes}port`, port, `${dashes}serverrespond`, `${dashes}verbose`]);
      await started.wait(new RegExp(`waiting for tests at \\S+ port ${port}`));
      const { code, report } = await client(`127.0.0.1:${port}`, ['--packets', '20', ...BRIEF]);
      assert.equal(code, 0);
      assert.equal(report.totals.back.received, 20);
      assert.equal((await started.stop()).code, 0);
    });

    test(`${dashes}help`, async () => {
      const { code, stdout, stderr } = await udp([`${dashes}help`]);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      assert.match(stdout, /Usage: opsbelt udp-load/);
    });

    for (const rest of [[], ['-seconds', '1']]) {
      test(`${dashes}host "" ${rest.join(' ')} is refused`, async () => {
        const result = await udp([`${dashes}host`, '', ...rest]);
        assert.equal(result.code, 64);
        assert.match(errorLine(result), /-host is empty; name the server/);
      });
    }
  }
});
