// The log of a step, read as GitHub's runner reads it (actions/runner, ActionCommandManager): which
// commands it would obey, and which lines it would show. Takes stdout and stderr alike.
//
//   readLog(text) -> { commands: [{ name, properties, data }], lines: [text] }
//
// Two forms: "::name key=value::data" after leading white space, and "##[name]data" anywhere in a
// line. Between stop-commands and its token nothing is obeyed.

const NAMES = new Set(['add-mask', 'add-matcher', 'add-path', 'debug', 'echo', 'endgroup', 'error', 'group', 'notice',
  'remove-matcher', 'save-state', 'set-env', 'set-output', 'stop-commands', 'warning', 'command', 'section']);

export function readLog(text) {
  const commands = [];
  const lines = [];
  let token;
  for (const line of text.split(/\r\n|\r|\n/)) {
    const command = readCommand(line, token);
    if (!command || (token !== undefined && command.name !== token)) {
      lines.push(line);
    } else if (token !== undefined) {
      token = undefined;
    } else {
      if (command.name === 'stop-commands') token = command.data;
      commands.push(command);
    }
  }
  return { commands, lines };
}

function readCommand(line, token) {
  const known = (name) => NAMES.has(name.toLowerCase()) || name === token;
  const second = line.trimStart().match(/^::([^\s:]+)(?:\s+(.*?))?::(.*)$/);
  if (second && known(second[1])) {
    return { name: second[1], properties: second[2] ?? '', data: unescape(second[3]) };
  }
  const first = line.match(/##\[([^\s\]]+)(?:\s+([^\]]*))?\](.*)$/);
  if (first && known(first[1])) return { name: first[1], properties: first[2] ?? '', data: unescape(first[3]) };
  return undefined;
}

function unescape(data) {
  return data.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}
