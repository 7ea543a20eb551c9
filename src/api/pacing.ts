import type { Clock } from '../core/index.js';
import { OriginPacer, type PacingOptions } from './origin-pacer.js';

const maxOrigins = 1_000;

/** One {@link OriginPacer} for each origin that was asked, those with nothing to remember forgotten first. */
export class Pacing {
  readonly #options: PacingOptions;
  readonly #clock: Clock;
  readonly #byOrigin: Map<string, OriginPacer> = new Map();

  constructor(options: PacingOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  of(origin: string): OriginPacer {
    const known = this.#byOrigin.get(origin);
    if (known) return known;
    this.#makeRoom();
    const pacer = new OriginPacer(origin, this.#options, this.#clock);
    this.#byOrigin.set(origin, pacer);
    return pacer;
  }

  #makeRoom(): void {
    if (this.#byOrigin.size < maxOrigins) return;
    for (const [origin, pacer] of this.#byOrigin) {
      if (!pacer.idle) continue;
      this.#byOrigin.delete(origin);
      return;
    }
  }
}
