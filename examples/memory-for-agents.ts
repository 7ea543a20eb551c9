/**
 * What an agent remembers: documents in chunks, names found by their words, hits that differ, what is old
 * falls behind, doubles are left out, and all of it moves to another memory.
 *
 *     npx tsx examples/memory-for-agents.ts
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalVectorMemory } from '@safla/sdk/memory';
import { embed } from './support/embed.js';

const path = await mkdtemp(join(tmpdir(), 'safla-memory-'));
try {
  await using memory = new LocalVectorMemory({ path, embed, model: 'hashed-words' });

  const handbook = [
    'Refunds are paid within five days.',
    'The warehouse is in Hall 7.',
    'Ask Mrs Okonkwo for keys.',
    'Orders over 50 euros are shipped free of charge.',
  ].join('\n\n');
  const chunks = await memory.storeDocument('handbook', handbook, { kind: 'manual' }, { maxLength: 60, overlap: 0 });
  assert.equal(chunks, 3);

  // Vectors blur names; their words do not.
  const [keys] = await memory.search('who has the Okonkwo keys?', { text: true, limit: 1 });
  assert.match(keys?.text ?? '', /Mrs Okonkwo/);

  const { stored, duplicates } = await memory.storeMany(
    [
      { id: 'm1', text: 'The customer prefers e-mail', importance: 0.9 },
      { id: 'm2', text: 'The customer prefers e-mail.', importance: 0.2 },
    ],
    { dedupe: 0.98, namespace: 'customer-42' },
  );
  assert.deepEqual([stored, duplicates[0]?.of], [1, 'm1']);

  const varied = await memory.search('shipping and refunds', { limit: 2, mmr: { lambda: 0.7 } });
  assert.equal(new Set(varied.map(({ text }) => text)).size, 2);

  const [recent] = await memory.search('how to reach the customer?', {
    namespace: 'customer-42',
    decay: { halfLifeMs: 7 * 24 * 3_600_000 },
  });
  assert.ok((recent?.score ?? 1) < (recent?.similarity ?? 0), 'its importance of 0.9 counts');

  await using copy = new LocalVectorMemory({ embed });
  assert.equal(await copy.import(memory.export()), 4);
  assert.equal(await copy.count({ filter: { document: 'handbook' } }), 3);
  console.log('found:', keys?.text, '| chunks:', chunks, '| copied:', copy.stats().items);
} finally {
  await rm(path, { recursive: true, force: true });
}
