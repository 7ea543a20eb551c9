import { outboxTable } from '@safla/sdk/events';
import { outboxContract, TestContainer } from '@safla/sdk/testing/vitest';
import { afterAll, beforeAll } from 'vitest';
import { PgDatabase } from './pg-database.js';

let services: TestContainer;

beforeAll(async () => {
  services = await TestContainer.start({ postgres: true });
});

afterAll(() => services.stop());

outboxContract('PostgreSQL through pg', async () => {
  const { url } = await services.postgres.namespace();
  const db = new PgDatabase(url);
  await db.pool.query(outboxTable().up);
  return db;
});
