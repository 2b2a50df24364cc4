// Whether a process grew, from samples of it. The rule: the median of the last quarter of the time may not exceed the
// median of the second quarter (the first is warm-up) by more than the allowance.
//
//   memory        5 %, at least 1 MiB, and what the process is made to remember of what it handled in between
//   descriptors   4, as connections come and go
//   threads       1
//
// A process that handled nothing, that ended, or that was seen fewer than 16 times has failed too.

const MIB = 1024 * 1024;
const QUANTITIES = {
  memory_bytes: (early) => Math.max(0.05 * early, MIB),
  descriptors: () => 4,
  threads: () => 1,
};
const FEWEST = 16;

export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

// samples: [{ at_s, memory_bytes, descriptors, threads, handled }] in order of time. remembers_bytes: of each that is
// handled. { rows: [{ quantity, early, late, most, per_minute, allowed, grew }], handled, problems: [text] }
export function judge(samples, { remembers_bytes = 0 } = {}) {
  const handled = samples.at(-1)?.handled ?? 0;
  if (samples.length < FEWEST) return { rows: [], handled, problems: [`it was seen ${samples.length} times only`] };
  const quarter = Math.floor(samples.length / 4);
  const [second, last] = [samples.slice(quarter, 2 * quarter), samples.slice(-quarter)];
  const remembered = remembers_bytes * (last.at(-1).handled - second[0].handled);
  const rows = Object.entries(QUANTITIES).map(([quantity, allowance]) => {
    const [early, late] = [second, last].map((part) => median(part.map((sample) => sample[quantity])));
    const allowed = allowance(early) + (quantity === 'memory_bytes' ? remembered : 0);
    const most = Math.max(...samples.map((sample) => sample[quantity]));
    const per_minute = slope(samples.slice(quarter), quantity) * 60;
    return { quantity, early, late, most, per_minute, allowed, grew: late - early > allowed };
  });
  const problems = rows.filter(({ grew }) => grew).map(({ quantity, early, late }) => `${quantity} grew from ${early} to ${late}`);
  if (handled === 0) problems.push('it handled nothing');
  return { rows, handled, problems };
}

// Of the straight line with the least squares, for each second.
function slope(samples, quantity) {
  const mean = (pick) => samples.reduce((sum, sample) => sum + pick(sample), 0) / samples.length;
  const [at, value] = [mean(({ at_s }) => at_s), mean((sample) => sample[quantity])];
  const across = mean(({ at_s }) => (at_s - at) ** 2);
  return across === 0 ? 0 : mean((sample) => (sample.at_s - at) * (sample[quantity] - value)) / across;
}
