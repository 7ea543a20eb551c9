import { type CallOptions, type Closeable, ConfigurationError, detach, quietClock } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import type { ResourceDefinition } from '../server/resource.js';
import { checkSource } from './check-source.js';
import type { EventBusSource, EventMessage } from './event-tools.js';

/** What {@link eventResources} needs of an `EventStream`. */
export interface EventConsumerSource {
  consume(
    channel: string,
    options: { readonly group: string },
    handler: (event: { readonly id: string; readonly time: Date; readonly data: unknown }) => void,
  ): Promise<{ close(options?: { readonly timeoutMs?: number }): Promise<void> }>;
}

/** What {@link eventResources} needs of an `MCPServer`. */
export interface ResourceHost {
  addResource(uri: string, definition: ResourceDefinition): unknown;
  removeResource(uri: string): unknown;
  resourceUpdated(uri: string): unknown;
}

/** Settings of {@link eventResources}. */
export interface EventResourcesOptions {
  /** The channels to show; each becomes the resource `events://<channel>`. */
  readonly channels: readonly string[];
  /** Events of a channel that are kept, the latest. @default 50 */
  readonly keep?: number;
  /** Characters of a channel's events that are kept, at most; an event larger than that is left out. @default 1048576 */
  readonly maxCharacters?: number;
  /** Clients are told of changes at most this often, in milliseconds. @default 100 */
  readonly everyMs?: number;
  /** For a stream: the group that consumes. Each server needs one of its own, or they share the events. @default none */
  readonly group?: string;
}

/**
 * Shows the latest events of some channels as resources, and tells clients that subscribed to one when
 * events came. Close it before the server; the resources go with it.
 *
 * @throws ConfigurationError; what subscribing or consuming throws
 * @example await using shown = await eventResources(server, bus, { channels: ['orders'] });
 */
export async function eventResources(
  server: ResourceHost,
  source: EventBusSource | EventConsumerSource,
  options: EventResourcesOptions,
): Promise<Closeable> {
  checkSource('eventResources', server, ['addResource', 'removeResource', 'resourceUpdated'], 'an MCPServer');
  checkSource(
    'eventResources',
    source,
    ['consume' in Object(source) ? 'consume' : 'subscribe'],
    'an event bus or stream',
  );
  checkOptions<EventResourcesOptions>('eventResources', options, {
    channels: is.required(is.list),
    keep: is.count,
    maxCharacters: is.count,
    everyMs: is.milliseconds,
    group: is.text,
  });
  const { channels, group } = options;
  for (const [index, channel] of channels.entries()) is.text(channel, `eventResources.channels.${index}`);
  const rings = new Map(channels.map((channel) => [channel, new EventRing(server, channel, options)]));
  const stop = 'consume' in source ? await consume(source, rings, group) : await subscribe(source, rings);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= stop().finally(() => {
      for (const ring of rings.values()) ring.close();
    });
    return closing;
  };
  return { close, [Symbol.asyncDispose]: close };
}

type Rings = ReadonlyMap<string, EventRing>;

async function subscribe(bus: EventBusSource, rings: Rings): Promise<() => Promise<void>> {
  const onEvent = ({ channel, event }: EventMessage): void =>
    rings.get(channel)?.add({ time: new Date(), data: event });
  const channels = [...rings.keys()];
  bus.on('event', onEvent);
  const stop = async (): Promise<void> => {
    bus.off('event', onEvent);
    await bus.unsubscribe(channels);
  };
  // It outlives whoever asks for it.
  await detach(() => bus.subscribe(channels)).catch(async (error: unknown) => {
    bus.off('event', onEvent);
    throw error;
  });
  return stop;
}

async function consume(
  source: EventConsumerSource,
  rings: Rings,
  group: string | undefined,
): Promise<() => Promise<void>> {
  if (group === undefined)
    throw new ConfigurationError('eventResources.group must name the group that consumes the stream', {
      field: 'eventResources.group',
    });
  const consumers: { close(options?: CallOptions): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(consumers.map((consumer) => consumer.close()));
  };
  try {
    for (const [channel, ring] of rings)
      consumers.push(await detach(() => source.consume(channel, { group }, (event) => ring.add(event))));
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

interface Shown {
  readonly id?: string;
  readonly time: Date;
  readonly data: unknown;
}

/** The latest events of one channel, as the text of a resource. */
class EventRing {
  readonly #server: ResourceHost;
  readonly #uri: string;
  readonly #keep: number;
  readonly #maxCharacters: number;
  readonly #everyMs: number;
  readonly #events: string[] = [];
  #characters = 0;
  /** How many are no longer shown. */
  #dropped = 0;
  #cancel: (() => void) | undefined;

  constructor(server: ResourceHost, channel: string, options: EventResourcesOptions) {
    this.#server = server;
    this.#uri = `events://${encodeURIComponent(channel)}`;
    this.#keep = options.keep ?? 50;
    this.#maxCharacters = options.maxCharacters ?? 1_048_576;
    this.#everyMs = options.everyMs ?? 100;
    server.addResource(this.#uri, {
      name: channel,
      description: `The latest events on '${channel}', oldest first`,
      mimeType: 'application/json',
      content: () => `{"dropped":${this.#dropped},"events":[${this.#events.join(',')}]}`,
    });
  }

  readonly add = ({ id, time, data }: Shown): void => {
    const text = JSON.stringify({ ...(id === undefined ? {} : { id }), time, data: data ?? null });
    this.#events.push(text);
    this.#characters += text.length;
    while (this.#events.length > this.#keep || this.#characters > this.#maxCharacters) {
      this.#characters -= this.#events.shift()?.length ?? 0;
      this.#dropped += 1;
    }
    this.#cancel ??= detach(() => quietClock.schedule(() => this.#tell(), this.#everyMs));
  };

  close(): void {
    this.#cancel?.();
    this.#server.removeResource(this.#uri);
  }

  #tell(): void {
    this.#cancel = undefined;
    this.#server.resourceUpdated(this.#uri);
  }
}
