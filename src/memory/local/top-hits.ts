/** A row that was found. */
export interface Hit {
  readonly row: number;
  readonly id: string;
  readonly score: number;
}

/** The best hits seen so far, at most `limit`: a heap with the worst of them on top. Equal scores rank by id. */
export class TopHits {
  readonly #limit: number;
  readonly #heap: Hit[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False when a hit like this would not be kept. */
  admits(score: number, id: string): boolean {
    const worst = this.#heap[0];
    return this.#heap.length < this.#limit || worst === undefined || isBetter(score, id, worst);
  }

  /** Hits with a lower score are not kept. */
  get least(): number {
    return this.#heap.length < this.#limit
      ? Number.NEGATIVE_INFINITY
      : (this.#heap[0]?.score ?? Number.NEGATIVE_INFINITY);
  }

  /** Adds a hit that is admitted. */
  add(hit: Hit): void {
    if (this.#heap.length < this.#limit) {
      this.#heap.push(hit);
      this.#rise(hit);
    } else {
      this.#sink(hit);
    }
  }

  /** Best first. */
  sorted(): Hit[] {
    return [...this.#heap].sort((a, b) => (isBetter(a.score, a.id, b) ? -1 : 1));
  }

  #rise(hit: Hit): void {
    let place = this.#heap.length - 1;
    while (place > 0) {
      const parentPlace = (place - 1) >> 1;
      const parent = this.#heap[parentPlace] as Hit;
      if (!isBetter(parent.score, parent.id, hit)) break;
      this.#heap[place] = parent;
      place = parentPlace;
    }
    this.#heap[place] = hit;
  }

  /** Puts `hit` in the place of the worst. */
  #sink(hit: Hit): void {
    let place = 0;
    for (;;) {
      const childPlace = this.#worseChild(place);
      const child = this.#heap[childPlace];
      if (!child || !isBetter(hit.score, hit.id, child)) break;
      this.#heap[place] = child;
      place = childPlace;
    }
    this.#heap[place] = hit;
  }

  #worseChild(place: number): number {
    const left = place * 2 + 1;
    const [one, other] = [this.#heap[left], this.#heap[left + 1]];
    return one && other && isBetter(one.score, one.id, other) ? left + 1 : left;
  }
}

function isBetter(score: number, id: string, than: Hit): boolean {
  return score > than.score || (score === than.score && id < than.id);
}
