import { BoundedQueue, type Removal } from '../../../core/index.js';
import type { StoredDeadLetter } from '../../event-transport.js';
import { bytesOf } from './log-entry.js';

interface KeptLetter {
  readonly letter: StoredDeadLetter;
  readonly remove: Removal;
}

/** The dead letters of one channel, oldest first, bounded in number and in bytes of their events. */
export class DeadLetterList {
  readonly #letters: Map<string, KeptLetter> = new Map();
  /** Drops the oldest. One letter always fits: its event did fit into the log. */
  readonly #queue: BoundedQueue<StoredDeadLetter>;
  #last = 0;

  constructor({ maxDeadLetters, maxBytes }: { readonly maxDeadLetters: number; readonly maxBytes: number }) {
    this.#queue = new BoundedQueue({
      name: 'dead letters',
      maxItems: maxDeadLetters,
      maxBytes,
      sizeOf: ({ event }) => bytesOf(event),
      overflow: 'drop-oldest',
      onDrop: ({ letterId }) => this.#letters.delete(letterId),
    });
  }

  get size(): number {
    return this.#queue.size;
  }

  get bytes(): number {
    return this.#queue.bytes;
  }

  get dropped(): number {
    return this.#queue.dropped;
  }

  add(unnumbered: Omit<StoredDeadLetter, 'letterId'>): void {
    this.#last += 1;
    const letter = { letterId: String(this.#last), ...unnumbered };
    this.#letters.set(letter.letterId, { letter, remove: this.#queue.push(letter) });
  }

  get(letterId: string): StoredDeadLetter | undefined {
    return this.#letters.get(letterId)?.letter;
  }

  delete(letterId: string): void {
    this.#letters.get(letterId)?.remove();
    this.#letters.delete(letterId);
  }

  list(): StoredDeadLetter[] {
    return Array.from(this.#letters.values(), ({ letter }) => letter);
  }
}
