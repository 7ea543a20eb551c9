/**
 * Vectors in files by zvec, for sizes past memory, over the optional peer `@zvec/zvec`.
 *
 * @module
 */
export {
  type ZvecFieldType,
  type ZvecSearchOptions,
  ZvecVectorMemory,
  type ZvecVectorMemoryOptions,
} from './zvec-vector-memory.js';
