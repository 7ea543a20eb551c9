import { BoundedQueue, type CallScope, type OverflowPolicy } from '../core/index.js';
import { is, type OptionChecks } from '../core/internal.js';

/** Bounds of what waits in one `for await` loop. */
export interface MessageBufferOptions {
  /** @default 1000 */
  readonly maxItems?: number;
  /** Counted as received. @default 16777216 (16 MiB) */
  readonly maxBytes?: number;
  /** `drop-oldest` and `drop-newest` skip messages and report each; `reject` ends the loop with `QueueFullError`. @default 'drop-oldest' */
  readonly overflow?: OverflowPolicy;
}

export const messageBufferChecks: OptionChecks<MessageBufferOptions> = {
  maxItems: is.count,
  maxBytes: is.count,
  overflow: is.oneOf('reject', 'drop-oldest', 'drop-newest'),
};

interface Buffered<In> {
  readonly message: In;
  readonly bytes: number;
}

interface Taker<In> {
  readonly resolve: (result: IteratorResult<In, undefined>) => void;
  readonly reject: (reason: unknown) => void;
}

/** The messages of one loop: those that came since it was made, up to its bounds, until it ends. */
export class MessageStream<In> implements AsyncIterableIterator<In, undefined> {
  readonly #buffer: BoundedQueue<Buffered<In>>;
  readonly #scope: CallScope;
  readonly #onEnd: (stream: MessageStream<In>) => void;
  readonly #takers: Taker<In>[] = [];
  #end: { readonly failed: boolean; readonly error?: unknown } | undefined;

  /** @param onDrop Gets each message that the bounds cost. @param onEnd Called once. */
  constructor(
    name: string,
    options: MessageBufferOptions,
    scope: CallScope,
    onDrop: (message: In) => void,
    onEnd: (stream: MessageStream<In>) => void,
  ) {
    const { maxItems = 1_000, maxBytes = 16_777_216, overflow = 'drop-oldest' } = options;
    this.#buffer = new BoundedQueue<Buffered<In>>({
      name,
      maxItems,
      maxBytes,
      overflow,
      sizeOf: ({ bytes }) => bytes,
      onDrop: ({ message }) => onDrop(message),
    });
    this.#scope = scope;
    this.#onEnd = onEnd;
    scope.onCancel((reason) => {
      this.#buffer.drain();
      this.fail(reason);
    });
  }

  /** True while a loop waits for the next message. */
  get waited(): boolean {
    return this.#takers.length > 0;
  }

  push(message: In, bytes: number): void {
    const taker = this.#takers.shift();
    if (taker) {
      taker.resolve({ value: message, done: false });
      return;
    }
    try {
      this.#buffer.push({ message, bytes });
    } catch (error) {
      this.fail(error);
    }
  }

  /** No more messages: what is buffered can still be taken. */
  finish(): void {
    this.#stop({ failed: false });
  }

  /** As {@link finish}, and then the loop throws. */
  fail(error: unknown): void {
    this.#stop({ failed: true, error });
  }

  next(): Promise<IteratorResult<In, undefined>> {
    const buffered = this.#buffer.shift();
    if (buffered) return Promise.resolve({ value: buffered.message, done: false });
    if (!this.#end) {
      return new Promise((resolve, reject) => {
        this.#takers.push({ resolve, reject });
      });
    }
    const { failed, error } = this.#end;
    this.#end = { failed: false };
    return failed ? Promise.reject(error) : Promise.resolve({ value: undefined, done: true });
  }

  return(): Promise<IteratorResult<In, undefined>> {
    this.#buffer.drain();
    this.finish();
    this.#end = { failed: false };
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #stop(end: { readonly failed: boolean; readonly error?: unknown }): void {
    if (this.#end) return;
    const takers = this.#takers.splice(0);
    // The error is thrown once, to whoever asks first.
    this.#end = end.failed && takers.length > 0 ? { failed: false } : end;
    takers.forEach((taker, index) => {
      if (index === 0 && end.failed) taker.reject(end.error);
      else taker.resolve({ value: undefined, done: true });
    });
    this.#scope[Symbol.dispose]();
    this.#onEnd(this);
  }
}
