// What the documents' command lines meet instead of the world: stand-ins, files they name, programs of others.
//
//   const stage = await startStage();
//   stage.slack, .azure, .store      the stand-ins
//   stage.shown(text)                the text with the stand-ins in place of hosts, secrets and long runs
//   stage.workspace(document)        a new folder with the files that this document's examples name
//   await stage.bash(script, { cwd, env })     runs it as `bash -eu`; { code, stdout, stderr, calls }
//   stage.environment(cwd)           what such a script and a workflow's step have in common
//   await stage.close()
//
// calls: the arguments of each opsbelt that ran in it.

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startAzure } from '../standin/azure.mjs';
import { startEventStore } from '../standin/eventstore.mjs';
import { startSlack } from '../standin/slack.mjs';
import { SIGNING_SECRET } from '../standin/slack_events.mjs';
import { CHANNELS, USERS } from '../standin/slack_rules.mjs';
import { answering, envOf } from './azure.mjs';
import { blocks, fileOf } from './documents.mjs';
import { binary, fixture, readFixture, run } from './support.mjs';
import { sharedServer } from './udp_load.mjs';

const CHANNEL_NAMES = ['docs', 'builds', 'logs', 'deploys', 'sales', 'security', 'alerts'];
const channel = (name, i) => ({ id: `C0123ABC${i}`, name, is_member: true, is_archived: false });

// Where examples say one thing and a test must say another.
const places = ({ slack, store, udpPort, azure }) => [
  ['https://hooks.slack.com/services/…', slack.webhookUrl], ['https://hooks.slack.com/', `${slack.url}/`],
  ['SLACK_BOT_TOKEN=xoxb-…', `SLACK_BOT_TOKEN=${slack.token}`],
  ['SLACK_SIGNING_SECRET=…', `SLACK_SIGNING_SECRET=${SIGNING_SECRET}`],
  ['esdb://localhost:2113?tls=false', store.url],
  ['--host 10.0.0.1', `--host 127.0.0.1:${udpPort}`],
  ['host: vpn.example.org', `host: 127.0.0.1:${udpPort}`],
  ['host: 10.0.0.1', `host: 127.0.0.1:${udpPort}`],
  ['--min-client-addr 10.8.0.2', '--min-client-addr 127.8.0.2'],
  ["--interfaces 'tun*'", "--interfaces 'lo'"], ['--interfaces "tun*"', '--interfaces "lo"'], // all have a lo, few a tun
  ['--interfaces \'lo\' --clients 200', '--interfaces \'lo\' --clients 1'],
  ['--clients 1000 --interfaces "lo"', '--clients 1 --interfaces "lo"'],
  ['1,000 of 1,000', '5 of 5'], ['--clients 1000', '--clients 5'], ['clients: 1000', 'clients: 5'], ['1,000 callers', '5 callers'],
  ['--seconds 60', '--seconds 1'], ['seconds: 60', 'seconds: 1'], ['60 s:', '1 s:'],
  ['interfaces: tun*', 'interfaces: lo'], ['default: "200"', 'default: "1"'],
  ['udp-load demo ', 'udp-load demo --clients 5 --seconds 1 '],
  ['completion SHELL', 'completion bash'],
  ['seq 1 200', 'seq 1 3'],
  ['tail -F app.log', 'cat app.log'], // ends
  ['--port 3000', '--port 0'],
  ['/subscriptions/SUB/resourceGroups/prod', `/subscriptions/${azure.subscription}/resourceGroups/prod`],
  ['C0123ABCD', 'C00000002'], ['U0123ABCD', 'U00000001'],
];

// Files that examples name. Those that the documents show themselves come from there.
const FILES = {
  'app.log': 'started\nserving\n',
  'report.pdf': '%PDF-1.4 a report',
  'fix.sh': 'echo "$#: $2"\n',
  'inventory.ps1': 'param($Path)\nGet-ChildItem $Path\n',
  'deploy.sh': '#!/bin/sh\necho "deployed $1"\n',
  'mail.sh': '#!/bin/sh\nwhile read -r event; do echo ok; done\n',
  'orders.jsonl': readFileSync(fixture('eventstore/sales.jsonl'), 'utf8').replaceAll('"stream":"sales"', '"stream":"orders"'),
  'mail-failed.jsonl': '', 'unsold.jsonl': '',
  'wiki.diff': readFileSync(fixture('gollum/two_pages.diff'), 'utf8'),
  '.github/slack-users.yml': 'mira-dahl: U00000001\noncall: U00000002\n',
  'sales.yaml': readFileSync(fixture('eventstore/sales.yaml'), 'utf8'),
  file: 'a file\n',
};

// Programs of others: what they say, as far as the examples need it. systemctl is asked on the "machines".
const PROGRAMS = {
  az: '', openconnect: 'cat >/dev/null', sudo: 'case "$*" in sh) cat >/dev/null ;; *) exec "$@" ;; esac', make: '', dpkg: '',
  apt: '', docker: '', install: '', systemctl: 'echo active', ip: '', man: 'cat',
};

export async function startStage() {
  const top = mkdtempSync(join(tmpdir(), 'documents-'));
  const bin = writePrograms(join(top, 'bin'));
  const slack = await startSlack({
    channels: [...CHANNELS, ...CHANNEL_NAMES.map(channel)], users: USERS,
  });
  const store = await startEventStore();
  const path = `${bin}:${dirname(process.execPath)}:/usr/sbin:/usr/bin:/sbin:/bin`;
  const azure = await startAzure({ vms: machines(path, top) });
  const udp = await sharedServer();
  for (const stream of ['orders', 'sales']) store.append(stream, events());
  const table = places({ slack, store, azure, udpPort: udp.port });
  const event = makeWiki(join(top, 'wiki.git'));
  let count = 0;
  const stage = {
    slack, azure, store, top,
    shown: (text) => table.reduce((so_far, [from, to]) => so_far.replaceAll(from, to), text),
    workspace(document) {
      count += 1;
      const cwd = join(top, `workspace-${count}`);
      writeFiles(cwd, { ...FILES, 'event.json': event, ...shownFiles(stage, document) });
      if (existsSync(join(top, 'places.db'))) copyFileSync(join(top, 'places.db'), join(cwd, 'places.db'));
      return cwd;
    },
    environment: (cwd) => ({
      PATH: path, HOME: cwd, STAGE_BINARY: binary, STAGE_ARM: azure.armUrl, STAGE_CALLS: join(cwd, '.calls'), STAGE_UDP_PORT: udp.port,
      SLACK_API_URL: slack.apiUrl, ...envOf(azure), AZURE_RESOURCE_GROUP: '',
    }),
    async bash(script, { cwd = stage.workspace(), env = {}, flags = '-eu' } = {}) {
      const result = await run(['--norc', flags, '-c', script], {
        program: 'bash', cwd, timeout_ms: 240_000, env: { ...stage.environment(cwd), ...shellSecrets(stage), ...env },
      });
      return { ...result, cwd, calls: callsIn(cwd) };
    },
    async close() {
      await Promise.all([slack.close(), store.close(), azure.close(), udp.close()]);
      rmSync(top, { recursive: true, force: true });
    },
  };
  await makePlaces(stage);
  return stage;
}

// What a person at a shell has in the environment.
const shellSecrets = ({ slack, store }) => ({
  SLACK_BOT_TOKEN: slack.token, SLACK_WEBHOOK: slack.webhookUrl, ES_URL: store.url, HOOK_TOKEN: 'secret', VPN_PASSWORD: 'secret',
  SLACK_SIGNING_SECRET: SIGNING_SECRET,
});

// A file of checkpoints with a place in it.
async function makePlaces(stage) {
  const { code, stderr, cwd } = await stage.bash('opsbelt es-tail orders -e --processors sales.yaml --checkpoints places.db');
  if (code !== 0) throw new Error(stderr);
  copyFileSync(join(cwd, 'places.db'), join(stage.top, 'places.db'));
}

const events = () => readFileSync(fixture('eventstore/sales.jsonl'), 'utf8').trim().split('\n').map((line) => {
  const { type, data } = JSON.parse(line);
  return { type, data };
});

export const callsIn = (cwd) => (existsSync(join(cwd, '.calls'))
  ? readFileSync(join(cwd, '.calls'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)) : []);

function machines(path, top) {
  const run_here = (vm, script) => run(['-c', script], { program: '/bin/sh', cwd: top, env: { PATH: path, LANG: 'C.UTF-8', ...remote(top) } })
    .then(({ code, ...streams }) => ({ ...streams, exitCode: code }));
  const linux = (name, role, more) => ({ name, resourceGroup: 'prod', tags: { role }, run: run_here, ...more });
  return [
    linux('web1', 'web'), linux('web2', 'web'), linux('old1', 'old', { powerState: 'stopped' }),
    { ...linux('load1', 'generator'), resourceGroup: 'load' }, { ...linux('load2', 'generator'), resourceGroup: 'load' },
    { name: 'win1', os: 'Windows', resourceGroup: 'prod', run: answering(() => ({ stdout: 'done on win1\r\n' })) },
  ];
}

// For an opsbelt on such a machine.
const remote = (top) => ({ STAGE_BINARY: binary, STAGE_CALLS: join(top, '.calls') });

function writePrograms(bin) {
  mkdirSync(bin);
  const shim = fileURLToPath(new URL('document_shim.mjs', import.meta.url));
  // No shell before it: a shell drops variables like INPUT_THREAD-TS.
  const all = { opsbelt: `#!${process.execPath}\nimport('${shim}');\n` };
  for (const [name, body] of Object.entries(PROGRAMS)) all[name] = `#!/bin/sh\n${body}\n`;
  for (const [name, text] of Object.entries(all)) {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

function writeFiles(cwd, files) {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(cwd, dirname(name)), { recursive: true });
    writeFileSync(join(cwd, name), content);
    if (name.endsWith('.sh')) chmodSync(join(cwd, name), 0o755);
  }
}

// A block that begins with "# NAME" is the file NAME of the examples; the document's own go before those of others.
function shownFiles(stage, document) {
  const own_last = blocks.filter(fileOf).toSorted((a, b) => (a.document === document) - (b.document === document));
  return Object.fromEntries(own_last.map((block) => [fileOf(block), stage.shown(block.text)]));
}

// A wiki's repository with two commits; the event about the last one.
function makeWiki(wiki) {
  const git = (...args) => execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', '-C', wiki, ...args]).toString().trim();
  execFileSync('git', ['init', '-q', '--template=', wiki]);
  for (const text of ['one\n', 'one\ntwo\n']) {
    writeFileSync(join(wiki, 'Runbook-failover.md'), text);
    git('add', '-A');
    git('commit', '-qm', 'x');
  }
  const event = readFixture('gollum/two_pages.json');
  event.pages = event.pages.map((page) => ({ ...page, sha: git('rev-parse', 'HEAD') }));
  return JSON.stringify(event);
}
