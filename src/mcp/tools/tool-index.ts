/** How much more a word in a field says than one in the description. */
const weights = { name: 4, title: 2, description: 1, arguments: 1 } as const;
/** The usual parameters of BM25. */
const k1 = 1.2;
const b = 0.75;

/** What of a tool is searched. */
export interface IndexedTool {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description: string;
  /** The names of its arguments. */
  readonly arguments: readonly string[];
}

/** Finds tools by words: Okapi BM25 (Robertson and Zaragoza, 2009) over weighted counts. */
export class ToolIndex {
  readonly #postings: Map<string, Map<number, number>> = new Map();
  readonly #lengths: number[] = [];
  readonly #names: readonly string[];
  readonly #meanLength: number;

  constructor(tools: readonly IndexedTool[]) {
    this.#names = tools.map(({ name }) => name.toLowerCase());
    for (const [index, tool] of tools.entries()) this.#add(index, tool);
    this.#meanLength = this.#lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, tools.length);
  }

  /** Positions of the tools that share a word with the query, best first. One whose name is the query comes before all. */
  search(query: string): number[] {
    const scores = new Map<number, number>();
    for (const word of new Set(wordsOf(query))) {
      const found = this.#postings.get(word);
      if (!found) continue;
      const rarity = Math.log(1 + (this.#lengths.length - found.size + 0.5) / (found.size + 0.5));
      for (const [index, count] of found) {
        const length = (this.#lengths[index] ?? 0) / this.#meanLength;
        const score = (rarity * count * (k1 + 1)) / (count + k1 * (1 - b + b * length));
        scores.set(index, (scores.get(index) ?? 0) + score);
      }
    }
    const exact = this.#names.indexOf(query.trim().toLowerCase());
    if (exact !== -1) scores.set(exact, Number.POSITIVE_INFINITY);
    return [...scores].sort(([i, x], [j, y]) => (x === y ? i - j : y - x)).map(([index]) => index);
  }

  #add(index: number, tool: IndexedTool): void {
    let length = 0;
    for (const field of ['name', 'title', 'description', 'arguments'] as const) {
      const value = tool[field] ?? '';
      for (const word of wordsOf(typeof value === 'string' ? value : value.join(' '))) {
        const found = this.#postings.get(word) ?? new Map<number, number>();
        found.set(index, (found.get(index) ?? 0) + weights[field]);
        this.#postings.set(word, found);
        length += weights[field];
      }
    }
    this.#lengths.push(length);
  }
}

/** `listUserOrders_v2` is `list user order v2`: names are cut where their writers put words together. */
function wordsOf(text: string): string[] {
  return text
    .replace(/(\p{Ll}|\d)(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map(singular);
}

function singular(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (word.length > 4 && /(?:ss|x|ch|sh)es$/.test(word)) return word.slice(0, -2);
  return word.length > 3 && word.endsWith('s') && !/(?:ss|us|is)$/.test(word) ? word.slice(0, -1) : word;
}
