/**
 * Vectors in files by zvec, for sizes past memory, over the optional peer `@zvec/zvec`.
 *
 * @module
 */
export type { ZvecFieldType, ZvecSearchOptions, ZvecVectorMemoryOptions } from './zvec-memory-options.js';
export { ZvecVectorMemory } from './zvec-vector-memory.js';
