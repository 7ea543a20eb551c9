import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalVectorMemory } from '@safla/sdk/memory';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'safla-memory-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  chmodSync(folder, 0o755);
  rmSync(folder, { recursive: true, force: true });
});

/** The prototype that all file handles share: the seam between the memory and the disk. */
async function fileHandles(): Promise<FileHandle> {
  const handle = await open(join(folder, 'probe'), 'w');
  await handle.close();
  rmSync(join(folder, 'probe'));
  return Object.getPrototypeOf(handle) as FileHandle;
}

function refusal(code: string): Error {
  return Object.assign(new Error(`${code}: refused`), { code });
}

describe('a disk that is full', () => {
  it('refuses the change, keeps what was there, and goes on when there is room again', async () => {
    const path = join(folder, 'memory');
    {
      await using memory = new LocalVectorMemory({ path });
      await memory.store('a', [1, 2]);
      const handles = await fileHandles();
      const { write } = handles as unknown as { write: (...given: unknown[]) => Promise<unknown> };
      let full = true;
      vi.spyOn(handles, 'write').mockImplementation(async function (this: FileHandle, ...given: unknown[]) {
        if (!full) return (await write.apply(this, given)) as never;
        // As a disk does it: some of it fits.
        const [bytes, offset, , position] = given as [Buffer, number, number, number];
        await write.call(this, bytes, offset, 7, position);
        throw refusal('ENOSPC');
      } as never);
      await expect(memory.store('b', [3, 4])).rejects.toMatchObject({ kind: 'full', retryable: true, code: 'STORAGE' });
      expect(await memory.retrieve('b')).toBeNull();
      expect(await memory.count()).toBe(1);
      await expect(memory.compact()).rejects.toMatchObject({ kind: 'full' });
      full = false;
      await memory.store('c', [5, 6]);
      await memory.compact();
    }
    expect(readdirSync(path).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await using memory = new LocalVectorMemory({ path });
    expect(await memory.count()).toBe(2);
    expect((await memory.retrieve('c'))?.vector).toEqual([5, 6]);
  });

  it('stops writing when nobody knows what is on the disk, and says how to go on', async () => {
    const path = join(folder, 'memory');
    {
      await using memory = new LocalVectorMemory({ path });
      await memory.store('a', [1]);
      const handles = await fileHandles();
      vi.spyOn(handles, 'datasync').mockRejectedValue(refusal('EIO'));
      await expect(memory.store('b', [2])).rejects.toMatchObject({ kind: 'io' });
      vi.restoreAllMocks();
      await expect(memory.store('c', [3])).rejects.toThrow(/open it again/);
      expect(await memory.retrieve('a')).not.toBeNull();
    }
    await using memory = new LocalVectorMemory({ path });
    await memory.store('c', [3]);
    expect(await memory.retrieve('a')).not.toBeNull();
  });
});

describe('a folder that cannot be written', () => {
  it('is refused by kind io, with what the process needs', async () => {
    chmodSync(folder, 0o555);
    const isRoot = process.getuid?.() === 0;
    // Nothing is refused to root.
    if (isRoot) process.seteuid?.(65_534);
    try {
      for (const path of [folder, join(folder, 'new')]) {
        const memory = new LocalVectorMemory({ path });
        const needs = expect.stringContaining('read and write');
        await expect(memory.count()).rejects.toMatchObject({ kind: 'io', message: needs });
      }
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  it('is tried again with the next call', async () => {
    const path = join(folder, 'memory');
    const memory = new LocalVectorMemory({ path: join(path, 'within') });
    const { writeFileSync } = await import('node:fs');
    writeFileSync(path, 'in the way');
    await expect(memory.count()).rejects.toMatchObject({ kind: 'io' });
    rmSync(path);
    mkdirSync(path);
    expect(await memory.count()).toBe(0);
    await memory.store('a', [1]);
    await memory.close();
  });
});

describe('compact', () => {
  it('makes the files as small as what is held, while changes go on', async () => {
    const path = join(folder, 'memory');
    {
      await using memory = new LocalVectorMemory({ path, fsync: 'os' });
      for (let i = 0; i < 200; i++) await memory.store(`k${i % 5}`, [i + 1, 1], { i });
      await Promise.all([memory.compact(), memory.store('during', [1, 1]), memory.compact()]);
      await memory.delete('k0');
    }
    expect(readdirSync(path).filter((name) => name.endsWith('.snapshot'))).toHaveLength(1);
    expect(readdirSync(path).filter((name) => name.endsWith('.log'))).toHaveLength(1);
    await using memory = new LocalVectorMemory({ path });
    expect(await memory.count()).toBe(5);
    expect((await memory.retrieve('k4'))?.metadata).toEqual({ i: 199 });
  });

  it('does nothing without a path, and before the first vector', async () => {
    await using inProcess = new LocalVectorMemory();
    await inProcess.compact();
    await using empty = new LocalVectorMemory({ path: join(folder, 'empty') });
    await empty.compact();
    expect(await empty.count()).toBe(0);
  });
});
