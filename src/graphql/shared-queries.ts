import type { CallScope } from '../core/index.js';

interface Flight<T> {
  /** The life of the caller who leads. */
  readonly scope: CallScope;
  readonly result: Promise<T>;
}

/**
 * Lets callers who ask the same at the same time share one request, at no cost for those who do not: the
 * first one's request is the one they wait for. Each keeps its own signal and time; when the first leaves,
 * one of the others asks anew.
 */
export class SharedQueries<T> {
  readonly #flights: Map<string, Flight<T>> = new Map();
  #shared = 0;

  /** How many callers got the answer of another one. */
  get shared(): number {
    return this.#shared;
  }

  /** @param ask must end with `scope` */
  run(key: string, scope: CallScope, ask: () => Promise<T>): Promise<T> {
    const flight = this.#flights.get(key);
    return flight ? this.#join(key, flight, scope, ask) : this.#lead(key, scope, ask);
  }

  #lead(key: string, scope: CallScope, ask: () => Promise<T>): Promise<T> {
    const flight = { scope, result: ask() };
    this.#flights.set(key, flight);
    const forget = (): void => this.#forget(key, flight);
    flight.result.then(forget, forget);
    return flight.result;
  }

  async #join(key: string, flight: Flight<T>, scope: CallScope, ask: () => Promise<T>): Promise<T> {
    try {
      const value = await scope.run(() => flight.result);
      this.#shared += 1;
      return value;
    } catch (error) {
      if (scope.cancelled || !flight.scope.cancelled) throw error;
      this.#forget(key, flight);
      return this.run(key, scope, ask);
    }
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
