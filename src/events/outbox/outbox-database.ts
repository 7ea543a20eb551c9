import type { CallOptions } from '../../core/index.js';
import type { OutgoingEvent, Receipt } from '../event-transport.js';
import type { EventDraft } from '../outgoing.js';

/** What an {@link Outbox} needs of an open transaction: a tagged template whose values travel as parameters. */
export interface OutboxTransaction {
  sql(strings: TemplateStringsArray, ...values: readonly (string | number | null)[]): PromiseLike<readonly unknown[]>;
}

/** What an {@link Outbox} needs of a PostgreSQL database (13 or later, or PGlite); `PostgresDatabase` fits. */
export interface OutboxDatabase {
  /** Commits when `work` resolves, rolls back when it rejects. */
  transaction<T>(
    work: (tx: OutboxTransaction) => Promise<T>,
    options?: CallOptions & { readonly isolation?: 'read committed' },
  ): Promise<T>;
}

/** What an {@link Outbox} needs of an {@link EventStream}. */
export interface OutboxEvents {
  prepare(events: readonly EventDraft[], options?: CallOptions): Promise<readonly OutgoingEvent[]>;
  publishPrepared(events: readonly OutgoingEvent[], options?: CallOptions): Promise<readonly Receipt[]>;
}
