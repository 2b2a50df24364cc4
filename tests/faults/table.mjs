// The fault matrix as text: what was observed, without what differs from run to run, as a page of Markdown.

// The last two lines that a person reads: JSON lines are a server's log, and that it begins or stops is no news.
export function lastWords({ stderr }) {
  const lines = stderr.trimEnd().split('\n').filter((line) => line !== '' && !/^\{|listens on|stopping: nothing new|live, after|left$|waiting for tests|: second \d+: |: connected to Slack|\d a second$/.test(line));
  return lines.slice(-2);
}

// Ports, folders, identities, times and numbers of bytes become placeholders; the channel's name in front is left out.
export function steady(lines, fault, folders = []) {
  let same = lines.join('\n');
  // Whether the end is read as an error depends on what came first, the rest of the reply or the reset.
  if (fault === 'reset in the middle of the reply') {
    same = same.replaceAll('Recv failure: Connection reset by peer', 'transfer closed with 1 bytes remaining to read');
  }
  for (const folder of folders) same = same.replaceAll(folder, 'FOLDER');
  return same
    .replace(/\b127\.0\.0\.1:\d{4,5}\b/g, '127.0.0.1:PORT')
    .replace(/\bport \d{4,5}\b/g, 'port PORT')
    .replace(/\b(nowhere){5,}\.example/g, 'nowhere.example')
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'UUID')
    .replace(/\bopsbelt-[0-9a-f]{16}\b/g, 'opsbelt-ID')
    .replace(/--attach \S+/g, '--attach TOKEN')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?/g, 'TIME')
    .replace(/: (#ops|C00000002): /g, ': ')
    .replace(/next attempt in \d+\.\d s/g, 'next attempt in N s')
    .replace(/\b\d+ events done/g, 'N events done')
    .replace(/\bbroke \d+ s after/g, 'broke N s after')
    .replace(/(after the beginning|coming back failed|broke off the control connection): [^;\n]+/g, '$1: WHY')
    .replace(/\bwith \d+ bytes remaining/g, 'with N bytes remaining')
    .replace(/\bafter \d+ s\b/g, 'after N s')
    .replace(/\b\d+ ms\b/g, 'N ms');
}

const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');
const code = (text) => (text === '' ? '' : text.split('\n').map((line) => `\`${line.replaceAll('`', "'").replaceAll('|', '\\|')}\``).join('<br>'));

function row(cells) {
  return `| ${cells.join(' | ')} |\n`;
}

function head(names) {
  return row(names) + row(names.map(() => '---'));
}

// "0 · 75": the codes of a command's ways that meet a fault; "–" when none does.
function codesOf(command, fault, rows) {
  const codes = rows.filter((one) => one.command === command && one.fault === fault).map((one) => one.code);
  return codes.length === 0 ? '–' : [...new Set(codes)].join(' · ');
}

function overview(commands, rows) {
  const faults = [...new Set(rows.map(({ fault }) => fault))];
  return head(['fault', ...commands.map(({ command }) => command)])
    + faults.map((fault) => row([cell(fault), ...commands.map(({ command }) => codesOf(command, fault, rows))])).join('');
}

// Ways that fare alike share a row.
function section({ command, about, counts }, rows) {
  const shared = new Map();
  for (const one of rows.filter((each) => each.command === command)) {
    const key = JSON.stringify([one.fault, one.code, one.sent, one.done, one.says]);
    shared.set(key, { ...one, ways: [...(shared.get(key)?.ways ?? []), one.way] });
  }
  return `## ${command}\n${about}\n\n${head(['fault', 'met by', 'exit code', ...counts, 'what it says last'])}`
    + [...shared.values()].map((one) => row([cell(one.fault), one.ways.join(', '), one.code, one.sent, one.done, code(one.says)])).join('');
}

// commands: [{ command, about, counts }], rows: [{ command, way, fault, code, sent, done, says }]
export function documentOf(commands, rows) {
  return `# What happens when something fails

Made by the tests (\`UPDATE_FAULTS=1 node --test tests/e2e/faults.test.mjs\`), which run the real binary against
stand-ins for each service. \`./dev test\` fails when what it does is not what stands here. Ports, folders,
times and identities are replaced by words, and the channel's name in front of a line is left out.

Exit codes: 0 done, 1 the answer is no, 64 usage, 65 bad input, 66 missing input, 69 service unavailable, 70 our
defect, 74 local input or output, 75 retries spent or time-out, 76 a reply that makes no sense, 77 refused,
78 configuration, 130 interrupted. "–" stands where a fault cannot meet a command. Two codes: it depends on the
way, see the command's own table.

${overview(commands, rows)}
${commands.map((one) => section(one, rows)).join('\n')}`;
}
