import { ConfigurationError } from './errors/configuration-error.js';
import { QueueFullError } from './errors/queue-full-error.js';

/** What happens to an item that does not fit. */
export type OverflowPolicy = 'reject' | 'drop-oldest' | 'drop-newest';

/** Bounds of a {@link BoundedQueue}. */
export interface BoundedQueueOptions<T> {
  /** What the queue is, as it reads in errors: `queue of api.example.com`. */
  readonly name: string;
  /** @default 1000 */
  readonly maxItems?: number;
  /** Needs `sizeOf`. @default Infinity */
  readonly maxBytes?: number;
  /** Bytes one item counts for. @default 0 */
  readonly sizeOf?: (item: T) => number;
  /** @default 'reject' */
  readonly overflow?: OverflowPolicy;
  /** Gets each item that was dropped to keep the bounds. */
  readonly onDrop?: (item: T) => void;
}

interface Node<T> {
  readonly item: T;
  readonly bytes: number;
  previous: Node<T> | undefined;
  next: Node<T> | undefined;
  queued: boolean;
}

/** Takes an item back out of the queue, wherever it stands. False when it had left already. */
export type Removal = () => boolean;

/**
 * A first-in first-out queue with limits in items and bytes, a stated overflow policy and a counter
 * of what was dropped. Adding, taking and removing from the middle are O(1), so that an aborted
 * waiter gives its place back at once.
 */
export class BoundedQueue<T> {
  readonly #name: string;
  readonly #maxItems: number;
  readonly #maxBytes: number;
  readonly #sizeOf: (item: T) => number;
  readonly #overflow: OverflowPolicy;
  readonly #onDrop: (item: T) => void;
  #head: Node<T> | undefined;
  #tail: Node<T> | undefined;
  #size = 0;
  #bytes = 0;
  #dropped = 0;

  constructor(options: BoundedQueueOptions<T>) {
    if (options.maxBytes !== undefined && !options.sizeOf) {
      throw new ConfigurationError(`${options.name}: maxBytes needs sizeOf`, { field: 'maxBytes' });
    }
    this.#name = options.name;
    this.#maxItems = options.maxItems ?? 1_000;
    this.#maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
    this.#sizeOf = options.sizeOf ?? (() => 0);
    this.#overflow = options.overflow ?? 'reject';
    this.#onDrop = options.onDrop ?? (() => undefined);
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many items were dropped by the overflow policy so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Adds to the end.
   *
   * @returns how to take it back
   * @throws QueueFullError when it does not fit and the policy is `reject`, or when it alone exceeds `maxBytes`
   */
  push(item: T): Removal {
    const bytes = this.#sizeOf(item);
    if (!this.#fits(bytes)) this.#makeRoom(bytes);
    if (!this.#fits(bytes)) {
      this.#drop(item);
      return () => false;
    }
    const node: Node<T> = { item, bytes, previous: this.#tail, next: undefined, queued: true };
    if (this.#tail) this.#tail.next = node;
    else this.#head = node;
    this.#tail = node;
    this.#size += 1;
    this.#bytes += bytes;
    return () => this.#unlink(node);
  }

  /** Takes the oldest item. */
  shift(): T | undefined {
    const node = this.#head;
    if (node) this.#unlink(node);
    return node?.item;
  }

  /** The oldest item, left where it is. */
  peek(): T | undefined {
    return this.#head?.item;
  }

  /** Empties the queue and gives what was in it, oldest first. These do not count as dropped. */
  drain(): T[] {
    const items: T[] = [];
    while (this.#size > 0) items.push(this.shift() as T);
    return items;
  }

  #fits(bytes: number): boolean {
    return this.#size < this.#maxItems && this.#bytes + bytes <= this.#maxBytes;
  }

  #makeRoom(bytes: number): void {
    if (this.#overflow === 'reject' || bytes > this.#maxBytes) {
      const bound = this.#size >= this.#maxItems ? `${this.#maxItems} items` : `${this.#maxBytes} bytes`;
      throw new QueueFullError(this.#name, bound);
    }
    while (this.#overflow === 'drop-oldest' && this.#head && !this.#fits(bytes)) {
      const { item } = this.#head;
      this.#unlink(this.#head);
      this.#drop(item);
    }
  }

  #drop(item: T): void {
    this.#dropped += 1;
    this.#onDrop(item);
  }

  #unlink(node: Node<T>): boolean {
    if (!node.queued) return false;
    node.queued = false;
    if (node.previous) node.previous.next = node.next;
    else this.#head = node.next;
    if (node.next) node.next.previous = node.previous;
    else this.#tail = node.previous;
    this.#size -= 1;
    this.#bytes -= node.bytes;
    return true;
  }
}
