/**
 * Vectors in files of zvec, for more of them than fit into memory: stored once, found again by another
 * process, filtered while the index is searched. Needs `npm install @zvec/zvec`.
 *
 *     npx tsx examples/memory-in-zvec.ts
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ZvecVectorMemory } from '@safla/sdk/memory/zvec';
import { embed } from './support/embed.js';

const folder = await mkdtemp(join(tmpdir(), 'safla-zvec-'));
const options = { path: join(folder, 'tickets'), embed, model: 'hashed-words', fields: { year: 'number' } } as const;
const topics = ['refund for a damaged parcel', 'printer prints blank pages', 'invoice has the wrong address'];
try {
  {
    await using memory = new ZvecVectorMemory(options);
    await memory.storeMany(
      Array.from({ length: 600 }, (_, i) => ({
        id: `ticket-${i}`,
        text: `Ticket ${i}: ${topics[i % topics.length]}`,
        metadata: { year: 2020 + (i % 5), open: i % 2 === 0 },
      })),
    );
    // Builds the index over what was stored; searches before that look at all of it.
    await memory.optimize();
  }

  await using memory = new ZvecVectorMemory(options);
  assert.equal(await memory.count(), 600);
  const hits = await memory.search('the printer gives blank paper', { limit: 5, filter: { year: 2023, open: true } });
  assert.equal(hits.length, 5);
  for (const { text, metadata } of hits) {
    assert.match(text ?? '', /printer/);
    assert.deepEqual(metadata, { year: 2023, open: true });
  }
  assert.equal(await memory.delete('ticket-0'), true);
  console.log('found:', hits.map(({ id }) => id).join(', '), '| left:', await memory.count());
} finally {
  await rm(folder, { recursive: true, force: true });
}
