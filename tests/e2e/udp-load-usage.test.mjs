// udp-load's command line: what can't be meant is refused with one line; the help explains the rest.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorLine } from './support.mjs';
import { udp } from './udp_load.mjs';

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
    ['cleint', /unknown job 'cleint'; did you mean client\?/],
    ['client a.json', /client takes no 'a\.json'/],
    ['client servre', /client takes no 'servre'; did you mean the job server\?/],
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
