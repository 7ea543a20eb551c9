import { randomUUID } from 'node:crypto';
import {
  type CallOptions,
  CallScope,
  ClosedError,
  type CloseOptions,
  ConnectionError,
  Lifecycle,
  TimeoutError,
} from '../../../core/index.js';
import { RedisConnection, RedisSubscriber, redisFailure } from '../../../drivers/redis/index.js';
import { channelMatcher, isPattern } from '../../channel-name.js';
import type {
  EventTransport,
  EventTransportCapabilities,
  LogRange,
  OutgoingEvent,
  Receipt,
  StartPosition,
  StoredDeadLetter,
  StoredEvent,
  SubscriptionRequest,
  TransportSubscription,
} from '../../event-transport.js';
import { ChannelRegistry } from './channel-registry.js';
import { GroupMember } from './group-member.js';
import { RedisDeadLetters } from './redis-dead-letters.js';
import { RedisGroups } from './redis-groups.js';
import { type RedisStreamsOptions, type RedisStreamsSettings, redisStreamsSettings } from './redis-streams-options.js';
import { RedisSubscription } from './redis-subscription.js';
import { StreamKeys } from './stream-keys.js';
import { StreamLog } from './stream-log.js';
import { StreamPublisher } from './stream-publisher.js';

/**
 * Events on Redis Streams: one server, Sentinel or Cluster. Each partition of a channel is a stream with
 * consumer groups; everything that must happen together happens in one script. Publishing survives
 * lost connections without storing twice; what a consumer held when it died goes to the others.
 */
export class RedisStreamsTransport implements EventTransport {
  readonly name: string = 'Redis Streams transport';
  readonly capabilities: EventTransportCapabilities = {
    durable: true,
    groups: true,
    replay: true,
    pattern: true,
    ordered: true,
    dedupe: true,
    attributes: true,
  };
  readonly #settings: RedisStreamsSettings;
  readonly #lifecycle: Lifecycle = new Lifecycle(this.name);
  readonly #connection: RedisConnection;
  readonly #wakes: RedisSubscriber;
  readonly #registry: ChannelRegistry;
  readonly #groups: RedisGroups;
  readonly #publisher: StreamPublisher;
  readonly #partitions: Map<string, readonly StreamKeys[]> = new Map();
  readonly #subscriptions: Set<RedisSubscription> = new Set();

  /** @throws ConfigurationError */
  constructor(options: RedisStreamsOptions) {
    this.#settings = redisStreamsSettings(options);
    this.#connection = new RedisConnection({ url: options.url, client: options.client }, this.#settings.timeoutMs);
    this.#wakes = new RedisSubscriber(this.#connection, { sharded: true });
    this.#registry = new ChannelRegistry(this.#connection, this.#settings.prefix);
    this.#groups = new RedisGroups(this.#connection, this.#settings.deadAfterMs);
    this.#publisher = new StreamPublisher({
      connection: this.#connection,
      registry: this.#registry,
      settings: this.#settings,
      partitionsOf: (channel) => this.#partitionsOf(channel),
    });
    this.#connection.onDisturbed(() => {
      for (const subscription of this.#subscriptions) subscription.disturb();
    });
  }

  publish(
    events: readonly OutgoingEvent[],
    options: CallOptions & { readonly dedupeWindowMs: number },
  ): Promise<readonly Receipt[]> {
    if (this.#lifecycle.closed) return Promise.reject(new ClosedError(this.name));
    return this.#publisher.publish(events, options);
  }

  publishOne(event: OutgoingEvent, options: CallOptions & { readonly dedupeWindowMs: number }): Promise<Receipt> {
    if (this.#lifecycle.closed) return Promise.reject(new ClosedError(this.name));
    return this.#publisher.publishOne(event, options);
  }

  async subscribe(request: SubscriptionRequest): Promise<TransportSubscription> {
    const { channel, group } = request;
    return this.#call(`subscribe to '${channel}' as group '${group}'`, async () => {
      const { pollMs, timeoutMs, deadAfterMs } = this.#settings;
      const joined = new Set<string>();
      const matches = isPattern(channel) ? channelMatcher(channel) : undefined;
      const join = async (name: string, from: StartPosition): Promise<void> => {
        if (joined.has(name)) return;
        joined.add(name);
        await this.#join(subscription, name, request, from);
      };
      const discover = async (from: StartPosition): Promise<void> => {
        for (const name of await this.#registry.channels()) if (matches?.(name)) await join(name, from);
      };
      const subscription = new RedisSubscription({
        name: `events of '${channel}' in group '${group}'`,
        pollMs,
        timeoutMs,
        beatMs: deadAfterMs / 3,
        // A channel that is made later is joined at its start.
        discover: matches && (() => discover('start')),
        onClose: () => this.#subscriptions.delete(subscription),
      });
      try {
        if (matches) await discover((await this.#registry.rememberPattern(channel, group)) ? 'start' : request.from);
        else await join(channel, request.from);
        this.#lifecycle.assertOpen();
      } catch (error) {
        await subscription.close();
        throw error;
      }
      this.#subscriptions.add(subscription);
      return subscription;
    });
  }

  async *read(channel: string, range: LogRange): AsyncGenerator<StoredEvent, void> {
    yield* this.#iterate(
      `read of '${channel}'`,
      new StreamLog(this.#connection, channel, this.#partitionsOf(channel)).read(range),
    );
  }

  async *deadLetters(channel: string): AsyncGenerator<StoredDeadLetter, void> {
    yield* this.#iterate(`dead letters of '${channel}'`, this.#lettersOf(channel).list());
  }

  async requeue(channel: string, letterIds: readonly string[]): Promise<number> {
    return this.#call(`requeue on '${channel}'`, () => this.#lettersOf(channel).requeue(letterIds));
  }

  async lag(channel: string, group: string): Promise<number> {
    return this.#call(`lag of group '${group}' on '${channel}'`, () =>
      this.#groups.lag(channel, this.#partitionsOf(channel), group),
    );
  }

  async deleteGroup(channel: string, group: string): Promise<boolean> {
    return this.#call(`delete of group '${group}' on '${channel}'`, async () => {
      const matches = channelMatcher(channel);
      const names = isPattern(channel) ? (await this.#registry.channels()).filter(matches) : [channel];
      const partitions = names.flatMap((name) => this.#partitionsOf(name));
      const found = await this.#groups.delete(channel, partitions, group);
      const hadPattern = isPattern(channel) && (await this.#registry.forgetPattern(channel, group));
      return found || hadPattern;
    });
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, async (remainingMs) => {
      using scope = new CallScope('close', { timeoutMs: Math.max(1, remainingMs / 2) });
      const leaving = [...this.#subscriptions].map((subscription) =>
        subscription.close({ timeoutMs: remainingMs / 2 }),
      );
      await scope.run(() => Promise.all([...leaving, this.#publisher.settled()])).catch(() => undefined);
      this.#publisher.close(new ClosedError(this.name));
      this.#wakes.close();
      this.#connection.disconnect();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #join(
    subscription: RedisSubscription,
    channel: string,
    request: SubscriptionRequest,
    from: StartPosition,
  ): Promise<void> {
    const partitions = this.#partitionsOf(channel);
    const starts = await new StreamLog(this.#connection, channel, partitions).startOf(from);
    const { deadAfterMs, maxDeadLetters } = this.#settings;
    for (const [index, keys] of partitions.entries()) {
      const position = await this.#groups.join(keys, request, starts[index] ?? '$');
      const member = new GroupMember({
        connection: this.#connection,
        channel,
        keys,
        group: request.group,
        consumer: randomUUID(),
        ordered: request.ordered,
        position,
        deadAfterMs,
        maxDeadLetters,
        onWake: () => subscription.wake(),
      });
      const stop = await this.#wakes.add(keys.wake, () => {
        member.dirty = true;
        subscription.wake();
      });
      subscription.join(member, stop);
    }
  }

  /** Runs a call that asks Redis: it ends in time, by the caller's context, and with one of our errors. */
  #call<T>(subject: string, work: () => Promise<T>): Promise<T> {
    return this.#lifecycle.call(subject, {}, async () => {
      using scope = new CallScope(subject, { timeoutMs: this.#settings.timeoutMs });
      try {
        return await scope.run(work);
      } catch (error) {
        if (error instanceof TimeoutError) throw this.#unreachable(subject, error);
        throw redisFailure(subject, this.#connection.reasonOf(error));
      }
    });
  }

  async *#iterate<T>(subject: string, items: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
    for (;;) {
      const next = await this.#call(subject, () => items.next());
      if (next.done) return;
      yield next.value;
    }
  }

  #unreachable(subject: string, error: TimeoutError): ConnectionError {
    const cause = this.#connection.lastFailure;
    const reason = cause && redisFailure(subject, cause);
    const why = reason ? ` (${reason.message})` : '';
    return new ConnectionError(`${error.message}${why}`, { cause: reason });
  }

  #partitionsOf(channel: string): readonly StreamKeys[] {
    const known = this.#partitions.get(channel);
    if (known) return known;
    const { prefix, partitions } = this.#settings;
    const keys = Array.from({ length: partitions }, (_, index) => new StreamKeys(prefix, channel, index));
    if (this.#partitions.size >= 10_000) this.#partitions.clear();
    this.#partitions.set(channel, keys);
    return keys;
  }

  #lettersOf(channel: string): RedisDeadLetters {
    return new RedisDeadLetters(this.#connection, this.#partitionsOf(channel));
  }
}

/**
 * A transport on Redis Streams. It stays open until you close it; a `client` of yours stays open after that.
 *
 * @throws ConfigurationError
 * @example
 * const cluster = new Cluster([{ host: '10.0.0.1', port: 6379 }]);
 * const events = new EventStream({ transport: redisStreams({ client: cluster, partitions: 16 }) });
 */
export function redisStreams(options: RedisStreamsOptions): RedisStreamsTransport {
  return new RedisStreamsTransport(options);
}
