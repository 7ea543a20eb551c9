import type { LogEntry } from './log-entry.js';

/** One event on its way through a group: handed out, or waiting in a queue or for a timer. */
export class OwedEvent {
  readonly entry: LogEntry;
  #attempt = 0;
  #out = false;
  #stopWaiting: (() => unknown) | undefined;

  constructor(entry: LogEntry) {
    this.entry = entry;
  }

  /** How often it was handed out. */
  get attempt(): number {
    return this.#attempt;
  }

  /** True while somebody handles it. */
  get out(): boolean {
    return this.#out;
  }

  handOut(): void {
    this.#attempt += 1;
    this.#out = true;
    this.#stopWaiting = undefined;
  }

  /** The last hand-out did not count. */
  uncount(): void {
    this.#attempt -= 1;
  }

  /** It waits now; `stop` takes it out of where it waits. */
  waitBy(stop: () => unknown): void {
    this.#out = false;
    this.#stopWaiting = stop;
  }

  stopWaiting(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
  }
}
