import { ValidationError } from '../../../core/index.js';
import type { PutEntry } from '../journal/entry.js';
import { frameMark } from '../journal/frame.js';
import { decodeFrames, encodeFrame, encodeHeaderFrame } from './binary.js';
import { decodeLines, encodeLine, type TransferItem, type TransferPart } from './ndjson.js';
import type { TransferHeader } from './transfer-header.js';

/** `ndjson`: a line of JSON for each item; `binary`: about a third of the size, and metadata of every kind. */
export type ExportFormat = 'ndjson' | 'binary';

/** Pieces of an export: a file stream, a request body, an array. */
export type ImportSource = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

/** Of one piece, about. */
const pieceBytes = 2 ** 18;

/** The bytes of an export, piece by piece. */
export function* encodeTransfer(
  format: ExportFormat,
  header: TransferHeader,
  entries: Iterable<PutEntry>,
): Generator<Buffer> {
  const [first, piece] =
    format === 'ndjson'
      ? [Buffer.from(`${JSON.stringify(header)}\n`), (part: PutEntry[]) => Buffer.from(part.map(encodeLine).join(''))]
      : [encodeHeaderFrame(header), encodeFrame];
  yield first;
  const perPiece = Math.max(1, Math.floor(pieceBytes / ((header.dimension ?? 1) * 4 + 200)));
  let part: PutEntry[] = [];
  for (const entry of entries) {
    // The vector is a view of a row that may change before the piece is made.
    part.push({ ...entry, vector: entry.vector.slice() });
    if (part.length < perPiece) continue;
    yield piece(part);
    part = [];
  }
  if (part.length > 0) yield piece(part);
}

/** Reads an export of either format: the first bytes tell which. @throws ValidationError for what is not in pieces */
export async function* decodeTransfer(source: ImportSource): AsyncGenerator<TransferPart> {
  if (!isSource(source)) {
    const message = 'must be a stream or an array of bytes or texts; for a file, createReadStream(path)';
    throw new ValidationError('import', [{ path: ['source'], message }]);
  }
  const pieces = buffers(source);
  let start: Buffer = Buffer.alloc(0);
  while (start.length < frameMark.length) {
    const next = await pieces.next();
    if (next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  const isBinary = start.subarray(0, frameMark.length).equals(frameMark);
  yield* (isBinary ? decodeFrames : decodeLines)(chain(start, pieces));
}

/** The items of each namespace, in order. @throws ValidationError for a namespace that is no text */
export function byNamespace(items: readonly TransferItem[]): Map<string, TransferItem[]> {
  const groups = new Map<string, TransferItem[]>();
  for (const item of items) {
    const { namespace = '' } = item;
    if (typeof namespace !== 'string') {
      throw new ValidationError('import', [{ path: ['namespace'], message: 'must be a text' }]);
    }
    const group = groups.get(namespace);
    if (group) group.push(item);
    else groups.set(namespace, [item]);
  }
  return groups;
}

/** A text is not one: it may be meant as a path. */
function isSource(source: unknown): source is ImportSource {
  return typeof source === 'object' && source !== null && (Symbol.asyncIterator in source || Symbol.iterator in source);
}

async function* buffers(source: ImportSource): AsyncGenerator<Buffer> {
  for await (const piece of source) {
    yield typeof piece === 'string' ? Buffer.from(piece) : Buffer.from(piece.buffer, piece.byteOffset, piece.length);
  }
}

async function* chain(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}
