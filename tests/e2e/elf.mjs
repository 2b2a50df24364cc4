// What readelf and objdump say of a program, as faults: an empty list is a hardened program. Works for
// amd64 and arm64. Nothing here asks the program itself.

import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const read = (tool, ...args) => execFileSync(tool, args, { maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'ignore'] }).toString();

// A segment's line of `readelf -lW`: type, offset, addresses, sizes, flags ("R E"), alignment.
function segments(path) {
  return read('readelf', '-lW', path).split('\n').flatMap((line) => {
    const match = /^ {2}([A-Z_]+) +(?:0x[0-9a-f]+ +){5}([R ][W ][E ])/.exec(line);
    return match ? [{ type: match[1], flags: match[2] }] : [];
  });
}

// Faults of the program's form.
export function formFaults(path) {
  const header = read('readelf', '-hW', path);
  const dynamic = read('readelf', '-dW', path);
  const parts = segments(path);
  const has = (type) => parts.some((part) => part.type === type);
  const faults = [];
  const want = (good, fault) => { if (!good) faults.push(fault); };
  want(/Type: +DYN/.test(header) && /FLAGS_1.*\bPIE\b/.test(dynamic), 'not position-independent');
  want(!has('INTERP'), 'wants a dynamic loader');
  want(!/NEEDED/.test(dynamic), 'wants shared libraries');
  want(has('GNU_RELRO'), 'no RELRO');
  want(/FLAGS\).*BIND_NOW|FLAGS_1.*\bNOW\b/.test(dynamic), 'binds lazily');
  want(has('GNU_STACK') && parts.every((part) => part.type !== 'GNU_STACK' || !part.flags.includes('E')), 'executable stack');
  want(parts.every((part) => !(part.flags.includes('W') && part.flags.includes('E'))), 'a segment is writable and executable');
  want(!/TEXTREL/.test(dynamic), 'relocations in the code');
  return faults;
}

// How often the code reads the canary (amd64: the thread's, at %fs:0x28) and how often it marks a place
// that indirect jumps may reach (amd64: endbr64; arm64: bti, and paciasp, which signs the return address).
export async function countGuards(path, { objdump = 'objdump' } = {}) {
  const child = spawn(objdump, ['-d', '--no-show-raw-insn', path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const counts = { canaryReads: 0, landingPads: 0 };
  for await (const line of createInterface({ input: child.stdout })) {
    if (/\b(mov|sub|xor|cmp)\w* +%fs:0x28,/.test(line)) ++counts.canaryReads;
    else if (/\t(endbr64|bti\t|paciasp)/.test(line)) ++counts.landingPads;
  }
  return counts;
}

// The functions of an object file that other files can reach, by section: [{ name, section, value }].
export function reachableFunctions(object) {
  return read('readelf', '-sW', object).split('\n').flatMap((line) => {
    const match = /^ *\d+: ([0-9a-f]+) +\d+ FUNC +(?:GLOBAL|WEAK) +\w+ +(\d+) (\S+)/.exec(line);
    return match ? [{ name: match[3], section: Number(match[2]), value: parseInt(match[1], 16) }] : [];
  });
}

// Where each section begins in the file, by number.
export function sectionOffsets(object) {
  const offsets = new Map();
  for (const line of read('readelf', '-SW', object).split('\n')) {
    const match = /^ *\[ *(\d+)\] \S+ +\w+ +[0-9a-f]+ ([0-9a-f]+) /.exec(line);
    if (match) offsets.set(Number(match[1]), parseInt(match[2], 16));
  }
  return offsets;
}

// The names that an object file or an archive takes from elsewhere.
export function wanted(path) {
  return new Set([...read('nm', '--undefined-only', path).matchAll(/ U (\S+)/g)].map((match) => match[1]));
}
