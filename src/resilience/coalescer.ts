import { type CallOptions, CallScope, detach, openScope } from '../core/index.js';

/** As it reads in errors. Not the key: that may be made of credentials. */
const subject = 'the shared call';

interface Flight<T> {
  readonly scope: CallScope;
  readonly result: Promise<T>;
  callers: number;
}

/**
 * Lets callers who want the same thing at the same time share one piece of work. Each caller keeps its
 * own signal and time limit; the work itself is cancelled when the last of them has left.
 *
 * @example const profiles = new Coalescer<Profile>(); await profiles.run(id, (signal) => load(id, signal), { signal });
 */
export class Coalescer<T> {
  readonly #flights: Map<string, Flight<T>> = new Map();

  /** How many pieces of work run now. */
  get size(): number {
    return this.#flights.size;
  }

  async run(key: string, work: (signal: AbortSignal) => Promise<T>, options: CallOptions = {}): Promise<T> {
    using scope = openScope(subject, options instanceof CallScope ? { parents: [options] } : options);
    scope.throwIfCancelled();
    const flight = this.#flights.get(key) ?? this.#depart(key, work);
    flight.callers += 1;
    try {
      return await scope.run(() => flight.result);
    } finally {
      flight.callers -= 1;
      // What has settled was forgotten: nothing is left to cancel.
      if (flight.callers === 0 && this.#forget(key, flight)) flight.scope.cancel(scope.reason);
    }
  }

  #depart(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    // The work belongs to all callers, so it must not end with the context of the first.
    const scope = new CallScope(subject);
    const result = detach(() => scope.run(() => work(scope.signal)));
    const flight: Flight<T> = { scope, result, callers: 0 };
    this.#flights.set(key, flight);
    const forget = (): boolean => this.#forget(key, flight);
    result.then(forget, forget);
    return flight;
  }

  /** @returns false when it was forgotten before */
  #forget(key: string, flight: Flight<T>): boolean {
    return this.#flights.get(key) === flight && this.#flights.delete(key);
  }
}
