import { createHash } from 'node:crypto';

const dimension = 512;

/**
 * Turns texts into vectors without a model: words and their three-letter pieces, hashed into a fixed
 * number of places ("feature hashing", Weinberger et al., ICML 2009). It finds texts that share words
 * or word stems. For meaning, put the embedding endpoint of your model here.
 */
export function embed(texts: readonly string[]): number[][] {
  return texts.map((text) => {
    const vector = new Array<number>(dimension).fill(0);
    for (const feature of features(text)) {
      const digest = createHash('sha256').update(feature).digest();
      const place = digest.readUInt32LE(0) % dimension;
      const sign = (digest[4] ?? 0) % 2 === 0 ? 1 : -1;
      vector[place] = (vector[place] ?? 0) + sign;
    }
    return vector;
  });
}

function* features(text: string): Generator<string> {
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
    yield word;
    for (let i = 0; i + 3 <= word.length; i++) yield `#${word.slice(i, i + 3)}`;
  }
}
