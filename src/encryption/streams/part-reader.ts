/**
 * Gives the parts of batches one by one. Parts at hand cost one promise each, where an async generator
 * takes several turns for each; for pieces of 16 bytes to 16 KiB that is a good part of the work.
 */
export class PartReader implements AsyncIterableIterator<Uint8Array> {
  readonly #batches: AsyncGenerator<readonly Uint8Array[]>;
  #batch: readonly Uint8Array[] = [];
  #at = 0;
  #filling: Promise<unknown> | undefined;

  constructor(batches: AsyncGenerator<readonly Uint8Array[]>) {
    this.#batches = batches;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#filling) {
      // Calls that overlap are answered in order.
      const again = (): Promise<IteratorResult<Uint8Array, undefined>> => this.next();
      return this.#filling.then(again, again);
    }
    const part = this.#take();
    return part ? Promise.resolve({ done: false, value: part }) : this.#fill();
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#batch = [];
    await this.#batches.return(undefined);
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #fill(): Promise<IteratorResult<Uint8Array, undefined>> {
    const filling = this.#advance();
    this.#filling = filling;
    try {
      return await filling;
    } finally {
      if (this.#filling === filling) this.#filling = undefined;
    }
  }

  async #advance(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const next = await this.#batches.next();
      if (next.done) return { done: true, value: undefined };
      this.#batch = next.value;
      this.#at = 0;
      const part = this.#take();
      if (part) return { done: false, value: part };
    }
  }

  #take(): Uint8Array | undefined {
    while (this.#at < this.#batch.length) {
      const part = this.#batch[this.#at++];
      if (part && part.length > 0) return part;
    }
    return undefined;
  }
}
