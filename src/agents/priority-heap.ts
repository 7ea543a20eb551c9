/** What a {@link PriorityHeap} orders. The heap alone writes `place`. */
export interface HeapItem {
  readonly priority: number;
  /** When it came: orders equal priorities. */
  readonly order: number;
  /** Its index in the heap, -1 outside. */
  place: number;
}

/**
 * A binary heap: the highest priority first, equal ones in the order in which they came. Each item knows
 * where it stands, so taking one out of the middle is O(log n) as well.
 */
export class PriorityHeap<T extends HeapItem> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#up(item, this.#items.length - 1);
  }

  /** The first, left where it is. */
  peek(): T | undefined {
    return this.#items[0];
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first) this.remove(first);
    return first;
  }

  /** False when it is not here. */
  remove(item: T): boolean {
    const { place } = item;
    if (this.#items[place] !== item) return false;
    item.place = -1;
    const last = this.#items.pop();
    if (last && last !== item) {
      this.#down(last, place);
      if (last.place === place) this.#up(last, place);
    }
    return true;
  }

  #up(item: T, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#items[above] as T;
      if (!isBefore(item, parent)) break;
      this.#put(parent, place);
      place = above;
    }
    this.#put(item, place);
  }

  #down(item: T, from: number): void {
    const items = this.#items;
    let place = from;
    for (;;) {
      const left = 2 * place + 1;
      let child = items[left];
      const right = items[left + 1];
      if (child && right && isBefore(right, child)) child = right;
      if (!child || !isBefore(child, item)) break;
      const next = child.place;
      this.#put(child, place);
      place = next;
    }
    this.#put(item, place);
  }

  #put(item: T, place: number): void {
    this.#items[place] = item;
    item.place = place;
  }
}

function isBefore(a: HeapItem, b: HeapItem): boolean {
  return a.priority > b.priority || (a.priority === b.priority && a.order < b.order);
}
