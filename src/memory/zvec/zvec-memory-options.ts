import { checkOptions, is } from '../../core/internal.js';
import type { Embed } from '../local/embedder.js';
import { type SearchOptions, vectorChecks } from '../local/local-memory-options.js';
import type { Metric } from '../local/metric.js';

/** What a metadata field with a column of its own holds. */
export type ZvecFieldType = 'text' | 'number';

/** Options of {@link ZvecVectorMemory}. */
export interface ZvecVectorMemoryOptions {
  /** Folder of the vectors, made with the first one. One process at a time may have it open. */
  readonly path: string;
  /** Length of every vector. @default that of the first vector stored */
  readonly dimension?: number;
  /** As for `LocalVectorMemory`. @default 'cosine' */
  readonly metric?: Metric;
  /** Names the embedding model; a folder of another one is refused. */
  readonly model?: string;
  /** Makes vectors of texts. Without it only vectors can be stored and searched for. */
  readonly embed?: Embed;
  /**
   * Metadata fields (dots for nested ones) that zvec indexes, so that filters on them are applied while it
   * searches. Items have a value of this type there or none. Filters on other fields look at ever more
   * neighbours until enough match. Fixed with the first vector. @default none
   */
  readonly fields?: Readonly<Record<string, ZvecFieldType>>;
  /** Connections of each vector in the HNSW index. @default 16 */
  readonly m?: number;
  /** Candidates while the index is built. @default 200 */
  readonly efConstruction?: number;
  /** Candidates of a search; raised to what the search asks for. @default 200 */
  readonly efSearch?: number;
  /** With this many vectors or fewer a search looks at all of them, which is exact. @default 10000 */
  readonly exactBelow?: number;
}

/** Searches of {@link ZvecVectorMemory}: by vector and filter. */
export type ZvecSearchOptions = Omit<SearchOptions, 'text' | 'decay' | 'mmr'>;

/** @throws ConfigurationError */
export function checkZvecOptions(options: ZvecVectorMemoryOptions): void {
  checkOptions<ZvecVectorMemoryOptions>('ZvecVectorMemory', options, {
    path: is.required(is.text),
    ...vectorChecks,
    fields: (value, field) => {
      is.object(value, field);
      for (const [name, type] of Object.entries(value as object)) {
        is.oneOf('text', 'number')(type, `${field}.${name}`);
      }
    },
    m: is.count,
    efConstruction: is.count,
    efSearch: is.count,
    exactBelow: is.countOrZero,
  });
}
