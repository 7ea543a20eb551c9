import { LocalVectorMemory, MemoryStorageError } from '@safla/sdk/memory';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

async function everything(memory: LocalVectorMemory, namespaces: readonly string[]): Promise<object[]> {
  const all: object[] = [];
  for (const namespace of namespaces) {
    for await (const item of memory.scroll(namespace === '' ? {} : { namespace })) all.push({ namespace, ...item });
  }
  return all;
}

async function filled(): Promise<LocalVectorMemory> {
  const memory = new LocalVectorMemory({ model: 'm1', metric: 'dot' });
  await memory.storeMany(
    Array.from({ length: 3_000 }, (_, i) => ({ id: `v${i}`, vector: [i / 7, 5 - i, 1e-20 * i, 0.1] })),
  );
  await memory.store(
    'a',
    [1, 2, 3, 4],
    { at: new Date(5), deep: [{ $in: 'x' }, null] },
    { text: 'zwölf\n"Boxkämpfer"' },
  );
  await memory.store('b', [0, 0, 0, 1], undefined, { namespace: 't', importance: 0.3, ttlMs: 60_000 });
  return memory;
}

describe.each(['ndjson', 'binary'] as const)('export and import as %s', (format) => {
  it('give back every item of every namespace, value by value, whatever the pieces', async () => {
    await using memory = await filled();
    const bytes = await bytesOf(memory.export({ format }));
    const expected = await everything(memory, ['', 't']);
    for (const size of [1 << 16, 977]) {
      await using copy = new LocalVectorMemory({ metric: 'dot' });
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      expect(await copy.import(pieces)).toBe(3_002);
      expect(await everything(copy, ['', 't'])).toEqual(expected);
    }
  });

  it('take one namespace out and put it in another', async () => {
    await using memory = await filled();
    await using copy = new LocalVectorMemory({ metric: 'dot' });
    await copy.import(memory.export({ format, namespace: 't' }), { namespace: 'u' });
    expect(copy.stats()).toMatchObject({ items: 1, namespaces: 1 });
    expect(await copy.retrieve('b', { namespace: 'u' })).toMatchObject({ importance: 0.3 });
  });

  it('refuse another dimension, another model and what is no export, and store nothing then', async () => {
    await using memory = await filled();
    const bytes = await bytesOf(memory.export({ format }));
    for (const options of [{ dimension: 3 }, { model: 'm2' }]) {
      await using other = new LocalVectorMemory(options);
      await expect(other.import([bytes])).rejects.toMatchObject({ name: 'MemoryStorageError', kind: 'mismatch' });
      expect(other.stats().items).toBe(0);
    }
    await using other = new LocalVectorMemory();
    for (const bad of ['', '{}', 'x', '{"format":2,"holds":"vector-memory-export"}', bytes.subarray(3)]) {
      await expect(other.import([bad])).rejects.toMatchObject({ code: expect.stringMatching(/VALIDATION|STORAGE/) });
    }
    expect(other.stats().items).toBe(0);
  });

  it('an export that is cut off or changed is refused, or is a shorter one of whole items', async () => {
    await using memory = new LocalVectorMemory();
    await memory.storeMany(Array.from({ length: 20 }, (_, i) => ({ id: `v${i}`, vector: [i + 1, 1] })));
    const bytes = await bytesOf(memory.export({ format }));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.boolean(), async (place, cut) => {
        const changed = Buffer.from(cut ? bytes.subarray(0, place) : bytes);
        if (!cut) changed[place] = (changed[place] as number) ^ 0xff;
        await using copy = new LocalVectorMemory();
        const outcome = await copy.import([changed]).catch((error: { code?: string }) => error);
        if (typeof outcome === 'number') expect(outcome).toBeLessThanOrEqual(20);
        else expect(outcome.code).toMatch(/^(VALIDATION|STORAGE)$/);
        for await (const { id, vector } of copy.scroll()) {
          if (cut || format === 'binary') expect(vector).toEqual([Number(id.slice(1)) + 1, 1]);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('formats', () => {
  it('NDJSON refuses what JSON cannot hold; binary holds it', async () => {
    await using memory = new LocalVectorMemory();
    await memory.store('a', [1], { tags: new Set(['x']), big: 1n });
    await expect(bytesOf(memory.export())).rejects.toThrow(/binary format/);
    await using copy = new LocalVectorMemory();
    await copy.import(memory.export({ format: 'binary' }));
    expect((await copy.retrieve('a'))?.metadata).toEqual({ tags: new Set(['x']), big: 1n });
  });

  it('NDJSON written by hand names the line that is wrong and never quotes it', async () => {
    const head = '{"format":1,"holds":"vector-memory-export","metric":"cosine","dimension":2,"model":null}\n';
    await using memory = new LocalVectorMemory();
    expect(await memory.import([`${head}{"id":"a","vector":[1,2]}\n\n{"id":"b","vector":[2,`, '1]}'])).toBe(2);
    const failure = await memory.import([`${head}{"id":"c","vector":[1,2]}\ncanary`]).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'VALIDATION', message: expect.stringContaining('line 3') });
    expect(String((failure as Error).stack)).not.toContain('canary');
    for (const line of [
      '{"vector":[1,2]}',
      '{"id":"x","vector":[1]}',
      '{"id":"x","vector":[1,2],"timestamp":"now"}',
      '[]',
    ]) {
      await expect(memory.import([head + line])).rejects.toMatchObject({ code: 'VALIDATION' });
    }
    await expect(memory.import([`${head}{"id":"x","vector":[1,2],"namespace":7}`])).rejects.toMatchObject({
      code: 'VALIDATION',
    });
  });

  it.each([5, null, 'memory.ndjson', {}])('refuses %j, which is no stream, and says what is', async (source) => {
    await using memory = new LocalVectorMemory();
    await expect(memory.import(source as never)).rejects.toMatchObject({
      code: 'VALIDATION',
      message: expect.stringContaining('createReadStream'),
    });
  });

  it('damage is a MemoryStorageError', async () => {
    await using memory = await filled();
    const bytes = await bytesOf(memory.export({ format: 'binary' }));
    await using copy = new LocalVectorMemory({ metric: 'dot' });
    await expect(copy.import([bytes.subarray(0, bytes.length - 1)])).rejects.toBeInstanceOf(MemoryStorageError);
  });
});
