export type { Embedding } from './embedding.js';
export type { Duplicate } from './local/dedupe.js';
export type { Embed } from './local/embedder.js';
export type { FilterCondition, FilterValue, MetadataFilter } from './local/filter/metadata-filter.js';
export type { MemoryEncryption } from './local/journal/frame-cipher.js';
export type { FsyncPolicy } from './local/journal/log-writer.js';
export type { VectorMemoryStats } from './local/kept-items.js';
export type {
  DocumentOptions,
  ExportOptions,
  ImportOptions,
  LocalVectorMemoryOptions,
  NamespaceOptions,
  SearchOptions,
  SelectOptions,
  StoreItem,
  StoreManyOptions,
  StoreManyResult,
  StoreOptions,
} from './local/local-memory-options.js';
export type { Metric } from './local/metric.js';
export type { Decay } from './local/ranking/decay.js';
export type { MMR } from './local/ranking/diversify.js';
export { type ChunkOptions, chunkText, type TextChunk } from './local/text/chunk-text.js';
export type { ExportFormat, ImportSource } from './local/transfer/transfer.js';
export type { VectorInput } from './local/vector-input.js';
export { LocalVectorMemory } from './local-vector-memory.js';
export { MemoryStorageError, type MemoryStorageKind } from './memory-storage-error.js';
export type {
  HNSWOptions,
  PostgresSearchOptions,
  PostgresVectorMemoryOptions,
} from './postgres/postgres-memory-options.js';
export { PostgresVectorMemory } from './postgres/postgres-vector-memory.js';
export type { SqlDatabase, SqlResultRow, SqlSession } from './postgres/sql-database.js';
export { VectorMemoryProvider } from './vector-memory-provider.js';
