// The documents a person reads: README.md and everything in docs/, and the code blocks in them.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './support.mjs';

export const documentNames = ['README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true }).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`).toSorted()];
export const readDocument = (name) => readFileSync(join(root, name), 'utf8');

// The fenced blocks of a document, in order: { document, line, language, text }. A fence may be indented.
export function blocksOf(name) {
  const blocks = [];
  let open;
  readDocument(name).split('\n').forEach((line, i) => {
    const [, indent, language] = /^( *)```(\S*)\s*$/.exec(line) ?? [];
    if (language === undefined) {
      open?.lines.push(line.slice(open.indent));
    } else if (open) {
      blocks.push({ document: name, line: open.line, language: open.language, text: open.lines.map((text) => `${text}\n`).join('') });
      open = undefined;
    } else {
      open = { line: i + 1, language, indent: indent.length, lines: [] };
    }
  });
  return blocks;
}

export const blocks = documentNames.flatMap(blocksOf);
export const blocksIn = (language) => blocks.filter((block) => block.language === language);
