import { MemoryStorageError } from '../../memory-storage-error.js';
import type { Metric } from '../metric.js';

/** The first frame of every file, as JSON: what the file holds, and for which memory. */
export interface FileHeader {
  readonly format: 1;
  readonly holds: 'vector-memory';
  readonly kind: 'log' | 'snapshot';
  /** Counts up with every snapshot; a log of the same number continues it. */
  readonly generation: number;
  readonly metric: Metric;
  readonly dimension: number;
  /** The embedding model, null when none was named. */
  readonly model: string | null;
  readonly encrypted: boolean;
}

/** What a memory asks of its files. */
export type WantedHeader = Pick<FileHeader, 'metric' | 'encrypted'> & {
  readonly dimension: number | undefined;
  readonly model: string | undefined;
};

export function encodeHeader(header: FileHeader): Buffer {
  return Buffer.from(JSON.stringify(header));
}

/** @throws MemoryStorageError for anything but a header of this format */
export function decodeHeader(payload: Buffer, path: string): FileHeader {
  const header = parse(payload);
  if (header?.holds !== 'vector-memory') {
    throw new MemoryStorageError('foreign', `${path} is not a file of a LocalVectorMemory`);
  }
  if (header.format !== 1) {
    const text = `${path} has format ${String(header.format)}; this version reads format 1. Nothing was changed.`;
    throw new MemoryStorageError('foreign', text);
  }
  return header as FileHeader;
}

/** @throws MemoryStorageError when the files were made for another memory */
export function assertMatches(header: FileHeader, wanted: WantedHeader, path: string): void {
  const differ = (what: string, has: unknown, asked: unknown): MemoryStorageError =>
    new MemoryStorageError(
      'mismatch',
      `${path} holds ${what} ${String(has)}, not ${String(asked)}. Nothing was changed; use another path, or store anew what it holds.`,
    );
  const { metric, dimension, model, encrypted } = header;
  if (metric !== wanted.metric) throw differ('vectors for metric', metric, wanted.metric);
  if (wanted.dimension !== undefined && dimension !== wanted.dimension) {
    throw differ('vectors of dimension', dimension, wanted.dimension);
  }
  if (wanted.model !== undefined && model !== null && model !== wanted.model) {
    throw differ('vectors of model', model, wanted.model);
  }
  if (encrypted !== wanted.encrypted) {
    const [is, option] = encrypted ? ['encrypted', 'needs'] : ['not encrypted', 'must not be given'];
    throw new MemoryStorageError(
      'mismatch',
      `${path} is ${is}: it ${option} the option encryption. Nothing was changed.`,
    );
  }
}

function parse(payload: Buffer): Partial<Record<keyof FileHeader, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
