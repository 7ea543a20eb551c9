import { type CallScope, QueueFullError } from '../core/index.js';
import { EventBuffer } from './event-buffer.js';
import type { ExecutionResult } from './execution-result.js';
import type { SubscriptionBuffer } from './subscription-options.js';

/** What feeds a subscription: told to begin once, it gives the way to end. */
export type SubscriptionSource = (feed: SubscriptionFeed) => Promise<() => void>;

/** How a source reports. */
export interface SubscriptionFeed {
  readonly next: (result: ExecutionResult, bytes: number) => void;
  readonly error: (error: unknown) => void;
  readonly complete: () => void;
}

/** What a {@link Subscription} is made of. */
export interface SubscriptionParts<TData> {
  readonly subject: string;
  readonly buffer: SubscriptionBuffer;
  readonly open: () => CallScope;
  readonly source: SubscriptionSource;
  /** The data of an event; undefined leaves it out. */
  readonly read: (result: ExecutionResult) => TData | undefined;
  /** Told once when it is over, with the number of events that were dropped. */
  readonly onEnd: (dropped: number) => void;
}

/**
 * The events of one subscription. It begins with the first `next()`; `return()`, which leaving a `for await`
 * calls, ends it at once, also while an event is waited for.
 */
export class Subscription<TData> implements AsyncIterableIterator<TData, undefined>, AsyncDisposable {
  readonly #parts: SubscriptionParts<TData>;
  readonly #events: EventBuffer<ExecutionResult>;
  #begun = false;
  #over = false;
  #scope: CallScope | undefined;
  #stop: (() => void) | undefined;

  constructor(parts: SubscriptionParts<TData>) {
    this.#parts = parts;
    this.#events = new EventBuffer(`the buffer of ${parts.subject}`, parts.buffer);
  }

  async next(): Promise<IteratorResult<TData, undefined>> {
    if (!this.#begun) this.#begin();
    try {
      for (;;) {
        const { done, value } = await this.#events.next();
        if (done) {
          this.#finish();
          return { done, value };
        }
        const data = this.#parts.read(value);
        if (data !== undefined) return { done: false, value: data };
      }
    } catch (error) {
      this.#events.cancel({});
      this.#finish();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<TData, undefined>> {
    this.#begun = true;
    this.#events.cancel({});
    this.#finish();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Ends it; whoever waits for an event gets the error. */
  abort(error: unknown): void {
    this.#begun = true;
    this.#events.cancel({ error });
    this.#finish();
  }

  #begin(): void {
    this.#begun = true;
    try {
      this.#scope = this.#parts.open();
    } catch (error) {
      this.abort(error);
      return;
    }
    this.#scope.onCancel((reason) => this.abort(reason));
    if (this.#over) return;
    this.#parts
      .source({
        next: (result, bytes) => this.#push(result, bytes),
        error: (error) => this.#events.fail(error),
        complete: () => this.#events.end(),
      })
      .then(
        (stop) => {
          if (this.#over) stop();
          else this.#stop = stop;
        },
        (error: unknown) => this.abort(error),
      );
  }

  #push(result: ExecutionResult, bytes: number): void {
    try {
      this.#events.push(result, bytes);
    } catch (error) {
      // What arrived in time is still given; after it the reader learns that the rest is lost.
      this.#events.fail(error);
      if (error instanceof QueueFullError) this.#stop?.();
    }
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#scope?.[Symbol.dispose]();
    this.#stop?.();
    this.#parts.onEnd(this.#events.dropped);
  }
}
