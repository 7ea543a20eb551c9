import type { CallOptions, Closeable, CloseOptions } from '../core/index.js';

/** What a transport can do. What it cannot, {@link EventStream} refuses with UnsupportedError. */
export interface EventTransportCapabilities {
  /** Acknowledged events outlive the process. */
  readonly durable: boolean;
  /** Several consumers share a group's events, and each group gets all. */
  readonly groups: boolean;
  /** The log can be read again: `replay`, and `from` other than `'new'`. */
  readonly replay: boolean;
  /** A subscription may name a pattern of channels. */
  readonly pattern: boolean;
  /** Order per key is kept across the members of a group and across redelivery. */
  readonly ordered: boolean;
  /** An id published twice within the window is stored once. */
  readonly dedupe: boolean;
  /** Events may come with {@link OutgoingEvent.attributes}, and are given back with them. @default false */
  readonly attributes?: boolean;
}

/** An event on its way into the log. */
export interface OutgoingEvent {
  readonly channel: string;
  /** Unique within the channel; what dedupe goes by. */
  readonly id: string;
  /** Events of one key keep their order where a consumer asks for it. */
  readonly key?: string;
  /** The whole message: what {@link EventStream} sends is a CloudEvent as JSON; with `attributes` its data alone. */
  readonly body: string;
  /**
   * The CloudEvents attributes as a JSON object, apart from the data (binary content mode, CloudEvents 1.0
   * section 3) and without `id` and `partitionkey`, which `id` and `key` say. Only for transports with that capability.
   */
  readonly attributes?: string;
}

/** An event in the log. */
export interface StoredEvent extends OutgoingEvent {
  /** When the log took it, in milliseconds since the epoch; never earlier than the event before it. */
  readonly time: number;
}

/** What became of a published event. */
export interface Receipt {
  readonly channel: string;
  readonly id: string;
  /** True when the log had this id within the dedupe window: the event was not stored again. */
  readonly duplicate: boolean;
}

/** How a delivery ends. */
export type Outcome =
  /** Done: the group never gets it again. */
  | { readonly kind: 'ack' }
  /** Failed: deliver it again, as the next attempt, once `delayMs` have passed. */
  | { readonly kind: 'retry'; readonly delayMs: number }
  /** Given up: move it to the channel's dead letters. */
  | { readonly kind: 'dead'; readonly reason: string }
  /** Never tried: deliver it again at once, to any member, without counting an attempt where the engine allows. */
  | { readonly kind: 'return' };

/** One event handed to one member of a group, owed an {@link Outcome}. */
export interface Delivery {
  readonly event: StoredEvent;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Reports how it went. Calls after the first, or after the subscription closed, do nothing. */
  settle(outcome: Outcome): Promise<void>;
}

/** Where a group begins on a channel that it has not met; later it resumes where it was. */
export type StartPosition =
  | 'new'
  | 'start'
  /** The event with this id and everything after it. */
  | { readonly id: string }
  /** The first event the log took at this time or later. */
  | { readonly time: number };

/** What a subscription asks for. */
export interface SubscriptionRequest {
  /** A channel, or a pattern: `*` is one segment, a last `**` one or more. Channels made later join by themselves. */
  readonly channel: string;
  readonly group: string;
  readonly from: StartPosition;
  /** At most one delivery per channel and key is out at a time, in log order, retries included. */
  readonly ordered: boolean;
}

/** One member of a group. */
export interface TransportSubscription {
  /**
   * Takes up to `max` events and waits until there is at least one. Empty when `signal` aborted or
   * the subscription or transport closed.
   *
   * @throws ConnectionError and the like; the caller pauses and pulls again
   */
  pull(max: number, signal: AbortSignal): Promise<readonly Delivery[]>;
  /** Leaves the group. What this member holds unsettled goes back as by `return`. Settles in time, whatever the engine does. */
  close(options?: CloseOptions): Promise<void>;
}

/** A part of the log to read; without ends, all of it up to now. Both ends belong to it. */
export interface LogRange {
  readonly from: Exclude<StartPosition, 'new'>;
  readonly to?: { readonly id: string } | { readonly time: number };
}

/** An event that one group gave up. */
export interface StoredDeadLetter {
  /** Unique within the channel's dead letters. */
  readonly letterId: string;
  readonly group: string;
  /** The last failure, redacted. */
  readonly reason: string;
  /** How often it was tried. */
  readonly attempts: number;
  /** When it was given up, in milliseconds since the epoch. */
  readonly time: number;
  readonly event: StoredEvent;
}

/**
 * What an {@link EventStream} stands on: a log per channel with consumer groups, at-least-once. The
 * stream brings envelopes, schemas, concurrency, contexts and backoff; a transport keeps events,
 * groups, delivery counts and dead letters. `eventTransportContract` in `@safla/sdk/testing` checks one.
 */
export interface EventTransport extends Closeable {
  /** What it is, as it reads in errors: `in-process transport`. */
  readonly name: string;
  readonly capabilities: EventTransportCapabilities;

  /**
   * Appends in the given order and resolves once all are as safe as the transport makes them. When
   * it rejects, some may be stored: publish again with the same ids.
   *
   * @param options `dedupeWindowMs`: how long an id is remembered, 0 for not at all
   * @throws QueueFullError when there is no room, ClosedError after `close`
   */
  publish(
    events: readonly OutgoingEvent[],
    options: CallOptions & { readonly dedupeWindowMs: number },
  ): Promise<readonly Receipt[]>;

  /** {@link EventTransport.publish} of one event. Left out where that costs the same. */
  publishOne?(event: OutgoingEvent, options: CallOptions & { readonly dedupeWindowMs: number }): Promise<Receipt>;

  /**
   * Joins a group, making it where it does not exist. A group stays when its last member leaves.
   *
   * @throws NotFoundError when `from` names an id that the log does not hold
   * @throws ConfigurationError when the group exists with another choice for `ordered`
   */
  subscribe(request: SubscriptionRequest): Promise<TransportSubscription>;

  /**
   * Reads the log, oldest first, up to the newest event when reading begins. Nothing for a channel
   * that does not exist.
   *
   * @throws NotFoundError when an end names an id that the log does not hold
   */
  read(channel: string, range: LogRange): AsyncIterable<StoredEvent>;

  /** The channel's dead letters, oldest first. */
  deadLetters(channel: string): AsyncIterable<StoredDeadLetter>;

  /**
   * Gives dead letters back to the groups that gave them up, as attempt 1. Those of a deleted group stay.
   *
   * @returns how many were given back
   */
  requeue(channel: string, letterIds: readonly string[]): Promise<number>;

  /**
   * How many events of the channel the group still has to settle: waiting, out, or between attempts.
   *
   * @throws NotFoundError when the channel has no such group
   */
  lag(channel: string, group: string): Promise<number>;

  /**
   * Forgets a group on a channel, or on all channels of a pattern: its place and what it had to settle.
   * Dead letters stay. Left out where the engine cannot do it.
   *
   * @returns false when there was no such group
   * @throws ConfigurationError while the group has members there
   */
  deleteGroup?(channel: string, group: string): Promise<boolean>;
}
