// Makes the seeds of fuzz targets whose inputs are bytes, not text: node tests/fuzz/make_seeds.mjs
// They stand in fixtures/fuzz; run this again only when a format changes.
import {mkdirSync, writeFileSync} from 'node:fs';
import {DatabaseSync} from 'node:sqlite';
import {gzipSync} from 'node:zlib';

function write(target, name, ...parts) {
  mkdirSync(`fixtures/fuzz/${target}`, {recursive: true});
  const bytes = parts.map((part) => Buffer.from(part));
  writeFileSync(`fixtures/fuzz/${target}/${name}`, Buffer.concat(bytes));
}

// --- Protocol Buffers and gRPC ---

function varint(number) {
  const bytes = [];
  let left = BigInt(number);
  do {
    bytes.push(Number(left & 0x7fn) | (left > 0x7fn ? 0x80 : 0));
    left >>= 7n;
  } while (left > 0n);
  return Buffer.from(bytes);
}
const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const bytes = (field, ...parts) => {
  const whole = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint((field << 3) | 2), varint(whole.length), whole]);
};
const framed = (message) => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};

const about = (name, value) => bytes(6, bytes(1, name), bytes(2, value));
const recorded = (field, id) => bytes(field, bytes(1, id), bytes(2, bytes(3, 'orders')), number(3, 7), number(4, 1024),
  number(5, 2048), about('type', 'OrderPlaced'), about('content-type', 'application/json'), about('created', '17000000000000000'),
  bytes(7, '{"a":1}'), bytes(8, '{"total":12.5}'));
const text_id = bytes(2, '01234567-89AB-cdef-fedc-ba9876543210');
const halves_id = bytes(1, number(1, 81985529216486895n), number(2, 18364758544493064720n));
const event = bytes(1, recorded(1, text_id), recorded(2, halves_id), number(3, 2048));
const member = (state, host) => bytes(1, bytes(1, text_id), number(2, 1), number(3, state), number(4, 1), bytes(5, bytes(1, host), number(2, 2113)));

write('eventstore_messages', 'event.bin', framed(event), framed(bytes(2, bytes(1, 'sub'))));
write('eventstore_messages', 'checkpoint.bin', framed(bytes(3, number(1, 2048), number(2, 2048))), framed(bytes(4, bytes(1, bytes(3, 'x')))));
write('eventstore_messages', 'caught_up.bin', framed(bytes(8, number(1, 5))), framed(bytes(9)));
write('eventstore_messages', 'gossip.bin', member(8, 'node1'), member(6, 'node2'));

// --- WebSocket ---

const frame = (first, payload) => Buffer.concat([Buffer.from([first, payload.length]), Buffer.from(payload)]);
const head = 'HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n';
write('net_websocket', 'text.bin', frame(0x81, 'hi'), frame(0x89, 'ping'), frame(0x81, 'ho'), frame(0x88, '\x03\xe8bye'));
write('net_websocket', 'fragments.bin', frame(0x01, 'one '), frame(0x89, ''), frame(0x00, 'two '), frame(0x80, 'three'));
write('net_websocket', 'long.bin', [0x81, 126, 0, 200], 'x'.repeat(200), [0x82, 127, 0, 0, 0, 0, 0, 0, 0, 3], 'bin');
write('net_websocket', 'head.txt', head, frame(0x81, 'hi'));
write('net_websocket', 'refused.txt', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');

// --- Azure's reports ---

write('azure_report', 'zipped.bin', gzipSync('hello, '.repeat(50), {level: 9}));
const zipped = gzipSync('hello\n').toString('base64');
write('azure_report', 'zipped_frame.txt', `NONCE+o ${zipped} z 0 6 0 0 NONCE-o\n`);

// --- udp-load ---

function packet(kind, client, sequence, size) {
  const datagram = Buffer.alloc(size);
  datagram.write('OB');
  datagram.writeUInt8(1, 2);
  datagram.writeUInt8(kind, 3);
  datagram.writeUInt32BE(client, 4);
  datagram.writeBigUInt64BE(0x0123456789abcdefn, 8);
  datagram.writeUInt32BE(sequence, 16);
  datagram.writeUIntBE((sequence * 20_000_000) % 2 ** 48, 20, 6);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(size);
  return Buffer.concat([length, datagram]);
}
write('udp_packets', 'in_order.bin', ...[0, 1, 2, 3, 4].map((at) => packet(0, at % 3, at, 34)));
write('udp_packets', 'mixed.bin', packet(0, 0, 3, 32), packet(0, 0, 1, 32), packet(0, 0, 3, 32), packet(1, 1, 0, 40), packet(0, 0, 4294967295, 32));

// --- SQLite ---

// In pages as small as SQLite has them, so that an input is small.
function database(name, ...sql) {
  mkdirSync('fixtures/fuzz/store_checkpoints', {recursive: true});
  const path = `fixtures/fuzz/store_checkpoints/${name}`;
  writeFileSync(path, '');
  const file = new DatabaseSync(path);
  for (const one of ['PRAGMA page_size = 512', ...sql]) file.exec(one);
  file.close();
}
database('checkpoints.db',
  'CREATE TABLE checkpoints (processor TEXT NOT NULL, source TEXT NOT NULL, revision TEXT NOT NULL, commit_position TEXT NOT NULL, ' +
    'prepare_position TEXT NOT NULL, state TEXT NOT NULL, saved_unix_s INTEGER NOT NULL, PRIMARY KEY (processor, source)) WITHOUT ROWID',
  'PRAGMA application_id = 1868718960',
  `INSERT INTO checkpoints VALUES ('sales', 'orders', '7', '0', '0', '{"total":"12.5","count":2}', 1700000000)`,
  `INSERT INTO checkpoints VALUES ('mailer', '$all', '0', '2048', '2048', '', 1700000001)`);
database('board.db',
  'CREATE TABLE notes (key TEXT PRIMARY KEY COLLATE NOCASE, value TEXT NOT NULL, by TEXT NOT NULL, unix_s INTEGER NOT NULL)',
  `INSERT INTO notes VALUES ('prod', 'v1', 'ada', 1700000000)`);
write('store_checkpoints', 'empty.db', '');
write('store_checkpoints', 'no_database.db', 'SQLite format 3\0 but not really');
