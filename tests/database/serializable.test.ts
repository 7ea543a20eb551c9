import { type PostgresDatabase, sql } from '@safla/sdk/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newName, TestServer } from './support.js';

const runs = process.env.SAFLA_SOAK ? 100 : 3;
const increments = 100;

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
}, 120_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describe('concurrent serializable transactions', () => {
  async function countUp(db: PostgresDatabase): Promise<void> {
    const t = sql.id(newName());
    await db.sql`create table ${t} (n int)`;
    await db.sql`insert into ${t} values (0)`;
    await Promise.all(
      Array.from({ length: increments }, () =>
        db.transaction(
          async (tx) => {
            const { n } = await tx.sql.one<{ n: number }>`select n from ${t}`;
            await tx.sql`update ${t} set n = ${n + 1}`;
          },
          { isolation: 'serializable', retries: 100 },
        ),
      ),
    );
    expect(await db.sql.one`select n from ${t}`).toEqual({ n: increments });
    await db.sql`drop table ${t}`;
  }

  it(`count ${increments} increments exactly on a server, ${runs} times`, async () => {
    const db = server.open({ acquireTimeoutMs: 60_000, statementTimeoutMs: 120_000 });
    for (let run = 0; run < runs; run++) await countUp(db);
    expect(db.metrics().retries).toBeGreaterThan(0);
    expect(db.metrics().primary).toMatchObject({ inUse: 0, lost: 0 });
  });

  it('count exactly in this process', async () => {
    await countUp(server.open({ url: 'memory:' }));
  });
});
