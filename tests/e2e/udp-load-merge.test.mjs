// udp-load merge: reports add up exactly, or are refused with their file and place.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { errorLine, file, folder, run } from './support.mjs';
import { BRIEF, client, readCsv, serverFor, sharedServer, udp } from './udp_load.mjs';

let server;
before(async () => { server = await sharedServer(); });
after(() => server.close());

const FEW = ['--clients', '6', '--packets', '20', ...BRIEF];

describe('merge', { concurrency: 4 }, () => {
  const counts = ['sent', 'received', 'lost', 'duplicated', 'reordered', 'late', 'planned', 'send_errors'];
  const adds = (name) => (sum, { report }) => sum + report.totals[name];
  const bucketsOf = (reports, name) => {
    const sums = new Map();
    for (const report of reports) {
      for (const [bucket, count] of report.histograms[name].buckets) sums.set(bucket, (sums.get(bucket) ?? 0) + count);
    }
    return [...sums].sort(([one], [other]) => one - other);
  };

  test('as an action: the job and its files a line each', async (t) => {
    const parts = await Promise.all([0, 1].map(() => client(server.host, FEW)));
    const paths = parts.map(({ report }, i) => file(t, `${i}.json`, JSON.stringify(report)));
    const env = { GITHUB_ACTIONS: 'true', INPUT_COMMAND: 'udp-load', INPUT_JOB: `merge\n${paths.join('\n')}\n`, INPUT_OUTPUT: 'json', 'INPUT_MAX-LATE': '2s' };
    const { code, stdout, stderr } = await run([], { env });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.equal(JSON.parse(stdout).totals.sent, parts.reduce(adds('sent'), 0));
  });

  test('counters and histograms of two are the sums, exactly', async (t) => {
    const parts = await Promise.all([['4', '15'], ['6', '25']].map(([clients, packets]) =>
      client(server.host, ['--clients', clients, '--packets', packets, '--echo', ...BRIEF])));
    Object.assign(parts[0].report.clients[1], { received: 12, lost: 3, reordered: 2 });
    Object.assign(parts[0].report.totals, { received: 57, lost: 3, reordered: 2 });
    const paths = parts.map(({ report }, i) => file(t, `${i}.json`, JSON.stringify(report)));
    const csv = join(folder(t), 'all.csv');
    const page = join(folder(t), 'all.html');
    const { code, stdout, stderr } = await udp(['merge', ...paths, '--max-late', '2s', '--output', 'json', '--csv', csv, '--report', page]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const all = JSON.parse(stdout);
    for (const name of counts) assert.equal(all.totals[name], parts.reduce(adds(name), 0), name);
    assert.equal(all.totals.back.received, 4 * 15 + 6 * 25);
    for (const name of ['delay', 'back_delay', 'rtt', 'lateness']) {
      assert.deepEqual(all.histograms[name].buckets, bucketsOf(parts.map(({ report }) => report), name), name);
    }
    assert.equal(all.kind, 'merged');
    assert.equal(all.settings.clients, 10);
    assert.deepEqual(all.clients.map(({ client: number }) => number), [...Array(10).keys()]);
    assert.equal(readCsv(readFileSync(csv, 'utf8')).length, 10);
    assert.match(readFileSync(page, 'utf8'), /10 callers/);
    // What was merged can be merged again.
    const again = join(folder(t), 'all.json');
    writeFileSync(again, stdout);
    const twice = JSON.parse((await udp(['merge', again, paths[0], '--output', 'json'])).stdout);
    assert.equal(twice.totals.sent, all.totals.sent + 60);
  });

  test('one alone says what it said', async (t) => {
    const { report } = await client(server.host, [...FEW, '--echo']);
    const { stdout } = await udp(['merge', file(t, 'a.json', JSON.stringify(report)), '--output', 'json']);
    // A mean over callers may differ in its last digit.
    const round = (_, value) => (typeof value === 'number' ? Number(value.toPrecision(12)) : value);
    const merged = JSON.parse(stdout, round);
    for (const name of ['totals', 'seconds', 'clients', 'histograms', 'settings']) assert.deepEqual(merged[name], JSON.parse(JSON.stringify(report[name]), round), name);
  });

  test('a server\'s reports add up; with a client\'s they are refused, as both count the same packets', async (t) => {
    const own = await serverFor(t, ['--output', 'json']);
    const { stdout: ours } = await client(own.host, FEW);
    await client(own.host, FEW);
    await own.wait(/\n.*\n/, 'stdout');
    const { stdout } = await own.stop();
    const [one, two] = stdout.split('\n').map((line, i) => file(t, `${i}.json`, line));
    const merged = await udp(['merge', one, two, '--max-late', '2s', '--output', 'json']);
    assert.equal(merged.code, 0, merged.stderr);
    assert.equal(JSON.parse(merged.stdout).totals.received, 240);
    const both = await udp(['merge', file(t, 'client.json', ours), one]);
    assert.equal(both.code, 65);
    assert.match(errorLine(both), /0\.json is a server's report and .*client\.json a client's/);
  });

  const refused = [
    ['other codecs', (report) => { report.settings.codec = 'g729'; }, /a\.json and .*b\.json differ in the codec \(g711 and g729\)/],
    ['another rate', (report) => { report.settings.bps = 64_000; }, /differ in the rate/],
    ['another packet size', (report) => { report.settings.packet_size = 200; }, /differ in the packet size \(160 and 200 bytes\)/],
    ['another format', (report) => { report.format = 2; }, /b\.json.*format.*only format 1/],
    ['another tool', (report) => { report.tool = 'iperf3'; }, /b\.json is no report of udp-load/],
    ['a count that is none', (report) => { report.clients[3].sent = -1; }, /b\.json.*clients\/3\/sent: this is no count/],
    ['no totals', (report) => { delete report.totals; }, /b\.json.*totals/],
    ['buckets that are none', (report) => { report.histograms.delay.buckets = [[1]]; }, /b\.json.*histograms\/delay\/buckets\/0/],
  ];
  test('what does not fit is refused, with its file and place', async (t) => {
    const { report } = await client(server.host, FEW);
    const good = file(t, 'a.json', JSON.stringify(report));
    for (const [name, damage, words] of refused) {
      const other = structuredClone(report);
      damage(other);
      const result = await udp(['merge', good, file(t, 'b.json', JSON.stringify(other))]);
      assert.deepEqual({ name, code: result.code, stdout: result.stdout }, { name, code: 65, stdout: '' });
      assert.match(errorLine(result), words);
    }
    for (const text of ['', '[]', 'null', JSON.stringify(report).slice(0, -40), '\xff']) {
      const result = await udp(['merge', good, file(t, 'b.json', text)]);
      assert.equal(result.code, 65, text);
      assert.match(errorLine(result), /b\.json/);
    }
    const twice = await udp(['merge', good, file(t, 'copy.json', JSON.stringify(report))]);
    assert.equal(twice.code, 65);
    assert.match(errorLine(twice), /a\.json and .*copy\.json are the same report, its packets would count twice; give it once/);
    const gone = await udp(['merge', good, '/nowhere/b.json']);
    assert.equal(gone.code, 66);
    assert.match(errorLine(gone), /\/nowhere\/b\.json/);
  });
});
