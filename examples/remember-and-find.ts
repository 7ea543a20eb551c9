/**
 * Notes that an agent remembers and finds again, with tenants and filters, within this process.
 *
 *     npx tsx examples/remember-and-find.ts
 */
import assert from 'node:assert/strict';
import { LocalVectorMemory } from '@safla/sdk/memory';
import { embed } from './support/embed.js';

await using memory = new LocalVectorMemory({ embed, model: 'hashed-words' });

await memory.storeMany([
  { id: 'printer', text: 'The printer is on floor two', metadata: { kind: 'place', year: 2024 } },
  { id: 'coffee', text: 'The coffee machine is in the kitchen', metadata: { kind: 'place', year: 2021 } },
  { id: 'refund', text: 'Refund order 42: arrived damaged', metadata: { kind: 'refund', year: 2024 } },
]);
await memory.store('refund', 'Refund order 7: wrong size', { kind: 'refund', year: 2025 }, { namespace: 'other-shop' });

const [place] = await memory.search('where is the printer?');
assert.equal(place?.id, 'printer');

const refunds = await memory.search('order damaged on arrival', { filter: { kind: 'refund', year: { $gte: 2024 } } });
assert.deepEqual(
  refunds.map(({ id, metadata }) => [id, metadata?.year]),
  [['refund', 2024]],
);

const elsewhere = await memory.search('order damaged on arrival', { namespace: 'other-shop' });
assert.equal(elsewhere[0]?.metadata?.year, 2025);

assert.equal(await memory.delete('coffee'), true);
assert.equal(await memory.count(), 2);
console.log('found:', place.id, 'with similarity', place.similarity?.toFixed(2));
