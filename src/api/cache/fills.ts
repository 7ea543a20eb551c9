/**
 * One or more requests under way for a URL. It ends, and what they bring is not stored, when the URL is
 * invalidated: they may have been answered before the write.
 */
export interface Fill {
  readonly id: number;
  valid: boolean;
  users: number;
}

/** What is being fetched, by URL. */
export class Fills {
  readonly #byURL: Map<string, Fill> = new Map();
  #next = 1;

  /** Begins, or joins, the filling of a URL. Pair it with {@link Fills.end}. */
  begin(url: string): Fill {
    const fill = this.#byURL.get(url) ?? { id: this.#next++, valid: true, users: 0 };
    fill.users += 1;
    this.#byURL.set(url, fill);
    return fill;
  }

  end(url: string, fill: Fill): void {
    fill.users -= 1;
    if (fill.users === 0 && this.#byURL.get(url) === fill) this.#byURL.delete(url);
  }

  invalidate(url: string): void {
    const fill = this.#byURL.get(url);
    if (fill) fill.valid = false;
    this.#byURL.delete(url);
  }
}
