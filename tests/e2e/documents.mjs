// The documents a person reads: README.md and everything in docs/, and the code blocks in them.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './support.mjs';

export const documentNames = ['README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true }).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`).toSorted()];
export const readDocument = (name) => readFileSync(join(root, name), 'utf8');

// The fenced blocks of a document, in order: { document, line, language, text, output }. A fence may be indented.
// output: the text of a block of `text` that comes right behind.
export function blocksOf(name) {
  const blocks = [];
  let open;
  let closed_at;
  readDocument(name).split('\n').forEach((line, i) => {
    const [, indent, language] = /^( *)```(\S*)\s*$/.exec(line) ?? [];
    if (language === undefined) {
      open?.lines.push(line.slice(open.indent));
    } else if (open) {
      const text = open.lines.map((each) => `${each}\n`).join('');
      if (open.language === 'text' && closed_at === open.line - 1) blocks.at(-1).output = text;
      blocks.push({ document: name, line: open.line, language: open.language, text });
      closed_at = i + 1;
      open = undefined;
    } else {
      open = { line: i + 1, language, indent: indent.length, lines: [] };
    }
  });
  return blocks;
}

// The command lines in a document's prose and tables, as blocks: `opsbelt …` with more than a command's name.
export function linesIn(name) {
  const lines = [];
  let isCode = false;
  readDocument(name).split('\n').forEach((line, i) => {
    if (/^ *```/.test(line)) isCode = !isCode;
    if (isCode) return;
    for (const [, text] of line.matchAll(/`(opsbelt (?:[a-z-]+ )?[^`]*)`/g)) {
      lines.push({ document: name, line: i + 1, language: 'inline', text: text.replaceAll('\\|', '|') });
    }
  });
  return lines;
}

export const blocks = documentNames.flatMap(blocksOf);
export const blocksIn = (language) => blocks.filter((block) => block.language === language);

// The name of the file that a block is, when its first line, behind a "#!", says so.
export const fileOf = ({ text }) => /^(?:#!.*\n)?# \/?((?:[\w.-]+\/)*[\w-]+\.[a-z]+)\n/.exec(text)?.[1];
