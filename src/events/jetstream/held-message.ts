import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { CallScope, quietClock } from '../../core/index.js';
import { fullJitter } from '../../resilience/backoff.js';
import type { Delivery, Outcome, StoredEvent } from '../event-transport.js';
import { nanoseconds } from './jetstream-link.js';

/** What a {@link HeldMessage} needs from the subscription that holds it. */
export interface MessageHolder {
  readonly nats: NatsConnection;
  readonly requestTimeoutMs: number;
  /** Aborts when the member has left. */
  readonly left: AbortSignal;
  /** What is owed, by {@link HeldMessage.place}: a second delivery of what is in hand is not handed out. */
  readonly held: Map<string, HeldMessage>;
  /** Keeps the event as a dead letter of the group. */
  bury(
    event: StoredEvent,
    facts: { readonly place: string; readonly attempts: number; readonly reason: string },
  ): Promise<void>;
  /** Remembers what is done, for a server that forgets that it was told. */
  done(place: string): void;
}

/** A message that the server counts as ours until it hears of it (acknowledgements: NATS ADR-15). */
export class HeldMessage implements Delivery {
  readonly event: StoredEvent;
  readonly attempt: number;
  /** Its stream and its sequence there. */
  readonly place: string;
  readonly #message: Msg;
  readonly #holder: MessageHolder;
  #settled = false;

  constructor(
    message: Msg,
    facts: { readonly event: StoredEvent; readonly attempt: number; readonly place: string },
    holder: MessageHolder,
  ) {
    this.place = facts.place;
    this.event = facts.event;
    this.attempt = facts.attempt;
    this.#message = message;
    this.#holder = holder;
    holder.held.set(this.place, this);
  }

  async settle(outcome: Outcome): Promise<void> {
    if (this.#settled) return;
    this.#settled = true;
    const ends = outcome.kind === 'ack' || outcome.kind === 'dead';
    // What is given back may come again before the server has answered.
    if (!ends) this.#holder.held.delete(this.place);
    try {
      if (outcome.kind === 'dead') {
        const facts = { place: this.place, attempts: this.attempt, reason: outcome.reason };
        await this.#holder.bury(this.event, facts);
      }
      if (ends) this.#holder.done(this.place);
      await this.#tell(answer(outcome), ends);
    } finally {
      if (ends) this.#holder.held.delete(this.place);
    }
  }

  /** Says that it is still being worked on, so that nobody else gets it. */
  keep(): void {
    this.#send('+WPI');
  }

  /** Gives it back without waiting for the server. */
  giveBack(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#holder.held.delete(this.place);
    this.#send(given(0));
  }

  /**
   * Resolves when the server has taken note, however long it is away: an answer that is lost would be a
   * second delivery. A member that left has given everything back. Giving back is tried once: told twice,
   * it would take the event from whoever has it by then, and the server notices by itself after `ackWaitMs`.
   */
  async #tell(text: string, again: boolean): Promise<void> {
    const { nats, requestTimeoutMs: timeout, left } = this.#holder;
    for (let attempt = 1; !left.aborted && !nats.isClosed(); attempt++) {
      try {
        await nats.request(this.#message.reply ?? '', text, { timeout });
        return;
      } catch {
        if (!again) return;
        using pause = new CallScope('pause', { signal: left, clock: quietClock });
        await pause.sleep(fullJitter(attempt, timeout, {})).catch(() => undefined);
      }
    }
  }

  #send(text: string): void {
    const { nats } = this.#holder;
    if (!nats.isClosed() && !nats.isDraining()) nats.publish(this.#message.reply ?? '', text);
  }
}

function answer(outcome: Outcome): string {
  if (outcome.kind === 'ack' || outcome.kind === 'dead') return '+ACK';
  return given(outcome.kind === 'retry' ? outcome.delayMs : 0);
}

/** Without a delay nats-server 2.9 counts a message that nobody waits for twice: as pending and as unacknowledged. */
function given(delayMs: number): string {
  return `-NAK ${JSON.stringify({ delay: nanoseconds(Math.max(1, delayMs)) })}`;
}
