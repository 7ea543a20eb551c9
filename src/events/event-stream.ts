import {
  type CallOptions,
  type Closeable,
  type CloseOptions,
  Lifecycle,
  openScope,
  type StandardSchemaV1,
  Telemetry,
  UnsupportedError,
  ValidationError,
  validate,
} from '../core/index.js';
import { assertChannelName, assertChannelPattern, isPattern } from './channel-name.js';
import { type ConsumeOptions, type ConsumeSettings, consumeSettings, type EventHandler } from './consume-options.js';
import { Consumer } from './consumer.js';
import { DeadLetters } from './dead-letters.js';
import { deliveryHandler } from './delivery-handler.js';
import { EventPublisher } from './event-publisher.js';
import {
  type ChannelSchemas,
  type EventStreamOptions,
  type EventStreamSettings,
  eventStreamSettings,
  type SchemaOf,
} from './event-stream-options.js';
import type { Delivery, EventTransport, LogRange, OutgoingEvent, Receipt } from './event-transport.js';
import { type LoggedEvent, toLoggedEvent } from './logged-event.js';
import { assertDrafts, assertPublishOptions, type EventDraft } from './outgoing.js';
import { type ReplayOptions, replayRange } from './replay-options.js';

/** Settings of one {@link EventStream.publish}. */
export interface PublishOptions extends CallOptions {
  /** Published again with the same id within the dedupe window, it is stored once. @default a new UUID */
  readonly id?: string;
  /** Events with the same key are handled in order by consumers that ask for it. */
  readonly key?: string;
}

/**
 * A log of events per channel, read by consumer groups, at least once: an event whose handler fails
 * or never finishes is delivered again, with growing pauses, and set aside as a dead letter when it
 * keeps failing. Events travel as CloudEvents 1.0 with the publisher's trace and correlation id.
 * For broadcast without a log see {@link EventBusIntegration}.
 *
 * @example
 * await using events = new EventStream({ url: 'memory:', schemas: { 'order.paid': Order } });
 * await using billing = await events.consume('order.paid', { group: 'billing' }, async ({ data, signal }) => charge(data, signal));
 * await events.publish('order.paid', { id: '42' }, { id: 'order-42-paid', key: '42' });
 */
export class EventStream<Schemas extends ChannelSchemas = Record<never, never>> implements Closeable {
  readonly #settings: EventStreamSettings;
  readonly #telemetry: Telemetry;
  readonly #lifecycle: Lifecycle = new Lifecycle('EventStream');
  readonly #consumers: Set<Consumer> = new Set();
  readonly #publisher: EventPublisher;

  /** @throws ConfigurationError */
  constructor(options: EventStreamOptions<Schemas>) {
    this.#settings = eventStreamSettings(options);
    this.#telemetry = new Telemetry('events', options.telemetry);
    this.#publisher = new EventPublisher({
      settings: this.#settings,
      lifecycle: this.#lifecycle,
      telemetry: this.#telemetry,
    });
  }

  /** The transport beneath, for its `capabilities` and its own methods. */
  get transport(): EventTransport {
    return this.#settings.transport;
  }

  /**
   * Appends one event. Resolves once the transport has it safe.
   *
   * @throws ValidationError for data that does not match the channel's schema, that JSON cannot carry, or that exceeds `maxPayloadBytes`
   * @throws QueueFullError when the log has no room, ClosedError after `close`
   */
  publish<Channel extends string>(
    channel: Channel,
    data: StandardSchemaV1.InferInput<SchemaOf<Schemas, Channel>>,
    options: PublishOptions = {},
  ): Promise<Receipt> {
    try {
      assertPublishOptions(options);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#publisher.publish({ channel, data, id: options.id, key: options.key }, options);
  }

  /**
   * Appends events in the given order. All are checked before the first is stored; when the transport
   * fails midway some may be stored: publish again with the same ids.
   *
   * @returns the receipts in the same order
   * @throws as {@link EventStream.publish}
   */
  async publishMany(events: readonly EventDraft[], options: CallOptions = {}): Promise<readonly Receipt[]> {
    assertDrafts(events);
    return this.#publisher.publishMany(events, options);
  }

  /**
   * Checks events and puts them into envelopes with the trace and correlation id that are active here,
   * and stores nothing: for {@link EventStream.publishPrepared} later, by whoever kept them ({@link Outbox}).
   *
   * @throws ValidationError as {@link EventStream.publish}
   */
  async prepare(events: readonly EventDraft[], options: CallOptions = {}): Promise<readonly OutgoingEvent[]> {
    assertDrafts(events);
    return this.#publisher.prepare(events, options);
  }

  /**
   * Appends events that {@link EventStream.prepare} made, as they are, in the given order. When the transport
   * fails midway some may be stored: publish again the same.
   *
   * @returns the receipts in the same order
   */
  async publishPrepared(events: readonly OutgoingEvent[], options: CallOptions = {}): Promise<readonly Receipt[]> {
    return this.#publisher.publishPrepared(events, options);
  }

  /**
   * Joins a group and calls `handler` with each event, until the consumer or the stream is closed.
   * The handler may run again for an event it has seen: make its effects depend on the event's id.
   *
   * @param channel a channel, or a pattern: `order.*` is one more segment, `order.**` one or more
   * @throws ConfigurationError, UnsupportedError when the transport cannot do it, NotFoundError when `from` names an id that the log does not hold
   */
  async consume<Channel extends string, S extends StandardSchemaV1 = SchemaOf<Schemas, Channel>>(
    channel: Channel,
    options: ConsumeOptions<S>,
    handler: EventHandler<StandardSchemaV1.InferOutput<S>>,
  ): Promise<Consumer> {
    this.#lifecycle.assertOpen();
    assertChannelPattern(channel);
    const settings = consumeSettings(options, channel, this.#settings.redelivery);
    if (typeof handler !== 'function') {
      throw new ValidationError(`consume of '${channel}'`, [{ path: ['handler'], message: 'must be a function' }]);
    }
    this.#assertCapable(channel, settings);
    const { group, from, ordered, schema } = settings;
    const subscription = await this.transport.subscribe({ channel, group, from, ordered });
    const consumer = new Consumer({
      channel,
      settings,
      subscription,
      handle: deliveryHandler({
        group,
        schemaFor: (name) => schema ?? this.#settings.schemas.get(name),
        handler: handler as EventHandler<never>,
        telemetry: this.#telemetry,
      }),
      onDeadLetter: (delivery, reason) => this.#tellDeadLetter(delivery, group, reason),
      onClose: () => this.#consumers.delete(consumer),
      logger: this.#telemetry.logger,
    });
    this.#consumers.add(consumer);
    if (this.#lifecycle.closed) await consumer.close();
    this.#lifecycle.assertOpen();
    return consumer;
  }

  /**
   * Reads a channel's log again, oldest first, without touching any group.
   *
   * @throws NotFoundError when an end names an id that the log does not hold
   * @example for await (const { id, data } of events.replay('order.paid', { from: { time: yesterday } })) rebuild(id, data);
   */
  replay<Channel extends string, S extends StandardSchemaV1 = SchemaOf<Schemas, Channel>>(
    channel: Channel,
    options: ReplayOptions<S> = {},
  ): AsyncGenerator<LoggedEvent<StandardSchemaV1.InferOutput<S>>, void> {
    this.#lifecycle.assertOpen();
    assertChannelName(channel);
    const range = replayRange(options);
    if (!this.transport.capabilities.replay) throw this.#unsupported('replay');
    return this.#replay(channel, range, options) as AsyncGenerator<LoggedEvent<never>, void>;
  }

  /** The channel's events that some group gave up. */
  deadLetters(channel: string): DeadLetters {
    this.#lifecycle.assertOpen();
    assertChannelName(channel);
    return new DeadLetters(this.transport, channel, () => this.#lifecycle.assertOpen());
  }

  /**
   * How many events of the channel the group still has to settle: waiting, running, or between attempts.
   *
   * @throws NotFoundError when the channel has no such group
   */
  async lag(channel: string, group: string): Promise<number> {
    this.#lifecycle.assertOpen();
    assertChannelName(channel);
    return this.transport.lag(channel, group);
  }

  /**
   * Forgets a group that nobody consumes any more, with its place and all it had to settle, so that it
   * no longer holds the log. Its dead letters stay. Consumed again, the group begins like a new one.
   *
   * @param channel the channel or the pattern that was consumed
   * @returns false when there was no such group
   * @throws ConfigurationError while the group has consumers there, UnsupportedError when the transport cannot do it
   */
  async deleteGroup(channel: string, group: string): Promise<boolean> {
    this.#lifecycle.assertOpen();
    assertChannelPattern(channel);
    if (!this.transport.deleteGroup) throw this.#unsupported('deleteGroup');
    return this.transport.deleteGroup(channel, group);
  }

  /**
   * Refuses new calls, closes the consumers (see {@link Consumer}), then the transport when the stream
   * made it. Handlers that publish to this stream are better closed first, by their consumer.
   */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, async (timeoutMs) => {
      await Promise.all([...this.#consumers].map((consumer) => consumer.close({ timeoutMs })));
      if (this.#settings.ownsTransport) await this.transport.close();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *#replay(channel: string, range: LogRange, options: ReplayOptions): AsyncGenerator<LoggedEvent, void> {
    using scope = openScope(`replay of '${channel}'`, options);
    const schema = options.schema ?? this.#settings.schemas.get(channel);
    scope.throwIfCancelled();
    for await (const stored of this.transport.read(channel, range)) {
      const event = toLoggedEvent(stored);
      const subject = `Event '${event.id}' on '${channel}'`;
      yield schema ? { ...event, data: await validate(schema, event.data, subject) } : event;
      scope.throwIfCancelled();
    }
  }

  async #tellDeadLetter({ event, attempt }: Delivery, group: string, reason: string): Promise<void> {
    const { channel } = event;
    try {
      await this.#settings.onDeadLetter?.({
        channel,
        group,
        reason,
        attempts: attempt,
        time: new Date(),
        event: toLoggedEvent(event),
      });
    } catch (error) {
      this.#telemetry.logger.error({ channel, group, error }, 'onDeadLetter failed');
    }
  }

  #assertCapable(channel: string, { from, ordered }: ConsumeSettings): void {
    const { capabilities } = this.transport;
    if (!capabilities.groups) throw this.#unsupported('consumer groups');
    if (isPattern(channel) && !capabilities.pattern) throw this.#unsupported(`the pattern '${channel}'`);
    if (ordered && !capabilities.ordered) throw this.#unsupported('ordered consumption');
    if (from !== 'new' && !capabilities.replay) throw this.#unsupported("'from' other than 'new'");
  }

  #unsupported(what: string): UnsupportedError {
    return new UnsupportedError(`The ${this.transport.name} cannot do ${what}; inProcess() and redisStreams() can`);
  }
}
