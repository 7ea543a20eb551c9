import type { CircuitBreakerPolicy } from 'cockatiel';
import { CircuitOpenError, type Clock, ConfigurationError } from '../core/index.js';
import { is, lazy, type OptionCheck, type OptionChecks } from '../core/internal.js';
import { isTransientFailure } from './failure.js';
import { RollingWindow } from './rolling-window.js';

/** When a failing target is left alone. */
export interface BreakerOptions {
  /** Share of failed calls at which the circuit opens, above 0 and below 1. @default 0.5 */
  readonly threshold?: number;
  /** Calls that must have been seen in the window first. @default 20 */
  readonly minimumCalls?: number;
  /** The time that is looked back on, in milliseconds. @default 30000 */
  readonly windowMs?: number;
  /** How long the circuit stays open before one trial call is let through, in milliseconds. @default 10000 */
  readonly openMs?: number;
  /** Which errors count as failures of the target. @default errors with `retryable: true` that are not local refusals, and broken connections */
  readonly isFailure?: (error: unknown) => boolean;
}

const share: OptionCheck = (value, field) => {
  if (typeof value !== 'number' || !(value > 0 && value < 1)) {
    throw new ConfigurationError(`${field} must be a number above 0 and below 1, got ${String(value)}`, { field });
  }
};

export const breakerChecks: OptionChecks<BreakerOptions> = {
  threshold: share,
  minimumCalls: is.count,
  windowMs: is.milliseconds,
  openMs: is.milliseconds,
  isFailure: is.function,
};

/** `closed`: calls pass. `open`: they are refused. `half-open`: one trial call runs, the others are refused. */
export type CircuitState = 'closed' | 'open' | 'half-open';

/** Thrown inside a breaker for a call that says nothing about the target. */
class Inconclusive {
  readonly reason: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}

type Cockatiel = typeof import('cockatiel');
const loadCockatiel = lazy(() => import('cockatiel'));
const maxKeys = 1_000;

/**
 * One circuit breaker per key (an origin, a shard), made on first use, on cockatiel's state machine.
 * Targets that are well are forgotten first when there are more than 1,000.
 */
export class CircuitBreakers {
  readonly #options: Required<BreakerOptions>;
  readonly #clock: Clock;
  readonly #byKey: Map<string, CircuitBreakerPolicy> = new Map();
  #cockatiel: Cockatiel | undefined;

  constructor(options: BreakerOptions, clock: Clock) {
    this.#options = {
      threshold: options.threshold ?? 0.5,
      minimumCalls: options.minimumCalls ?? 20,
      windowMs: options.windowMs ?? 30_000,
      openMs: options.openMs ?? 10_000,
      isFailure: options.isFailure ?? isTransientFailure,
    };
    this.#clock = clock;
  }

  /**
   * Runs `work`, which must settle in time, unless the circuit of `key` is open.
   *
   * @param inconclusive tells whether an error says nothing about the target
   * @throws CircuitOpenError
   */
  async run<T>(key: string, work: () => Promise<T>, inconclusive: () => boolean): Promise<T> {
    this.#cockatiel ??= await loadCockatiel();
    const breaker = this.#byKey.get(key) ?? this.#create(key, this.#cockatiel);
    // cockatiel would let callers wait for the trial call, which nobody could cancel.
    if (breaker.state === this.#cockatiel.CircuitState.HalfOpen) throw new CircuitOpenError(key);
    try {
      return await breaker.execute(async () => {
        try {
          return await work();
        } catch (error) {
          throw inconclusive() ? new Inconclusive(error) : error;
        }
      });
    } catch (error) {
      if (error instanceof Inconclusive) throw error.reason;
      if (this.#cockatiel.isBrokenCircuitError(error)) throw new CircuitOpenError(key);
      throw error;
    }
  }

  state(key: string): CircuitState {
    const state = this.#byKey.get(key)?.state;
    if (state === undefined || state === this.#cockatiel?.CircuitState.Closed) return 'closed';
    return state === this.#cockatiel?.CircuitState.HalfOpen ? 'half-open' : 'open';
  }

  /** The state of every key seen. */
  states(): Record<string, CircuitState> {
    return Object.fromEntries([...this.#byKey.keys()].map((key) => [key, this.state(key)]));
  }

  #create(key: string, cockatiel: Cockatiel): CircuitBreakerPolicy {
    const { threshold, minimumCalls, windowMs, openMs, isFailure } = this.#options;
    const { circuitBreaker, handleWhen, CircuitState } = cockatiel;
    const window = new RollingWindow(windowMs, this.#clock);
    // A trial call that says nothing leaves the circuit open: cockatiel would take it for a success.
    const isTrial = (): boolean => breaker.state === CircuitState.HalfOpen;
    const breaker = circuitBreaker(
      handleWhen((error) => ((error as unknown) instanceof Inconclusive ? isTrial() : isFailure(error))),
      {
        halfOpenAfter: openMs,
        breaker: {
          state: undefined,
          success: (state) => {
            if (state !== breaker.state) return;
            if (state === CircuitState.HalfOpen) window.reset();
            window.record(false);
          },
          failure: (state) => {
            // Begun before the circuit opened: it is the trial that decides.
            if (state !== breaker.state) return false;
            window.record(true);
            const { failures, total } = window.counts();
            return state !== CircuitState.Closed || (total >= minimumCalls && failures >= threshold * total);
          },
        },
      },
    );
    this.#makeRoom();
    this.#byKey.set(key, breaker);
    return breaker;
  }

  #makeRoom(): void {
    if (this.#byKey.size < maxKeys) return;
    const keys = [...this.#byKey.keys()];
    const victim = keys.find((key) => this.state(key) === 'closed') ?? keys[0];
    if (victim !== undefined) this.#byKey.delete(victim);
  }
}
