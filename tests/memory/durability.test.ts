import { spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Encryptor, LocalKeyring } from '@safla/sdk/encryption';
import { LocalVectorMemory, MemoryStorageError } from '@safla/sdk/memory';
import { afterEach, describe, expect, it } from 'vitest';
import { crc32c } from '../../src/memory/local/journal/crc32c.js';
import { toFrame } from '../../src/memory/local/journal/frame.js';

const soak = process.env.SAFLA_SOAK !== undefined;
const folders: string[] = [];
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'safla-memory-'));
  folders.push(made);
  return made;
}
afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
});

const files = (path: string): string[] =>
  readdirSync(path)
    .filter((name) => /\d\.(log|snapshot)$/.test(name))
    .sort();
const logOf = (path: string): string =>
  join(
    path,
    files(path)
      .filter((name) => name.endsWith('.log'))
      .at(-1) ?? '',
  );

describe('crc32c', () => {
  it('gives the values of RFC 3720 appendix B.4', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });
});

describe('LocalVectorMemory with a path', () => {
  it('has after a restart what it had before, in every namespace', async () => {
    const path = folder();
    const metadata = { kind: 'note', at: new Date(5), tags: new Set(['a']), deep: { n: 1n } };
    {
      await using memory = new LocalVectorMemory({ path, model: 'm1' });
      await memory.store('a', [1, 0.1], metadata);
      await memory.store('a', [2, 0.1], metadata);
      await memory.storeMany(
        [
          { id: 'b', vector: [0, 1] },
          { id: 'c', vector: [1, 1] },
        ],
        { namespace: 'tenant' },
      );
      expect(await memory.delete('c', { namespace: 'tenant' })).toBe(true);
      expect(await memory.delete('c', { namespace: 'tenant' })).toBe(false);
    }
    await using memory = new LocalVectorMemory({ path });
    expect(await memory.retrieve('a')).toMatchObject({ vector: [2, Math.fround(0.1)], metadata });
    expect(await memory.count()).toBe(1);
    expect((await memory.search([0, 1], { namespace: 'tenant' })).map(({ id }) => id)).toEqual(['b']);
    expect(memory.stats()).toMatchObject({ items: 2, dimension: 2 });
  });

  it('stores texts, time to live included: what ends while it is closed does not come back', async () => {
    const path = folder();
    {
      await using memory = new LocalVectorMemory({ path });
      await memory.store('long', [1, 0]);
      await memory.store('short', [1, 0]);
      await memory.store('short', [0, 1], undefined, { ttlMs: 30 });
    }
    await new Promise((resolve) => setTimeout(resolve, 40));
    await using memory = new LocalVectorMemory({ path });
    expect(await memory.retrieve('short')).toBeNull();
    expect(await memory.count()).toBe(1);
  });

  it('lets one writer in, and a second one when the first has closed', async () => {
    const path = folder();
    const first = new LocalVectorMemory({ path });
    await first.store('a', [1]);
    const second = new LocalVectorMemory({ path });
    await expect(second.count()).rejects.toMatchObject({ name: 'MemoryStorageError', kind: 'locked', code: 'STORAGE' });
    await first.close();
    expect(await second.count()).toBe(1);
    await second.close();
    expect(readdirSync(path).filter((name) => name.includes('lock'))).toEqual([]);
  });

  it('takes over the lock of a process that has ended, not that of another host', async () => {
    const path = folder();
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.on('exit', resolve));
    const { hostname } = await import('node:os');
    writeFileSync(join(path, 'lock'), JSON.stringify({ host: hostname(), pid: child.pid, startedAt: '1' }));
    {
      await using memory = new LocalVectorMemory({ path });
      await memory.store('a', [1]);
    }
    // The same process id, another start: the one that held it is gone.
    writeFileSync(join(path, 'lock'), JSON.stringify({ host: hostname(), pid: process.pid, startedAt: '1' }));
    {
      await using memory = new LocalVectorMemory({ path });
      expect(await memory.count()).toBe(1);
    }
    writeFileSync(join(path, 'lock'), JSON.stringify({ host: 'elsewhere', pid: 1, startedAt: '1' }));
    const memory = new LocalVectorMemory({ path });
    await expect(memory.count()).rejects.toMatchObject({
      kind: 'locked',
      message: expect.stringContaining('elsewhere'),
    });
  });

  it('lets one of many that open at once take a stale lock over', async () => {
    const path = folder();
    writeFileSync(
      join(path, 'lock'),
      JSON.stringify({ host: (await import('node:os')).hostname(), pid: process.pid, startedAt: '1' }),
    );
    const memories = Array.from({ length: 8 }, () => new LocalVectorMemory({ path }));
    const outcomes = await Promise.allSettled(memories.map((memory) => memory.count()));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const memory of memories) await memory.close();
  });

  it('forgets an unfinished write at the end, whatever its length', async () => {
    const path = folder();
    {
      await using memory = new LocalVectorMemory({ path });
      await memory.store('a', [1, 2, 3]);
      await memory.store('b', [4, 5, 6]);
    }
    const log = logOf(path);
    const whole = readFileSync(log);
    const { size } = statSync(log);
    await readBack(path, ['a', 'b']);
    for (let cut = 1; cut < 54; cut += 4) {
      writeFileSync(log, whole);
      truncateSync(log, size - cut);
      await readBack(path, ['a']);
    }
    writeFileSync(log, whole);
    appendFileSync(log, Buffer.alloc(40));
    await readBack(path, ['a', 'b']);
    {
      // What is stored then stands behind the last whole record.
      writeFileSync(log, whole.subarray(0, size - 3));
      await using memory = new LocalVectorMemory({ path });
      await memory.store('c', [7, 8, 9]);
    }
    await readBack(path, ['a', 'c']);
  });

  it('refuses a file that is damaged in the middle, and changes nothing', async () => {
    const path = folder();
    {
      await using memory = new LocalVectorMemory({ path });
      for (const id of ['a', 'b', 'c']) await memory.store(id, [1, 2, 3]);
    }
    const log = logOf(path);
    const damaged = readFileSync(log);
    damaged[Math.floor(damaged.length / 2)] = (damaged[Math.floor(damaged.length / 2)] as number) ^ 1;
    writeFileSync(log, damaged);
    const memory = new LocalVectorMemory({ path });
    await expect(memory.count()).rejects.toMatchObject({
      kind: 'damaged',
      message: expect.stringContaining('at byte'),
    });
    expect(readFileSync(log)).toEqual(damaged);
  });

  it.each<[string, object, RegExp]>([
    ['dimension', { dimension: 4 }, /dimension 3, not 4/],
    ['metric', { metric: 'dot' }, /metric cosine, not dot/],
    ['model', { model: 'other' }, /model m1, not other/],
    ['encryption', { encryption: { seal: async () => '', open: async () => new Uint8Array() } }, /not encrypted/],
  ])('refuses files made with another %s and leaves them as they are', async (_, options, message) => {
    const path = folder();
    {
      await using memory = new LocalVectorMemory({ path, model: 'm1' });
      await memory.store('a', [1, 2, 3]);
    }
    const before = readFileSync(logOf(path));
    const memory = new LocalVectorMemory({ path, ...options });
    await expect(memory.count()).rejects.toMatchObject({ kind: 'mismatch', message: expect.stringMatching(message) });
    expect(readFileSync(logOf(path))).toEqual(before);
    await readBack(path, ['a']);
  });

  it('refuses files of others, of later versions, and paths that are no folder', async () => {
    const path = folder();
    writeFileSync(join(path, '00000001.log'), 'something else');
    await expect(new LocalVectorMemory({ path }).count()).rejects.toMatchObject({ kind: 'foreign' });
    expect(readFileSync(join(path, '00000001.log'), 'utf8')).toBe('something else');
    const later = { format: 2, holds: 'vector-memory', kind: 'log', generation: 1, metric: 'cosine', dimension: 3 };
    writeFileSync(join(path, '00000001.log'), toFrame(Buffer.from(JSON.stringify(later))));
    await expect(new LocalVectorMemory({ path }).count()).rejects.toMatchObject({
      kind: 'foreign',
      message: expect.stringMatching(/format 2; this version reads format 1/),
    });
    const file = join(path, 'file');
    writeFileSync(file, '');
    await expect(new LocalVectorMemory({ path: file }).count()).rejects.toBeInstanceOf(MemoryStorageError);
  });

  it('writes a snapshot when the log has grown, and the folder does not grow with the number of changes', async () => {
    const path = folder();
    const filler = 'x'.repeat(20_000);
    {
      await using memory = new LocalVectorMemory({ path, fsync: 'os' });
      for (let round = 0; round < 100; round++) {
        await memory.storeMany(
          Array.from({ length: 25 }, (_, i) => ({ id: `k${i}`, vector: [round + 1, i], metadata: { round, filler } })),
        );
      }
      await memory.delete('k0');
    }
    const bytes = files(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
    expect(files(path).some((name) => name.endsWith('.snapshot'))).toBe(true);
    // 100 rounds are 50 MB of changes over half a megabyte of items.
    expect(bytes).toBeLessThan(16_000_000);
    await using memory = new LocalVectorMemory({ path });
    expect(await memory.count()).toBe(24);
    for (let i = 1; i < 25; i++) expect((await memory.retrieve(`k${i}`))?.metadata).toMatchObject({ round: 99 });
  });

  it('goes on from the files that count after a crash at any step of a snapshot', async () => {
    const path = folder();
    {
      await using memory = new LocalVectorMemory({ path });
      await memory.store('a', [1, 0]);
      await memory.store('b', [0, 1]);
    }
    const [old = ''] = files(path);
    const before = readFileSync(join(path, old));
    {
      await using memory = new LocalVectorMemory({ path });
      await memory.compact();
      await memory.delete('b');
    }
    expect(files(path)).toEqual(['00000002.log', '00000002.snapshot']);
    // Killed before the old log was removed, and while the next snapshot was written.
    writeFileSync(join(path, old), before);
    writeFileSync(join(path, '00000003.snapshot.tmp'), 'half');
    await readBack(path, ['a']);
    expect(files(path)).toEqual(['00000002.log', '00000002.snapshot']);
    expect(readdirSync(path).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    // Killed before the snapshot took its place: both logs count.
    rmSync(join(path, '00000002.snapshot'));
    writeFileSync(join(path, old), before);
    await readBack(path, ['a']);
  });

  it('binds what it encrypts to its place', async () => {
    const path = folder();
    const encryption = {
      seal: async (data: Uint8Array, { context }: { context: string }) =>
        JSON.stringify({
          context,
          data: Buffer.from(data.map((byte) => byte ^ 0x5a)).toString('base64'),
        }),
      open: async (token: string, { context }: { context: string }) => {
        const sealed = JSON.parse(token) as { context: string; data: string };
        if (sealed.context !== context) throw new Error('another context');
        return Buffer.from(sealed.data, 'base64').map((byte) => byte ^ 0x5a);
      },
    };
    {
      await using memory = new LocalVectorMemory({ path, encryption });
      await memory.store('a', [1, 2], { secret: 'canary' });
      await memory.store('b', [3, 4]);
    }
    expect(readFileSync(logOf(path)).includes('canary')).toBe(false);
    {
      await using memory = new LocalVectorMemory({ path, encryption });
      expect((await memory.retrieve('a'))?.metadata).toEqual({ secret: 'canary' });
      expect(await memory.count()).toBe(2);
    }
    await expect(new LocalVectorMemory({ path }).count()).rejects.toMatchObject({ kind: 'mismatch' });
  });

  it('is encrypted by an Encryptor, and damaged for another key', async () => {
    const path = folder();
    const encryptorOf = (id: string, key: Buffer): Encryptor =>
      new Encryptor({ keys: new LocalKeyring({ keys: [{ id, key }] }) });
    const encryption = encryptorOf('k1', Buffer.alloc(32, 1));
    {
      await using memory = new LocalVectorMemory({ path, encryption });
      await memory.store('a', [1, 2], { secret: 'canary' }, { text: 'canary' });
      await memory.compact();
      await memory.store('b', [3, 4]);
    }
    for (const name of files(path)) expect(readFileSync(join(path, name)).includes('canary')).toBe(false);
    {
      await using memory = new LocalVectorMemory({ path, encryption });
      expect(await memory.retrieve('a')).toMatchObject({ text: 'canary', metadata: { secret: 'canary' } });
      expect(await memory.count()).toBe(2);
    }
    const other = new LocalVectorMemory({ path, encryption: encryptorOf('k1', Buffer.alloc(32, 2)) });
    await expect(other.count()).rejects.toMatchObject({ kind: 'damaged' });
  });

  it(
    'loses nothing that was acknowledged when it is killed at any point, and reads no torn row',
    async () => {
      const rounds = soak ? 1_000 : 30;
      const path = folder();
      /** What may be there by what the writer said: the acknowledged version, or one that was under way. */
      const known = new Map<string, Set<number | 'nothing'>>();
      for (let round = 1; round <= rounds; round++) {
        const policy = (['os', 'interval', 'always'] as const)[round % 3] as string;
        for (const line of await runUntilKilled(path, policy, round)) {
          const [mark, id = '', version] = line.split(' ');
          const may = known.get(id) ?? new Set<number | 'nothing'>().add('nothing');
          if (mark === '!') known.set(id, may.add(Number(version)));
          if (mark === '?') known.set(id, may.add('nothing'));
          if (mark === '+') known.set(id, new Set([Number(version)]));
          if (mark === '-') known.set(id, new Set(['nothing']));
        }
        const memory = new LocalVectorMemory({ path });
        for (const [id, may] of known) {
          const found = await memory.retrieve(id);
          const version = found ? (found.metadata?.version as number) : 'nothing';
          expect([...may], `${id} in round ${round}`).toContain(version);
          if (found) expect(new Set(found.vector)).toEqual(new Set([Math.fround((version as number) + 1)]));
          known.set(id, new Set([version]));
        }
        // The disk of a busy machine may take its time.
        await memory.close({ timeoutMs: 60_000 });
      }
      expect(known.size).toBeGreaterThan(10);
    },
    soak ? 3_600_000 : 120_000,
  );
});

async function readBack(path: string, ids: readonly string[]): Promise<void> {
  await using memory = new LocalVectorMemory({ path });
  expect(await memory.count()).toBe(ids.length);
  for (const id of ids) expect(await memory.retrieve(id)).not.toBeNull();
}

/** Starts the writer, kills it after some acknowledged changes, and gives what it said. */
function runUntilKilled(path: string, policy: string, seed: number): Promise<string[]> {
  const script = fileURLToPath(new URL('./fixtures/writer.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, path, policy, String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  let killing = false;
  const wanted = 5 + ((seed * 37) % 200);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (killing || said.split('\n').length < wanted * 2) return;
      killing = true;
      // Not at the moment of an acknowledgement: anywhere.
      setTimeout(() => child.kill('SIGKILL'), (seed * 7) % 13);
    });
    child.on('close', () => resolve(said.split('\n').slice(0, -1)));
  });
}
