import type { StandardSchemaV1 } from '../core/index.js';

/** An event as a log hands it to a consumer. */
export interface IncomingEvent {
  readonly id: string;
  readonly data: unknown;
  /** Aborts when the consumer has no more time. */
  readonly signal: AbortSignal;
}

/** Settings that {@link consumeTasks} and {@link rememberFrom} pass on to the log. */
export interface EventConsumerSettings {
  /** Consumers with the same group share the events. */
  readonly group: string;
  /** What an event's data must be; others are set aside as dead letters. */
  readonly schema: StandardSchemaV1;
  readonly concurrency: number;
  readonly prefetch: number;
  readonly timeoutMs: number;
  readonly from: 'new' | 'start';
}

/** A running consumer. */
export interface EventSubscription extends AsyncDisposable {
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}

/** The part of an `EventStream` that takes events in. */
export interface TaskEventSource {
  consume(
    channel: string,
    settings: EventConsumerSettings,
    handler: (event: IncomingEvent) => Promise<void>,
  ): Promise<EventSubscription>;
}

/** The part of an `EventStream` that {@link consumeTasks} needs. */
export interface TaskEventStream extends TaskEventSource {
  publish(channel: string, data: unknown, options: { readonly id: string }): Promise<unknown>;
}
