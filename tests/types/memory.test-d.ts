import type { PostgresDatabase } from '@safla/sdk/database';
import type { Encryptor } from '@safla/sdk/encryption';
import type { MemorySource } from '@safla/sdk/mcp';
import {
  type Embedding,
  LocalVectorMemory,
  type MemoryEncryption,
  type PostgresVectorMemory,
  type SqlDatabase,
  type VectorMemoryProvider,
} from '@safla/sdk/memory';
import { describe, expectTypeOf, it } from 'vitest';

describe('memory', () => {
  it('takes databases, encryptors and stands behind tools by shape', () => {
    expectTypeOf<PostgresDatabase>().toExtend<SqlDatabase>();
    expectTypeOf<Encryptor>().toExtend<MemoryEncryption>();
    expectTypeOf<LocalVectorMemory>().toExtend<VectorMemoryProvider>();
    expectTypeOf<PostgresVectorMemory>().toExtend<VectorMemoryProvider>();
    expectTypeOf<LocalVectorMemory>().toExtend<MemorySource>();
  });

  it('searches by the positional form and by settings, not by both', () => {
    const memory = new LocalVectorMemory();
    expectTypeOf(memory.search([1], 3, 0.5)).resolves.toEqualTypeOf<Embedding[]>();
    expectTypeOf(memory.search('text', { text: true, mmr: { lambda: 0.5 } })).resolves.toEqualTypeOf<Embedding[]>();
    // @ts-expect-error settings hold the threshold
    void memory.search([1], { limit: 3 }, 0.5).catch(() => undefined);
    // @ts-expect-error texts are not numbers
    void memory.search([1], { filter: { year: { $gt: [1] } } }).catch(() => undefined);
  });
});
