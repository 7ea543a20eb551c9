import { deserialize, serialize } from 'node:v8';

/** An item as it is kept in a file. */
export interface PutEntry {
  readonly type: 'put';
  readonly namespace: string;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  /** Milliseconds since the epoch; `Infinity` for never. */
  readonly expiresAt: number;
  readonly importance: number | undefined;
  readonly text: string | undefined;
  readonly metadata: Record<string, unknown> | undefined;
  /** The metadata in V8's serialization format, where it is at hand; empty for none. */
  readonly serialized?: Buffer | undefined;
  readonly vector: Float32Array | Float64Array;
}

/** The removal of an item. */
export interface DeleteEntry {
  readonly type: 'delete';
  readonly namespace: string;
  readonly id: string;
}

/** One change of a memory. Applied again it changes nothing more. */
export type Entry = PutEntry | DeleteEntry;

const [putCode, deleteCode] = [1, 2];
/** The code, the lengths of namespace and id. */
const headBytes = 9;
/** Timestamp, expiry and importance as float64, the lengths of metadata and text. */
const factBytes = 32;
const empty: Buffer = Buffer.alloc(0);

/** Changes that are made together, as bytes. Numbers are little-endian; metadata is in V8's serialization format. */
export function encodeEntries(entries: readonly Entry[]): Buffer {
  const parts = entries.map(partsOf);
  const bytes = Buffer.allocUnsafe(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const [place, part] of parts.entries()) at = write(bytes, at, entries[place] as Entry, part);
  return bytes;
}

/** What has to be known of a change before it can be written. */
interface EntryParts {
  readonly namespaceBytes: number;
  readonly idBytes: number;
  readonly metadata: Buffer;
  readonly textBytes: number;
  /** Of the whole. */
  readonly length: number;
}

function partsOf(entry: Entry): EntryParts {
  const [namespaceBytes, idBytes] = [Buffer.byteLength(entry.namespace), Buffer.byteLength(entry.id)];
  const names = headBytes + namespaceBytes + idBytes;
  if (entry.type === 'delete') return { namespaceBytes, idBytes, metadata: empty, textBytes: 0, length: names };
  const metadata = entry.serialized ?? (entry.metadata === undefined ? empty : serialize(entry.metadata));
  const textBytes = entry.text === undefined ? 0 : Buffer.byteLength(entry.text);
  const length = names + factBytes + metadata.length + textBytes + entry.vector.length * Float32Array.BYTES_PER_ELEMENT;
  return { namespaceBytes, idBytes, metadata, textBytes, length };
}

/** Gives where the next change begins. */
function write(bytes: Buffer, start: number, entry: Entry, parts: EntryParts): number {
  const { namespaceBytes, idBytes, metadata, textBytes } = parts;
  bytes[start] = entry.type === 'put' ? putCode : deleteCode;
  bytes.writeUInt32LE(namespaceBytes, start + 1);
  bytes.writeUInt32LE(idBytes, start + 5);
  let at = start + headBytes;
  if (namespaceBytes > 0) at += bytes.write(entry.namespace, at);
  at += bytes.write(entry.id, at);
  if (entry.type === 'delete') return at;
  bytes.writeDoubleLE(entry.timestamp, at);
  bytes.writeDoubleLE(entry.expiresAt, at + 8);
  bytes.writeDoubleLE(entry.importance ?? Number.NaN, at + 16);
  bytes.writeUInt32LE(metadata.length, at + 24);
  bytes.writeUInt32LE(textBytes, at + 28);
  at += factBytes;
  if (metadata.length > 0) at += metadata.copy(bytes, at);
  if (entry.text !== undefined) at += bytes.write(entry.text, at);
  return writeVector(bytes, at, entry.vector);
}

/** A row as float32, and the same memory as bytes: entries begin anywhere, float32 views at multiples of four only. */
let row: Float32Array = new Float32Array(0);
let rowBytes: Buffer = Buffer.alloc(0);

function writeVector(bytes: Buffer, at: number, vector: Float32Array | Float64Array): number {
  if (row.length !== vector.length) {
    row = new Float32Array(vector.length);
    rowBytes = Buffer.from(row.buffer);
  }
  for (let i = 0; i < row.length; i++) row[i] = vector[i] as number;
  if (!littleEndian) rowBytes.swap32();
  bytes.set(rowBytes, at);
  return at + rowBytes.length;
}

/** The changes in bytes of {@link encodeEntries}. The vector of an entry is valid until the next one is taken. */
export function* decodeEntries(bytes: Buffer, dimension: number): Generator<Entry> {
  const vector = new Float32Array(dimension);
  const raw = Buffer.from(vector.buffer);
  for (let at = 0; at < bytes.length; ) {
    const code = bytes.readUInt8(at);
    const idAt = at + headBytes + bytes.readUInt32LE(at + 1);
    const end = idAt + bytes.readUInt32LE(at + 5);
    const namespace = bytes.toString('utf8', at + headBytes, idAt);
    const id = bytes.toString('utf8', idAt, end);
    if (code === deleteCode) {
      yield { type: 'delete', namespace, id };
      at = end;
      continue;
    }
    const metadataAt = end + factBytes;
    const textAt = metadataAt + bytes.readUInt32LE(end + 24);
    const vectorAt = textAt + bytes.readUInt32LE(end + 28);
    const serialized = bytes.subarray(metadataAt, textAt);
    const metadata = serialized.length === 0 ? undefined : deserialize(serialized);
    // An empty text is never stored.
    const text = vectorAt === textAt ? undefined : bytes.toString('utf8', textAt, vectorAt);
    at = vectorAt + raw.length;
    bytes.copy(raw, 0, vectorAt, at);
    if (!littleEndian) raw.swap32();
    const [timestamp, expiresAt] = [bytes.readDoubleLE(end), bytes.readDoubleLE(end + 8)];
    const weight = bytes.readDoubleLE(end + 16);
    const importance = Number.isNaN(weight) ? undefined : weight;
    yield { type: 'put', namespace, id, timestamp, expiresAt, importance, text, metadata, serialized, vector };
  }
}

const littleEndian: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
