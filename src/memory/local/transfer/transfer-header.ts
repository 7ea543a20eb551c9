import { ValidationError } from '../../../core/index.js';
import { MemoryStorageError } from '../../memory-storage-error.js';
import type { Metric } from '../metric.js';

/** What an export begins with, as JSON. */
export interface TransferHeader {
  readonly format: 1;
  readonly holds: 'vector-memory-export';
  readonly metric: Metric;
  readonly dimension: number | null;
  readonly model: string | null;
}

/** @throws ValidationError MemoryStorageError `foreign` for a later format */
export function readTransferHeader(text: string): TransferHeader {
  const header = parsed(text) as Partial<TransferHeader> | undefined;
  if (header?.holds !== 'vector-memory-export') {
    throw new ValidationError('import', [{ path: [], message: 'does not begin as an export of a memory' }]);
  }
  if (header.format !== 1) {
    throw new MemoryStorageError('foreign', `The export has format ${header.format}; this version reads format 1`);
  }
  return header as TransferHeader;
}

/** @throws MemoryStorageError when its vectors cannot stand beside those of the memory */
export function assertFits(
  header: TransferHeader,
  memory: { readonly dimension: number | undefined; readonly model: string | undefined },
): void {
  const differ = (what: string, has: unknown, holds: unknown): MemoryStorageError =>
    new MemoryStorageError('mismatch', `The export has vectors of ${what} ${has}, this memory of ${holds}`);
  const { dimension, model } = header;
  if (dimension !== null && memory.dimension !== undefined && dimension !== memory.dimension) {
    throw differ('dimension', dimension, memory.dimension);
  }
  if (model !== null && memory.model !== undefined && model !== memory.model) {
    throw differ('model', model, memory.model);
  }
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
