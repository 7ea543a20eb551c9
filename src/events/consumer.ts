import {
  CallScope,
  type Closeable,
  ClosedError,
  type CloseOptions,
  detach,
  Lifecycle,
  type Logger,
} from '../core/index.js';
import type { ConsumeSettings } from './consume-options.js';
import { DeliveryFailures, isA } from './delivery-failures.js';
import type { Delivery, Outcome, TransportSubscription } from './event-transport.js';
import { Handling, type HandlingLimits } from './handling.js';
import { redeliveryDelay } from './redelivery.js';
import { RunningHandlers } from './running-handlers.js';
import { SettlementNotes } from './settlement-notes.js';
import { SlidingArray } from './sliding-array.js';

/** Counts of one {@link Consumer} since it began. */
export interface ConsumerStats {
  /** Handlers that run now. */
  readonly running: number;
  /** Deliveries whose handler succeeded. */
  readonly handled: number;
  /** Deliveries that failed, those that became dead letters included. */
  readonly failed: number;
  readonly deadLettered: number;
}

/** What a {@link Consumer} is made of. */
export interface ConsumerParts {
  readonly channel: string;
  readonly settings: ConsumeSettings;
  readonly subscription: TransportSubscription;
  /** Runs the handler. Fails with a PoisonError when trying again cannot help. */
  readonly handle: (handling: Handling) => unknown;
  /** Must not throw or reject. */
  readonly onDeadLetter: (delivery: Delivery, reason: string) => unknown;
  readonly onClose: (consumer: Consumer) => void;
  readonly logger: Logger;
}

const acknowledged: Outcome = { kind: 'ack' };

/** Pauses between pulls that fail. */
const pullBackoff = { maxDeliveries: Number.POSITIVE_INFINITY, baseDelayMs: 100, maxDelayMs: 5_000 };

/**
 * A running subscription of an {@link EventStream}. `close` takes no more events, gives back those
 * that were not begun, lets running handlers finish until its deadline, then aborts them; what they
 * did not finish is delivered again to another member of the group, or to the next one that joins.
 */
export class Consumer implements Closeable {
  /** The channel or pattern it was made for. */
  readonly channel: string;
  readonly group: string;
  readonly #parts: ConsumerParts;
  readonly #name: string;
  readonly #lifecycle: Lifecycle;
  /** Aborts when no more events are taken. */
  readonly #stopped: AbortController = new AbortController();
  /** Taken and not begun. */
  readonly #queue: SlidingArray<Delivery> = new SlidingArray();
  readonly #live: RunningHandlers;
  readonly #notes: SettlementNotes;
  readonly #failures: DeliveryFailures;
  readonly #limits: Map<string, HandlingLimits> = new Map();
  #starting = false;
  #running = 0;
  #handled = 0;
  #wakePump: (() => void) | undefined;

  /** @internal Made by {@link EventStream.consume}. */
  constructor(parts: ConsumerParts) {
    this.channel = parts.channel;
    this.group = parts.settings.group;
    this.#parts = parts;
    this.#name = `Consumer of '${this.channel}' in group '${this.group}'`;
    this.#lifecycle = new Lifecycle(this.#name);
    const { settings, onDeadLetter, logger } = parts;
    this.#failures = new DeliveryFailures({ group: this.group, redelivery: settings.redelivery, onDeadLetter, logger });
    this.#live = new RunningHandlers((handling, reason) => this.#interrupt(handling, reason));
    this.#notes = new SettlementNotes(
      () => this.#wakePump?.(),
      ({ event: { channel, id } }, error) =>
        logger.error({ channel, group: this.group, id, error }, 'could not settle'),
    );
    void detach(() => this.#pump());
  }

  stats(): ConsumerStats {
    return {
      running: this.#running,
      handled: this.#handled,
      failed: this.#failures.failed,
      deadLettered: this.#failures.deadLettered,
    };
  }

  close(options: CloseOptions = {}): Promise<void> {
    if (!this.#stopped.signal.aborted) {
      this.#stopped.abort();
      this.#wakePump?.();
      for (let delivery = this.#next(); delivery; delivery = this.#next())
        this.#notes.add(delivery, { kind: 'return' });
    }
    return this.#lifecycle.close(options, async (timeoutMs) => {
      await this.#parts.subscription.close({ timeoutMs });
      this.#parts.onClose(this);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #pump(): Promise<void> {
    const { signal } = this.#stopped;
    let failures = 0;
    while (!signal.aborted) {
      const room = this.#room;
      if (room <= 0) {
        await new Promise<void>((resolve) => {
          this.#wakePump = resolve;
        });
        continue;
      }
      try {
        const batch = await this.#parts.subscription.pull(room, signal);
        failures = 0;
        if (batch.length === 0) return;
        this.#accept(batch);
      } catch (error) {
        failures += 1;
        await this.#pause(error, failures);
      }
    }
  }

  /**
   * How many more to take. Outcomes on their way to the transport hold no place, or every batch would wait
   * for the answer to the one before; but no more than as many as there are places.
   */
  get #room(): number {
    const { prefetch } = this.#parts.settings;
    return this.#notes.size > prefetch ? 0 : prefetch - this.#running - this.#queue.length;
  }

  #accept(batch: readonly Delivery[]): void {
    for (const delivery of batch) {
      if (this.#stopped.signal.aborted) this.#notes.add(delivery, { kind: 'return' });
      else this.#queue.push(delivery);
    }
    this.#start();
  }

  #next(): Delivery | undefined {
    const delivery = this.#queue.at(this.#queue.first);
    this.#queue.shift();
    return delivery;
  }

  #start(): void {
    // A handler that returns at once comes back here: the loop below goes on with the next.
    if (this.#starting) return;
    this.#starting = true;
    while (this.#running < this.#parts.settings.concurrency) {
      const delivery = this.#next();
      if (!delivery) break;
      this.#work(delivery);
    }
    this.#starting = false;
    // Many small takes would cost more than one that waits for half of the places.
    if (this.#queue.length === 0 || this.#room >= this.#parts.settings.prefetch / 2) this.#wakePump?.();
  }

  /** A handler that returns at once costs no promise. */
  #work(delivery: Delivery): void {
    this.#running += 1;
    let handling: Handling | undefined;
    try {
      handling = new Handling(delivery, this.#limitsOf(delivery));
      this.#failures.assertDeliverable(delivery);
      const result = this.#parts.handle(handling);
      if (isPromise(result)) this.#follow(handling, result);
      else this.#handledOne(handling);
    } catch (error) {
      handling?.end();
      this.#end(delivery, this.#failure(delivery, error));
    }
  }

  #limitsOf({ event: { channel } }: Delivery): HandlingLimits {
    let limits = this.#limits.get(channel);
    if (!limits) {
      const { timeoutMs } = this.#parts.settings;
      limits = { subject: `Handler of '${channel}' in group '${this.group}'`, timeoutMs };
      this.#limits.set(channel, limits);
    }
    return limits;
  }

  #follow(handling: Handling, result: PromiseLike<unknown>): void {
    this.#live.add(handling);
    // Closing waits for one call that lasts as long as any handler runs.
    if (this.#live.size === 1)
      this.#lifecycle.call(this.#name, {}, (all) => this.#untilIdle(all)).catch(() => undefined);
    Promise.resolve(result).then(
      () => {
        if (!handling.over) this.#handledOne(handling);
      },
      (error: unknown) => {
        if (!handling.over) this.#fail(handling, error);
      },
    );
  }

  #untilIdle(all: CallScope): Promise<void> {
    all.onCancel((reason) => this.#live.cancelAll(reason));
    return this.#live.idle();
  }

  #interrupt(handling: Handling, reason: unknown): void {
    handling.cancel(reason);
    if (!handling.over) this.#fail(handling, reason);
  }

  #handledOne(handling: Handling): void {
    this.#handled += 1;
    handling.end();
    this.#live.delete(handling);
    this.#end(handling.delivery, acknowledged);
  }

  #fail(handling: Handling, error: unknown): void {
    handling.end();
    this.#live.delete(handling);
    this.#end(handling.delivery, this.#failure(handling.delivery, error));
  }

  #end(delivery: Delivery, outcome: Outcome): void {
    this.#running -= 1;
    // The next handler need not wait for the log to note how this one went.
    this.#notes.add(delivery, outcome);
    this.#start();
  }

  #failure(delivery: Delivery, error: unknown): Outcome {
    if (this.#lifecycle.closed && isA(ClosedError, error)) return { kind: 'return' };
    return this.#failures.outcomeOf(delivery, error);
  }

  async #pause(error: unknown, failures: number): Promise<void> {
    const delayMs = redeliveryDelay(pullBackoff, failures) ?? 0;
    this.#parts.logger.warn({ channel: this.channel, group: this.group, delayMs, error }, 'could not take events');
    using scope = new CallScope('pause', { signal: this.#stopped.signal });
    await scope.sleep(delayMs).catch(() => undefined);
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
