// The `opsbelt` that the documents' lines find on their PATH: notes the call in $STAGE_CALLS, and runs the real
// binary with stand-ins in place of what has no environment variable. What runs on until it is stopped is stopped
// by SIGTERM after a while. Its exit code is the binary's.

import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';

const [, , ...args] = process.argv;
const command = args[0] ?? process.env.INPUT_COMMAND;
const has = (...words) => words.some((word) => args.includes(word));

// What has no end of its own.
const ENDLESS = {
  'slack-serve': () => !has('--say', '--zip', '--write-function-app', '--check', '--help'),
  'es-tail': () => !has('-e', '-c', '--exit', '--count', '--from-file', 'replay', 'checkpoints', '--check', '--help'),
  'udp-load': () => args[1] === 'server' && !has('--once', '--check', '--help'),
};
// Where the stand-ins are, and short waits; an option on the line itself comes before these.
const INPUTS = {
  'azure-run': { 'INPUT_ARM-ENDPOINT': process.env.STAGE_ARM, 'INPUT_POLL-INTERVAL': '20ms' },
  'udp-load': {
    server: { INPUT_PORT: '0' }, demo: { 'INPUT_MAX-LATE': '5s', INPUT_RAMP: '0' },
    client: { 'INPUT_MAX-LATE': '5s', INPUT_RAMP: '0', INPUT_PORT: process.env.STAGE_UDP_PORT },
  }[args[1] ?? process.env.INPUT_JOB],
};

appendFileSync(process.env.STAGE_CALLS, `${JSON.stringify(args.length > 0 ? args : [command])}\n`);
const inputs = Object.entries(INPUTS[command] ?? {}).filter(([name]) => !process.env[name]);
const result = spawnSync(process.env.STAGE_BINARY, args, {
  stdio: 'inherit', killSignal: 'SIGTERM', timeout: ENDLESS[command]?.() ? 1500 : 60_000,
  env: { ...process.env, ...Object.fromEntries(inputs) },
});
process.exit(result.status ?? 255);
