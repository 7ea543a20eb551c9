import { SaflaError } from '../core/index.js';
import { nameError } from '../core/internal.js';

/**
 * What is wrong with the files of a memory: `locked` by another writer; `mismatch` with the dimension,
 * metric, model or encryption that was asked for; `damaged`; `foreign`, not ours or of a later version;
 * `full`, no room on the disk; `io`, anything else the file system refused.
 */
export type MemoryStorageKind = 'locked' | 'mismatch' | 'damaged' | 'foreign' | 'full' | 'io';

/** The files of a {@link LocalVectorMemory} cannot be opened, read or written. Nothing in them was changed. */
export class MemoryStorageError extends SaflaError {
  static {
    nameError(this, 'MemoryStorageError');
  }

  readonly kind: MemoryStorageKind;

  constructor(kind: MemoryStorageKind, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { code: 'STORAGE', retryable: kind === 'locked' || kind === 'full', cause: options.cause });
    this.kind = kind;
  }
}

/** A file system's refusal, typed. */
export function storageFailure(what: string, path: string, error: unknown): MemoryStorageError {
  if (error instanceof MemoryStorageError) return error;
  const { code } = error as NodeJS.ErrnoException;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const reason = reasons[code ?? ''] ?? (code ? `the file system answered ${code}` : 'the file system refused');
  return new MemoryStorageError(full ? 'full' : 'io', `${what} ${path}: ${reason}`, { cause: error });
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'no room is left on the disk; nothing was stored',
  EDQUOT: 'the quota of the disk is used up; nothing was stored',
  EACCES: 'not allowed; the process needs to read and write the folder',
  EPERM: 'not allowed; the process needs to read and write the folder',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'is not a folder',
  EEXIST: 'is not a folder',
  EISDIR: 'is a folder',
};
