import { detach, quietClock } from '../../core/index.js';

/** How many signs of life in a row must be missed. */
const maxMisses = 3;

/** Asks for a sign of life at an interval, and tells once when three in a row were missed. Keeps no process alive. */
export class Watchdog {
  readonly #everyMs: number;
  readonly #ask: () => Promise<boolean>;
  readonly #onSilence: () => void;
  #misses = 0;
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(everyMs: number, ask: () => Promise<boolean>, onSilence: () => void) {
    this.#everyMs = everyMs;
    this.#ask = ask;
    this.#onSilence = onSilence;
    this.#wait();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #wait(): void {
    if (this.#stopped) return;
    this.#cancel = detach(() =>
      quietClock.schedule(() => {
        this.#probe().catch(() => undefined);
      }, this.#everyMs),
    );
  }

  async #probe(): Promise<void> {
    const alive = await this.#ask().catch(() => false);
    this.#misses = alive ? 0 : this.#misses + 1;
    if (this.#misses < maxMisses) return this.#wait();
    if (this.#stopped) return;
    this.#stopped = true;
    this.#onSilence();
  }
}
