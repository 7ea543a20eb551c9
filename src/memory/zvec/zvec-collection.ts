import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ZVecCollection } from '@zvec/zvec';
import { importOptional, lazy } from '../../core/internal.js';
import type { StoredFacts } from '../indexed/stored-facts.js';
import { MemoryStorageError, storageFailure } from '../memory-storage-error.js';

export const loadZvec: () => Promise<typeof import('@zvec/zvec')> = lazy(() =>
  importOptional('@zvec/zvec', 'ZvecVectorMemory', () => import('@zvec/zvec')),
);

/** What a folder of vectors is for, kept beside the collection. */
export interface FolderFacts extends StoredFacts {
  readonly format: 1;
  readonly holds: 'vector-memory-zvec';
  /** Fields of metadata with a column of their own, in the order of the columns. */
  readonly fields: readonly (readonly [name: string, type: 'text' | 'number'])[];
}

/** Undefined when there is nothing in the folder yet. @throws MemoryStorageError */
export async function readFacts(path: string): Promise<FolderFacts | undefined> {
  const file = join(path, 'memory.json');
  try {
    const facts = JSON.parse(await readFile(file, 'utf8')) as FolderFacts;
    if (facts?.holds === 'vector-memory-zvec' && facts.format === 1) return facts;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw storageFailure('Cannot read', file, error);
  }
  throw new MemoryStorageError('foreign', `${file} is not of a ZvecVectorMemory`);
}

/** @throws MemoryStorageError */
export async function openCollection(path: string): Promise<ZVecCollection> {
  const { ZVecOpen } = await loadZvec();
  return guarded(path, () => ZVecOpen(join(path, 'collection')));
}

/** Makes the collection, then the facts: a folder without facts is one that was never finished. */
export async function createCollection(path: string, facts: FolderFacts, hnsw: HNSWSettings): Promise<ZVecCollection> {
  const { ZVecCollectionSchema, ZVecCreateAndOpen, ZVecDataType, ZVecIndexType, ZVecMetricType } = await loadZvec();
  const metricType = { cosine: ZVecMetricType.COSINE, dot: ZVecMetricType.IP, euclidean: ZVecMetricType.L2 } as const;
  const indexed = { indexType: ZVecIndexType.INVERT } as const;
  const { STRING, INT64, DOUBLE, VECTOR_FP32 } = ZVecDataType;
  const schema = new ZVecCollectionSchema({
    name: 'memory',
    vectors: {
      name: 'vector',
      dataType: VECTOR_FP32,
      dimension: facts.dimension,
      indexParams: { indexType: ZVecIndexType.HNSW, metricType: metricType[facts.metric], ...hnsw },
    },
    fields: [
      { name: 'scope', dataType: STRING, indexParams: indexed },
      { name: 'expires', dataType: INT64, indexParams: indexed },
      { name: 'stored', dataType: INT64 },
      { name: 'item', dataType: STRING },
      ...facts.fields.map(([, type], place) => ({
        name: `field${place}`,
        dataType: type === 'text' ? STRING : DOUBLE,
        nullable: true,
        indexParams: indexed,
      })),
    ],
  });
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw storageFailure('Cannot open', path, error);
  }
  const collection = guarded(path, () => ZVecCreateAndOpen(join(path, 'collection'), schema));
  try {
    const draft = join(path, 'memory.json.tmp');
    await writeFile(draft, JSON.stringify(facts), { flush: true });
    await rename(draft, join(path, 'memory.json'));
    return collection;
  } catch (error) {
    collection.destroySync();
    throw storageFailure('Cannot write', path, error);
  }
}

/** How the index is built. */
export interface HNSWSettings {
  readonly m: number;
  readonly efConstruction: number;
}

/** Runs a call of zvec; what it throws is told as ours, without the data it may quote. */
export function guarded<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw zvecFailure(path, error);
  }
}

export function zvecFailure(path: string, error: unknown): MemoryStorageError {
  if (error instanceof MemoryStorageError) return error;
  const { code, message } = error as { code?: string; message?: string };
  if (/lock/i.test(message ?? '')) return new MemoryStorageError('locked', `${path} is open in another memory`);
  if (code === 'ZVEC_RESOURCE_EXHAUSTED') return new MemoryStorageError('full', `${path}: zvec has no room left`);
  return new MemoryStorageError('io', `${path}: zvec failed${code ? ` with ${code}` : ''}`, { cause: error });
}
