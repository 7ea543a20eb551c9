import { BoundedQueue } from '../core/index.js';
import type { SubscriptionBuffer } from './subscription-options.js';

interface Entry<T> {
  readonly item: T;
  readonly bytes: number;
}

interface Reader<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined };
const defaultMaxBytes = 16 * 1024 * 1024;

/** What stands between a producer that does not wait and one reader: a bounded queue with an end. */
export class EventBuffer<T> {
  readonly #queue: BoundedQueue<Entry<T>>;
  readonly #readers: Reader<T>[] = [];
  #end: { readonly error?: unknown } | undefined;

  constructor(name: string, { maxItems, maxBytes, overflow }: SubscriptionBuffer) {
    this.#queue = new BoundedQueue<Entry<T>>({
      name,
      maxItems: maxItems ?? 1_000,
      maxBytes: maxBytes ?? defaultMaxBytes,
      sizeOf: ({ bytes }) => bytes,
      overflow: overflow ?? 'reject',
    });
  }

  /** Items that did not fit and are gone. */
  get dropped(): number {
    return this.#queue.dropped;
  }

  /** @throws QueueFullError when it does not fit and the overflow policy is to refuse */
  push(item: T, bytes: number): void {
    if (this.#end) return;
    const reader = this.#readers.shift();
    if (reader) reader.resolve({ done: false, value: item });
    else this.#queue.push({ item, bytes });
  }

  /** After the last item, reading rejects with the error, once. */
  fail(error: unknown): void {
    this.#finish({ error });
  }

  /** After the last item, reading is done. */
  end(): void {
    this.#finish({});
  }

  /** Forgets what waits; reading rejects with the error, once, or is done. */
  cancel(end: { readonly error?: unknown }): void {
    this.#queue.drain();
    this.#end = undefined;
    this.#finish(end);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const entry = this.#queue.shift();
    if (entry) return Promise.resolve({ done: false, value: entry.item });
    if (!this.#end) return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    const end = this.#end;
    this.#end = {};
    return 'error' in end ? Promise.reject(end.error) : Promise.resolve(done);
  }

  #finish(end: { readonly error?: unknown }): void {
    if (this.#end) return;
    this.#end = end;
    for (const reader of this.#readers.splice(0)) this.next().then(reader.resolve, reader.reject);
  }
}
