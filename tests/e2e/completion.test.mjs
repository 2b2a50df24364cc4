// Completion in real shells: bash (with and without bash-completion), zsh and fish complete command
// lines by the scripts that the binary prints.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, errorLine, folder, root, run } from './support.mjs';

const SHELLS = ['bash', 'zsh', 'fish'];
const scripts = Object.fromEntries(await Promise.all(
  SHELLS.map(async (shell) => [shell, (await run(['completion', shell])).stdout])));
const commands = [...(await run(['--help'])).stdout.matchAll(/^ {2}([a-z-]+) {2,}/gm)].map((match) => match[1]);

// A folder to complete names of files in, the shell's script beside it, and an opsbelt that nobody
// may call: the scripts need none.
function place(t, shell) {
  const home = folder(t);
  mkdirSync(join(home, 'here/archive'), { recursive: true });
  mkdirSync(join(home, 'bin'));
  writeFileSync(join(home, 'bin/opsbelt'), `#!/bin/sh\n: > '${home}/called'\n`, { mode: 0o755 });
  writeFileSync(join(home, 'here/an event.json'), '');
  writeFileSync(join(home, 'here/events.yaml'), '');
  writeFileSync(join(home, shell === 'zsh' ? '_opsbelt' : 'script'), scripts[shell]);
  const env = { PATH: `${join(home, 'bin')}:${process.env.PATH}`, HOME: home, TERM: 'dumb', LC_ALL: 'C.UTF-8' };
  return { home, cwd: join(home, 'here'), env };
}

// Runs a shell's program in such a place; what it printed.
function printed({ home, cwd, env }, program, args, options = {}) {
  const out = execFileSync(program, args, { cwd, env, timeout: 300_000, ...options }).toString();
  assert.ok(!existsSync(join(home, 'called')), 'the script called opsbelt');
  return out;
}

const lines = (text) => text.split('\n').map((line) => line.trim()).filter((line) => line !== '').toSorted();

// What bash offers behind this line, split into words as readline splits it.
function inBash(t, line, prelude = '') {
  const where = place(t, 'bash');
  const words = line.split(/(?<==)|(?==)| /).flatMap((word) => word.split(/(?<=^@)(?=.)/));
  const script = `${prelude}
    source "$1"; shift
    [[ $(complete -p opsbelt) == 'complete -F _opsbelt opsbelt' ]] || exit 9
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=\${#COMP_LINE}
    _opsbelt opsbelt "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  return lines(printed(where, 'bash', ['--norc', '-c', script, 'bash', join(where.home, 'script'), ...words]));
}

function inFish(t, line) {
  const where = place(t, 'fish');
  const out = printed(where, 'fish', ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', join(where.home, 'script'), line]);
  return lines(out.replaceAll(/\t.*/g, ''));
}

// zsh completes at a terminal only: one of its own, by zpty. Its compadd tells what is offered; no list
// is shown, as zpty takes long to read one.
const ZSH_WORKER = `
fpath=($HOME $fpath)
autoload -Uz compinit && compinit -u -D
PROMPT= RPROMPT=
unsetopt auto_list auto_menu list_beep prompt_sp
bindkey '^I' complete-word
compadd() {
  local -a found
  if [[ \${@[1,(i)(-|--)]} != *-(O|A|D)\\ * ]]; then
    builtin compadd -O found "$@"
    (( \${#found} )) && print -rl -- "<offer>"\${^found}"</offer>"
  fi
  builtin compadd "$@"
}
zle-line-init() { print -rn -- '<ready>' }
zle -N zle-line-init
cd here
`;
const ZSH_DRIVER = `
zmodload zsh/zpty
zpty worker zsh -f -i
zpty -w worker 'stty columns 400 rows 1000; source $HOME/worker.zsh'
zpty -r -m worker out '*<ready>*'
for line in "$@"; do
  zpty -w -n worker "$line"$'\\t\\x15\\n'
  zpty -r -m worker out '*<ready>*'
  print -r -- "$out<end>"
done
zpty -d worker
`;

// All lines in one session, as its start takes long.
function inZsh(t, typed) {
  const where = place(t, 'zsh');
  writeFileSync(join(where.home, 'worker.zsh'), ZSH_WORKER);
  const out = printed(where, 'zsh', ['-f', '-c', ZSH_DRIVER, 'zsh', ...typed], { cwd: where.home });
  return out.split('<end>').slice(0, -1)
    .map((part) => [...new Set([...part.matchAll(/<offer>(.*?)<\/offer>/g)].map((match) => match[1]))].toSorted());
}

const SHELL_RUNS = {
  bash: (t, typed) => typed.map((line) => inBash(t, line)),
  'bash with bash-completion': (t, typed) => typed.map((line) => inBash(t, line, 'source /usr/share/bash-completion/bash_completion')),
  zsh: inZsh,
  fish: (t, typed) => typed.map((line) => inFish(t, line)),
};

// The line, what must be offered, what must not.
const LINES = [
  ['opsbelt ', [...commands, 'help', 'version'], []],
  ['opsbelt ud', ['udp-load'], ['slack-post']],
  ['opsbelt help sl', ['slack-post', 'slack-serve'], []],
  ['opsbelt manual es', ['es-tail'], []],
  ['opsbelt completion ', SHELLS, []],
  ['opsbelt udp-load ', ['client', 'server', 'demo', 'routes', 'merge'], ['slack-post']],
  ['opsbelt es-tail ', ['checkpoints', 'replay'], []],
  ['opsbelt es-tail checkpoints ', ['list', 'set', 'reset'], ['checkpoints']],
  ['opsbelt slack-post --web', ['--webhook', '--webhook-type'], ['--token']],
  ['opsbelt slack-post --output ', ['text', 'json'], ['jsonl']],
  ['opsbelt azure-run --output j', ['json', 'jsonl'], ['text']],
  ['opsbelt azure-run -o ', ['text', 'json', 'jsonl'], []],
  ['opsbelt azure-run --shell ', ['sh', 'bash', 'powershell'], []],
  ['opsbelt udp-load client --profile g7', ['g711', 'g729'], ['opus']],
  ['opsbelt gollum-notify --event ev', ['events.yaml'], ['an event.json']],
  ['opsbelt gollum-notify --event an', ['an event.json'], []],
  ['opsbelt udp-load merge ev', ['events.yaml'], []],
  ['opsbelt es-tail replay ev', ['events.yaml'], []],
  ['opsbelt slack-serve --write-function-app ar', ['archive'], ['an event.json']],
  ['opsbelt slack-post --token ', [], ['events.yaml', 'text']],
];

for (const [shell, completed] of Object.entries(SHELL_RUNS)) {
  test(`${shell}: commands, words, options, values, files`, (t) => {
    const all = completed(t, LINES.map(([line]) => line));
    assert.equal(all.length, LINES.length);
    for (const [i, [line, offered, others]] of LINES.entries()) {
      // A folder is offered with its slash by some, a name's spaces are escaped by some.
      const found = all[i].map((word) => word.replace(/\/$/, '').replaceAll('\\ ', ' '));
      for (const word of offered) assert.ok(found.includes(word), `${line}: no ${word} in ${found.join(', ')}`);
      for (const word of others) assert.ok(!found.includes(word), `${line}: ${word}`);
    }
  });
}

test('bash: a value behind =, a file behind @', (t) => {
  assert.deepEqual(inBash(t, 'opsbelt slack-post --output='), ['json', 'text']);
  assert.deepEqual(inBash(t, 'opsbelt slack-post --output=te'), ['text']);
  assert.deepEqual(inBash(t, 'opsbelt azure-run --scripts @ev'), ['events.yaml']);
  assert.deepEqual(inBash(t, 'opsbelt azure-run --scripts ev'), []);
});

test('fish: a value behind =, a file behind @', (t) => {
  assert.deepEqual(inFish(t, 'opsbelt slack-post --output='), ['--output=json', '--output=text']);
  assert.deepEqual(inFish(t, 'opsbelt azure-run --scripts @ev'), ['@events.yaml']);
  assert.deepEqual(inFish(t, 'opsbelt azure-run --scripts ev'), []);
});

// All names that --help shows; the help of an option stands on lines that are further in.
async function flagsOf(command) {
  const { stdout } = await run([command, '--help']);
  return [...stdout.matchAll(/^ {2}(-[^ ,\n]+(?:, -[^ ,\n]+)*)/gm)].flatMap((match) => match[1].split(', '));
}

for (const shell of SHELLS) {
  test(`${shell}: every option of every command`, async (t) => {
    const all = SHELL_RUNS[shell](t, commands.flatMap((command) => [`opsbelt ${command} -`, `opsbelt ${command} --`]));
    for (const [i, command] of commands.entries()) {
      const flags = await flagsOf(command);
      assert.ok(flags.length > 0, command);
      const found = new Set([...all[2 * i], ...all[2 * i + 1]]);
      for (const flag of [...flags, '--help']) assert.ok(found.has(flag), `${command} ${flag}`);
    }
  });
}

test('the scripts are right by the shells\' own check', (t) => {
  const path = join(place(t, 'bash').home, 'script');
  execFileSync('bash', ['-n', path]);
  execFileSync('zsh', ['-n', join(place(t, 'zsh').home, '_opsbelt')]);
  execFileSync('fish', ['--no-execute', join(place(t, 'fish').home, 'script')]);
});

test('no shell, or one that is not known', async () => {
  const none = await run(['completion']);
  assert.equal(none.code, 64);
  assert.match(errorLine(none), /no shell is named; it is bash, zsh or fish/);
  const other = await run(['completion', 'tcsh']);
  assert.equal(other.code, 64);
  assert.match(errorLine(other), /--shell is 'tcsh', but must be bash, zsh or fish/);
});

test('./dev manuals puts pages and scripts where packages have them', (t) => {
  const prefix = folder(t);
  execFileSync(join(root, 'dev'), ['manuals', prefix, binary], { cwd: root });
  const found = execFileSync('find', ['.', '-type', 'f', '-size', '+0'], { cwd: prefix }).toString();
  assert.deepEqual(lines(found), [
    ...['opsbelt', ...commands.map((command) => `opsbelt-${command}`)].map((page) => `./share/man/man1/${page}.1`),
    './share/bash-completion/completions/opsbelt', './share/zsh/vendor-completions/_opsbelt',
    './share/fish/vendor_completions.d/opsbelt.fish',
  ].toSorted());
});
