import type MiniSearch from 'minisearch';
import { lazy } from '../../../core/internal.js';

const loadMiniSearch = lazy(async () => (await import('minisearch')).default);

/** Scripts that put no spaces between words: they are matched by pairs of characters. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/**
 * The words of texts by row, ranked by BM25+ (Lv and Zhai 2011) with minisearch's parameters. A text
 * matches when it has one of the words that are asked for; case does not count.
 */
export class TextIndex {
  readonly #index: MiniSearch<{ readonly row: number; readonly text: string }>;

  static async create(): Promise<TextIndex> {
    return new TextIndex(await loadMiniSearch());
  }

  private constructor(Index: typeof MiniSearch) {
    this.#index = new Index({ idField: 'row', fields: ['text'], tokenize: wordsOf, processTerm: (term) => term });
  }

  /** Adds the text of a row that has none. */
  add(row: number, text: string | undefined): void {
    if (text !== undefined) this.#index.add({ row, text });
  }

  remove(row: number, text: string | undefined): void {
    // Not `discard`: the row may be in use again before a later clean-up.
    if (text !== undefined) this.#index.remove({ row, text });
  }

  /** The rows whose texts have words of `query`, best first. */
  search(query: string, accepts: (row: number) => boolean): number[] {
    return this.#index.search(query, { filter: ({ id }) => accepts(id as number) }).map(({ id }) => id as number);
  }
}

/** Letters and digits that stand together, in lower case (compatibility forms made one, Unicode NFKC). */
export function wordsOf(text: string): string[] {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  return words.flatMap((word) => (unspaced.test(word) ? pairsOf(word) : word));
}

function pairsOf(word: string): string[] {
  const characters = [...word];
  if (characters.length < 2) return characters;
  return characters.slice(1).map((character, place) => `${characters[place]}${character}`);
}
