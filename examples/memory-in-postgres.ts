/**
 * From a memory in this process to one in PostgreSQL: the same calls, the same hits. PGlite with pgvector
 * stands in for the server; give a URL to use one.
 *
 *     npx tsx examples/memory-in-postgres.ts
 */
import assert from 'node:assert/strict';
import { PostgresDatabase } from '@safla/sdk/database';
import { LocalVectorMemory, PostgresVectorMemory } from '@safla/sdk/memory';
import { embed } from './support/embed.js';

await using db = new PostgresDatabase({ url: 'memory:', extensions: ['vector'] });
await using local = new LocalVectorMemory({ embed });
await using shared = new PostgresVectorMemory({ db, embed });

const notes = [
  { id: 'printer', text: 'The printer is on floor two', metadata: { kind: 'place', floor: 2 } },
  { id: 'coffee', text: 'The coffee machine is in the kitchen', metadata: { kind: 'place', floor: 1 } },
  { id: 'refund', text: 'Refund order 42: arrived damaged', metadata: { kind: 'refund' } },
];

for (const memory of [local, shared]) {
  await memory.storeMany(notes, { namespace: 'office' });
  const options = { namespace: 'office', limit: 2, filter: { kind: 'place', floor: { $gte: 1 } } };
  const hits = await memory.search('where is the printer?', options);
  assert.deepEqual(
    hits.map(({ id }) => id),
    ['printer', 'coffee'],
  );
  assert.equal(await memory.count(), 0, 'other namespaces see nothing of it');
  console.log(memory.constructor.name, hits.map(({ id, similarity }) => `${id} ${similarity?.toFixed(3)}`).join(', '));
}
