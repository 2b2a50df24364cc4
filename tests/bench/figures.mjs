// Figures as rows, judged and printed. A row:
//
//   { command, what, value, unit,      what was measured of opsbelt
//     peer, peer_value,                the same of a peer in the same run, if there is one
//     target: { ratio } or { value },  what the ratio to the peer, or the value, should be at most (better: 'less', the
//     better,                          default) or at least ('more'); without a target the row only informs
//     left_out }                       instead of a value: why there is none
//
// judge() adds `ratio` (value / peer_value) and `held`: true, false, or undefined where nothing was to be held or
// nothing could be said.

import { cpus, release, totalmem } from 'node:os';

export function judge(row) {
  const { value, peer_value, target, better = 'less', left_out } = row;
  const ratio = peer_value === undefined || left_out ? undefined : value / peer_value;
  const judged = { ...row, better, ratio, held: undefined };
  if (!target || left_out) return judged;
  const [got, wanted] = 'ratio' in target ? [ratio, target.ratio] : [value, target.value];
  if (!Number.isFinite(wanted) || Number.isNaN(got) || got === undefined) throw new Error(`no verdict on "${row.what}": ${got} against ${wanted}`);
  return { ...judged, held: better === 'less' ? got <= wanted : got >= wanted };
}

// Three digits are all that such measurements are good for.
const digits = (value) => Number(value.toPrecision(value >= 1000 ? 4 : 3)).toLocaleString('en', { maximumFractionDigits: 6 });

const withUnit = (value, unit) => `${digits(value)}${unit ? ` ${unit}` : ''}`;

function targetOf({ target, better, unit }) {
  if (!target) return '';
  const sign = better === 'less' ? 'at most' : 'at least';
  return `${sign} ${'ratio' in target ? `${digits(target.ratio)} x` : withUnit(target.value, unit)}`;
}

function verdictOf({ held, target, left_out }, missed) {
  if (left_out) return target ? 'not judged' : '';
  if (held === undefined) return '';
  return held ? 'held' : missed;
}

const HEADS = ['command', 'figure', 'opsbelt', 'peer', 'ratio', 'target', ''];

function cells(row, missed) {
  const { command, what, value, unit, peer, peer_value, ratio, left_out } = row;
  return [
    command, what, left_out ? `left out: ${left_out}` : withUnit(value, unit),
    peer_value === undefined || left_out ? '' : `${withUnit(peer_value, unit)} (${peer})`,
    ratio === undefined ? '' : `${digits(ratio)} x`, targetOf(row), verdictOf(row, missed),
  ];
}

// For a terminal.
export function table(rows) {
  const lines = [HEADS, ...rows.map((row) => cells(row, 'MISSED'))];
  const widths = HEADS.map((_, i) => Math.max(...lines.map((line) => (line[i].startsWith('left out') ? 0 : line[i].length))));
  return lines.map((line) => line.map((cell, i) => cell.padEnd(widths[i])).join('  ').trimEnd()).join('\n');
}

export function markdownTable(rows) {
  const lines = [HEADS, HEADS.map(() => '---'), ...rows.map((row) => cells(row, '**missed**'))];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}

// "2 of 17 targets missed: ...; 1 not judged: ..."
export function summary(rows) {
  const name = ({ command, what }) => `${command} (${what})`;
  const wanted = rows.filter(({ target }) => target);
  const missed = wanted.filter(({ held }) => held === false);
  const open = wanted.filter(({ held }) => held === undefined);
  const first = missed.length === 0 ? `none of ${wanted.length} targets missed` : `${missed.length} of ${wanted.length} targets missed: ${missed.map(name).join(', ')}`;
  return open.length === 0 ? first : `${first}; ${open.length} not judged: ${open.map(name).join(', ')}`;
}

export function machine() {
  const gib = (totalmem() / 2 ** 30).toFixed(1);
  return `${cpus().length} cores of ${cpus()[0].model.trim()}, ${gib} GiB, Linux ${release()}, node ${process.versions.node}`;
}
