// azure-run beside @azure/arm-compute with @azure/identity in node (the official client), both over https into a
// stand-in in a process of its own, which starts no shell:
// - one VM: CPU time (user + system) and peak memory of the whole process, and how long after the operation's end it
//   was over. Runs begin in turn, and those that have begun mostly wait: each has a VM of its own;
// - VMS at once: wall time against that of one VM, CPU time, peak memory; the client's with as many promises;
// - VMS with short operations at the default concurrency: how many a second.
// Both trust the machine's CAs beside the stand-in's, as they would Azure's. It takes about a minute.
//
//   node tests/bench/azure-run.mjs [VMS]

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { machine, median, root, verdict } from './support.mjs';

const VMS = Number(process.argv[2] ?? 500);
const ROUNDS = 5;
const OPERATION_MS = 5_000;
const SHORT_MS = 200;
const FIRST_POLL_MS = 1_000; // then each wait is half as long again
const LEEWAY_MS = 50;
const TURN_MS = 800;
const SYSTEM_CAS = '/etc/ssl/certs/ca-certificates.crt'; // Debian's
const binary = process.env.OPSBELT_BINARY ?? join(root, 'build/release/opsbelt');
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const [key, cert, cas] = ['key.pem', 'cert.pem', 'cas.pem'].map((name) => join(folder, name));
const names = Array.from({ length: VMS }, (_, i) => `vm-${String(i).padStart(3, '0')}`);

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

// { addresses, cpuMs(), stop() }; stop() resolves with how many scripts were started.
async function startAzure(operation_ms) {
  const args = ['--input-type=module', '-e', STANDIN, key, cert, String(VMS), String(operation_ms)];
  const child = spawn(process.execPath, args, { cwd: join(root, 'tests'), stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [line] = await once(lines, 'line');
  return {
    addresses: JSON.parse(line),
    async stop() {
      const counted = once(lines, 'line');
      child.stdin.end();
      return Number((await counted)[0]);
    },
  };
}

// --- The contestants ---

function ours({ addresses: azure }, vms, args = []) {
  const command = [binary, 'azure-run', '-g', azure.resourceGroup, '-n', vms.join(','), '--subscription', azure.subscription,
    '--tenant', azure.tenant, '--client-id', azure.clientId, '--arm-endpoint', azure.armUrl, '--authority', azure.authorityUrl,
    '--scripts', 'echo done', '--shell', 'sh', '--output', 'json', ...args];
  const succeeded = (stdout) => Object.values(JSON.parse(stdout))
    .filter(({ outcome, exit_code, stdout: text }) => outcome === 'succeeded' && exit_code === 0 && text === 'done\n').length;
  return measure(command, { AZURE_CLIENT_SECRET: azure.clientSecret, SSL_CERT_FILE: cas }, vms, succeeded);
}

function client({ addresses }, vms) {
  const command = [process.execPath, 'bench/azure_client.mjs', JSON.stringify(addresses), vms.join(',')];
  return measure(command, { NODE_EXTRA_CA_CERTS: cas }, vms, Number);
}

// { cpu_ms, wall_ms, peak_mib } of a whole process. bash tells CPU time to the millisecond, GNU time the memory.
async function measure(command, env, vms, succeeded) {
  const script = 'TIMEFORMAT="%U %S %R"; time /usr/bin/time -f %M "$@"';
  const child = spawn('bash', ['-c', script, 'bash', ...command],
    { cwd: join(root, 'tests'), env: { PATH: process.env.PATH, LC_ALL: 'C', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = Promise.all([child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray()));
  const [code] = await once(child, 'close');
  const [stdout, stderr] = (await texts).map((chunks) => chunks.join(''));
  if (code !== 0) throw new Error(`${command[0]} failed: ${stderr}`);
  if (succeeded(stdout) !== vms.length) throw new Error(`${succeeded(stdout)} of ${vms.length} succeeded: ${stderr}`);
  const [peak_kib, user_s, system_s, wall_s] = stderr.trim().split(/\s+/).slice(-4).map(Number);
  return { cpu_ms: (user_s + system_s) * 1000, wall_ms: wall_s * 1000, peak_mib: peak_kib / 1024 };
}

function print({ name, cpu_ms, wall_ms, peak_mib }, peer) {
  const against = (value, of) => `${(value / of).toFixed(3).padStart(6)} x the client's`;
  console.log(`  ${name.padEnd(26)} ${cpu_ms.toFixed(0).padStart(6)} ms CPU ${against(cpu_ms, peer.cpu_ms)}  ${peak_mib.toFixed(1).padStart(6)} MiB ${against(peak_mib, peer.peak_mib)}  ${(wall_ms / 1000).toFixed(3).padStart(7)} s`);
}

// --- The figures ---

// The wait before the look at which the operation is over, if each wait is at most longest_ms.
function lastWait_ms(longest_ms) {
  let wait_ms = FIRST_POLL_MS;
  for (let passed_ms = wait_ms; passed_ms < OPERATION_MS; passed_ms += wait_ms) wait_ms = Math.min(wait_ms * 1.5, longest_ms);
  return wait_ms;
}

async function compareOne(azure) {
  const contestants = [
    { name: 'opsbelt azure-run', start: (vm) => ours(azure, [vm]), wait_ms: lastWait_ms(10_000) },
    { name: 'the same, looks each s', start: (vm) => ours(azure, [vm], ['--poll-interval', '1s']), wait_ms: lastWait_ms(1_000) },
    { name: '@azure/arm-compute in node', start: (vm) => client(azure, [vm]) },
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
  console.log(`azure-run: one VM, an operation of ${OPERATION_MS / 1000} s, median of ${ROUNDS} runs, ${machine}`);
  for (const contestant of contestants) print(contestant, peer);
  console.log(`  CPU against the client: ${verdict(one.cpu_ms / peer.cpu_ms, 0.1, ' x')}`);
  console.log(`  peak memory against it: ${verdict(one.peak_mib / peer.peak_mib, 0.2, ' x')}`);
  for (const { name, wall_ms, wait_ms } of [one, quick]) {
    console.log(`  ${name}, over after the operation's end: ${verdict(wall_ms - OPERATION_MS, LEEWAY_MS + wait_ms, ' ms')} (of which its last wait ${wait_ms} ms)`);
  }
  return one;
}

async function compareMany(azure, one) {
  const many = { name: 'opsbelt azure-run', ...await ours(azure, names, ['--concurrency', String(VMS)]) };
  const peer = { name: '@azure/arm-compute in node', ...await client(azure, names) };
  console.log(`azure-run: ${VMS} VMs at once, an operation of ${OPERATION_MS / 1000} s each, once each, ${machine}`);
  for (const contestant of [many, peer]) print(contestant, peer);
  console.log(`  wall time against one VM: ${verdict(many.wall_ms / one.wall_ms, 1.5, ' x')}`);
  console.log(`  peak memory: ${verdict(many.peak_mib, 40, ' MiB')}`);
}

async function rateShort(azure) {
  const { wall_ms, cpu_ms, peak_mib } = await ours(azure, names);
  console.log(`azure-run: ${VMS} VMs, 50 at a time (the default), an operation of ${SHORT_MS} ms each, ${machine}`);
  console.log(`  ${(wall_ms / 1000).toFixed(2)} s, ${(VMS / wall_ms * 1000).toFixed(0)} VMs/s (at most ${50_000 / FIRST_POLL_MS}, as the first look is after ${FIRST_POLL_MS} ms)  ${cpu_ms.toFixed(0)} ms CPU  ${peak_mib.toFixed(1)} MiB`);
}

// Whether each script was started once.
async function checkRuns(azure, expected) {
  const runs = await azure.stop();
  if (runs !== expected) throw new Error(`${runs} scripts were started, not ${expected}`);
}

try {
  const long = await startAzure(OPERATION_MS);
  await compareMany(long, await compareOne(long));
  await checkRuns(long, 3 * ROUNDS + 2 * VMS);
  const short = await startAzure(SHORT_MS);
  await rateShort(short);
  await checkRuns(short, VMS);
} finally {
  rmSync(folder, { recursive: true });
}
