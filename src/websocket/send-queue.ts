import { BoundedQueue, type CallScope, QueueFullError, type Removal } from '../core/index.js';
import { is, type OptionChecks } from '../core/internal.js';
import type { FrameData } from './codec.js';

/** Bounds of what waits to be sent: while there is no connection, and while it cannot take more. */
export interface SendQueueOptions {
  /** @default 1000 */
  readonly maxItems?: number;
  /** Encoded. @default 16777216 (16 MiB) */
  readonly maxBytes?: number;
  /**
   * What happens to a message that does not fit. `reject`: its `send` rejects; `drop-oldest`: that of the
   * oldest does; `drop-newest`: as `reject`, for symmetry; `wait`: `send` waits for room in a second line.
   *
   * @default 'reject'
   */
  readonly overflow?: 'reject' | 'drop-oldest' | 'drop-newest' | 'wait';
  /** The most senders in the second line of `wait`; each holds its message. @default 10000 */
  readonly maxWaiting?: number;
}

export const sendQueueChecks: OptionChecks<SendQueueOptions> = {
  maxItems: is.count,
  maxBytes: is.count,
  overflow: is.oneOf('reject', 'drop-oldest', 'drop-newest', 'wait'),
  maxWaiting: is.count,
};

/** Takes frames as long as it is ready. */
export interface Outlet {
  readonly ready: boolean;
  send(data: FrameData): void;
}

interface Item {
  readonly data: FrameData;
  readonly bytes: number;
  readonly sent: () => void;
  readonly dropped: (error: unknown) => void;
  remove: Removal;
}

/** Frames on their way to a connection, in order, within bounds. */
export class SendQueue {
  readonly #name: string;
  readonly #maxItems: number;
  readonly #maxBytes: number;
  readonly #waits: boolean;
  readonly #queue: BoundedQueue<Item>;
  /** Those who wait for room. */
  readonly #line: BoundedQueue<Item>;

  constructor(name: string, options: SendQueueOptions) {
    const { maxItems = 1_000, maxBytes = 16_777_216, overflow = 'reject', maxWaiting = 10_000 } = options;
    this.#name = name;
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes;
    this.#waits = overflow === 'wait';
    this.#queue = new BoundedQueue<Item>({
      name,
      maxItems,
      maxBytes,
      sizeOf: (item) => item.bytes,
      overflow: overflow === 'wait' ? 'reject' : overflow,
      onDrop: (item) =>
        item.dropped(new QueueFullError(name, `${maxItems} items or ${maxBytes} bytes; this message was dropped`)),
    });
    this.#line = new BoundedQueue<Item>({ name: `line before the ${name}`, maxItems: maxWaiting });
  }

  get size(): number {
    return this.#queue.size + this.#line.size;
  }

  get bytes(): number {
    return this.#queue.bytes;
  }

  /**
   * Resolves when the frame was handed to the connection.
   *
   * @throws QueueFullError, or the scope's reason; then it is not sent
   */
  push(data: FrameData, scope: CallScope): Promise<void> {
    if (scope.cancelled) return Promise.reject(scope.reason);
    return new Promise((resolve, reject) => {
      const off = scope.onCancel((reason) => {
        item.remove();
        this.#moveUp();
        reject(reason);
      });
      const item: Item = {
        data,
        bytes: sizeOf(data),
        sent: () => {
          off();
          resolve();
        },
        dropped: (error) => {
          off();
          reject(error);
        },
        remove: () => false,
      };
      try {
        this.#add(item);
      } catch (error) {
        item.dropped(error);
      }
    });
  }

  /** Sends what the outlet takes, and says how many that were. */
  flush(outlet: Outlet): number {
    let count = 0;
    while (outlet.ready) {
      const item = this.#queue.shift();
      if (!item) break;
      this.#moveUp();
      outlet.send(item.data);
      item.sent();
      count += 1;
    }
    return count;
  }

  /** Empties it: nothing of it will be sent. */
  fail(error: unknown): void {
    for (const item of [...this.#queue.drain(), ...this.#line.drain()]) item.dropped(error);
  }

  #add(item: Item): void {
    if (this.#waits && (this.#line.size > 0 || !this.#fits(item.bytes))) {
      if (item.bytes > this.#maxBytes) throw new QueueFullError(this.#name, `${this.#maxBytes} bytes`);
      item.remove = this.#line.push(item);
    } else {
      item.remove = this.#queue.push(item);
    }
  }

  #moveUp(): void {
    for (let next = this.#line.peek(); next && this.#fits(next.bytes); next = this.#line.peek()) {
      this.#line.shift();
      next.remove = this.#queue.push(next);
    }
  }

  #fits(bytes: number): boolean {
    return this.#queue.size < this.#maxItems && this.#queue.bytes + bytes <= this.#maxBytes;
  }
}

function sizeOf(data: FrameData): number {
  return typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
}
