import {
  type CallOptions,
  type CallScope,
  type CloseOptions,
  ConfigurationError,
  detach,
  type Health,
  type HealthCheck,
  Lifecycle,
  UnsupportedError,
} from '../../core/index.js';
import { describeError } from '../../core/internal.js';
import type {
  EventTransport,
  EventTransportCapabilities,
  LogRange,
  OutgoingEvent,
  Receipt,
  StoredDeadLetter,
  StoredEvent,
  SubscriptionRequest,
  TransportSubscription,
} from '../event-transport.js';
import { RecentIds } from '../transports/in-process/recent-ids.js';
import { JetStreamDeadLetters } from './jetstream-dead-letters.js';
import { JetStreamGroups } from './jetstream-groups.js';
import { JetStreamLink, type OpenLink } from './jetstream-link.js';
import { JetStreamLog } from './jetstream-log.js';
import { groupToken, messageId } from './jetstream-names.js';
import { type JetStreamOptions, type JetStreamSettings, jetStreamSettings } from './jetstream-options.js';
import { JetStreamSubscription } from './jetstream-subscription.js';
import { writeFacts } from './message-headers.js';

/** Events remembered as done, for a server that was killed and forgot. */
const maxRecent = 50_000;
/** Publishes that wait for their answer at the same time. */
const inFlight = 512;

/**
 * Events in NATS JetStream (server 2.9 or later): one stream keeps all channels, as subjects; each group is
 * a durable pull consumer. Order per key over several members is not to be had there: `capabilities.ordered`
 * is false. Made by {@link jetstream}.
 */
export class JetStreamTransport implements EventTransport, HealthCheck {
  readonly name: string = 'JetStream transport';
  readonly capabilities: EventTransportCapabilities = {
    durable: true,
    groups: true,
    replay: true,
    pattern: true,
    ordered: false,
    dedupe: true,
  };
  readonly #settings: JetStreamSettings;
  readonly #lifecycle: Lifecycle = new Lifecycle(this.name);
  readonly #link: JetStreamLink;
  readonly #log: JetStreamLog;
  readonly #groups: JetStreamGroups;
  readonly #letters: JetStreamDeadLetters;
  readonly #subscriptions: Set<JetStreamSubscription> = new Set();
  readonly #recent: RecentIds = new RecentIds(maxRecent);
  #watched: OpenLink['nats'] | undefined;

  /** @throws ConfigurationError */
  constructor(options: JetStreamOptions) {
    this.#settings = jetStreamSettings(options);
    this.#link = new JetStreamLink(this.#settings);
    this.#log = new JetStreamLog(this.#link);
    this.#groups = new JetStreamGroups(this.#link, this.#log, this.#settings.ackWaitMs);
    this.#letters = new JetStreamDeadLetters(this.#link);
  }

  async publish(
    events: readonly OutgoingEvent[],
    options: CallOptions & { readonly dedupeWindowMs: number },
  ): Promise<readonly Receipt[]> {
    const { dedupeWindowMs, ...call } = options;
    return this.#lifecycle.call('publish to JetStream', call, async (scope) => {
      const { dedupeWindowMs: longest } = await this.#open('publish to JetStream');
      if (dedupeWindowMs > longest) {
        throw new ConfigurationError(
          `JetStream remembers ids for ${longest} ms, but the stream asks for ${dedupeWindowMs}; raise dedupeWindowMs of jetstream() before the log is made, or its duplicate_window now`,
          { field: 'jetstream.dedupeWindowMs' },
        );
      }
      const receipts: Receipt[] = [];
      for (let first = 0; first < events.length; first += inFlight) {
        scope.throwIfCancelled();
        // Sent in order over one connection, so they are stored in order.
        const sent = events.slice(first, first + inFlight).map((event) => this.#send(event, dedupeWindowMs > 0, scope));
        receipts.push(...(await Promise.all(sent)));
      }
      return receipts;
    });
  }

  async subscribe({ channel, group, from, ordered }: SubscriptionRequest): Promise<TransportSubscription> {
    this.#lifecycle.assertOpen();
    if (ordered) throw new UnsupportedError(`The ${this.name} cannot do ordered consumption; redisStreams() can`);
    const token = groupToken(channel, group);
    const doing = `joining of group '${group}' on '${channel}'`;
    const { nats, newInbox } = await this.#open(doing);
    const made = await this.#groups.join({ channel, group, from }, doing);
    this.#lifecycle.assertOpen();
    const { ackWaitMs, requestTimeoutMs } = this.#settings;
    const subscription = new JetStreamSubscription({
      nats,
      names: this.#link.names,
      newInbox,
      token,
      ackWaitMs,
      requestTimeoutMs,
      bury: (event, { place, ...facts }) =>
        this.#letters.add(event, { group, token, ...facts }, `${token} ${place} ${facts.attempts}`),
      recent: this.#recent,
      made,
      onClose: (closed) => this.#subscriptions.delete(closed),
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async *read(channel: string, range: LogRange): AsyncGenerator<StoredEvent, void> {
    await this.#open(`reading of '${channel}'`);
    yield* this.#log.read(channel, range);
  }

  async *deadLetters(channel: string): AsyncGenerator<StoredDeadLetter, void> {
    await this.#open(`dead letters of '${channel}'`);
    yield* this.#letters.list(channel);
  }

  async requeue(channel: string, letterIds: readonly string[]): Promise<number> {
    await this.#open(`giving back of dead letters on '${channel}'`);
    let count = 0;
    for (const letterId of letterIds) if (await this.#letters.requeue(channel, letterId)) count += 1;
    return count;
  }

  async lag(channel: string, group: string): Promise<number> {
    const doing = `lag of group '${group}' on '${channel}'`;
    await this.#open(doing);
    return await this.#groups.lag(channel, group, doing);
  }

  async deleteGroup(channel: string, group: string): Promise<boolean> {
    const doing = `deletion of group '${group}' on '${channel}'`;
    await this.#open(doing);
    const used = new Set([...this.#subscriptions].map(({ token }) => token));
    return await this.#groups.delete(channel, group, used, doing);
  }

  async health({ timeoutMs = this.#settings.requestTimeoutMs, ...options }: CallOptions = {}): Promise<Health> {
    try {
      const latencyMs = await this.#lifecycle.call('health of JetStream', { ...options, timeoutMs }, async () =>
        (await this.#open('health of JetStream')).nats.rtt(),
      );
      return { status: 'pass', latencyMs };
    } catch (error) {
      return { status: 'fail', output: describeError(error) };
    }
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, async () => {
      await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
      await this.#link.close();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** With dedupe, what got no answer is sent again: the server knows it by its id. */
  async #send({ channel, id, key, body }: OutgoingEvent, dedupe: boolean, scope: CallScope): Promise<Receipt> {
    const { duplicate } = await this.#link.ask(
      `publish to '${channel}'`,
      ({ client, newHeaders }) =>
        client.publish(this.#link.names.subject(channel), body, {
          headers: writeFacts(newHeaders(), { id, key }),
          ...(dedupe ? { msgID: messageId(channel, id) } : {}),
        }),
      { scope, once: !dedupe },
    );
    return { channel, id, duplicate };
  }

  async #open(doing: string): Promise<OpenLink> {
    this.#lifecycle.assertOpen();
    const link = await this.#link.ask(doing, async (open) => open);
    this.#lifecycle.assertOpen();
    if (this.#watched !== link.nats) {
      this.#watched = link.nats;
      void detach(() => this.#watch(link.nats));
    }
    return link;
  }

  /** A server that comes back has forgotten what members asked for. */
  async #watch(nats: OpenLink['nats']): Promise<void> {
    for await (const { type } of nats.status()) {
      if (type === 'reconnect') for (const subscription of this.#subscriptions) subscription.askAgain();
    }
  }
}

/**
 * A transport on NATS JetStream. Give it to an {@link EventStream}; it stays open until you close it.
 *
 * @throws ConfigurationError; MissingDependencyError at first use without `@nats-io/transport-node` and `@nats-io/jetstream`
 * @example
 * await using nats = jetstream({ servers: 'nats://127.0.0.1:4222' });
 * await using events = new EventStream({ transport: nats });
 */
export function jetstream(options: JetStreamOptions): JetStreamTransport {
  return new JetStreamTransport(options);
}
