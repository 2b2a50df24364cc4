// azure-run beside @azure/arm-compute with @azure/identity in node (the official client), both over https into a
// stand-in in a process of its own, which starts no shell.
//
//   node tests/bench/azure-run.mjs

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bench, binary, count, folder, inTurn, measure, median, startStandin } from './support.mjs';

const VMS = count(500, 20);
const ROUNDS = count(5, 1);
const MANY_ROUNDS = count(3, 1);
const OPERATION_MS = count(5_000, 1_000);
const SHORT_MS = 200;
const FIRST_POLL_MS = 1_000; // then each wait is half as long again
const LEEWAY_MS = 50;
const TURN_MS = 800;
const SYSTEM_CAS = '/etc/ssl/certs/ca-certificates.crt'; // Debian's
const [key, cert, cas] = ['key.pem', 'cert.pem', 'cas.pem'].map((name) => join(folder, name));
const names = Array.from({ length: VMS }, (_, i) => `vm-${String(i).padStart(3, '0')}`);
const how = `Into a stand-in over https that answers in the machines' place after ${OPERATION_MS / 1000} s; both trust the machine's CAs beside its \
own, as they would Azure's. CPU time (user + system) and peak memory are those of the whole process. One VM: ${ROUNDS} runs each, begun \
in turn ${TURN_MS / 1000} s apart (they mostly wait), median. ${VMS} VMs at once, the client with as many promises: median of ${MANY_ROUNDS} runs in turn. \
The client asks every 2 s, azure-run after 1 s and then ever more seldom, so its own waits are part of its wall time.`;

execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1',
  '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert], { stdio: 'ignore' });
writeFileSync(cas, [SYSTEM_CAS, cert].filter(existsSync).map((path) => readFileSync(path)).join('\n'));

// --- The stand-in ---

// Answers in a machine's place: "done", to azure-run in the frames that its wrapper would print.
const STANDIN = `
  import { readFileSync } from 'node:fs';
  import { startAzure } from './standin/azure.mjs';
  const [key, cert, vms, operationMs] = process.argv.slice(1);
  const run = (vm, script) => {
    const nonce = /^w_dir=.*-([0-9a-f]{16})$/m.exec(script)?.[1];
    if (!nonce) return { stdout: 'done\\n', stderr: '' };
    const frame = (letter, base64) => nonce + '+' + letter + ' ' + base64 + ' b 0 5 0 0 ' + nonce + '-' + letter + '\\n';
    return { stdout: frame('o', 'ZG9uZQo='), stderr: frame('e', '') };
  };
  const tls = { key: readFileSync(key), cert: readFileSync(cert) };
  const azure = await startAzure({ tls, vms: Number(vms), operationMs: Number(operationMs), run, keepRequests: false });
  const addresses = Object.entries(azure).filter(([, value]) => typeof value === 'string');
  console.log(JSON.stringify(Object.fromEntries(addresses)));
  process.stdin.once('end', async () => {
    await azure.close();
    console.log(azure.counts.runs);
  }).resume();`;

const startAzure = (operation_ms) => startStandin(['--input-type=module', '-e', STANDIN, key, cert, String(VMS), String(operation_ms)]);

// --- The contestants ---

function ours(azure, vms, args = []) {
  const command = [binary, 'azure-run', '-g', azure.resourceGroup, '-n', vms.join(','), '--subscription', azure.subscription,
    '--tenant', azure.tenant, '--client-id', azure.clientId, '--arm-endpoint', azure.armUrl, '--authority', azure.authorityUrl,
    '--scripts', 'echo done', '--shell', 'sh', '--output', 'json', ...args];
  const succeeded = (stdout) => Object.values(JSON.parse(stdout))
    .filter(({ outcome, exit_code, stdout: text }) => outcome === 'succeeded' && exit_code === 0 && text === 'done\n').length;
  return checked(command, { AZURE_CLIENT_SECRET: azure.clientSecret, SSL_CERT_FILE: cas }, vms, succeeded);
}

function client(azure, vms) {
  const command = [process.execPath, 'bench/azure_client.mjs', JSON.stringify(azure), vms.join(',')];
  return checked(command, { NODE_EXTRA_CA_CERTS: cas }, vms, Number);
}

// { cpu_ms, wall_ms, peak_mib } of a whole process that ran the script on all the machines.
async function checked(command, env, vms, succeeded) {
  const { stdout, ...numbers } = await measure(command, { env });
  if (succeeded(stdout) !== vms.length) throw new Error(`${succeeded(stdout)} of ${vms.length} succeeded`);
  return numbers;
}

// --- The figures ---

// The wait before the look at which the operation is over, if each wait is at most longest_ms.
function lastWait_ms(longest_ms) {
  let wait_ms = FIRST_POLL_MS;
  for (let passed_ms = wait_ms; passed_ms < OPERATION_MS; passed_ms += wait_ms) wait_ms = Math.min(wait_ms * 1.5, longest_ms);
  return wait_ms;
}

const PEER = '@azure/arm-compute in node';

// Not by inTurn, as runs overlap: each has a VM of its own.
async function compareOne(azure) {
  const contestants = [
    { start: (vm) => ours(azure, [vm]), wait_ms: lastWait_ms(10_000) },
    { start: (vm) => ours(azure, [vm], ['--poll-interval', '1s']), wait_ms: lastWait_ms(1_000) },
    { start: (vm) => client(azure, [vm]) },
  ];
  const running = [];
  for (let i = 0; i < ROUNDS * contestants.length; i += 1) {
    running.push(contestants[i % contestants.length].start(names[i]));
    await delay(TURN_MS);
  }
  const results = await Promise.all(running);
  contestants.forEach((contestant, i) => {
    const own = results.filter((_, run) => run % contestants.length === i);
    for (const figure of Object.keys(own[0])) contestant[figure] = median(own.map((result) => result[figure]));
  });
  const [one, quick, peer] = contestants;
  const after = ({ wall_ms }) => wall_ms - OPERATION_MS;
  const over = (contestant) => ({
    value: after(contestant), unit: 'ms', peer: PEER, peer_value: after(peer), target: { value: contestant.wait_ms + LEEWAY_MS },
  });
  const rows = [
    { what: 'CPU of one VM', value: one.cpu_ms, unit: 'ms', peer: PEER, peer_value: peer.cpu_ms, target: { ratio: 0.1 } },
    { what: 'peak memory of one VM', value: one.peak_mib, unit: 'MiB', peer: PEER, peer_value: peer.peak_mib, target: { ratio: 0.2 } },
    { what: `over after the operation's end (its last wait: ${one.wait_ms} ms)`, ...over(one) },
    { what: `the same with --poll-interval 1s`, ...over(quick) },
  ];
  return { rows, wall_ms: one.wall_ms };
}

async function compareMany(azure, one) {
  const many = { run: () => ours(azure, names, ['--concurrency', String(VMS)]) };
  const peer = { run: () => client(azure, names) };
  await inTurn([many, peer], MANY_ROUNDS, ({ run }) => run(), { warm: true });
  return [
    { what: `wall time of ${VMS} VMs at once`, value: many.wall_ms / 1000, unit: 's', peer: 'one VM', peer_value: one.wall_ms / 1000, target: { ratio: 1.5 } },
    { what: 'the same', value: many.wall_ms / 1000, unit: 's', peer: PEER, peer_value: peer.wall_ms / 1000 },
    { what: `CPU of ${VMS} VMs`, value: many.cpu_ms, unit: 'ms', peer: PEER, peer_value: peer.cpu_ms },
    { what: `peak memory of ${VMS} VMs`, value: many.peak_mib, unit: 'MiB', peer: PEER, peer_value: peer.peak_mib, target: { value: 40 } },
  ];
}

async function rateShort(azure) {
  const { wall_ms } = await ours(azure, names);
  const most = `at most ${50_000 / FIRST_POLL_MS}, as the first look is after ${FIRST_POLL_MS / 1000} s`;
  return [{ what: `VMs of ${SHORT_MS} ms, 50 at a time (${most})`, value: VMS / wall_ms * 1000, unit: 'a second', better: 'more' }];
}

// Whether each script was started once.
async function checkRuns(azure, expected) {
  const runs = Number(await azure.stop());
  if (runs !== expected) throw new Error(`${runs} scripts were started, not ${expected}`);
}

await bench('azure-run', how, async () => {
  const long = await startAzure(OPERATION_MS);
  const one = await compareOne(long);
  const many = await compareMany(long, one);
  await checkRuns(long, 3 * ROUNDS + 2 * MANY_ROUNDS * VMS);
  const short = await startAzure(SHORT_MS);
  const rate = await rateShort(short);
  await checkRuns(short, VMS);
  return [...one.rows, ...many, ...rate];
});
