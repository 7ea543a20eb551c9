import { performance } from 'node:perf_hooks';
import { type CallScope, ConfigurationError, type Logger, SaflaError } from '../../core/index.js';
import { describeError } from '../../core/internal.js';
import { CommitHorizon } from './commit-horizon.js';
import type { OutboxTransaction } from './outbox-database.js';
import type { OutboxSettings } from './outbox-options.js';
import type { OutboxRow } from './outbox-statements.js';

/** How one step ended. */
export interface RelayStep {
  readonly published: number;
  readonly refused: number;
  /** True when the table may hold more that can be published now. */
  readonly more: boolean;
}

/**
 * Moves batches from the table to the stream. A step is one transaction: it takes the table's lock, so
 * that one relay works at a time and the order holds, publishes, and deletes what was acknowledged. When
 * it dies in between, the rows are still there and their ids make the second publish a duplicate.
 */
export class OutboxRelay {
  readonly #settings: OutboxSettings;
  readonly #logger: Logger;
  readonly #horizon: CommitHorizon;
  /** Small after a refusal, to find out which event it was. */
  #batchSize: number;

  constructor(settings: OutboxSettings, logger: Logger) {
    this.#settings = settings;
    this.#logger = logger;
    this.#horizon = new CommitHorizon(settings.maxHoldMs);
    this.#batchSize = settings.batchSize;
  }

  async step(scope: CallScope): Promise<RelayStep> {
    const { signal } = scope;
    return this.#settings.db.transaction((tx) => this.#work(tx, signal), { isolation: 'read committed', signal });
  }

  async #work(tx: OutboxTransaction, signal: AbortSignal): Promise<RelayStep> {
    const { statements, batchSize } = this.#settings;
    const { drawn, own, isolation } = await statements.lead(tx);
    if (isolation !== 'read committed') {
      throw new ConfigurationError(
        `Outbox needs transactions that are 'read committed', but the database gave '${isolation}'; its order rests on a new snapshot per statement`,
        { field: 'Outbox.db' },
      );
    }
    if (own === undefined) return { published: 0, refused: 0, more: false };
    const size = this.#batchSize;
    const page = await statements.page(tx, size);
    const until = this.#horizon.advance({ drawn, own, xmin: page.xmin }, performance.now());
    const rows = page.rows.filter(({ seq }) => BigInt(seq) <= until);
    if (rows.length === 0) return { published: 0, refused: 0, more: false };
    const more = page.rows.length === size;
    const refusal = await this.#publish(rows, signal);
    if (refusal === undefined) {
      await statements.remove(tx, rows);
      this.#batchSize = Math.min(batchSize, this.#batchSize * 2);
      return { published: rows.length, refused: 0, more };
    }
    const [row, ...others] = rows;
    this.#batchSize = 1;
    if (!row || others.length > 0) return { published: 0, refused: 0, more: true };
    await statements.refuse(tx, row, refusal);
    const { channel, id } = row.event;
    this.#logger.error({ channel, id, seq: row.seq, refusal }, 'event refused for good; it stays in the outbox');
    return { published: 0, refused: 1, more };
  }

  /** Gives the reason when the transport refuses the events themselves: trying again cannot help. */
  async #publish(rows: readonly OutboxRow[], signal: AbortSignal): Promise<string | undefined> {
    const { events, publishTimeoutMs } = this.#settings;
    try {
      const outgoing = rows.map(({ event }) => event);
      await events.publishPrepared(outgoing, { signal, timeoutMs: publishTimeoutMs });
      return undefined;
    } catch (error) {
      if (SaflaError.is(error) && error.code === 'VALIDATION') return describeError(error);
      throw error;
    }
  }
}
