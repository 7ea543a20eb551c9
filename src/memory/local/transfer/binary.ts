import { MemoryStorageError } from '../../memory-storage-error.js';
import { decodeEntries, encodeEntries, type PutEntry } from '../journal/entry.js';
import { readFrame, toFrame } from '../journal/frame.js';
import type { TransferItem, TransferPart } from './ndjson.js';
import { readTransferHeader, type TransferHeader } from './transfer-header.js';

/** The frames of an export: those of the log, behind a header of another kind. */
export function encodeHeaderFrame(header: TransferHeader): Buffer {
  return toFrame(Buffer.from(JSON.stringify(header)));
}

export function encodeFrame(entries: readonly PutEntry[]): Buffer {
  return toFrame(encodeEntries(entries));
}

/** @throws MemoryStorageError `damaged` for anything but whole frames */
export async function* decodeFrames(source: AsyncIterable<Buffer>): AsyncGenerator<TransferPart> {
  let dimension = 0;
  for await (const payload of payloadsOf(source)) {
    if (dimension > 0) {
      yield { type: 'items', items: [...itemsOf(payload, dimension)] };
      continue;
    }
    const header = readTransferHeader(payload.toString('utf8'));
    yield { type: 'header', header };
    dimension = header.dimension ?? 0;
  }
}

function* itemsOf(payload: Buffer, dimension: number): Generator<TransferItem> {
  for (const entry of decodeEntries(payload, dimension)) {
    if (entry.type === 'put') yield { ...entry, vector: entry.vector.slice() };
  }
}

async function* payloadsOf(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const bytes of source) {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    let at = 0;
    for (let read = readFrame(rest, at); read.state !== 'end' && read.state !== 'torn'; read = readFrame(rest, at)) {
      if (read.state === 'damaged') throw damaged();
      yield read.payload;
      at = read.next;
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw damaged();
}

function damaged(): MemoryStorageError {
  return new MemoryStorageError('damaged', 'The export is damaged or cut off; what stood before is imported');
}
