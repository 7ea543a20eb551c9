import type { Delivery, Outcome } from './event-transport.js';

interface Note {
  readonly noted: Promise<void>;
  readonly deliveries: Delivery[];
}

/** Outcomes on their way to the transport. Transports give those of one batch one promise: it is awaited once. */
export class SettlementNotes {
  readonly #onNoted: () => void;
  readonly #onFailure: (delivery: Delivery, error: unknown) => void;
  #size = 0;
  #last: Note | undefined;

  /** @param onFailure called for each whose outcome the transport does not have; it will deliver that again */
  constructor(onNoted: () => void, onFailure: (delivery: Delivery, error: unknown) => void) {
    this.#onNoted = onNoted;
    this.#onFailure = onFailure;
  }

  get size(): number {
    return this.#size;
  }

  add(delivery: Delivery, outcome: Outcome): void {
    this.#size += 1;
    let noted: Promise<void>;
    try {
      noted = delivery.settle(outcome);
    } catch (error) {
      noted = Promise.reject(error);
    }
    if (this.#last?.noted === noted) this.#last.deliveries.push(delivery);
    else this.#await({ noted, deliveries: [delivery] });
  }

  #await(note: Note): void {
    this.#last = note;
    const done = (failure?: { readonly error: unknown }): void => {
      if (this.#last === note) this.#last = undefined;
      this.#size -= note.deliveries.length;
      for (const delivery of failure ? note.deliveries : []) this.#onFailure(delivery, failure?.error);
      this.#onNoted();
    };
    note.noted.then(
      () => done(),
      (error: unknown) => done({ error }),
    );
  }
}
