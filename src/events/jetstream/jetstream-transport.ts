import type { ConsumerConfig, ConsumerInfo } from '@nats-io/jetstream';
import {
  type CallOptions,
  type CallScope,
  type CloseOptions,
  ConfigurationError,
  detach,
  type Health,
  type HealthCheck,
  Lifecycle,
  NotFoundError,
  UnsupportedError,
} from '../../core/index.js';
import { describeError } from '../../core/internal.js';
import { channelMatcher, isPattern } from '../channel-name.js';
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
import { JetStreamLink, nanoseconds, type OpenLink } from './jetstream-link.js';
import { JetStreamLog } from './jetstream-log.js';
import { groupToken, messageId } from './jetstream-names.js';
import { type JetStreamOptions, type JetStreamSettings, jetStreamSettings } from './jetstream-options.js';
import { JetStreamSubscription } from './jetstream-subscription.js';
import { writeFacts } from './message-headers.js';
import { natsFailure } from './nats-failure.js';

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
  readonly #letters: JetStreamDeadLetters;
  readonly #subscriptions: Set<JetStreamSubscription> = new Set();
  readonly #recent: RecentIds = new RecentIds(maxRecent);
  #watched: OpenLink['nats'] | undefined;

  /** @throws ConfigurationError */
  constructor(options: JetStreamOptions) {
    this.#settings = jetStreamSettings(options);
    this.#link = new JetStreamLink(this.#settings);
    this.#log = new JetStreamLog(this.#link);
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
    const { names } = this.#link;
    const token = groupToken(channel, group);
    const doing = `joining of group '${group}' on '${channel}'`;
    const { nats, manager, newInbox } = await this.#open(doing);
    const known = await this.#link.find(doing, () => manager.consumers.info(names.log, token));
    const { created } = known ?? (await this.#makeGroup({ channel, group, from, token, doing }));
    await this.#link.ask(doing, () =>
      manager.consumers.add(names.again, {
        ...this.#groupConfig(token),
        deliver_policy: 'all' as ConsumerConfig['deliver_policy'],
        filter_subject: names.againSubject(token),
      }),
    );
    this.#lifecycle.assertOpen();
    const { ackWaitMs, requestTimeoutMs } = this.#settings;
    const subscription = new JetStreamSubscription({
      nats,
      names,
      newInbox,
      token,
      ackWaitMs,
      requestTimeoutMs,
      bury: (event, { place, ...facts }) =>
        this.#letters.add(event, { group, token, ...facts }, `${token} ${place} ${facts.attempts}`),
      recent: this.#recent,
      made: created,
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
    const { manager } = await this.#open(doing);
    const { names } = this.#link;
    const token = groupToken(channel, group);
    const infos = await Promise.all(
      [names.log, names.again].map((stream) => this.#link.find(doing, () => manager.consumers.info(stream, token))),
    );
    if (!infos[0]) throw new NotFoundError(`Channel '${channel}' has no group '${group}'`);
    return infos.reduce((sum, info) => sum + (info ? info.num_pending + info.num_ack_pending : 0), 0);
  }

  async deleteGroup(channel: string, group: string): Promise<boolean> {
    const doing = `deletion of group '${group}' on '${channel}'`;
    const { manager } = await this.#open(doing);
    const tokens = await this.#link.ask(doing, () => this.#groupsOn(channel, group));
    if ([...this.#subscriptions].some(({ token }) => tokens.has(token)) || [...tokens.values()].includes(true)) {
      throw new ConfigurationError(`Group '${group}' has consumers on '${channel}'; close them, then delete it`, {
        field: 'group',
      });
    }
    const { names } = this.#link;
    for (const token of tokens.keys()) {
      await this.#link.find(doing, () => manager.streams.purge(names.again, { filter: names.againSubject(token) }));
      await this.#link.find(doing, () => manager.consumers.delete(names.again, token));
      await this.#link.find(doing, () => manager.consumers.delete(names.log, token));
    }
    return tokens.size > 0;
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

  async #makeGroup(
    request: Pick<SubscriptionRequest, 'channel' | 'group' | 'from'> & {
      readonly token: string;
      readonly doing: string;
    },
  ): Promise<ConsumerInfo> {
    const { channel, group, from, token, doing } = request;
    const { names } = this.#link;
    const config = {
      ...this.#groupConfig(token),
      ...(await this.#log.start(channel, from)),
      description: JSON.stringify({ channel, group }),
      filter_subject: names.subject(channel),
    };
    const { manager } = await this.#link.open();
    try {
      return await manager.consumers.add(names.log, config);
    } catch (error) {
      // Another member may have made it in between, beginning elsewhere.
      const made = await this.#link.find(doing, () => manager.consumers.info(names.log, token));
      if (made) return made;
      throw natsFailure(error, doing, this.#link.target);
    }
  }

  #groupConfig(token: string): Partial<ConsumerConfig> {
    return {
      durable_name: token,
      ack_policy: 'explicit' as ConsumerConfig['ack_policy'],
      ack_wait: nanoseconds(this.#settings.ackWaitMs),
      // How often it was tried is counted by the stream above, which knows when it is enough.
      max_deliver: -1,
      max_ack_pending: -1,
    };
  }

  /** The group's consumers on the channel, or on all channels of a pattern; true for those that somebody waits on. */
  async #groupsOn(channel: string, group: string): Promise<Map<string, boolean>> {
    const { names } = this.#link;
    const { manager } = await this.#link.open();
    const exact = groupToken(channel, group);
    const matches = channelMatcher(channel);
    const found = new Map<string, boolean>();
    for await (const { name, config, num_waiting } of manager.consumers.list(names.log)) {
      const owner = describedGroup(config.description);
      const other = owner?.group === group && !isPattern(owner.channel) && matches(owner.channel);
      if (name === exact || other) found.set(name, num_waiting > 0);
    }
    return found;
  }
}

function describedGroup(
  description: string | undefined,
): { readonly channel: string; readonly group: string } | undefined {
  try {
    return JSON.parse(description ?? '') as { channel: string; group: string };
  } catch {
    return undefined;
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
