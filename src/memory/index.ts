export type { Embedding } from './embedding.js';
export type { Embed } from './local/embedder.js';
export type { FilterCondition, FilterValue, MetadataFilter } from './local/filter/metadata-filter.js';
export type { MemoryEncryption } from './local/journal/frame-cipher.js';
export type { FsyncPolicy } from './local/journal/log-writer.js';
export type {
  LocalVectorMemoryOptions,
  NamespaceOptions,
  SearchOptions,
  StoreItem,
  StoreManyOptions,
  StoreOptions,
} from './local/local-memory-options.js';
export type { Metric } from './local/metric.js';
export type { VectorInput } from './local/vector-input.js';
export { LocalVectorMemory, type VectorMemoryStats } from './local-vector-memory.js';
export { MemoryStorageError, type MemoryStorageKind } from './memory-storage-error.js';
export { VectorMemoryProvider } from './vector-memory-provider.js';
