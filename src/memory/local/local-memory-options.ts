import type { CallOptions, TelemetryOptions } from '../../core/index.js';
import { checkOptions, is, type OptionChecks } from '../../core/internal.js';
import type { Duplicate } from './dedupe.js';
import type { Embed } from './embedder.js';
import type { MetadataFilter } from './filter/metadata-filter.js';
import type { MemoryEncryption } from './journal/frame-cipher.js';
import type { FsyncPolicy } from './journal/log-writer.js';
import type { Metric } from './metric.js';
import { type Decay, decayChecks } from './ranking/decay.js';
import { type MMR, mmrChecks } from './ranking/diversify.js';
import type { ChunkOptions } from './text/chunk-text.js';
import type { ExportFormat } from './transfer/transfer.js';
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

/** The namespace of a call that names none. */
export const defaultNamespace = '';

/** Picks the namespace of a call. Namespaces see nothing of each other. */
export interface NamespaceOptions extends CallOptions {
  /** A tenant, a user, a subject. @default one namespace of its own */
  readonly namespace?: string;
}

/** Settings of {@link LocalVectorMemory.storeMany}. */
export interface StoreManyOptions extends NamespaceOptions {
  /** How long the vectors are kept, in milliseconds. @default for ever */
  readonly ttlMs?: number;
  /**
   * Leaves out what is at least this similar to an item of another id that is there, or that comes before
   * it in the same call. Calls at the same time do not see each other. @default all is stored
   */
  readonly dedupe?: number;
}

/** Settings of {@link LocalVectorMemory.store}. */
export interface StoreOptions extends StoreManyOptions {
  /** The text of a vector that was made elsewhere: kept with it and found by its words. */
  readonly text?: string;
  /** From 0 to 1; counts in searches with `decay`. @default counts as 0.5 */
  readonly importance?: number;
}

/** Settings of {@link LocalVectorMemory.storeDocument}. */
export interface DocumentOptions extends NamespaceOptions, ChunkOptions {
  /** How long the chunks are kept, in milliseconds. @default for ever */
  readonly ttlMs?: number;
}

/** One of many to store: its vector, or the text to make it of, or both: then the text is kept with it. */
export interface StoreItem {
  readonly id: string;
  readonly vector?: VectorInput;
  readonly text?: string;
  readonly metadata?: object;
  /** From 0 to 1; counts in searches with `decay`. @default counts as 0.5 */
  readonly importance?: number;
}

/** Picks items of one namespace. */
export interface SelectOptions extends NamespaceOptions {
  /** Only items whose metadata matches. @default all */
  readonly filter?: MetadataFilter;
}

/** Settings of {@link LocalVectorMemory.export}. */
export interface ExportOptions {
  /** @default 'ndjson' */
  readonly format?: ExportFormat;
  /** Only this namespace. @default all */
  readonly namespace?: string;
}

/** Settings of {@link LocalVectorMemory.import}. */
export interface ImportOptions extends NamespaceOptions {
  /** Puts everything there. @default where it was when it was exported */
  readonly namespace?: string;
}

/** Settings of {@link LocalVectorMemory.search}. */
export interface SearchOptions extends NamespaceOptions {
  /** At most this many hits; `Infinity` for all. @default 10 */
  readonly limit?: number;
  /** Only hits with at least this similarity. @default all */
  readonly threshold?: number;
  /** Only hits whose metadata matches. The result stays exact, however few match. */
  readonly filter?: MetadataFilter;
  /**
   * Looks for words too, by BM25 over the stored texts, and fuses both lists by reciprocal rank: finds
   * names and numbers that vectors blur. `true` takes the words of the query. The first such search of a
   * namespace indexes its texts. @default vectors alone
   */
  readonly text?: string | true;
  /** Lets what is older or less important fall behind. The best by similarity times weight, of all items. */
  readonly decay?: Decay;
  /** Hits that differ from each other (maximal marginal relevance). */
  readonly mmr?: MMR;
}

/** What {@link LocalVectorMemory.storeMany} did. */
export interface StoreManyResult {
  readonly stored: number;
  /** What `dedupe` left out. */
  readonly duplicates: readonly Duplicate[];
}

const namespaceChecks: OptionChecks<NamespaceOptions> = {
  namespace: is.text,
  signal: is.object,
  timeoutMs: is.milliseconds,
};
const storeManyChecks: OptionChecks<StoreManyOptions> = {
  ...namespaceChecks,
  ttlMs: is.milliseconds,
  dedupe: (value, field) => {
    if (typeof value !== 'number' || Number.isNaN(value)) is.ratio(value, field);
  },
};
const storeChecks: OptionChecks<StoreOptions> = { ...storeManyChecks, text: is.anything, importance: is.anything };
const documentChecks: OptionChecks<DocumentOptions> = {
  ...namespaceChecks,
  ttlMs: is.milliseconds,
  maxLength: is.count,
  overlap: is.countOrZero,
};
const selectChecks: OptionChecks<SelectOptions> = { ...namespaceChecks, filter: is.anything };
const exportChecks: OptionChecks<ExportOptions> = { namespace: is.text, format: is.oneOf('ndjson', 'binary') };
const searchChecks: OptionChecks<SearchOptions> = {
  ...namespaceChecks,
  // Looked at as data: the positional form takes them too.
  limit: is.anything,
  threshold: is.anything,
  filter: is.anything,
  text: is.either('a text that is not empty, or true', is.text, is.oneOf(true)),
  decay: is.options<Decay>(decayChecks),
  mmr: is.options<MMR>(mmrChecks),
};

/** The checks of what every memory is told of its vectors. */
export const vectorChecks: OptionChecks<Pick<LocalVectorMemoryOptions, 'dimension' | 'metric' | 'model' | 'embed'>> = {
  dimension: is.count,
  metric: is.oneOf('cosine', 'dot', 'euclidean'),
  model: is.text,
  embed: is.function,
};

/** @throws ConfigurationError */
export function checkMemoryOptions(options: LocalVectorMemoryOptions): void {
  checkOptions<LocalVectorMemoryOptions>('LocalVectorMemory', options, {
    ...vectorChecks,
    maxItems: is.count,
    maxBytes: is.count,
    path: is.text,
    fsync: is.oneOf('always', 'interval', 'os'),
    encryption: is.object,
    telemetry: is.object,
  });
}

/** The checks of the settings of calls. @throws ConfigurationError */
export const checkCall = {
  store: (call: string, options: StoreOptions): void => checkOptions(call, options, storeChecks),
  storeMany: (call: string, options: StoreManyOptions): void => checkOptions(call, options, storeManyChecks),
  document: (call: string, options: DocumentOptions): void => checkOptions(call, options, documentChecks),
  search: (call: string, options: SearchOptions): void => checkOptions(call, options, searchChecks),
  select: (call: string, options: SelectOptions): void => checkOptions(call, options, selectChecks),
  namespace: (call: string, options: NamespaceOptions): void => checkOptions(call, options, namespaceChecks),
  export: (call: string, options: ExportOptions): void => checkOptions(call, options, exportChecks),
} as const;
