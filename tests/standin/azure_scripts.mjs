// Runs scripts as the run command extensions do inside an Azure VM: a script file in a folder of its own, which is also
// the working directory; stdout and stderr go to files, so that what the script leaves in the background holds up
// nothing; the last 4,096 bytes of each are kept, wherever in a character they begin.
//
//   const started = startScript(folder, machine, { lines, parameters, kind });   kind: 'action' or 'managed'
//   await started.ended    { stdout, stderr, exitCode } as strings and a number
//   started.tails()        { stdout, stderr } so far
//   started.kill()         ends it and what it left in the background
//   started.isOver()       whether nothing of it is left
//
// Linux: /bin/sh -c PATH (kind 'managed': /bin/bash -c), so a shebang counts, and a file without one is run by that
// shell. The action hands over parameters as two lines, `export name=value…` and `set -- value…`, unquoted. They stand
// first, or after the first element of the script array if that begins with #!: if that element is the whole script,
// it runs without them. The managed command puts named ones into the environment and unnamed ones behind the path.
// Windows: pwsh -File script0.ps1 -name value…; the values of the action go through cmd.exe on their way: outside
// double quotes ^ is eaten, spaces part words, and & | < > end the line; the double quotes are eaten too.
// Fails: where there is no pwsh, `ended` rejects. With machine.run nothing is started: its answer is taken.

import { spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, mkdtempSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIMITS } from './azure_rules.mjs';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function startScript(folder, machine, { lines, parameters = [], kind }) {
  if (machine.run) return startGiven(machine, lines, parameters);
  const cwd = mkdtempSync(join(folder, `${machine.name}-`));
  const isWindows = machine.os === 'Windows';
  const [program, args, env] = isWindows
    ? windowsCommand(cwd, lines, parameters, kind) : linuxCommand(cwd, lines, parameters, kind);
  const files = [openSync(join(cwd, 'stdout'), 'w+', 0o600), openSync(join(cwd, 'stderr'), 'w+', 0o600)];
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', ...files] });
  let last;
  const tails = () => last ?? { stdout: tail(files[0]), stderr: tail(files[1]) };
  const ended = new Promise((resolve, reject) => {
    child.once('error', ({ code }) => reject(new Error(`${program} could not be started: ${code}`)));
    child.once('exit', (code) => resolve(code ?? -1));
  }).then((exitCode) => {
    last = tails();
    return { ...last, exitCode };
  }).finally(() => files.forEach((file) => closeSync(file)));
  return { ended, tails, kill: () => signalGroup(child, 'SIGKILL'), isOver: () => !signalGroup(child, 0) };
}

// The script's answer comes from a function in place of a process; one that does not come in time is not waited for.
function startGiven(machine, lines, parameters) {
  const cut = (data) => Buffer.from(data ?? '').subarray(-LIMITS.tail_bytes).toString();
  let last = { stdout: '', stderr: '' };
  let kill;
  const killed = new Promise((resolve) => { kill = () => resolve({ exitCode: -1 }); });
  const given = Promise.resolve().then(() => machine.run(machine.name, lines.join('\n'), parameters));
  const ended = Promise.race([given, killed]).then(({ stdout, stderr, exitCode = 0 }) => {
    last = { stdout: cut(stdout), stderr: cut(stderr) };
    return { ...last, exitCode };
  });
  return { ended, tails: () => last, kill, isOver: () => true };
}

function linuxCommand(cwd, lines, parameters, kind) {
  const path = join(cwd, 'script.sh');
  const env = { PATH, LANG: 'C.UTF-8' };
  if (kind === 'managed') {
    writeFileSync(path, lines.join('\n'), { mode: 0o500 });
    const given = parameters.filter(({ value }) => value !== '');
    for (const { name, value } of given) if (name !== '') env[name] = value;
    const args = given.filter(({ name }) => name === '').map(({ value }) => ` ${value}`);
    return ['/bin/bash', ['-c', path + args.join('')], env];
  }
  writeFileSync(path, withParameters(lines, parameters).join('\n'), { mode: 0o500 });
  return ['/bin/sh', ['-c', path], env];
}

function withParameters(lines, parameters) {
  if (parameters.length === 0) return lines;
  const first = lines[0]?.startsWith('#!') ? 1 : 0;
  const exported = parameters.map(({ name, value }) => `${name}=${value}`).join(' ');
  const given = [`export ${exported}`, `set -- ${parameters.map(({ value }) => value).join(' ')}`];
  return [...lines.slice(0, first), ...given, ...lines.slice(first)];
}

function windowsCommand(cwd, lines, parameters, kind) {
  const path = join(cwd, 'script0.ps1');
  writeFileSync(path, lines.join('\r\n'), { mode: 0o600 });
  const all = parameters.flatMap(({ name, value }) => (name === '' ? [value] : [`-${name}`, value]));
  const given = kind === 'managed' ? all : throughCmd(all.join(' '));
  const { PATH: own, HOME } = process.env;
  const env = { PATH: own, HOME, POWERSHELL_TELEMETRY_OPTOUT: '1', NO_COLOR: '1', TERM: 'dumb' };
  return ['pwsh', ['-NoProfile', '-NonInteractive', '-File', path, ...given], env];
}

// What cmd.exe and the parsing of arguments leave of a line, as words.
function throughCmd(line) {
  const words = [];
  let word;
  let isQuoted = false;
  for (const char of line) {
    if (char === '"') {
      isQuoted = !isQuoted;
      word ??= '';
    } else if (!isQuoted && '&|<>'.includes(char)) break;
    else if (!isQuoted && char === ' ') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (isQuoted || char !== '^') word = (word ?? '') + char;
  }
  return word === undefined ? words : [...words, word];
}

function tail(file) {
  const { size } = fstatSync(file);
  const bytes = Buffer.alloc(Math.min(size, LIMITS.tail_bytes));
  const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
  return bytes.subarray(0, read).toString();
}

// Whether anything of the script's process group was there to take the signal. As long as something is, the number of
// the group is not given away; once its leader has been seen to end, a process of that number is a stranger.
function signalGroup(child, signal) {
  const hasEnded = child.exitCode !== null || child.signalCode !== null;
  if (child.pid === undefined || (hasEnded && existsSync(`/proc/${child.pid}`))) return false;
  try {
    return process.kill(-child.pid, signal);
  } catch {
    return false;
  }
}

// --- What Azure makes of it ---

// A run's result as the operation gives it: one status on Linux, two on Windows. Success whatever the exit code.
export function runStatuses(machine, { stdout, stderr }) {
  if (machine.os !== 'Windows') {
    const message = `Enable succeeded: \n[stdout]\n${stdout}\n[stderr]\n${stderr}`;
    return [status('ProvisioningState', message)];
  }
  return [status('ComponentStatus/StdOut', stdout), status('ComponentStatus/StdErr', stderr)];
}

function status(code, message) {
  return { code: `${code}/succeeded`, level: 'Info', displayStatus: 'Provisioning succeeded', message };
}
