import { ConfigurationError, type StandardSchemaV1 } from '../core/index.js';
import { checkOptions, is, isSchema } from '../core/internal.js';
import { isPattern } from './channel-name.js';
import type { StartPosition } from './event-transport.js';
import type { LoggedEvent } from './logged-event.js';
import { type RedeliveryOptions, redeliveryChecks } from './redelivery.js';

/** A place in a channel's log: the event with this id, or the first one taken at this time or later. */
export type LogPosition = { readonly id: string } | { readonly time: Date | number };

/** How events are consumed. */
export interface ConsumeOptions<S extends StandardSchemaV1 = StandardSchemaV1> {
  /** Consumers with the same group share its events; each group gets all of them. A group keeps its place when its consumers leave. */
  readonly group: string;
  /** What `data` must be; an event that does not match becomes a dead letter at once. @default the stream's schema of the channel */
  readonly schema?: S;
  /** Handlers that run at the same time. @default 1 */
  readonly concurrency?: number;
  /** Events taken from the log and not handled, running ones included; never fewer than `concurrency`. As many again may wait for their acknowledgement. @default 64 */
  readonly prefetch?: number;
  /** Where the group begins on a channel it has not met. Ignored on one it has: it resumes there. @default 'new' */
  readonly from?: 'new' | 'start' | LogPosition;
  /** Events with the same key are handled one at a time and in order, across the group and across redelivery. @default false */
  readonly ordered?: boolean;
  /** Longest time for one run of the handler, in milliseconds; then its signal aborts and the delivery has failed. @default 30000 */
  readonly timeoutMs?: number;
  /** @default the stream's */
  readonly redelivery?: RedeliveryOptions;
}

/** What a handler gets. */
export interface ReceivedEvent<Data = unknown> extends LoggedEvent<Data> {
  /** 1 for the first delivery. */
  readonly attempt: number;
  /** Aborts when the handler's time is over or the consumer's close deadline has passed. */
  readonly signal: AbortSignal;
}

/** Handles one event. When it returns or its promise resolves the event is done; when it throws or rejects it is delivered again. */
export type EventHandler<Data = unknown> = (event: ReceivedEvent<Data>) => unknown;

/** {@link ConsumeOptions} with defaults. */
export interface ConsumeSettings {
  readonly group: string;
  readonly schema: StandardSchemaV1 | undefined;
  readonly concurrency: number;
  readonly prefetch: number;
  readonly from: StartPosition;
  readonly ordered: boolean;
  readonly timeoutMs: number;
  readonly redelivery: RedeliveryOptions;
}

/** @throws ConfigurationError */
export function consumeSettings(
  options: ConsumeOptions,
  channel: string,
  redelivery: RedeliveryOptions,
): ConsumeSettings {
  checkOptions<ConsumeOptions>('consume', options, {
    group: is.required(is.text),
    schema: schemaCheck,
    concurrency: is.count,
    prefetch: is.count,
    from: is.either("'new', 'start', { id } or { time }", is.oneOf('new', 'start'), positionCheck),
    ordered: is.flag,
    timeoutMs: is.milliseconds,
    redelivery: is.options(redeliveryChecks),
  });
  const { group, schema, concurrency = 1, prefetch = 64, from = 'new', ordered = false, timeoutMs = 30_000 } = options;
  if (typeof from === 'object' && 'id' in from && isPattern(channel)) {
    throw new ConfigurationError('consume.from: an event id belongs to one channel; use { time } with a pattern', {
      field: 'consume.from',
    });
  }
  return {
    group,
    schema,
    concurrency,
    prefetch: Math.max(prefetch, concurrency),
    from: typeof from === 'object' ? toPosition(from) : from,
    ordered,
    timeoutMs,
    redelivery: { ...redelivery, ...options.redelivery },
  };
}

/** The transport's form of a position: times in milliseconds since the epoch. */
export function toPosition(position: LogPosition): { readonly id: string } | { readonly time: number } {
  return 'id' in position ? { id: position.id } : { time: Number(position.time) };
}

/** Refuses what is neither `{ id }` nor `{ time }`. */
export function positionCheck(value: unknown, field: string): void {
  const { id, time } = (typeof value === 'object' && value !== null ? value : {}) as { id?: unknown; time?: unknown };
  const byId = typeof id === 'string' && id !== '' && time === undefined;
  const byTime = id === undefined && (typeof time === 'number' || time instanceof Date) && !Number.isNaN(Number(time));
  if (!byId && !byTime) throw new ConfigurationError(`${field} must be { id } or { time }`, { field });
}

export function schemaCheck(value: unknown, field: string): void {
  if (!isSchema(value))
    throw new ConfigurationError(`${field} must be a Standard Schema (zod, valibot, ...)`, { field });
}
