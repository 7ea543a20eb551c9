import { type Logger, redactText } from '../core/index.js';
import type { Delivery, Outcome } from './event-transport.js';
import { PoisonError } from './poison-error.js';
import { mostDeliveries, type RedeliveryOptions, redeliveryDelay } from './redelivery.js';

/** What {@link DeliveryFailures} needs of its consumer. */
export interface DeliveryFailureParts {
  readonly group: string;
  readonly redelivery: RedeliveryOptions;
  /** Must not throw or reject. */
  readonly onDeadLetter: (delivery: Delivery, reason: string) => unknown;
  readonly logger: Logger;
}

/** Characters of a dead letter's reason; transports keep it beside the event. */
const maxReasonLength = 1_000;

/** Decides what becomes of deliveries that failed; counts them and tells. */
export class DeliveryFailures {
  readonly #parts: DeliveryFailureParts;
  #failed = 0;
  #deadLettered = 0;

  constructor(parts: DeliveryFailureParts) {
    this.#parts = parts;
  }

  /** Dead letters included. */
  get failed(): number {
    return this.#failed;
  }

  get deadLettered(): number {
    return this.#deadLettered;
  }

  /**
   * An event that ends the process of each handler would come back for ever: nobody reports its failures.
   *
   * @throws PoisonError for one that was taken too often
   */
  assertDeliverable({ attempt }: Delivery): void {
    if (attempt <= mostDeliveries(this.#parts.redelivery)) return;
    const message = `taken ${attempt - 1} times by consumers that ended or lost Redis before they settled it`;
    throw new PoisonError(message, { cause: new Error(message) });
  }

  outcomeOf(delivery: Delivery, error: unknown): Outcome {
    const { group, redelivery, onDeadLetter, logger } = this.#parts;
    const { attempt, event } = delivery;
    const facts = { channel: event.channel, group, id: event.id, attempt };
    const failure = isA(PoisonError, error) ? error.cause : error;
    const delayMs = error === failure ? redeliveryDelay(redelivery, attempt) : undefined;
    this.#failed += 1;
    if (delayMs !== undefined) {
      logger.warn({ ...facts, delayMs, error: failure }, 'handler failed; the event will be delivered again');
      return { kind: 'retry', delayMs };
    }
    const reason = describe(failure);
    this.#deadLettered += 1;
    logger.error({ ...facts, error: failure }, 'event given up; it is a dead letter now');
    onDeadLetter(delivery, reason);
    return { kind: 'dead', reason };
  }
}

/** `instanceof` that holds for no value whose prototype cannot be read, such as a revoked proxy. */
export function isA<T>(type: abstract new (...args: never[]) => T, value: unknown): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/** Anything can be thrown, also what throws when it is looked at. */
function describe(failure: unknown): string {
  try {
    const text = failure instanceof Error ? `${failure.name}: ${failure.message}` : String(failure);
    return redactText(text).slice(0, maxReasonLength);
  } catch {
    return 'something that cannot be described';
  }
}
