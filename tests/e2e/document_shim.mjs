// The `opsbelt` that the documents' lines find on their PATH: notes the call in $STAGE_CALLS, and runs the real
// binary with stand-ins in place of what has no environment variable. What runs on until it is stopped is stopped
// by SIGTERM after a while. Its exit code is the binary's.

import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const [, , ...args] = process.argv;
const command = args[0] ?? process.env.INPUT_COMMAND;
const has = (...words) => words.some((word) => args.includes(word));

// What has no end of its own.
const ENDLESS = {
  'slack-serve': () => !has('--say', '--zip', '--write-function-app', '--check', '--help'),
  'es-tail': () => !has('-e', '-c', '--exit', '--count', '--from-file', 'replay', 'checkpoints', '--check', '--help'),
  'udp-load': () => args[1] === 'server' && !has('--once', '--check', '--help'),
};
const BRIEF = { 'INPUT_MAX-LATE': '10s' }; // no word about this machine's load
// Where the stand-ins are, and short waits; an option on the line itself comes before these.
const INPUTS = {
  'azure-run': { 'INPUT_ARM-ENDPOINT': process.env.STAGE_ARM, 'INPUT_POLL-INTERVAL': '20ms' },
  'udp-load': {
    server: { INPUT_PORT: '0' }, demo: { ...BRIEF, INPUT_RAMP: '0' }, merge: BRIEF,
    client: { ...BRIEF, INPUT_RAMP: '0', INPUT_PORT: process.env.STAGE_UDP_PORT, ...(has('--seconds') ? {} : { INPUT_SECONDS: '1' }) },
  }[(args[1] ?? process.env.INPUT_JOB ?? 'client').split('\n')[0]],
};

appendFileSync(process.env.STAGE_CALLS, `${JSON.stringify(args.length > 0 ? args : [command])}\n`);
const inputs = Object.entries(INPUTS[command] ?? {}).filter(([name]) => !process.env[name]);
const child = spawn(process.env.STAGE_BINARY, args, {
  stdio: 'inherit', env: { ...process.env, ...Object.fromEntries(inputs) },
});
child.on('close', (code) => process.exit(code ?? 255));
if (ENDLESS[command]?.()) await stopLater();

// A second after it is able to end well: from then on it takes or holds back SIGTERM.
async function stopLater() {
  const isReady = () => [...readFileSync(`/proc/${child.pid}/status`, 'utf8').matchAll(/^Sig(?:Cgt|Blk):\t(.*)$/gm)]
    .some(([, mask]) => (BigInt(`0x${mask}`) >> 14n) & 1n);
  while (child.exitCode === null && !isReady()) await delay(20);
  await delay(1000);
  child.kill('SIGTERM');
}
