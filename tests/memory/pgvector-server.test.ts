import { PostgresDatabase } from '@safla/sdk/database';
import { PostgresVectorMemory } from '@safla/sdk/memory';
import { TestContainer } from '@safla/sdk/testing';
import { vectorMemoryContract } from '@safla/sdk/testing/vitest';
import { afterAll, describe, expect, it } from 'vitest';
import { similarityOf } from '../../src/memory/local/similarity.js';

const services = await TestContainer.start({ postgres: true });
const db = new PostgresDatabase({ url: services.postgres.url });
const [offered] = await db.query(`select 1 from pg_available_extensions where name = 'vector'`);
afterAll(async () => {
  await db.close();
  await services.stop();
});

const suffix = Date.now().toString(36);
let tables = 0;
const table = (): string => {
  tables += 1;
  return `memory_${suffix}_${tables}`;
};

// Debian 12 has no package of pgvector for its PostgreSQL 15: a server there shows what is said then.
if (offered) withPgvector();
else withoutPgvector();

function withoutPgvector(): void {
  describe('PostgresVectorMemory on a server without pgvector', () => {
    it('says what the server lacks, and leaves no table behind', async () => {
      const name = table();
      const memory = new PostgresVectorMemory({ db, table: name });
      await expect(memory.store('a', [1, 2])).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        message: expect.stringContaining('pgvector'),
      });
      expect(await memory.count()).toBe(0);
      expect(await db.query('select to_regclass($1) as t', [name])).toMatchObject([{ t: null }]);
    });
  });
}

function withPgvector(): void {
  vectorMemoryContract(
    'PostgresVectorMemory on a server',
    () => new PostgresVectorMemory({ db, table: table(), dimension: 3 }),
  );
  vectorMemoryContract(
    'PostgresVectorMemory by index on a server',
    () => new PostgresVectorMemory({ db, table: table(), dimension: 3, exactBelow: 0 }),
  );

  describe('PostgresVectorMemory on a server', () => {
    it('keeps filters at recall 1 with 100 to 0.1 % matching, through the index and past it', async () => {
      const memory = new PostgresVectorMemory({ db, table: table(), exactBelow: 200 });
      const vectorOf = (i: number): number[] => Array.from({ length: 8 }, (_, j) => Math.sin(i * 12.9898 + j * 78.233));
      const rows = Array.from({ length: 3_000 }, (_, i) => ({
        id: `v${i}`,
        vector: vectorOf(i),
        metadata: { place: i % 1_000 },
      }));
      await memory.storeMany(rows);
      const similarity = similarityOf('cosine', Float64Array.from(vectorOf(0.5)));
      for (const share of [1, 0.5, 0.1, 0.01, 0.001]) {
        const expected = rows
          .filter((row) => row.metadata.place < share * 1_000)
          .map((row) => ({ id: row.id, similarity: similarity(row.vector) }))
          .sort((a, b) => b.similarity - a.similarity)
          .slice(0, 10);
        const hits = await memory.search(vectorOf(0.5), { filter: { place: { $lt: share * 1_000 } } });
        expect(
          hits.map(({ id }) => id),
          `${share}`,
        ).toEqual(expected.map(({ id }) => id));
      }
    });

    it('takes changes and searches of many connections at once', async () => {
      const name = table();
      await using other = new PostgresDatabase({ url: services.postgres.url });
      const memories = [db, other].map((one) => new PostgresVectorMemory({ db: one, table: name }));
      await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          memories[i % 2]?.store(`v${i % 20}`, [Math.cos(i % 20), Math.sin(i % 20)]),
        ),
      );
      for (const memory of memories) {
        expect(await memory.count()).toBe(20);
        expect(await memory.search([Math.cos(7), Math.sin(7)], 1)).toMatchObject([{ id: 'v7', similarity: 1 }]);
      }
    });
  });
}
