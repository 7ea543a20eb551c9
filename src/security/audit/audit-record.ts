import type { Awaitable } from '../../core/index.js';

/** What happened. */
export interface AuditEvent {
  /** Who did it: a user, a service. */
  readonly actor: string;
  /** What was done: `order.refunded`. */
  readonly action: string;
  /** To what. */
  readonly target?: string;
  readonly outcome?: 'success' | 'failure' | 'denied';
  /** Anything else that JSON carries. Secrets in it are masked before it is written. */
  readonly data?: unknown;
}

/** One link of the chain, as it is stored: plain JSON. */
export interface AuditRecord {
  /** 1, 2, 3, ... */
  readonly seq: number;
  /** ISO 8601, in UTC. */
  readonly at: string;
  readonly event: AuditEvent;
  /** The id of the key. */
  readonly keyId: string;
  /** `mac` of the record before; empty for the first. */
  readonly previous: string;
  /** HMAC-SHA-256 over the canonical JSON (RFC 8785) of the rest, in base64url. */
  readonly mac: string;
}

/** Where the chain ended at some time. Kept elsewhere, it proves that nothing was cut off the end. */
export type AuditAnchor = Pick<AuditRecord, 'seq' | 'mac'>;

/** Where records go: a file, a table, an event bus. One log writes to it at a time. */
export interface AuditSink {
  /** Resolves when the record is safe. When it rejects, the record may be there or not: `last` tells. */
  append(record: AuditRecord): Awaitable<void>;
  /** The last record, or undefined. Without it, a log begins a chain of its own, and ends with an append that failed. */
  last?(): Awaitable<AuditRecord | undefined>;
  /** All records in order, for `verify`. */
  read?(): AsyncIterable<unknown> | Iterable<unknown>;
}
