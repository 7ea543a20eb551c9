import { setImmediate } from 'node:timers/promises';
import { type Awaitable, type CallScope, SaflaError } from '../../core/index.js';
import { LatencyHistogram } from './latency-histogram.js';
import { type LoadResult, summaryOf } from './load-result.js';

/** What a call of a load test may look at. */
export interface LoadCall {
  /** 0 for the first. */
  readonly index: number;
  /** Ends when the test is given up. */
  readonly signal: AbortSignal;
}

/** Different errors that are counted by themselves; the rest are `other`. */
const maxErrorNames = 50;

/** One run of a load test: makes calls, and keeps what became of them. */
export class LoadRun {
  readonly #call: (call: LoadCall) => Awaitable<unknown>;
  readonly #scope: CallScope;
  readonly #latency: LatencyHistogram = new LatencyHistogram();
  readonly #lateness: LatencyHistogram = new LatencyHistogram();
  readonly #errors: Map<string, number> = new Map();
  /** When each call that runs was due. */
  readonly #running: Map<number, number> = new Map();
  readonly #start: number = performance.now();
  #due = 0;
  #succeeded = 0;
  #failed = 0;
  #lastAnswer: number = this.#start;
  #onAnswer: (() => void) | undefined;
  #over = false;

  constructor(call: (call: LoadCall) => Awaitable<unknown>, scope: CallScope) {
    this.#call = call;
    this.#scope = scope;
  }

  /** Calls at a rate: what is due starts, whatever became of those before it, up to `maxInFlight`. */
  async open(rate: number, durationMs: number, maxInFlight: number): Promise<void> {
    const total = Math.floor((rate * durationMs) / 1_000);
    const dueAt = (index: number): number => this.#start + (index * 1_000) / rate;
    let next = 0;
    const begin = (): void => {
      const now = performance.now();
      while (next < total && dueAt(next) <= now && this.#running.size < maxInFlight && !this.#ended) {
        const index = next++;
        void this.#measure(index, dueAt(index));
      }
    };
    // An answer makes room for what is overdue, without waiting for the timer.
    this.#onAnswer = begin;
    const end = this.#start + durationMs;
    while (performance.now() < end) {
      begin();
      const wait = next < total ? dueAt(next) - performance.now() : end - performance.now();
      // Overdue for want of room: the answers start it.
      await this.#scope.sleep(wait > 0 ? wait : Math.max(1, Math.min(10, end - performance.now())));
    }
    begin();
    this.#due = total;
    this.#dueAt = dueAt;
    this.#hasMore = () => next < total;
  }

  /** Callers that each wait for an answer before the next call. */
  async closed(concurrency: number, durationMs: number): Promise<void> {
    const end = this.#start + durationMs;
    let next = 0;
    let letInAt = this.#start;
    const caller = async (): Promise<void> => {
      while (!this.#ended && performance.now() < end) {
        this.#due++;
        await this.#measure(next++, performance.now());
        // Calls that answer without waiting would leave no room for anything else, an abort included.
        if (performance.now() - letInAt < 5) continue;
        await setImmediate();
        letInAt = performance.now();
      }
    };
    for (let n = 0; n < concurrency; n++) void caller();
    await this.#scope.sleep(durationMs);
  }

  /** Waits for what still runs or is overdue. */
  async drain(drainMs: number): Promise<void> {
    const end = performance.now() + drainMs;
    while ((this.#running.size > 0 || this.#hasMore()) && performance.now() < end)
      await this.#scope.sleep(Math.min(5, Math.max(1, end - performance.now())));
  }

  /** Ends the counting: what is not done is unfinished. */
  finish(model: LoadResult['model']): LoadResult {
    this.#over = true;
    this.#onAnswer = undefined;
    const now = performance.now();
    const done = this.#succeeded + this.#failed;
    const unfinished = this.#due - done;
    for (const due of this.#running.values()) this.#latency.record(now - due);
    for (let index = done + this.#running.size; index < this.#due; index++) {
      this.#latency.record(now - this.#dueAt(index));
      this.#lateness.record(now - this.#dueAt(index));
    }
    const elapsedMs = (unfinished > 0 ? now : this.#lastAnswer) - this.#start;
    return {
      model,
      due: this.#due,
      succeeded: this.#succeeded,
      failed: this.#failed,
      unfinished,
      elapsedMs,
      throughputPerSecond: elapsedMs > 0 ? (this.#succeeded * 1_000) / elapsedMs : 0,
      errorRate: this.#due === 0 ? 0 : (this.#due - this.#succeeded) / this.#due,
      latency: summaryOf(this.#latency),
      histogram: this.#latency,
      lateness: summaryOf(this.#lateness),
      errors: Object.fromEntries(this.#errors),
    };
  }

  get #ended(): boolean {
    return this.#over || this.#scope.cancelled;
  }

  #dueAt: (index: number) => number = () => this.#start;
  #hasMore: () => boolean = () => false;

  async #measure(index: number, due: number): Promise<void> {
    this.#running.set(index, due);
    this.#lateness.record(performance.now() - due);
    let failure: { readonly error: unknown } | undefined;
    try {
      await this.#call({ index, signal: this.#scope.signal });
    } catch (error) {
      failure = { error };
    }
    if (this.#over) return;
    this.#running.delete(index);
    this.#lastAnswer = performance.now();
    this.#latency.record(this.#lastAnswer - due);
    if (failure) this.#count(failure.error);
    else this.#succeeded++;
    this.#onAnswer?.();
  }

  #count(error: unknown): void {
    this.#failed++;
    const name = nameOf(error);
    const known = this.#errors.has(name) || this.#errors.size < maxErrorNames ? name : 'other';
    this.#errors.set(known, (this.#errors.get(known) ?? 0) + 1);
  }
}

/** Messages differ from call to call; names and codes do not. */
function nameOf(error: unknown): string {
  if (SaflaError.is(error)) return `${error.name} (${error.code})`;
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? `${error.name} (${code})` : error.name;
}
