import { PostgresDatabase } from '@safla/sdk/database';
import { type OutboxTransaction, outboxTable } from '@safla/sdk/events';
import { type OutboxSubject, outboxContract, TestContainer } from '@safla/sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CollectingRunner } from './fixtures/collecting-runner.js';

type Run = OutboxSubject['transaction'];
type Sql = OutboxTransaction['sql'];
type Row = Record<string, unknown>;

/** A database that passes everything on. Its parts are methods, so that a test can break one. */
class WrappedDatabase implements OutboxSubject {
  readonly inner: PostgresDatabase;

  constructor(inner: PostgresDatabase) {
    this.inner = inner;
  }

  readonly transaction: Run = (work, options) => this.run((tx) => work({ sql: this.sql(tx) }), options);

  run: Run = (work, options) => this.inner.transaction((tx) => work(tx), options);

  sql(tx: OutboxTransaction): Sql {
    return async (strings, ...values) =>
      this.rows((await tx.sql(strings, ...values.map((value) => this.value(value)))) as readonly Row[]);
  }

  value(value: string | number | null): string | number | null {
    return value;
  }

  rows(rows: readonly Row[]): readonly Row[] {
    return rows;
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

/** Every transaction looks as if all others were over. */
const withXmin = (rows: readonly Row[]): Row[] =>
  rows.map((row) => ('xmin' in row ? { ...row, xmin: '9223372036854775807' } : row));

/** Commits what the function had done when it threw. */
class Committing extends WrappedDatabase {
  override run: Run = async (work, options) => {
    let thrown: { readonly error: unknown } | undefined;
    const result = await this.inner.transaction(
      (tx) =>
        work(tx).catch((error: unknown) => {
          thrown = { error };
        }),
      options,
    );
    if (thrown) throw thrown.error;
    return result as Awaited<ReturnType<typeof work>>;
  };
}

/** Each database breaks one promise; the case that guards it must fail. */
const broken: Readonly<Record<string, new (inner: PostgresDatabase) => WrappedDatabase>> = {
  'publishes what was committed, in the order of writing, and nothing that was rolled back': Committing,
  'keeps data, key and correlation id as they were when they were written': class extends WrappedDatabase {
    override value(value: string | number | null): string | number | null {
      return typeof value === 'string' ? value.normalize('NFD') : value;
    }
  },
  'refuses data that the stream would refuse, inside the transaction': class extends WrappedDatabase {
    override run: Run = async (work, options) =>
      (await this.inner.transaction((tx) => work(tx), options).catch(() => undefined)) as Awaited<
        ReturnType<typeof work>
      >;
  },
  'keeps everything when publishing fails, and publishes it once afterwards': class extends WrappedDatabase {
    #failures = 0;
    override run: Run = (work, options) =>
      this.inner
        .transaction((tx) => work(tx), options)
        .catch(async (error: unknown) => {
          this.#failures += 1;
          if (this.#failures === 2) await this.inner.query('delete from safla_outbox');
          throw error;
        });
  },
  'sets aside an event that the transport refuses for good, and goes on with the others': class extends WrappedDatabase {
    override sql(tx: OutboxTransaction): Sql {
      const sql = super.sql(tx);
      // What was set aside cannot be given back.
      return async (strings, ...values) =>
        strings[0]?.startsWith('update') && values.length === 0 ? [] : await sql(strings, ...values);
    }
  },
  'relays in the background from start to stop, at once when woken, through failures': class extends WrappedDatabase {
    #failed = false;
    override run: Run = async (work, options) => {
      if (this.#failed) throw new Error('the connection is broken');
      return await this.inner
        .transaction((tx) => work(tx), options)
        .catch((error: unknown) => {
          this.#failed = true;
          throw error;
        });
    };
  },
  'waits for a transaction that is open in front of an event, so that the order of writing holds': class extends WrappedDatabase {
    override rows(rows: readonly Row[]): readonly Row[] {
      return withXmin(rows);
    }
  },
  'waits for the number that was drawn first, also when its transaction began to write last': class extends WrappedDatabase {
    override rows(rows: readonly Row[]): readonly Row[] {
      return rows.map((row) => ('own' in row && row.own !== null ? { ...row, own: '1' } : row));
    }
  },
  'lets events pass an open transaction after maxHoldMs, and loses none when that commits': class extends WrappedDatabase {
    override run: Run = async (work, options) => {
      const started = performance.now();
      let result: unknown;
      await this.inner
        .transaction(async (tx) => {
          result = await work(tx);
          // It says that it committed, and did not: a server that lost its last second.
          if (performance.now() - started > 25) throw new RangeError('lost');
        }, options)
        .catch((error: unknown) => {
          if (!(error instanceof RangeError)) throw error;
        });
      return result as Awaited<ReturnType<typeof work>>;
    };
  },
  'keeps order and count with several relays and writers at once': Committing,
};

describe('outboxContract', () => {
  let services: TestContainer;

  beforeAll(async () => {
    services = await TestContainer.start({ postgres: { kinds: ['environment', 'system', 'package', 'docker'] } });
  });

  afterAll(() => services.stop());

  async function failuresOf(Database: new (inner: PostgresDatabase) => WrappedDatabase, only?: string) {
    const runner = new CollectingRunner();
    const make = async (): Promise<WrappedDatabase> => {
      const { url } = await services.postgres.namespace();
      const inner = new PostgresDatabase({ url });
      await inner.migrate([outboxTable()]);
      return new Database(inner);
    };
    outboxContract('any', make, { runner });
    return [...(await runner.failures(only)).keys()];
  }

  it('has a broken database for every case', () => {
    const runner = new CollectingRunner();
    outboxContract('any', () => Promise.reject(new Error('not made')), { runner });
    expect(Object.keys(broken)).toEqual(runner.tests.map(({ name }) => name));
  });

  it('passes on a database that only passes on', async () => {
    expect(await failuresOf(WrappedDatabase)).toEqual([]);
  });

  // Two of them wait for what never comes, until the contract gives up.
  it.concurrent.each(Object.entries(broken))(
    '%s: fails on a database that does not',
    { timeout: 120_000 },
    async (name, Broken) => {
      expect(await failuresOf(Broken, name)).toEqual([name]);
    },
  );
});
