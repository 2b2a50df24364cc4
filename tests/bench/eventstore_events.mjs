// The events that the benchmark's server sends, as gRPC messages ready for the wire: ReadResp with an event of 200 bytes
// of JSON, 394 bytes with its frame. Written by hand, for the generated classes take far longer.

const ID_DIGITS = 8;
const FIRST_POSITION = 2n ** 35n; // 6 bytes as a varint, up to 2^42
const POSITION_STEP = 300;
const DATA_BYTES = 200;
export const BLOCK_EVENTS = 4096;

const varint = (value) => {
  const bytes = [];
  for (let left = BigInt(value); ; left >>= 7n) {
    if (left < 128n) return Buffer.from([...bytes, Number(left)]);
    bytes.push(Number(left & 127n) | 128);
  }
};
const bytesField = (number, bytes) => Buffer.concat([varint(number << 3 | 2), varint(bytes.length), Buffer.from(bytes)]);
const numberField = (number, value) => Buffer.concat([varint(number << 3), varint(value)]);
const mapEntry = (key, value) => bytesField(6, Buffer.concat([bytesField(1, Buffer.from(key)), bytesField(2, Buffer.from(value))]));

// The message of one revision, and where in it stands what differs in the next.
function template(stream, revision, isStructured) {
  const id = isStructured
    ? bytesField(1, bytesField(1, Buffer.concat([numberField(1, 2n ** 62n), numberField(2, 2n ** 62n)])))
    : bytesField(1, bytesField(2, Buffer.from(`7d1f3c52-0b7e-4a57-9d3e-8a10${'0'.repeat(ID_DIGITS)}`)));
  const head = Buffer.concat([id, bytesField(2, bytesField(3, Buffer.from(stream)))]);
  const recorded = Buffer.concat([
    head, numberField(3, revision), numberField(4, FIRST_POSITION), numberField(5, FIRST_POSITION),
    mapEntry('type', 'OrderPlaced'), mapEntry('content-type', 'application/json'), mapEntry('created', '17640000000000000'),
    bytesField(7, Buffer.from('{"source":"web-1"}')), bytesField(8, Buffer.from(jsonOf(DATA_BYTES))),
  ]);
  const event = Buffer.concat([bytesField(1, recorded), numberField(3, FIRST_POSITION)]);
  const message = bytesField(1, event);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  const bytes = Buffer.concat([prefix, message]);
  const at = bytes.indexOf(recorded) + head.length + 1;
  const width = varint(revision).length;
  return {
    bytes, revisionAt: at, revisionBytes: width, idEnd: isStructured ? 0 : bytes.indexOf(head) + id.length,
    positionsAt: [at + width + 1, at + width + 8, bytes.length - 6],
  };
}

function jsonOf(length) {
  const order = { order: 4711, customer: 'C-20881', currency: 'EUR', amount: 129.5, paid: true, items: [{ sku: 'A-1', count: 2 }, { sku: 'B-7', count: 1 }], note: '' };
  order.note = 'x'.repeat(length - JSON.stringify(order).length);
  return JSON.stringify(order);
}

const BOUNDS = [2 ** 7, 2 ** 14, 2 ** 21, 2 ** 28, 2 ** 35];

// make(first, count) -> { bytes, ends }: so many messages from a revision on, and where each ends.
export function eventMaker(stream, isStructured) {
  const templates = BOUNDS.map((bound) => template(stream, bound - 1, isStructured));
  return (first, count) => {
    const largest = templates[BOUNDS.findIndex((bound) => first + count <= bound)].bytes.length;
    const bytes = Buffer.allocUnsafe(largest * count);
    const ends = new Uint32Array(count);
    let end = 0;
    for (let i = 0; i < count; i += 1) {
      end += writeEvent(bytes, end, templates, first + i);
      ends[i] = end;
    }
    return { bytes: bytes.subarray(0, end), ends };
  };
}

function writeEvent(bytes, start, templates, revision) {
  let width = 0;
  while (revision >= BOUNDS[width]) width += 1;
  const { bytes: from, revisionAt, revisionBytes, idEnd, positionsAt } = templates[width];
  bytes.set(from, start);
  writeVarint(bytes, start + revisionAt, revision, revisionBytes);
  const position = Number(FIRST_POSITION) + revision * POSITION_STEP;
  for (const at of positionsAt) writeVarint(bytes, start + at, position, 6);
  for (let left = revision, at = start + idEnd - 1; idEnd > 0 && left > 0; left = Math.floor(left / 10), at -= 1) bytes[at] = 48 + left % 10;
  return from.length;
}

function writeVarint(bytes, at, value, width) {
  for (let i = 0, left = value; i < width; i += 1, left = Math.floor(left / 128)) {
    bytes[at + i] = (left % 128) | (i < width - 1 ? 128 : 0);
  }
}
