import { performance } from 'node:perf_hooks';
import type { Msg } from '@nats-io/transport-node';
import type { Delivery, TransportSubscription } from '../event-transport.js';
import type { RecentIds } from '../transports/in-process/recent-ids.js';
import { Waker } from '../waker.js';
import { HeldMessage, type MessageHolder } from './held-message.js';
import type { JetStreamNames } from './jetstream-names.js';
import { readEvent, readLetter } from './message-headers.js';
import { messagePlace } from './message-place.js';
import { PullSource } from './pull-source.js';

/** What a {@link JetStreamSubscription} is made of. */
export interface SubscriptionParts extends Omit<MessageHolder, 'held' | 'left' | 'done'> {
  readonly names: JetStreamNames;
  readonly newInbox: () => string;
  /** The group's consumer of the log and that of dead letters given back. */
  readonly token: string;
  readonly ackWaitMs: number;
  /** What the members of this process have done, of all groups. */
  readonly recent: RecentIds;
  /** When the group's consumer was made: one that was deleted and made again begins anew. */
  readonly made: string;
  readonly onClose: (subscription: JetStreamSubscription) => void;
}

/** How long it is remembered what was done, in milliseconds. */
const rememberedMs = 600_000;

/** One member of a group. Takes from the log, and dead letters given back before anything new. */
export class JetStreamSubscription implements TransportSubscription {
  readonly token: string;
  readonly #parts: SubscriptionParts;
  readonly #holder: MessageHolder;
  readonly #held: Map<string, HeldMessage> = new Map();
  readonly #log: PullSource;
  readonly #again: PullSource;
  readonly #beat: NodeJS.Timeout;
  #waiting: HeldMessage[] = [];
  readonly #waker: Waker = new Waker();
  readonly #left: AbortController = new AbortController();

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
    this.token = parts.token;
    this.#holder = {
      ...parts,
      held: this.#held,
      left: this.#left.signal,
      done: (place) => parts.recent.remember(this.#mark(place), performance.now(), rememberedMs),
    };
    const { nats, names, newInbox, token: name } = parts;
    const listener = {
      onMessage: (message: Msg, source: PullSource) => this.#take(message, source),
      onIdle: () => this.#waker.wake(),
    };
    this.#log = new PullSource(nats, { stream: names.log, name, inbox: newInbox() }, listener);
    this.#again = new PullSource(nats, { stream: names.again, name, inbox: newInbox() }, listener);
    this.#beat = setInterval(() => {
      for (const message of this.#held.values()) message.keep();
    }, parts.ackWaitMs / 3);
    this.#beat.unref();
  }

  async pull(max: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    while (!this.#left.signal.aborted && !signal.aborted) {
      if (this.#waiting.length > 0) return this.#waiting.splice(0, max);
      this.#again.ask(1);
      this.#log.ask(max);
      await this.#waker.wait(signal);
    }
    return [];
  }

  /** After a break of the connection: the server has forgotten what was asked. */
  askAgain(): void {
    this.#log.forget();
    this.#again.forget();
  }

  async close(): Promise<void> {
    if (this.#left.signal.aborted) return;
    this.#left.abort();
    clearInterval(this.#beat);
    this.#waiting = [];
    const { nats } = this.#parts;
    // First of all: what is given back must not come back here.
    const ending = nats.isClosed() || nats.isDraining() ? [] : [this.#log.close(), this.#again.close()];
    for (const message of [...this.#held.values()]) message.giveBack();
    this.#waker.wake();
    this.#parts.onClose(this);
    await Promise.all(ending);
  }

  #take(message: Msg, source: PullSource): void {
    const { names, nats, recent } = this.#parts;
    const { sequence, time, delivered } = messagePlace(message.reply);
    const letter = source === this.#again ? readLetter(message) : undefined;
    const place = `${source === this.#again ? names.again : names.log} ${sequence}`;
    // The server took us for dead while we were at work: what settles the first delivery settles this one.
    if (this.#held.has(place)) return;
    // A server that was killed may have lost that it was told.
    if (recent.has(this.#mark(place), performance.now())) {
      nats.publish(message.reply ?? '', '+ACK');
      return;
    }
    const origin = { sequence, ...(letter ?? { channel: names.channel(message.subject), time }) };
    const facts = { event: readEvent(message, origin), attempt: delivered, place };
    const held = new HeldMessage(message, facts, this.#holder);
    if (this.#left.signal.aborted) held.giveBack();
    else if (letter) this.#waiting.unshift(held);
    else this.#waiting.push(held);
    this.#waker.wake();
  }

  #mark(place: string): string {
    return `${this.token} ${this.#parts.made} ${place}`;
  }
}
