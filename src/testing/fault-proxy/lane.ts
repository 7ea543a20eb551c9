import type { Socket } from 'node:net';
import type { Conditions } from './conditions.js';

/** Bytes, the end of the stream, or a reset: all wait in one line, so a fault never changes their order. */
interface Item {
  readonly what: Buffer | 'end' | 'reset';
  readonly arrivedAt: number;
}

/** What one lane holds before it stops reading, as a network would. */
const maxHeldBytes = 1_048_576;

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
      const waitMs = item.arrivedAt + this.#conditions.delayMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), Math.ceil(waitMs));
        break;
      }
      this.#items.shift();
      this.#pass(item.what);
    }
    if (this.#heldBytes < maxHeldBytes) this.#source.resume();
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
