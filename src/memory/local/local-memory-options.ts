import type { CallOptions, TelemetryOptions } from '../../core/index.js';
import { checkOptions, is, type OptionChecks } from '../../core/internal.js';
import type { Embed } from './embedder.js';
import type { MetadataFilter } from './filter/metadata-filter.js';
import type { MemoryEncryption } from './journal/frame-cipher.js';
import type { FsyncPolicy } from './journal/log-writer.js';
import type { Metric } from './metric.js';
import type { VectorInput } from './vector-input.js';

/** Options of {@link LocalVectorMemory}. */
export interface LocalVectorMemoryOptions {
  /** Length of every vector. @default that of the first vector stored */
  readonly dimension?: number;
  /**
   * `cosine` compares directions, `dot` is the inner product, `euclidean` gives a similarity of
   * 1 / (1 + distance). @default 'cosine'
   */
  readonly metric?: Metric;
  /** Names the embedding model, so that vectors of another are told apart; on spans and in `stats()`. */
  readonly model?: string;
  /** Makes vectors of texts. Without it only vectors can be stored and searched for. */
  readonly embed?: Embed;
  /** Vectors kept in all namespaces; one more is refused with QueueFullError. @default 1000000 */
  readonly maxItems?: number;
  /**
   * Bytes of all items, as `stats().bytes` counts them; what goes beyond is refused with
   * QueueFullError. @default 1073741824 (1 GiB)
   */
  readonly maxBytes?: number;
  /**
   * Folder to keep everything in; made when it is missing, read with the first call. One process at a
   * time may have it open. @default nothing is kept
   */
  readonly path?: string;
  /**
   * When a change counts as kept; it survives the end of this process in any case. `always`: once it is
   * on the disk. `interval`: it is on the disk within a second. `os`: the operating system decides.
   * @default 'always'
   */
  readonly fsync?: FsyncPolicy;
  /** Encrypts what is written to `path`: an `Encryptor` of `@safla/sdk/encryption` fits. */
  readonly encryption?: MemoryEncryption;
  readonly telemetry?: TelemetryOptions;
}

/** Picks the namespace of a call. Namespaces see nothing of each other. */
export interface NamespaceOptions extends CallOptions {
  /** A tenant, a user, a subject. @default one namespace of its own */
  readonly namespace?: string;
}

/** Settings of {@link LocalVectorMemory.storeMany}. */
export interface StoreManyOptions extends NamespaceOptions {
  /** How long the vectors are kept, in milliseconds. @default for ever */
  readonly ttlMs?: number;
}

/** Settings of {@link LocalVectorMemory.store}. */
export type StoreOptions = StoreManyOptions;

/** One of many to store: its vector, or the text to make it of. */
export interface StoreItem {
  readonly id: string;
  readonly vector?: VectorInput;
  readonly text?: string;
  readonly metadata?: object;
}

/** Settings of {@link LocalVectorMemory.search}. */
export interface SearchOptions extends NamespaceOptions {
  /** At most this many hits; `Infinity` for all. @default 10 */
  readonly limit?: number;
  /** Only hits with at least this similarity. @default all */
  readonly threshold?: number;
  /** Only hits whose metadata matches. The result stays exact, however few match. */
  readonly filter?: MetadataFilter;
}

const namespaceChecks: OptionChecks<NamespaceOptions> = {
  namespace: is.text,
  signal: is.object,
  timeoutMs: is.milliseconds,
};
const storeChecks: OptionChecks<StoreManyOptions> = { ...namespaceChecks, ttlMs: is.milliseconds };
const searchChecks: OptionChecks<SearchOptions> = {
  ...namespaceChecks,
  // Looked at as data: the positional form takes them too.
  limit: is.anything,
  threshold: is.anything,
  filter: is.anything,
};

/** @throws ConfigurationError */
export function checkMemoryOptions(options: LocalVectorMemoryOptions): void {
  checkOptions<LocalVectorMemoryOptions>('LocalVectorMemory', options, {
    dimension: is.count,
    metric: is.oneOf('cosine', 'dot', 'euclidean'),
    model: is.text,
    embed: is.function,
    maxItems: is.count,
    maxBytes: is.count,
    path: is.text,
    fsync: is.oneOf('always', 'interval', 'os'),
    encryption: is.object,
    telemetry: is.object,
  });
}

/** @throws ConfigurationError */
export function checkStoreOptions(call: string, options: StoreManyOptions): void {
  checkOptions(call, options, storeChecks);
}

/** @throws ConfigurationError */
export function checkSearchOptions(options: SearchOptions): void {
  checkOptions('search', options, searchChecks);
}

/** @throws ConfigurationError */
export function checkNamespaceOptions(call: string, options: NamespaceOptions): void {
  checkOptions(call, options, namespaceChecks);
}
