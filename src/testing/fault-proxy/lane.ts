import type { Socket } from 'node:net';
import type { Conditions } from './conditions.js';

/** Bytes, the end of the stream, or a reset: all wait in one line, so a fault never changes their order. */
interface Item {
  readonly what: Buffer | 'end' | 'reset';
  readonly arrivedAt: number;
}

/** What one lane holds before it stops reading, as a network would. */
const maxHeldBytes = 1_048_576;
/** How often bytes pass under a limit of throughput. */
const sliceMs = 20;

/**
 * One direction of one connection: everything the source says reaches the destination in order,
 * under the conditions of that direction. A slow destination slows the source down.
 */
export class Lane {
  readonly #source: Socket;
  readonly #destination: Socket;
  readonly #conditions: Conditions;
  readonly #items: Item[] = [];
  #heldBytes = 0;
  #passedBytes = 0;
  #blocked = false;
  /** When the next bytes may pass a limit of throughput. */
  #freeAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Socket, destination: Socket, conditions: Conditions) {
    this.#source = source;
    this.#destination = destination;
    this.#conditions = conditions;
    source.on('data', (chunk) => this.#take(chunk));
    source.on('end', () => this.#take('end'));
    source.on('error', () => this.#take('reset'));
    destination.on('drain', () => {
      this.#blocked = false;
      this.pump();
    });
    destination.on('close', () => this.#drop());
  }

  /** Bytes handed to the destination so far. */
  get passedBytes(): number {
    return this.#passedBytes;
  }

  /** Lets pass what may pass now. Called when something arrives, when time comes, and when conditions change. */
  pump(): void {
    clearTimeout(this.#timer);
    for (let item = this.#items[0]; item && !this.#conditions.frozen && !this.#blocked; item = this.#items[0]) {
      const { delayMs, bytesPerSecond } = this.#conditions;
      const freeAt = bytesPerSecond < Number.POSITIVE_INFINITY ? this.#freeAt : 0;
      const waitMs = Math.max(item.arrivedAt + delayMs, freeAt) - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), Math.ceil(waitMs));
        break;
      }
      this.#items.shift();
      this.#pass(this.#portion(item));
    }
    if (this.#heldBytes < maxHeldBytes) this.#source.resume();
  }

  /** As much of it as passes in one slice of time; the rest stays first in line. */
  #portion({ what, arrivedAt }: Item): Item['what'] {
    const { bytesPerSecond } = this.#conditions;
    if (typeof what === 'string' || bytesPerSecond === Number.POSITIVE_INFINITY) return what;
    const size = Math.min(what.length, Math.max(1, Math.floor((bytesPerSecond * sliceMs) / 1_000)));
    this.#freeAt = Math.max(this.#freeAt, performance.now()) + (size * 1_000) / bytesPerSecond;
    if (size < what.length) this.#items.unshift({ what: what.subarray(size), arrivedAt });
    return what.subarray(0, size);
  }

  #take(what: Item['what']): void {
    this.#items.push({ what, arrivedAt: performance.now() });
    if (typeof what !== 'string') this.#heldBytes += what.length;
    if (this.#heldBytes >= maxHeldBytes) this.#source.pause();
    this.pump();
  }

  #pass(what: Item['what']): void {
    if (what === 'end') this.#destination.end();
    else if (what === 'reset') this.#destination.resetAndDestroy();
    else {
      this.#heldBytes -= what.length;
      this.#passedBytes += what.length;
      this.#blocked = !this.#destination.write(what);
    }
  }

  /** Nobody takes it any more. */
  #drop(): void {
    clearTimeout(this.#timer);
    this.#items.length = 0;
    this.#heldBytes = 0;
    this.#source.resume();
  }
}
