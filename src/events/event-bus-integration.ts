import {
  type CallOptions,
  type Closeable,
  type CloseOptions,
  Lifecycle,
  spanKind,
  Telemetry,
  TypedEmitter,
  ValidationError,
  validateSync,
} from '../core/index.js';
import { encodeJSON } from '../core/internal.js';
import { type EventBusOptions, type EventBusSettings, eventBusSettings } from './event-bus-options.js';
import { assertPayloadFits } from './payload-limit.js';
import { Subscriptions } from './subscriptions.js';

/** What happens on an {@link EventBusIntegration}. */
export interface EventBusEvents {
  /** An event arrived on a subscribed channel. */
  event: [{ readonly channel: string; readonly event: unknown }];
  /** A message arrived that is not JSON or does not match the channel's schema. */
  decodeError: [{ readonly channel: string; readonly error: unknown }];
  /** Listening was interrupted: events that were published in between are missing, on these channels. */
  gap: [{ readonly channels: readonly string[]; readonly from: Date; readonly to: Date }];
  /** A listener of this bus threw or rejected. The other listeners ran. */
  handlerError: [{ readonly listenerOf: string; readonly error: unknown }];
}

/** What became of a broadcast. */
export interface BroadcastReceipt {
  readonly channel: string;
  /** How many buses got it; 0 means that nobody was listening. */
  readonly receivers: number;
}

/**
 * Broadcast between parts of a system, at most once: an event goes as bare JSON to every bus that is
 * subscribed at that moment and is kept for nobody. Everybody gets a copy of their own, within one
 * process too. For events that must not be lost see {@link EventStream}.
 *
 * On Redis an event whose answer was lost is sent again by a token and heard once, and `'gap'` tells that listening
 * was interrupted. While Redis is away, calls wait for it in a bounded queue, then reject with ConnectionError.
 *
 * @example
 * const bus = new EventBusIntegration('redis://localhost:6379');
 * bus.on('event', ({ channel, event }) => console.log(channel, event));
 * await bus.subscribe(['safla.agent.task']);
 * await bus.publish('safla.agent.task', { id: 1 });
 */
export class EventBusIntegration extends TypedEmitter<EventBusEvents> implements Closeable {
  readonly #settings: EventBusSettings;
  readonly #telemetry: Telemetry;
  readonly #lifecycle: Lifecycle = new Lifecycle('EventBusIntegration');
  readonly #subscriptions: Subscriptions;
  readonly #stopGaps: (() => void) | undefined;

  /** @throws ConfigurationError */
  constructor(options: string | EventBusOptions) {
    super();
    const given = typeof options === 'string' ? { url: options } : options;
    this.#settings = eventBusSettings(given);
    this.#telemetry = new Telemetry('events', given.telemetry);
    this.#subscriptions = new Subscriptions(this.#settings.transport, (channel, message) =>
      this.#receive(channel, message),
    );
    this.#stopGaps = this.#settings.transport.onGap?.((gap) => {
      const { channels } = this.#subscriptions;
      if (channels.length > 0) this.emit('gap', { channels, ...gap });
    });
  }

  /**
   * Adds one subscription to each channel and resolves once later events will arrive. Subscriptions
   * are counted: a channel subscribed twice stays until it is unsubscribed twice. All or none of the
   * channels are subscribed, none when the call was aborted or timed out; an empty list does nothing.
   *
   * @throws ValidationError, ClosedError
   */
  async subscribe(channels: readonly string[], options: CallOptions = {}): Promise<void> {
    const names = channelsOf(channels, 'subscribe');
    await this.#lifecycle.call('subscribe', options, async (scope) => {
      await this.#subscriptions.add(names);
      // The caller was told that nothing is subscribed.
      if (scope.cancelled) await this.#subscriptions.remove(names);
    });
  }

  /**
   * Takes one subscription from each channel. A channel without any, and an empty list, do nothing.
   *
   * @throws ValidationError, ClosedError
   */
  async unsubscribe(channels: readonly string[], options: CallOptions = {}): Promise<void> {
    const names = channelsOf(channels, 'unsubscribe');
    await this.#lifecycle.call('unsubscribe', options, () => this.#subscriptions.remove(names));
  }

  /**
   * Sends `event` to everybody who is subscribed now.
   *
   * @throws ValidationError when JSON cannot carry the event, it does not match the channel's schema or exceeds `maxPayloadBytes`
   * @throws ConnectionError when Redis does not answer in time, QueueFullError when too much waits for it
   * @throws ClosedError after `close`
   */
  async publish(channel: string, event: unknown, options: CallOptions = {}): Promise<BroadcastReceipt> {
    const { transport } = this.#settings;
    assertName(channel, 'publish', []);
    const attributes = { 'messaging.operation.type': 'send', 'messaging.destination.name': channel };
    return this.#lifecycle.call(`publish to '${channel}'`, options, (scope) => {
      // Before anything is awaited: the caller may change the event as soon as this returns.
      const message = this.#encode(channel, event);
      return this.#telemetry.span({ name: `send ${channel}`, kind: spanKind.producer, attributes }, async () => {
        scope.throwIfCancelled();
        return { channel, receivers: await transport.broadcast(channel, message) };
      });
    });
  }

  /** Ends all subscriptions, then the transport when the bus made it. Nothing is emitted afterwards. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, async (timeoutMs) => {
      this.#stopGaps?.();
      // A transport that closes ends what it listens to by itself, without waiting for a server.
      if (this.#settings.ownsTransport) await this.#settings.transport.close({ timeoutMs });
      else await this.#subscriptions.clear();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protected override onListenerError(error: unknown, listenerOf: string): void {
    this.#telemetry.logger.error({ listenerOf, error }, 'listener failed');
    if (listenerOf !== 'handlerError') this.emit('handlerError', { listenerOf, error });
  }

  #encode(channel: string, event: unknown): string {
    const { schemas, maxPayloadBytes } = this.#settings;
    const subject = `Event on '${channel}'`;
    const schema = schemas.get(channel);
    if (schema) validateSync(schema, event, subject);
    const message = encodeJSON(event, subject);
    assertPayloadFits(message, maxPayloadBytes, subject);
    return message;
  }

  #receive(channel: string, message: string): void {
    if (this.#lifecycle.closed) return;
    let event: unknown;
    try {
      event = this.#decode(channel, message);
    } catch (error) {
      this.#telemetry.logger.warn({ channel, error }, 'message could not be decoded');
      this.emit('decodeError', { channel, error });
      return;
    }
    this.emit('event', { channel, event });
  }

  #decode(channel: string, message: string): unknown {
    const event: unknown = JSON.parse(message);
    const schema = this.#settings.schemas.get(channel);
    return schema ? validateSync(schema, event, `Event on '${channel}'`) : event;
  }
}

function channelsOf(channels: readonly string[], call: string): readonly string[] {
  if (!Array.isArray(channels)) throw new ValidationError(call, [{ path: [], message: 'must be a list of channels' }]);
  for (const [index, channel] of channels.entries()) assertName(channel, call, [index]);
  return [...new Set(channels as readonly string[])];
}

function assertName(channel: unknown, call: string, path: readonly PropertyKey[]): void {
  if (typeof channel === 'string' && channel !== '') return;
  throw new ValidationError(call, [{ path, message: "a channel must be a text that is not empty, like 'order.paid'" }]);
}
