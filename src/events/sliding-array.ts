/** How many removed places may stand at the front before the rest is moved together. */
const compactAfter = 1_024;

/** A list that grows at the end and shrinks at the front, with positions that stay valid. */
export class SlidingArray<T> {
  #items: (T | undefined)[] = [];
  #removed = 0;
  #first = 0;

  /** Position of the oldest item. */
  get first(): number {
    return this.#first;
  }

  /** Position the next item will get. */
  get end(): number {
    return this.#first + this.length;
  }

  get length(): number {
    return this.#items.length - this.#removed;
  }

  at(position: number): T | undefined {
    return this.#items[this.#removed + position - this.#first];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Removes the oldest item. */
  shift(): void {
    if (this.length === 0) return;
    this.#items[this.#removed] = undefined;
    this.#removed += 1;
    this.#first += 1;
    if (this.#removed < compactAfter || this.#removed * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#removed);
    this.#removed = 0;
  }
}
