// What udp-load makes of a test: JSON, CSV, page, job summary, limits, merging; and what it refuses beforehand.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { errorLine, file, folder, readOutputs } from './support.mjs';
import { BRIEF, client, serverFor, sharedServer, udp } from './udp_load.mjs';

let server;
before(async () => { server = await sharedServer(); });
after(() => server.close());

const FEW = ['--clients', '6', '--packets', '20', ...BRIEF];
const ACTIONS = { GITHUB_ACTIONS: 'true' };

// Plain fields of a CSV whose quotes hold no line breaks.
function readCsv(text) {
  assert.ok(text.endsWith('\r\n'));
  const [head, ...rows] = text.slice(0, -2).split('\r\n').map((line) =>
    [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, field]) => field.replace(/^"|"$/g, '').replaceAll('""', '"')).slice(0, line.split(',').length));
  return rows.map((row) => {
    assert.equal(row.length, head.length);
    return Object.fromEntries(head.map((name, i) => [name, row[i]]));
  });
}

describe('forms', { concurrency: 4 }, () => {
  test('JSON is one line with the totals before the clients, of known members', async () => {
    const { stdout, report } = await client(server.host, FEW);
    assert.ok(stdout.indexOf('"totals"') > 0 && stdout.indexOf('"totals"') < stdout.indexOf('"clients":['));
    assert.match(stdout, /"totals":\{"sent":120,"received":120,"lost":0,"duplicated":0,"reordered":0,"late":0,/);
    assert.deepEqual(Object.keys(report), ['tool', 'format', 'kind', 'started', 'has_receiver', 'settings', 'totals', 'verdict', 'seconds', 'histograms', 'clients']);
    assert.ok(Math.abs(Date.parse(report.started) - Date.now()) < 60_000, report.started);
    assert.deepEqual({ valid: report.verdict.valid, broken: report.verdict.broken_limits }, { valid: true, broken: [] });
    for (const name of ['p50', 'p95', 'p99', 'max', 'bound']) assert.ok(report.totals.delay_ms[name] >= 0, name);
    const { delay } = report.histograms;
    assert.equal(delay.buckets.reduce((sum, [, count]) => sum + count, 0), 120);
  });

  test('text says it in one screen', async () => {
    const { code, stdout } = await udp(['client', '--host', server.host, '--echo', ...FEW]);
    assert.equal(code, 0);
    assert.match(stdout, /^6 callers, .*all could hear each other: loss 0\.00 %, MOS 4\./);
    for (const line of [/^to the server +120 +120 +0 +0\.00 %/m, /^back +120 +120 +0 /m, /^round trip /m, /^sender's lateness .*the run is valid/m]) assert.match(stdout, line);
    assert.ok(stdout.split('\n').length < 25 && stdout.split('\n').every((line) => line.length <= 100));
  });

  test('--verbose adds each second, each caller and how long the sender slept', async () => {
    const { stdout } = await udp(['client', '--host', server.host, '--min-client-addr', '127.8.0.1', '--verbose', ...FEW]);
    assert.match(stdout, /the sender slept \d+\.\d+ % of the time/);
    assert.match(stdout, /^second +sent/m);
    for (let i = 1; i <= 6; i += 1) assert.match(stdout, new RegExp(`127\\.8\\.0\\.${i}\\b`));
  });

  for (const [name, more] of [['one way', []], ['echo', ['--echo']]]) {
    test(`--csv has a row for each caller, with the figures of the JSON: ${name}`, async (t) => {
      const path = join(folder(t), 'a.csv');
      const { report } = await client(server.host, [...FEW, '--min-client-addr', '127.8.0.1', ...more, '--csv', path]);
      const rows = readCsv(readFileSync(path, 'utf8'));
      assert.equal(rows.length, 6);
      report.clients.forEach((caller, i) => {
        for (const figure of ['client', 'address', 'seen_as', 'sent', 'received', 'lost', 'duplicated', 'reordered', 'late', 'send_errors']) {
          assert.equal(rows[i][figure], String(caller[figure]), figure);
        }
        assert.equal(rows[i].mos, caller.mos.toFixed(2));
        assert.equal(rows[i].delay_p99_ms, caller.delay_ms.p99.toFixed(3));
        assert.equal(rows[i].back_received, more.length ? '20' : '');
        assert.equal(rows[i].rtt_p50_ms, more.length ? caller.rtt_ms.p50.toFixed(3) : '');
      });
    });
  }

  test('--report is one page that holds the callers and needs nothing else', async (t) => {
    const path = join(folder(t), 'a.html');
    const { code } = await client(server.host, [...FEW, '--echo', '--min-client-addr', '127.8.0.1', '--min-mos', '4.5', '--report', path]);
    assert.equal(code, 1);
    const page = readFileSync(path, 'utf8');
    assert.match(page, /^<!doctype html>/i);
    assert.match(page, /<\/html>\s*$/);
    for (let i = 1; i <= 6; i += 1) assert.ok(page.includes(`127.8.0.${i}`), `caller ${i}`);
    assert.match(page, /MOS is below the limit of 4\.5/);
    assert.match(page, /name="?viewport/);
    assert.ok((page.match(/<svg/g) ?? []).length >= 6, 'charts');
    assert.doesNotMatch(page, /(src|href)=|@import|url\(|<script|<link/i);
    assert.doesNotMatch(page.replaceAll('http://www.w3.org/2000/svg', ''), /https?:/);
    assert.doesNotMatch(page, /\bnan\b|\binf\b/i);
  });

  for (const option of ['--csv', '--report']) {
    test(`${option} that can't be written is said, not passed over`, async () => {
      const result = await udp(['client', '--host', server.host, ...FEW, '--quiet', option, '/nowhere/file']);
      assert.equal(result.code, 74);
      assert.match(errorLine(result), /\/nowhere\/file/);
    });
  }
});

describe('in GitHub Actions', { concurrency: 4 }, () => {
  test('the job summary has the figures, and is added to what is there', async (t) => {
    const summary = file(t, 'summary.md', 'before\n');
    const { code } = await udp(['client', '--host', server.host, '--max-loss', '1%', '--min-mos', '4.5', ...FEW], { env: { ...ACTIONS, GITHUB_STEP_SUMMARY: summary } });
    assert.equal(code, 1);
    const text = readFileSync(summary, 'utf8');
    assert.match(text, /^before\n\*\*6 of 6 callers below MOS 4\.5/);
    for (const part of [/^\| to the server \| 120 \| 120 \| 0 \| 0\.00 % /m, /the sender slept/, /\*\*limit broken:\*\* MOS is below/]) assert.match(text, part);
  });

  test('nothing that foreign words say is obeyed', async (t) => {
    const { report } = await client(server.host, FEW);
    report.clients[0].address = '::error::boom ##[error]boom |<b>';
    report.clients[0].send_error = '\n::set-output name=a::b';
    report.clients[0].send_errors = 3;
    report.clients[0].mos = 2;
    report.ended = '\n::stop-commands::x';
    const path = file(t, 'a.json', JSON.stringify(report));
    const summary = join(folder(t), 'summary.md');
    for (const form of ['text', 'json']) {
      const { stdout, stderr } = await udp(['merge', path, '--verbose', '--output', form], { env: { ...ACTIONS, GITHUB_STEP_SUMMARY: summary } });
      assert.ok(stdout.includes('boom'), `${stdout}${stderr}`);
      assert.doesNotMatch(stdout + stderr, /^\s*::|##\[/m);
    }
    assert.doesNotMatch(readFileSync(summary, 'utf8'), /<b>|^\s*::|[^\\]\|<b/m);
  });

  test('options come from inputs too', async () => {
    const env = { ...ACTIONS, INPUT_COMMAND: 'udp-load', INPUT_JOB: 'client', INPUT_HOST: server.host, INPUT_CLIENTS: '2', INPUT_PACKETS: '5', INPUT_OUTPUT: 'json', 'INPUT_MAX-LATE': '2s' };
    const { code, stdout, stderr } = await udp([], { env });
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).totals.received, 10);
  });
});

describe('limits', { concurrency: 4 }, () => {
  const limits = [
    [['--max-jitter', '60s'], ['--max-jitter', '0'], /jitter is over the limit of 0\.00 ms for 6 of 6 callers/],
    [['--max-delay-p99', '60s'], ['--max-delay-p99', '0'], /delay p99 is \d+.* ms, over the limit of 0\.00 ms/],
    [['--min-mos', '1'], ['--min-mos', '4.5'], /MOS is below the limit of 4\.5 for 6 of 6 callers \(lowest \d/],
  ];
  for (const [kept, broken, words] of limits) {
    test(`${kept[0]} kept is 0, broken is 1 in words`, async () => {
      assert.equal((await client(server.host, [...FEW, ...kept])).code, 0);
      const { code, report } = await client(server.host, [...FEW, ...broken]);
      assert.equal(code, 1);
      assert.equal(report.verdict.broken_limits.length, 1);
      assert.match(report.verdict.broken_limits[0], words);
      const { stdout } = await udp(['client', '--host', server.host, ...FEW, ...broken]);
      assert.match(stdout, new RegExp(`^limit broken: ${words.source}`, 'm'));
    });
  }

  // Loss that is certain: as if a tenth were lost, in a report.
  test('--max-loss kept is 0, broken is 1 in words', async (t) => {
    const { code, report } = await client(server.host, [...FEW, '--max-loss', '0']);
    assert.equal(code, 0);
    for (const caller of report.clients) Object.assign(caller, { received: 18, lost: 2 });
    const path = file(t, 'a.json', JSON.stringify(report));
    for (const kept of ['10%', '10', '10.5 %']) assert.equal((await udp(['merge', path, '--max-loss', kept])).code, 0, kept);
    const { code: broken, stdout } = await udp(['merge', path, '--max-loss', '9.9%']);
    assert.equal(broken, 1);
    assert.match(stdout, /^limit broken: loss is 10\.0+ %, over the limit of 9\.90? %$/m);
  });

  test('all at once are all said', async () => {
    const { code, report } = await client(server.host, [...FEW, '--max-jitter', '0', '--max-delay-p99', '0', '--min-mos', '4.5', '--max-loss', '0']);
    assert.equal(code, 1);
    assert.equal(report.verdict.broken_limits.length, 3);
  });

  test('--find-max ends at --clients when all is well', async (t) => {
    const path = join(folder(t), 'outputs');
    const { code, report, stderr } = await client(server.host, ['--clients', '25', '--packets', '10', '--find-max', ...BRIEF], { env: { GITHUB_OUTPUT: path } });
    assert.equal(code, 0);
    assert.match(stderr, /10 callers: good\n(.*\n)*.*20 callers: good\n(.*\n)*.*25 callers: good\n.*25 callers meet the limits, as many as --clients says/);
    assert.equal(report.settings.clients, 25);
    assert.deepEqual(readOutputs(path), { 'max-callers': '25' });
  });

  test('--find-max where no number is good enough: 1, and it says so', async () => {
    const { code, stderr, report } = await client(server.host, ['--clients', '4', '--packets', '5', '--find-max', '--max-jitter', '0', ...BRIEF]);
    assert.equal(code, 1);
    assert.match(stderr, /not even the smallest number of callers meets the limits/);
    assert.equal(report.verdict.broken_limits.length, 1);
  });

  test('--find-max --quiet leaves standard error empty', async () => {
    const { code, stderr } = await client(server.host, ['--clients', '4', '--packets', '5', '--find-max', '--quiet', ...BRIEF]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  });
});

// --- Merging ---

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
    const merged = JSON.parse(stdout);
    for (const name of ['totals', 'seconds', 'clients', 'histograms', 'settings']) assert.deepEqual(merged[name], report[name], name);
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
    const gone = await udp(['merge', good, '/nowhere/b.json']);
    assert.equal(gone.code, 66);
    assert.match(errorLine(gone), /\/nowhere\/b\.json/);
  });
});

// --- What is refused beforehand ---

describe('refused with one line', { concurrency: 4 }, () => {
  const lines = [
    ['client --packet-size 31', /--packet-size is '31', but must be a whole number from 32 to 65507/],
    ['client -packetsize 10', /--packet-size is '10'/],
    ['client --bps 0', /--bps is '0'/],
    ['client --clients 0', /--clients is '0'/],
    ['client --seconds 0', /--seconds is '0'/],
    ['client --seconds soon', /--seconds is 'soon', but must be a time/],
    ['client --packets 0', /--packets is '0'/],
    ['client --packets 5 --seconds 5', /--packets and --seconds can't go together/],
    ['client --profile g722', /--profile is 'g722', but must be g711, g729 or opus/],
    ['client --profile g711 --bps 5', /--profile and --bps can't go together/],
    ['client --profile opus --packet-size 90', /--profile and --packet-size can't go together/],
    ['client --codec mp3', /mp3/],
    ['client --dscp 64', /--dscp is '64'/],
    ['client --max-loss 101%', /--max-loss is '101%'/],
    ['client --min-mos 5', /--min-mos is '5', but must be a number from 1 to 4\.5/],
    ['client --output xml', /--output is 'xml', but must be text or json/],
    ['client --host a:b:c', /--host|a:b:c/],
    ['client --host 127.0.0.1:0', /127\.0\.0\.1:0|--host/],
    ['client --port 70000', /--port is '70000'/],
    ['client -profile', /-profile is not there/],
    ['client --nosuch', /unknown option '--nosuch'/],
    ['cleint', /takes no 'cleint'; did you mean the job client\?/],
    ['client a.json', /client takes no 'a\.json'/],
    ['merge', /merge needs the reports to add/],
    ['client --once', /--once has no effect on client/],
    ['client --allow 10.0.0.0/8', /--allow has no effect on client/],
    ['server --allow 10.0.0.0/99', /--allow is '10\.0\.0\.0\/99'/],
    ['client --remove', /--remove has no effect on client/],
    ['server --clients 5', /--clients has no effect on server/],
    ['server --csv a.csv', /--csv has no effect on server/],
    ['server --min-mos 3.6', /--min-mos has no effect on server/],
    ['server --interfaces lo', /--interfaces has no effect on server/],
    ['server --find-max', /--find-max has no effect on server/],
    ['server --max-sessions 0', /--max-sessions is '0'/],
    ['demo --host 127.0.0.1', /--host has no effect on demo/],
    ['demo --port 5', /--port has no effect on demo/],
    ['demo --once', /--once has no effect on demo/],
    ['routes', /routes needs to know the tunnels: --interfaces/],
    ['routes --interfaces lo --clients 4', /--clients has no effect on routes/],
    ['merge a.json --clients 4', /--clients has no effect on merge/],
    ['merge a.json --echo', /--echo has no effect on merge/],
    ['merge a.json --find-max', /--find-max has no effect on merge/],
    ['merge a.json --max-late 5s', /--max-late has no effect on merge|a\.json/],
  ];
  for (const [line, words] of lines) {
    test(line, async () => {
      const result = await udp(line.split(' '));
      assert.equal(result.stdout, '');
      assert.match(errorLine(result), words);
      assert.equal(result.code, line.includes('max-late') ? 66 : 64);
    });
  }
});

// --- The help ---

test('--help explains each option in words, within 100 columns', async () => {
  const { code, stdout } = await udp(['--help']);
  assert.equal(code, 0);
  const lines = stdout.split('\n');
  assert.deepEqual(lines.filter((line) => line.length > 100), []);
  const options = lines.map((line, i) => [line, lines[i + 1]]).filter(([line]) => /^ {2}--/.test(line));
  assert.ok(options.length > 35);
  for (const [option, words] of options) assert.match(words, /^ {8}\S{1,}/, option);
  for (const flag of ['-server', '-noclients', '-noclientaddr', '-minclientaddr', '-packetsize', '-serverrespond']) assert.ok(stdout.includes(flag), flag);
});
