import { randomUUID } from 'node:crypto';
import type { OutboxDatabase, OutboxTransaction } from '@safla/sdk/events';
import type { OutboxSubject } from '@safla/sdk/testing';
import pg from 'pg';

/** The least that an Outbox needs, on `pg`: a template whose values are parameters, and transactions. */
export class PgDatabase implements OutboxSubject {
  readonly pool: pg.Pool;

  constructor(url: string) {
    this.pool = new pg.Pool({ connectionString: url, max: 10, application_name: randomUUID() });
    // A connection that breaks fails the query on it; nobody else needs to hear of it.
    this.pool.on('error', () => undefined);
    this.pool.on('connect', (client) => client.on('error', () => undefined));
  }

  readonly transaction: OutboxDatabase['transaction'] = async (work, options = {}) => {
    const client = await this.pool.connect();
    try {
      await client.query(`begin${options.isolation ? ` isolation level ${options.isolation}` : ''}`);
      const result = await work(transactionOf(client));
      await client.query('commit');
      client.release();
      return result;
    } catch (error) {
      const broken = await client.query('rollback').then(
        () => undefined,
        (failure: Error) => failure,
      );
      client.release(broken);
      throw error;
    }
  };

  async close(): Promise<void> {
    await this.pool.end();
  }
}

function transactionOf(client: pg.PoolClient): OutboxTransaction {
  return {
    async sql(strings, ...values) {
      const text = strings.reduce((sum, part, index) => `${sum}$${index}${part}`);
      return (await client.query(text, [...values])).rows as unknown[];
    },
  };
}
