// What udp-load makes of a test: JSON, CSV, page, job summary, limits.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { errorLine, file, folder, readOutputs } from './support.mjs';
import { BRIEF, client, readCsv, serverFor, sharedServer, udp } from './udp_load.mjs';

let server;
before(async () => { server = await sharedServer(); });
after(() => server.close());

const FEW = ['--clients', '6', '--packets', '20', ...BRIEF];
const ACTIONS = { GITHUB_ACTIONS: 'true' };

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
    [['--max-jitter', '60s'], ['--max-jitter', '0'], /jitter is over the limit of 0 ms for 6 of 6 callers/],
    [['--max-delay-p99', '60s'], ['--max-delay-p99', '0'], /delay p99 is \d+.* ms, over the limit of 0 ms/],
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
    assert.deepEqual(readOutputs(path), { max_callers: '25', ok: 'true' });
  });

  test('--find-max where no number is good enough: 1, and it says so', async () => {
    const { code, stderr, report } = await client(server.host, ['--clients', '4', '--packets', '5', '--find-max', '--max-jitter', '0', ...BRIEF]);
    assert.equal(code, 1);
    assert.match(stderr, /not even the smallest number of callers meets the limits/);
    assert.equal(report.verdict.broken_limits.length, 1);
  });

  test('--find-max that is refused on the way shows the best run, and ends with the refusal', async (t) => {
    const few = await serverFor(t, ['--max-callers', '30']);
    const path = join(folder(t), 'outputs');
    const { code, stderr, report } = await client(few.host, ['--clients', '100', '--packets', '5', '--find-max', ...BRIEF], { env: { GITHUB_OUTPUT: path } });
    assert.equal(code, 69);
    assert.match(stderr, /20 callers: good\n(.*\n)*.*20 callers meet the limits; more were not tried\n.*the server refuses the test: .*--max-callers/);
    assert.equal(report.settings.clients, 20);
    assert.deepEqual(readOutputs(path), { max_callers: '20', ok: 'true' });
  });

  test('--find-max --quiet leaves standard error empty', async () => {
    const { code, stderr } = await client(server.host, ['--clients', '4', '--packets', '5', '--find-max', '--quiet', ...BRIEF]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  });
});
