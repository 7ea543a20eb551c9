import { performance } from 'node:perf_hooks';
import type { StoredContext } from '../core/context-store.js';
import { CallScope, type Clock, systemClock } from '../core/index.js';
import type { Delivery } from './event-transport.js';

/** What all handlers of one consumer have in common. */
export interface HandlingLimits {
  /** What runs, as it reads in errors. */
  readonly subject: string;
  readonly timeoutMs: number;
}

/** Whoever runs the handlers watches their time with one timer for all. */
const watchedClock: Clock = { now: systemClock.now, schedule: () => () => undefined };

/**
 * One run of a handler, and the context that it runs in. Most handlers await nothing that asks for a scope
 * or a correlation id, so both are made when somebody does.
 */
export class Handling implements StoredContext {
  readonly delivery: Delivery;
  /** Set by who makes the message, which knows it. */
  message: { readonly correlationId: string } | undefined;
  readonly limits: HandlingLimits;
  /** By a clock that never jumps. */
  readonly deadline: number;
  #over = false;
  #cancelled: { readonly reason: unknown } | undefined;
  #scope: CallScope | undefined;

  constructor(delivery: Delivery, limits: HandlingLimits) {
    this.delivery = delivery;
    this.limits = limits;
    this.deadline = performance.now() + limits.timeoutMs;
  }

  /** True once it ended, by itself or not. */
  get over(): boolean {
    return this.#over;
  }

  get correlationId(): string {
    return this.message?.correlationId ?? this.delivery.event.id;
  }

  get scope(): CallScope {
    if (this.#scope) return this.#scope;
    const { subject, timeoutMs } = this.limits;
    const remainingMs = timeoutMs === Number.POSITIVE_INFINITY ? timeoutMs : this.deadline - performance.now();
    this.#scope = new CallScope(subject, { timeoutMs: Math.max(1, remainingMs), clock: watchedClock });
    if (this.#cancelled) this.#scope.cancel(this.#cancelled.reason);
    if (this.#over) this.#scope[Symbol.dispose]();
    return this.#scope;
  }

  /** Ends what it awaits. */
  cancel(reason: unknown): void {
    this.#cancelled = { reason };
    this.#scope?.cancel(reason);
  }

  /** It has ended: what it left running is no longer its own. */
  end(): void {
    this.#over = true;
    this.#scope?.[Symbol.dispose]();
  }
}
