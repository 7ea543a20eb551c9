/** The largest `limit` lower bounds of scores seen so far: a heap with the least of them on top. */
export class LowerBounds {
  readonly #limit: number;
  readonly #floor: number;
  readonly #heap: number[] = [];

  /** @param floor scores below are not wanted whatever was seen */
  constructor(limit: number, floor: number) {
    this.#limit = limit;
    this.#floor = floor;
  }

  /** A row whose upper bound is lower cannot be among the best. */
  get least(): number {
    return this.#heap.length < this.#limit ? this.#floor : Math.max(this.#heap[0] as number, this.#floor);
  }

  add(bound: number): void {
    const heap = this.#heap;
    if (heap.length < this.#limit) {
      heap.push(bound);
      this.#rise(bound);
    } else if (bound > (heap[0] as number)) {
      this.#sink(bound);
    }
  }

  #rise(bound: number): void {
    const heap = this.#heap;
    let place = heap.length - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if ((heap[above] as number) <= bound) break;
      heap[place] = heap[above] as number;
      place = above;
    }
    heap[place] = bound;
  }

  /** Puts a bound in the place of the least. */
  #sink(bound: number): void {
    const heap = this.#heap;
    const { length } = heap;
    let place = 0;
    for (let below = 1; below < length; below = place * 2 + 1) {
      if (below + 1 < length && (heap[below + 1] as number) < (heap[below] as number)) below += 1;
      if ((heap[below] as number) >= bound) break;
      heap[place] = heap[below] as number;
      place = below;
    }
    heap[place] = bound;
  }
}
