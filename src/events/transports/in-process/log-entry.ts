import type { StoredEvent } from '../../event-transport.js';

/** An event at its place in a channel's log. */
export interface LogEntry {
  /** Counts up by one per event; negative for a dead letter given back, which stands in no log. */
  readonly position: number;
  readonly bytes: number;
  readonly event: StoredEvent;
}

/** What an event counts for in bounds: its text as UTF-8. */
export function bytesOf({ body, attributes = '' }: Pick<StoredEvent, 'body' | 'attributes'>): number {
  return Buffer.byteLength(body) + Buffer.byteLength(attributes);
}
