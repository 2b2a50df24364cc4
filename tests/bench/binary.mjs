// The binary itself: its size, and the time from start to end of a command that does nothing, beside curl's, in turn.
//
//   node tests/bench/binary.mjs

import { statSync } from 'node:fs';
import { bench, binary, count, inTurn, runOnce } from './support.mjs';

const RUNS = count(300, 5);

await bench('opsbelt', `\`--version\` of opsbelt and of Debian's curl, ${RUNS} runs each in turn, median wall time of the whole process.`, async () => {
  const env = { PATH: process.env.PATH };
  const ours = { command: [binary, '--version'] };
  const curl = { command: ['curl', '--version'] };
  await inTurn([ours, curl], RUNS, async ({ command }) => ({ wall_ms: runOnce(command, env).wall_ms }));
  return [
    { what: 'size of the binary', value: statSync(binary).size / 1e6, unit: 'MB', target: { value: 12 } },
    { what: 'start to end of --version', value: ours.wall_ms, unit: 'ms', peer: 'curl', peer_value: curl.wall_ms },
  ];
});
