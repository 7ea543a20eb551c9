import { type Awaitable, ConfigurationError } from '../../core/index.js';
import { checkOptions, is, type OptionCheck } from '../../core/internal.js';

/**
 * Keeps what was sent to clients before 2026-07-28 over HTTP, so that one whose connection was cut gets
 * what it missed (2025-11-25, basic/transports, "Resumability and Redelivery"). Event stores written for
 * the official SDK fit, if they have all three methods.
 */
export interface MCPEventStore {
  /**
   * Keeps one message of a stream.
   *
   * @returns the event's id: one line of printable ASCII that no other event has
   */
  storeEvent(streamId: string, message: object): Awaitable<string>;
  /** The stream of an event; undefined when it is not known any more. */
  getStreamIdForEventId(eventId: string): Awaitable<string | undefined>;
  /**
   * Sends the messages that came after this event on its stream, in their order.
   *
   * @returns the stream
   */
  replayEventsAfter(
    lastEventId: string,
    to: { readonly send: (eventId: string, message: object) => Promise<void> },
  ): Awaitable<string>;
}

/** How much is kept in memory, of all sessions together. */
export interface EventMemoryOptions {
  /** The oldest events make room. @default 16777216 */
  readonly maxBytes?: number;
  /** How long an event is kept, in milliseconds. @default 300000 */
  readonly ttlMs?: number;
}

const methods = ['storeEvent', 'getStreamIdForEventId', 'replayEventsAfter'] as const;

/** Whether this is a store, and not the settings of one. */
export function isEventStore(value: MCPEventStore | EventMemoryOptions): value is MCPEventStore {
  return methods.some((name) => name in value);
}

/** Accepts an {@link MCPEventStore}, {@link EventMemoryOptions} or `false`. */
export const eventStore: OptionCheck = (value, field) => {
  if (value === false) return;
  is.object(value, field);
  const given = value as Readonly<Record<string, unknown>>;
  if (!isEventStore(given))
    return checkOptions<EventMemoryOptions>(field, given, { maxBytes: is.count, ttlMs: is.milliseconds });
  const missing = methods.filter((name) => typeof given[name] !== 'function');
  if (missing.length > 0) throw new ConfigurationError(`${field} must have ${missing.join('() and ')}()`, { field });
};
