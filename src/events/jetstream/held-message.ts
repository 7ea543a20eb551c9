import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { Delivery, Outcome, StoredEvent } from '../event-transport.js';
import { nanoseconds } from './jetstream-link.js';

/** What a {@link HeldMessage} needs from the subscription that holds it. */
export interface MessageHolder {
  readonly nats: NatsConnection;
  readonly requestTimeoutMs: number;
  /** What is owed, by {@link HeldMessage.place}: a second delivery of what is in hand is not handed out. */
  readonly held: Map<string, HeldMessage>;
  /** Keeps the event as a dead letter of the group. */
  bury(
    event: StoredEvent,
    facts: { readonly place: string; readonly attempts: number; readonly reason: string },
  ): Promise<void>;
  /** Says in our errors what went wrong. */
  failure(error: unknown, doing: string): unknown;
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
      await this.#tell(answer(outcome));
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
    this.#send('-NAK');
  }

  /** Resolves when the server has taken note: an answer that is lost would be a second delivery. */
  async #tell(text: string): Promise<void> {
    const { nats, requestTimeoutMs, failure } = this.#holder;
    try {
      await nats.request(this.#message.reply ?? '', text, { timeout: requestTimeoutMs });
    } catch (error) {
      throw failure(error, `acknowledgement of '${this.event.id}' on '${this.event.channel}'`);
    }
  }

  #send(text: string): void {
    const { nats } = this.#holder;
    if (!nats.isClosed() && !nats.isDraining()) nats.publish(this.#message.reply ?? '', text);
  }
}

function answer(outcome: Outcome): string {
  if (outcome.kind === 'ack' || outcome.kind === 'dead') return '+ACK';
  const delayMs = outcome.kind === 'retry' ? outcome.delayMs : 0;
  return delayMs > 0 ? `-NAK ${JSON.stringify({ delay: nanoseconds(delayMs) })}` : '-NAK';
}
