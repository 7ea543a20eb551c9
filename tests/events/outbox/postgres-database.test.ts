import { PostgresDatabase } from '@safla/sdk/database';
import { outboxTable } from '@safla/sdk/events';
import { outboxContract, TestContainer } from '@safla/sdk/testing/vitest';
import { afterAll, beforeAll } from 'vitest';

let services: TestContainer;

beforeAll(async () => {
  services = await TestContainer.start({ postgres: true });
});

afterAll(() => services.stop());

outboxContract('PostgresDatabase on PostgreSQL', async () => {
  const { url } = await services.postgres.namespace();
  const db = new PostgresDatabase({ url });
  await db.migrate([outboxTable()]);
  return db;
});

outboxContract(
  'PostgresDatabase on PGlite',
  async () => {
    const db = new PostgresDatabase({ url: 'memory:' });
    await db.migrate([outboxTable()]);
    return db;
  },
  { capabilities: { concurrentTransactions: false } },
);
