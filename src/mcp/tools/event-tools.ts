import { type ErrorCode, openScope, TimeoutError } from '../../core/index.js';
import { is } from '../../core/internal.js';
import { checkSource } from './check-source.js';
import { defineTool } from './define-tool.js';
import { fromJSONSchema } from './from-json-schema.js';
import { readable } from './readable.js';
import type { Tool } from './tool.js';
import { checkToolSet, type ToolSetOptions } from './tool-set.js';

/** A wrong channel, id or event came from the caller. */
const callerErrors: readonly ErrorCode[] = ['VALIDATION', 'NOT_FOUND'];

/** An event as a bus hands it out. */
export interface EventMessage {
  readonly channel: string;
  readonly event: unknown;
}

/** What {@link eventTools} needs of an `EventBusIntegration`. */
export interface EventBusSource {
  publish(channel: string, event: unknown): Promise<unknown>;
  subscribe(channels: readonly string[]): Promise<void>;
  unsubscribe(channels: readonly string[]): Promise<void>;
  on(event: 'event', listener: (message: EventMessage) => void): unknown;
  off(event: 'event', listener: (message: EventMessage) => void): unknown;
}

/** What {@link eventTools} needs of an `EventStream`. */
export interface EventStreamSource {
  publish(channel: string, data: unknown): Promise<{ readonly id: string }>;
  replay(
    channel: string,
    options: { readonly from?: 'start' | { readonly id: string }; readonly signal?: AbortSignal },
  ): AsyncIterable<{ readonly id: string; readonly time: Date; readonly data: unknown }>;
}

/** Settings of {@link eventTools}. */
export interface EventToolsOptions extends ToolSetOptions<'publish'> {
  /** The channels a model may use. @default any */
  readonly channels?: readonly string[];
}

/**
 * Puts events behind MCP. Of a bus, `events_wait` waits for the next event on a channel; of a stream,
 * `events_read` reads its log, oldest first. `events_publish` comes when it is allowed.
 *
 * @example tools: [eventTools(bus, { channels: ['orders'], allow: ['publish'] })]
 */
export function eventTools(source: EventBusSource | EventStreamSource, options: EventToolsOptions = {}): Tool[] {
  const { name = 'events', allow = [], channels } = options;
  checkSource(
    'eventTools',
    source,
    ['publish', 'replay' in Object(source) ? 'replay' : 'subscribe'],
    'an event bus or stream',
  );
  checkToolSet('eventTools', options, ['publish']);
  if (channels !== undefined) is.list(channels, 'eventTools.channels');
  const channel = { type: 'string', minLength: 1, ...(channels ? { enum: channels } : {}) };
  const read = 'replay' in source ? readTool(source, name, channel) : waitTool(source, name, channel);
  return allow.includes('publish') ? [read, publishTool(source, name, channel)] : [read];
}

function waitTool(bus: EventBusSource, name: string, channel: object): Tool {
  const waiters = new Waiters(bus);
  return defineTool(
    {
      name: `${name}_wait`,
      description: 'Wait for the next event on a channel. Events sent before the call are not seen.',
      input: fromJSONSchema<{ channel: string; timeoutMs?: number }>({
        type: 'object',
        properties: {
          channel,
          timeoutMs: { type: 'integer', minimum: 1, maximum: 55_000, default: 30_000, description: 'How long to wait' },
        },
        required: ['channel'],
        additionalProperties: false,
      }),
      annotations: { readOnlyHint: true, openWorldHint: true },
    },
    async ({ channel: on, timeoutMs = 30_000 }) => {
      const event = await nextEvent(bus, waiters, on, timeoutMs);
      return event ? { received: true, ...event } : { received: false, channel: on };
    },
  );
}

/** Undefined when none came in time. */
async function nextEvent(
  bus: EventBusSource,
  waiters: Waiters,
  channel: string,
  timeoutMs: number,
): Promise<EventMessage | undefined> {
  using scope = openScope(`an event on '${channel}'`, { timeoutMs });
  const { promise, resolve } = withResolver<EventMessage>();
  const onEvent = (message: EventMessage): void => {
    if (message.channel === channel) resolve(message);
  };
  waiters.add(onEvent);
  try {
    await readable(callerErrors, () => bus.subscribe([channel]));
    return await scope.run(() => promise);
  } catch (error) {
    if (error instanceof TimeoutError && error === scope.reason && error.timeoutMs === timeoutMs) return undefined;
    throw error;
  } finally {
    waiters.delete(onEvent);
    await bus.unsubscribe([channel]);
  }
}

/** All who wait at a bus, behind one listener: buses warn of a leak when they have many. */
class Waiters {
  readonly #bus: EventBusSource;
  readonly #waiting: Set<(message: EventMessage) => void> = new Set();

  constructor(bus: EventBusSource) {
    this.#bus = bus;
  }

  add(waiter: (message: EventMessage) => void): void {
    if (this.#waiting.size === 0) this.#bus.on('event', this.#tell);
    this.#waiting.add(waiter);
  }

  delete(waiter: (message: EventMessage) => void): void {
    this.#waiting.delete(waiter);
    if (this.#waiting.size === 0) this.#bus.off('event', this.#tell);
  }

  readonly #tell = (message: EventMessage): void => {
    for (const waiter of this.#waiting) waiter(message);
  };
}

function readTool(stream: EventStreamSource, name: string, channel: object): Tool {
  return defineTool(
    {
      name: `${name}_read`,
      description: 'Read the events of a channel, oldest first. Give the last id of an answer to go on after it.',
      input: fromJSONSchema<{ channel: string; afterId?: string; limit?: number }>({
        type: 'object',
        properties: {
          channel,
          afterId: { type: 'string', minLength: 1, description: 'Only events after this one' },
          limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
        },
        required: ['channel'],
        additionalProperties: false,
      }),
      annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: true },
    },
    ({ channel: on, afterId, limit = 100 }, { signal }) =>
      readable(callerErrors, async () => {
        const events: object[] = [];
        const from = afterId === undefined ? 'start' : { id: afterId };
        for await (const { id, time, data } of stream.replay(on, { from, signal })) {
          if (id === afterId) continue;
          if (events.length === limit) return { events, more: true };
          events.push({ id, time, data });
        }
        return { events, more: false };
      }),
  );
}

function publishTool(source: EventBusSource | EventStreamSource, name: string, channel: object): Tool {
  return defineTool(
    {
      name: `${name}_publish`,
      description: 'Publish an event on a channel',
      input: fromJSONSchema<{ channel: string; data: unknown }>({
        type: 'object',
        properties: { channel, data: { description: 'The event: any JSON value' } },
        required: ['channel', 'data'],
        additionalProperties: false,
      }),
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
    },
    ({ channel: on, data }) =>
      readable(callerErrors, async () => {
        const receipt = (await source.publish(on, data)) as { readonly id?: string } | undefined;
        return { published: true, channel: on, ...(receipt?.id === undefined ? {} : { id: receipt.id }) };
      }),
  );
}

function withResolver<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
