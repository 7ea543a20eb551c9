import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalVectorMemory } from '@safla/sdk/memory';
import type { Dataset } from './data.js';
import { GuideProvider } from './guide-provider.js';
import { peer } from './peer.js';

/** Something that finds the ids (places of rows) nearest to a query by cosine. */
export interface Searcher {
  readonly name: string;
  readonly search: (query: Float32Array, k: number) => Promise<number[]> | number[];
  readonly close?: () => void | Promise<void>;
}

interface USearch {
  readonly exactSearch: (
    rows: Float32Array,
    query: Float32Array,
    dimension: number,
    k: number,
    metric: string,
    threads: number,
  ) => { readonly keys: BigUint64Array };
  readonly Index: new (
    settings: object,
  ) => {
    add(keys: BigUint64Array, rows: Float32Array, threads: number): void;
    search(query: Float32Array, k: number, threads: number): { readonly keys: BigUint64Array };
  };
}

export async function ours({ rows }: Dataset): Promise<Searcher> {
  const memory = new LocalVectorMemory();
  for (let from = 0; from < rows.length; from += 10_000) {
    await memory.storeMany(rows.slice(from, from + 10_000).map((vector, i) => ({ id: String(from + i), vector })));
  }
  return {
    name: 'LocalVectorMemory, exact',
    search: async (query, k) => (await memory.search(query, k)).map(({ id }) => Number(id)),
    close: () => memory.close(),
  };
}

export function guide({ rows }: Dataset): Searcher {
  const provider = new GuideProvider();
  for (const [i, row] of rows.entries()) provider.store(String(i), Array.from(row));
  return {
    name: "the guide's provider",
    search: (query, k) => provider.search(Array.from(query), k).map(({ id }) => Number(id)),
  };
}

interface MemoryVectorStore {
  addVectors(vectors: number[][], documents: object[]): Promise<void>;
  similaritySearchVectorWithScore(
    query: number[],
    k: number,
  ): Promise<(readonly [{ readonly metadata: { readonly place: number } }, number])[]>;
}

export async function langchain({ rows }: Dataset): Promise<Searcher | undefined> {
  const module = peer<{ readonly MemoryVectorStore: new (embeddings: object) => MemoryVectorStore }>(
    '@langchain/classic',
    '1.0.50',
    '@langchain/classic/vectorstores/memory',
  );
  if (!module) return undefined;
  const store = new module.MemoryVectorStore({});
  await store.addVectors(
    rows.map((row) => Array.from(row)),
    rows.map((_, place) => ({ pageContent: '', metadata: { place } })),
  );
  return {
    name: 'LangChain 1.0.50 MemoryVectorStore',
    search: async (query, k) =>
      (await store.similaritySearchVectorWithScore(Array.from(query), k)).map(([{ metadata }]) => metadata.place),
  };
}

export function usearchExact({ rows, dimension }: Dataset): Searcher | undefined {
  const usearch = peer<USearch>('usearch', '2.25.3');
  if (!usearch) return undefined;
  const all = flat(rows, dimension);
  return {
    name: 'usearch 2.25.3 exactSearch, 1 thread',
    // A slice: exactSearch ignores the byteOffset of a view.
    search: (query, k) => [...usearch.exactSearch(all, query.slice(), dimension, k, 'cos', 1).keys].map(Number),
  };
}

export function usearchIndex({ rows, dimension }: Dataset, expansion: number): Searcher | undefined {
  const usearch = peer<USearch>('usearch', '2.25.3');
  if (!usearch) return undefined;
  const settings = { metric: 'cos', quantization: 'f32', connectivity: 16, expansion_add: 128, multi: false };
  const index = new usearch.Index({ dimensions: dimension, ...settings, expansion_search: expansion });
  index.add(
    BigUint64Array.from(rows, (_, i) => BigInt(i)),
    flat(rows, dimension),
    1,
  );
  return {
    name: `usearch 2.25.3, expansion ${expansion}`,
    search: (query, k) => [...index.search(query, k, 1).keys].map(Number),
  };
}

interface HNSW {
  readonly HierarchicalNSW: new (
    space: string,
    dimension: number,
  ) => {
    initIndex(settings: object): void;
    addPoint(point: number[], label: number): void;
    setEf(ef: number): void;
    searchKnn(query: number[], k: number): { readonly neighbors: number[] };
  };
}

/** One index, many settings of ef. */
export function hnswlib({ rows, dimension }: Dataset): ((ef: number) => Searcher) | undefined {
  const hnsw = peer<HNSW>('hnswlib-node', '3.0.0');
  if (!hnsw) return undefined;
  const index = new hnsw.HierarchicalNSW('cosine', dimension);
  index.initIndex({ maxElements: rows.length, m: 16, efConstruction: 128 });
  for (const [i, row] of rows.entries()) index.addPoint(Array.from(row), i);
  return (ef) => ({
    name: `hnswlib-node 3.0.0, ef ${ef}`,
    search: (query, k) => {
      index.setEf(ef);
      return index.searchKnn(Array.from(query), k).neighbors;
    },
  });
}

/** One index, many settings of ef. */
export async function zvec({ rows, dimension }: Dataset): Promise<{ at: (ef: number) => Searcher; close: () => void }> {
  const { default: z } = await import('@zvec/zvec');
  const folder = mkdtempSync(join(tmpdir(), 'safla-bench-'));
  const indexParams = {
    indexType: z.ZVecIndexType.HNSW,
    metricType: z.ZVecMetricType.COSINE,
    m: 16,
    efConstruction: 128,
  } as const;
  const schema = new z.ZVecCollectionSchema({
    name: 'bench',
    vectors: { name: 'v', dataType: z.ZVecDataType.VECTOR_FP32, dimension, indexParams },
  });
  const collection = z.ZVecCreateAndOpen(join(folder, 'c'), schema);
  for (let from = 0; from < rows.length; from += 1_000) {
    collection.insertSync(
      rows.slice(from, from + 1_000).map((row, i) => ({ id: String(from + i), vectors: { v: row } })),
    );
  }
  collection.optimizeSync();
  return {
    at: (ef) => ({
      name: `zvec 0.7.0, ef ${ef}`,
      search: (vector, topk) =>
        collection
          .querySync({ fieldName: 'v', vector, topk, params: { indexType: z.ZVecIndexType.HNSW, ef } })
          .map(({ id }) => Number(id)),
    }),
    close: () => {
      collection.closeSync();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function flat(rows: readonly Float32Array[], dimension: number): Float32Array {
  const all = new Float32Array(rows.length * dimension);
  for (const [i, row] of rows.entries()) all.set(row, i * dimension);
  return all;
}
