import { QueueFullError } from '../../../core/index.js';

/** Room that several queues share. */
export class QueueBudget {
  readonly #name: string;
  readonly #maxItems: number;
  readonly #maxBytes: number;
  #items = 0;
  #bytes = 0;

  constructor(name: string, maxItems: number, maxBytes: number) {
    this.#name = name;
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes;
  }

  /** @throws QueueFullError */
  take(items: number, bytes: number): void {
    if (this.#items + items > this.#maxItems) throw new QueueFullError(this.#name, `${this.#maxItems} items`);
    if (this.#bytes + bytes > this.#maxBytes) throw new QueueFullError(this.#name, `${this.#maxBytes} bytes`);
    this.#items += items;
    this.#bytes += bytes;
  }

  give(items: number, bytes: number): void {
    this.#items -= items;
    this.#bytes -= bytes;
  }
}
