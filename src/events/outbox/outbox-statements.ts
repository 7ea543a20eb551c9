import { ConfigurationError, SaflaError } from '../../core/index.js';
import { withoutPayload } from '../../drivers/without-payload.js';
import type { OutgoingEvent } from '../event-transport.js';
import type { OutboxTransaction } from './outbox-database.js';

/** An event in the table. */
export interface OutboxRow {
  readonly seq: string;
  readonly event: OutgoingEvent;
}

/** What one look into the table found. */
export interface OutboxPage {
  /** In the order of `seq`. */
  readonly rows: readonly OutboxRow[];
  /** Every transaction below is over. */
  readonly xmin: bigint;
}

/** The beginning of a step. */
export interface OutboxLead {
  /** How far numbers were drawn. */
  readonly drawn: bigint;
  /** The id of this transaction, assigned after `drawn` was read; undefined when another relay leads or nothing waits. */
  readonly own: bigint | undefined;
  readonly isolation: string;
}

/** What waits in an {@link Outbox}. */
export interface OutboxBacklog {
  /** Events that are committed and not published. */
  readonly waiting: number;
  /** Milliseconds that the oldest of them has waited, 0 without one. */
  readonly oldestMs: number;
  /** Events that were set aside because the transport refused them for good. */
  readonly refused: number;
}

type Run = (tx: OutboxTransaction, ...values: readonly (string | number | null)[]) => Promise<readonly unknown[]>;

/** The SQL of one outbox table. Its name was checked; everything else is a parameter. */
export class OutboxStatements {
  readonly #insert: Run;
  readonly #lead: Run;
  readonly #page: Run;
  readonly #remove: Run;
  readonly #refuse: Run;
  readonly #backlog: Run;

  constructor(table: string) {
    const text = `'${table}'`;
    this.#insert = statement([`insert into ${table} (channel, id, key, body) values (`, ', ', ', ', ', ', ')']);
    // The lock goes by the table itself, so that every way to name it is one lock.
    // An id of its own costs the database something, so it is taken only where there is work.
    this.#lead = statement([
      `select drawn::text, current_setting('transaction_isolation') as isolation,
         case when leads and exists (select from ${table} where failure is null) then pg_current_xact_id()::text end as own
       from (
         select pg_try_advisory_xact_lock(hashtextextended('safla.outbox', ${text}::regclass::oid::bigint)) as leads,
           coalesce(pg_sequence_last_value(pg_get_serial_sequence(${text}, 'seq')::regclass), 0) as drawn
         offset 0
       ) as state`,
    ]);
    this.#page = statement([
      `select seq::text, channel, id, key, body, pg_snapshot_xmin(pg_current_snapshot())::text as xmin
       from ${table} where failure is null order by ${table}.seq limit `,
      '',
    ]);
    this.#remove = statement([`delete from ${table} where seq = any(string_to_array(`, `, ',')::bigint[])`]);
    this.#refuse = statement([`update ${table} set failure = `, ' where seq = ', '::bigint']);
    this.#backlog = statement([
      `select (count(*) filter (where failure is null))::text as waiting,
         (count(*) filter (where failure is not null))::text as refused,
         coalesce(extract(epoch from clock_timestamp() - min(created_at) filter (where failure is null)) * 1000, 0)::text as oldest
       from ${table}`,
    ]);
  }

  async insert(tx: OutboxTransaction, { channel, id, key, body }: OutgoingEvent): Promise<void> {
    await this.#insert(tx, channel, id, key ?? null, body);
  }

  async lead(tx: OutboxTransaction): Promise<OutboxLead> {
    const [row] = (await this.#lead(tx)) as { drawn: string; own: string | null; isolation: string }[];
    return {
      drawn: BigInt(row?.drawn ?? 0),
      own: row?.own ? BigInt(row.own) : undefined,
      isolation: row?.isolation ?? 'unknown',
    };
  }

  async page(tx: OutboxTransaction, limit: number): Promise<OutboxPage> {
    const found = (await this.#page(tx, limit)) as StoredRow[];
    return {
      rows: found.map(({ seq, channel, id, key, body }) => ({
        seq,
        event: key === null ? { channel, id, body } : { channel, id, key, body },
      })),
      xmin: BigInt(found[0]?.xmin ?? 0),
    };
  }

  async remove(tx: OutboxTransaction, rows: readonly OutboxRow[]): Promise<void> {
    await this.#remove(tx, rows.map(({ seq }) => seq).join(','));
  }

  async refuse(tx: OutboxTransaction, row: OutboxRow, reason: string): Promise<void> {
    await this.#refuse(tx, reason, row.seq);
  }

  async backlog(tx: OutboxTransaction): Promise<OutboxBacklog> {
    const [row] = (await this.#backlog(tx)) as { waiting: string; refused: string; oldest: string }[];
    return {
      waiting: Number(row?.waiting ?? 0),
      oldestMs: Math.max(0, Math.round(Number(row?.oldest ?? 0))),
      refused: Number(row?.refused ?? 0),
    };
  }
}

interface StoredRow {
  readonly seq: string;
  readonly channel: string;
  readonly id: string;
  readonly key: string | null;
  readonly body: string;
  readonly xmin: string;
}

/** A tagged template whose fixed text holds the table's name: made once, so that a driver can know it again. */
function statement(parts: readonly string[]): Run {
  const strings: TemplateStringsArray = Object.assign([...parts], { raw: [...parts] });
  return async (tx, ...values) => {
    try {
      return await tx.sql(strings, ...values);
    } catch (error) {
      throw undefinedTable(error) ?? error;
    }
  };
}

/** Drivers say SQLSTATE 42P01, PostgresDatabase in `sqlstate`. */
function undefinedTable(error: unknown): ConfigurationError | undefined {
  const { code, sqlstate } = (error ?? {}) as { code?: unknown; sqlstate?: unknown };
  if (code !== '42P01' && sqlstate !== '42P01') return undefined;
  return new ConfigurationError('The table of the outbox does not exist: run the migration that outboxTable() gives', {
    field: 'Outbox.table',
    cause: error instanceof Error && !SaflaError.is(error) ? withoutPayload(error) : error,
  });
}
