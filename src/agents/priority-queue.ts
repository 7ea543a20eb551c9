import { type HeapItem, PriorityHeap } from './priority-heap.js';

/** What a {@link PriorityQueue} holds. The queue alone writes its links. */
export interface QueueItem<T> {
  readonly priority: number;
  /** The line it stands in, undefined outside. */
  line: PriorityLine<T> | undefined;
  ahead: T | undefined;
  behind: T | undefined;
}

/** Those with one priority, in order. */
export interface PriorityLine<T> extends HeapItem {
  first: T | undefined;
  last: T | undefined;
}

/**
 * The highest priority first, equal ones in the order in which they came. Priorities are few, so each has a line of its own
 * and only lines stand in a heap: with d priorities in use, adding, taking and removing from the middle are
 * O(1), and O(log d) where a line begins or ends.
 */
export class PriorityQueue<T extends QueueItem<T>> {
  readonly #lines: Map<number, PriorityLine<T>> = new Map();
  readonly #heap: PriorityHeap<PriorityLine<T>> = new PriorityHeap();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    const line = this.#lineOf(item.priority);
    item.line = line;
    item.ahead = line.last;
    if (line.last) line.last.behind = item;
    else line.first = item;
    line.last = item;
    this.#size += 1;
  }

  /** Puts it before all others of its priority. */
  pushFront(item: T): void {
    const line = this.#lineOf(item.priority);
    item.line = line;
    item.behind = line.first;
    if (line.first) line.first.ahead = item;
    else line.last = item;
    line.first = item;
    this.#size += 1;
  }

  pop(): T | undefined {
    const item = this.#heap.peek()?.first;
    if (item) this.remove(item);
    return item;
  }

  /** False when it is not here. */
  remove(item: T): boolean {
    const { line, ahead, behind } = item;
    if (!line) return false;
    if (ahead) ahead.behind = behind;
    else line.first = behind;
    if (behind) behind.ahead = ahead;
    else line.last = ahead;
    item.line = undefined;
    item.ahead = undefined;
    item.behind = undefined;
    this.#size -= 1;
    if (!line.first) {
      this.#heap.remove(line);
      this.#lines.delete(line.priority);
    }
    return true;
  }

  #lineOf(priority: number): PriorityLine<T> {
    const known = this.#lines.get(priority);
    if (known) return known;
    const line: PriorityLine<T> = { priority, order: 0, place: -1, first: undefined, last: undefined };
    this.#lines.set(priority, line);
    this.#heap.push(line);
    return line;
  }
}
