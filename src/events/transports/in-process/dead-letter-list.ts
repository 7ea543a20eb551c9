import type { StoredDeadLetter } from '../../event-transport.js';

/** The dead letters of one channel, oldest first, bounded in number. */
export class DeadLetterList {
  readonly #letters: Map<string, StoredDeadLetter> = new Map();
  readonly #maxLetters: number;
  #last = 0;
  #dropped = 0;

  constructor(maxLetters: number) {
    this.#maxLetters = maxLetters;
  }

  get size(): number {
    return this.#letters.size;
  }

  get dropped(): number {
    return this.#dropped;
  }

  add(letter: Omit<StoredDeadLetter, 'letterId'>): void {
    this.#last += 1;
    const letterId = String(this.#last);
    this.#letters.set(letterId, { letterId, ...letter });
    if (this.#letters.size <= this.#maxLetters) return;
    for (const oldest of this.#letters.keys()) {
      this.#letters.delete(oldest);
      this.#dropped += 1;
      return;
    }
  }

  take(letterId: string): StoredDeadLetter | undefined {
    const letter = this.#letters.get(letterId);
    this.#letters.delete(letterId);
    return letter;
  }

  list(): StoredDeadLetter[] {
    return [...this.#letters.values()];
  }
}
