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
  readonly serialized?: Buffer;
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
/** Timestamp, expiry and importance as float64, the lengths of metadata and text. */
const factBytes = 32;
const empty: Buffer = Buffer.alloc(0);

/** Changes that are made together, as bytes. Numbers are little-endian; metadata is in V8's serialization format. */
export function encodeEntries(entries: readonly Entry[]): Buffer {
  return Buffer.concat(entries.flatMap(encodeEntry));
}

function encodeEntry(entry: Entry): Buffer[] {
  const [namespace, id] = [Buffer.from(entry.namespace), Buffer.from(entry.id)];
  if (entry.type === 'delete') return [head(deleteCode, namespace, id, 0)];
  const metadata = entry.serialized ?? (entry.metadata === undefined ? empty : serialize(entry.metadata));
  const text = entry.text === undefined ? empty : Buffer.from(entry.text);
  const start = head(putCode, namespace, id, factBytes);
  const at = start.length - factBytes;
  start.writeDoubleLE(entry.timestamp, at);
  start.writeDoubleLE(entry.expiresAt, at + 8);
  start.writeDoubleLE(entry.importance ?? Number.NaN, at + 16);
  start.writeUInt32LE(metadata.length, at + 24);
  start.writeUInt32LE(text.length, at + 28);
  const vector = Buffer.from(Float32Array.from(entry.vector).buffer);
  return [start, metadata, text, littleEndian ? vector : vector.swap32()];
}

function head(code: number, namespace: Buffer, id: Buffer, room: number): Buffer {
  const bytes = Buffer.allocUnsafe(9 + namespace.length + id.length + room);
  bytes.writeUInt8(code, 0);
  bytes.writeUInt32LE(namespace.length, 1);
  bytes.writeUInt32LE(id.length, 5);
  namespace.copy(bytes, 9);
  id.copy(bytes, 9 + namespace.length);
  return bytes;
}

/** The changes in bytes of {@link encodeEntries}. The vector of an entry is valid until the next one is taken. */
export function* decodeEntries(bytes: Buffer, dimension: number): Generator<Entry> {
  const vector = new Float32Array(dimension);
  const raw = Buffer.from(vector.buffer);
  for (let at = 0; at < bytes.length; ) {
    const code = bytes.readUInt8(at);
    const idAt = at + 9 + bytes.readUInt32LE(at + 1);
    const end = idAt + bytes.readUInt32LE(at + 5);
    const namespace = bytes.toString('utf8', at + 9, idAt);
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
