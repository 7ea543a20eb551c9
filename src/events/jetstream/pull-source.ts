import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { nanoseconds } from './jetstream-link.js';

/** How long one request waits at the server, and how much later it is taken for lost, in milliseconds. */
const expiresMs = 5_000;
const graceMs = 1_000;

/** What a {@link PullSource} tells. */
export interface PullListener {
  onMessage(message: Msg, source: PullSource): void;
  /** The request is over: asked again, the source goes on. */
  onIdle(): void;
}

/**
 * Takes messages of one consumer by pull requests (NATS ADR-13), at most one at a time. A request for
 * `n` brings what is there at once and the rest as it comes, until `n` came or it expired.
 */
export class PullSource {
  readonly #nats: NatsConnection;
  readonly #subject: string;
  readonly #inbox: string;
  readonly #listener: PullListener;
  readonly #subscription: Subscription;
  #wanted = 0;
  #lost: NodeJS.Timeout | undefined;

  constructor(
    nats: NatsConnection,
    consumer: { readonly stream: string; readonly name: string; readonly inbox: string },
    listener: PullListener,
  ) {
    this.#nats = nats;
    this.#subject = `$JS.API.CONSUMER.MSG.NEXT.${consumer.stream}.${consumer.name}`;
    this.#inbox = consumer.inbox;
    this.#listener = listener;
    this.#subscription = nats.subscribe(this.#inbox, { callback: (error, message) => this.#take(error, message) });
  }

  /** Asks for up to `count` messages, unless a request is under way. */
  ask(count: number): void {
    if (this.#wanted > 0) return;
    this.#wanted = count;
    const request = { batch: count, expires: nanoseconds(expiresMs) };
    this.#lost = setTimeout(() => this.#idle(), expiresMs + graceMs);
    this.#lost.unref();
    this.#nats.publish(this.#subject, JSON.stringify(request), { reply: this.#inbox });
  }

  /** The request that is under way will get no answer: the server has forgotten it. */
  forget(): void {
    if (this.#wanted > 0) this.#idle();
  }

  /** Ends the request at the server. What it had already sent still comes to the listener; then it resolves. */
  async close(): Promise<void> {
    clearTimeout(this.#lost);
    await this.#subscription.drain();
  }

  #take(error: Error | null, message: Msg): void {
    const status = message.headers?.code ?? 0;
    // 100 is a sign of life; every other status ends the request: expired, or the consumer is gone.
    if (error || (message.data.length === 0 && status > 0)) {
      if (status !== 100) this.#idle();
      return;
    }
    this.#wanted -= 1;
    this.#listener.onMessage(message, this);
    if (this.#wanted <= 0) this.#idle();
  }

  #idle(): void {
    clearTimeout(this.#lost);
    this.#wanted = 0;
    this.#listener.onIdle();
  }
}
