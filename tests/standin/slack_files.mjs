// Files in the stand-in Slack: the bytes of an upload as they come in, and what Slack says of a file.
//
// newFile(tickets, filename, length)  { ticket, file }: a new upload URL's last part, and the file to be
// receiveFile(contentType)            { take(chunk), result() }: raw bytes, or the first file of multipart/form-data;
//                                     result() is { received, sha256, head }. Holds no more than a chunk and the head.
// findFiles(tickets, wanted)          the files that files.completeUploadExternal names, or Slack's refusal of them
// fileReply(file, title)              the file as Slack gives it back
//
// Fails: never throws on a client's input.

import { createHash, randomBytes } from 'node:crypto';
import { extname } from 'node:path';
import { BOT, isObject, parseJson, refuse, refuseArgument } from './slack_rules.mjs';

const HEAD_BYTES = 64;
const MIME_TYPES = {
  '.csv': 'text/csv', '.gif': 'image/gif', '.gz': 'application/gzip', '.jpg': 'image/jpeg',
  '.json': 'application/json', '.log': 'text/plain', '.md': 'text/markdown', '.pdf': 'application/pdf',
  '.png': 'image/png', '.txt': 'text/plain', '.zip': 'application/zip',
};

export function newFile(tickets, filename, length) {
  const id = `F${String(tickets.size + 1).padStart(8, '0')}`;
  const file = { id, filename, length, received: 0, sha256: '', head: Buffer.alloc(0), shared: [], completed: false };
  const ticket = randomBytes(24).toString('hex');
  tickets.set(ticket, file);
  return { ticket, file };
}

export function receiveFile(contentType = '') {
  const hash = createHash('sha256');
  let head = Buffer.alloc(0);
  let received = 0;
  const keep = (bytes) => {
    hash.update(bytes);
    if (head.length < HEAD_BYTES) head = Buffer.concat([head, bytes.subarray(0, HEAD_BYTES - head.length)]);
    received += bytes.length;
  };
  const boundary = /^multipart\/form-data\s*;.*boundary="?([^";]+)/i.exec(contentType)?.[1];
  return {
    take: boundary === undefined ? keep : firstFileOf(boundary, keep),
    result: () => ({ received, sha256: hash.digest('hex'), head }),
  };
}

// A taker of chunks that hands on what stands inside the first part that has a filename.
function firstFileOf(boundary, keep) {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  let rest = Buffer.from('\r\n'); // so that the first delimiter looks like the others
  let inside = 'gap'; // gap, head, file or end
  return (chunk) => {
    if (inside === 'end') return;
    rest = Buffer.concat([rest, chunk]);
    while (inside !== 'end') {
      const mark = inside === 'head' ? Buffer.from('\r\n\r\n') : delimiter;
      const at = rest.indexOf(mark);
      if (inside === 'file') keep(rest.subarray(0, at < 0 ? Math.max(0, rest.length - mark.length) : at));
      if (at < 0) {
        if (inside !== 'head') rest = rest.subarray(Math.max(0, rest.length - mark.length));
        return;
      }
      if (inside === 'head') inside = /filename/i.test(rest.subarray(0, at).toString()) ? 'file' : 'gap';
      else inside = inside === 'gap' ? 'head' : 'end';
      rest = rest.subarray(at + mark.length);
    }
  };
}

export function findFiles(tickets, wanted) {
  const list = typeof wanted === 'string' ? parseJson(wanted) : wanted;
  const isList = Array.isArray(list) && list.length > 0;
  if (!isList || !list.every((entry) => isObject(entry) && typeof entry.id === 'string')) {
    return refuseArgument('must be an array of objects with an id [json-pointer:/files]');
  }
  const known = [...tickets.values()].filter((file) => file.received > 0 && !file.completed);
  const found = list.map(({ id, title }) => ({ file: known.find((file) => file.id === id), title }));
  const isTwice = new Set(list.map(({ id }) => id)).size < list.length;
  if (isTwice || found.some(({ file }) => file === undefined)) return refuse('file_not_found');
  return found.map(({ file, title }) => ({ file, title: title ?? file.filename }));
}

export function fileReply({ id, filename, length }, title) {
  const type = extname(filename).toLowerCase();
  return {
    id, title, name: filename, mimetype: MIME_TYPES[type] ?? 'application/octet-stream', filetype: type.slice(1),
    size: length, user: BOT.user_id, mode: 'hosted', is_external: false,
    permalink: `${BOT.url}files/${BOT.user_id}/${id}/${encodeURIComponent(filename)}`,
    url_private: `${BOT.url}files-pri/${BOT.team_id}-${id}/${encodeURIComponent(filename)}`,
  };
}
