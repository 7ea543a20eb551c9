import type { Delivery, Outcome, StoredEvent, TransportSubscription } from '../../event-transport.js';
import { Waker } from '../../waker.js';
import type { GroupCursor, GroupMember } from './group-cursor.js';
import type { OwedEvent } from './owed-event.js';

/** One member of a group, on one channel or on all that match a pattern. */
export class InProcessSubscription implements TransportSubscription, GroupMember {
  readonly #onClose: () => void;
  readonly #held: Set<InProcessDelivery> = new Set();
  /** In turn: the channel that was asked first goes to the end, so that a busy one starves no other. */
  #cursors: GroupCursor[] = [];
  readonly #waker: Waker = new Waker();
  #closed = false;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  join(cursor: GroupCursor): void {
    this.#cursors.push(cursor);
    cursor.join(this);
    this.wake();
  }

  wake(): void {
    this.#waker.wake();
  }

  async pull(max: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    while (!this.#closed && !signal.aborted) {
      const batch = this.#take(max);
      if (batch.length > 0) return batch;
      await this.#waker.wait(signal);
    }
    return [];
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.wake();
    this.#onClose();
    for (const delivery of [...this.#held]) await delivery.settle({ kind: 'return' });
    for (const cursor of this.#cursors) cursor.leave(this);
  }

  #take(max: number): Delivery[] {
    const batch: Delivery[] = [];
    const [first, ...others] = this.#cursors;
    if (first && others.length > 0) this.#cursors = [...others, first];
    for (const cursor of this.#cursors) {
      while (batch.length < max) {
        const owed = cursor.take();
        if (!owed) break;
        batch.push(new InProcessDelivery(owed, cursor, this.#held));
      }
    }
    return batch;
  }
}

class InProcessDelivery implements Delivery {
  readonly event: StoredEvent;
  readonly attempt: number;
  readonly #owed: OwedEvent;
  readonly #cursor: GroupCursor;
  readonly #held: Set<InProcessDelivery>;

  constructor(owed: OwedEvent, cursor: GroupCursor, held: Set<InProcessDelivery>) {
    this.event = owed.entry.event;
    this.attempt = owed.attempt;
    this.#owed = owed;
    this.#cursor = cursor;
    this.#held = held;
    held.add(this);
  }

  async settle(outcome: Outcome): Promise<void> {
    if (this.#held.delete(this)) this.#cursor.settle(this.#owed, outcome);
  }
}
