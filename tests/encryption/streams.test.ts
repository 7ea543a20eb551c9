import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, openAsBlob } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Encryptor, LocalKeyring } from '@safla/sdk/encryption';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const context = 'backup/2026';
const refused = { code: 'DECRYPT_FAILED' };
const encryptor = new Encryptor({ keys: new LocalKeyring({ keys: [{ id: 'k1', key: randomBytes(32) }] }) });
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safla-streams-'));
});

afterAll(async () => {
  await encryptor.close();
  await rm(folder, { recursive: true, force: true });
});

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

function* inPieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** `pipeline` takes web transforms too; its declarations for Node 20 do not say so. */
const nodeForm = (transform: TransformStream<Uint8Array, Uint8Array>): NodeJS.ReadWriteStream =>
  transform as unknown as NodeJS.ReadWriteStream;

const seal = (bytes: Buffer, pieceBytes = 65_536): Promise<Buffer> =>
  collect(encryptor.sealStream(inPieces(bytes, pieceBytes), { context }));
const unseal = (sealed: Buffer, pieceBytes = 65_536): Promise<Buffer> =>
  collect(encryptor.openStream(inPieces(sealed, pieceBytes), { context }));

describe('sealStream and openStream', () => {
  it('give back any bytes in pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 70_000 }),
        fc.integer({ min: 1, max: 40_000 }),
        fc.integer({ min: 1, max: 40_000 }),
        async (length, a, b) => {
          const bytes = randomBytes(length);
          expect(
            (await unseal(await seal(bytes, Math.max(a, length >> 9)), Math.max(b, length >> 9))).equals(bytes),
          ).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
    expect((await unseal(await seal(Buffer.from('byte by byte'), 1), 1)).toString()).toBe('byte by byte');
  });

  it('are the bytes of a token', async () => {
    const sealed = await seal(Buffer.from('x'));
    expect(await encryptor.openText(`sf1.${sealed.toString('base64url')}`, { context })).toBe('x');
    const token = await encryptor.seal('y', { context });
    expect((await unseal(Buffer.from(token.slice(4), 'base64url'))).toString()).toBe('y');
  });

  it('work with node and web streams, both ways', async () => {
    const bytes = randomBytes(300_000);
    const [plain, sealed, back, again] = ['plain', 'sealed', 'back', 'again'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
      string,
    ];
    await writeFile(plain, bytes);
    await pipeline(createReadStream(plain), nodeForm(encryptor.sealStream({ context })), createWriteStream(sealed));
    await pipeline(
      createReadStream(sealed),
      (source) => encryptor.openStream(source, { context }),
      createWriteStream(back),
    );
    expect((await readFile(back)).equals(bytes)).toBe(true);
    await pipeline(createReadStream(sealed), nodeForm(encryptor.openStream({ context })), createWriteStream(again));
    expect((await readFile(again)).equals(bytes)).toBe(true);
    const web = (await openAsBlob(sealed)).stream().pipeThrough(encryptor.openStream({ context }));
    expect((await collect(web)).equals(bytes)).toBe(true);
  });

  it('give only authentic bytes, and fail at the end when something is missing', async () => {
    const bytes = randomBytes(5 * 16_384 + 100);
    const sealed = await seal(bytes);
    for (const cut of [1, 50, 116, 117, 16_400, 20_000, 3 * 16_400, sealed.length - 60]) {
      const got: Uint8Array[] = [];
      const reading = (async () => {
        for await (const part of encryptor.openStream(inPieces(sealed.subarray(0, sealed.length - cut), 9_999), {
          context,
        }))
          got.push(part);
      })();
      await expect(reading, `cut by ${cut}`).rejects.toMatchObject(refused);
      const prefix = Buffer.concat(got);
      expect(prefix.equals(bytes.subarray(0, prefix.length))).toBe(true);
    }
    const changed = Buffer.from(sealed);
    changed[sealed.length - 1] = (changed[sealed.length - 1] ?? 0) ^ 1;
    await expect(unseal(changed)).rejects.toMatchObject(refused);
    await expect(unseal(Buffer.concat([sealed, Buffer.alloc(1)]))).rejects.toMatchObject(refused);
    await expect(unseal(Buffer.alloc(0))).rejects.toMatchObject(refused);
    await expect(collect(encryptor.openStream([sealed], { context: 'other' }))).rejects.toMatchObject(refused);
    const short = await encryptor.seal('x', { context, format: 'short' });
    await expect(unseal(Buffer.from(short.slice(4), 'base64url'))).rejects.toMatchObject(refused);
  });

  it('read no further than the reader asks', async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        read += 1;
        yield Buffer.alloc(65_536);
      }
    }
    const reader = encryptor.sealStream(endless(), { context });
    for (let i = 0; i < 3; i++) await reader.next();
    expect(read).toBeLessThanOrEqual(2);
    await reader.return?.();
    const before = read;
    const transform = Readable.toWeb(Readable.from(endless())) as ReadableStream<Uint8Array>;
    const piped = transform.pipeThrough(encryptor.sealStream({ context })).getReader();
    await piped.read();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(read - before).toBeLessThan(40);
    await piped.cancel();
  });

  it('end the source when the reader stops, and fail as the source fails', async () => {
    let ended = false;
    async function* source(): AsyncGenerator<Buffer> {
      try {
        for (;;) yield Buffer.alloc(65_536);
      } finally {
        ended = true;
      }
    }
    for await (const _ of encryptor.sealStream(source(), { context })) break;
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(true);
    const broken = new Error('disk');
    async function* failing(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(10);
      throw broken;
    }
    await expect(collect(encryptor.sealStream(failing(), { context }))).rejects.toBe(broken);
  });

  it('stop for a signal while the source is silent, in both forms', async () => {
    const reason = new Error('enough');
    const silent = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) });
    const first = new AbortController();
    const reading = collect(encryptor.sealStream(silent, { context, signal: first.signal }));
    setImmediate(() => first.abort(reason));
    await expect(reading).rejects.toBe(reason);
    const second = new AbortController();
    const transform = encryptor.sealStream({ context, signal: second.signal });
    const next = transform.readable.getReader().read();
    setImmediate(() => second.abort(reason));
    await expect(next).rejects.toBe(reason);
  });

  it('refuse pieces that are no bytes, sources that are none, and a missing context', async () => {
    const invalid = { code: 'VALIDATION' };
    await expect(collect(encryptor.sealStream(['text'] as unknown as Uint8Array[], { context }))).rejects.toMatchObject(
      invalid,
    );
    await expect(
      collect(encryptor.sealStream(Buffer.alloc(3) as unknown as Uint8Array[], { context })),
    ).rejects.toMatchObject(invalid);
    await expect(collect(encryptor.sealStream(7 as unknown as Uint8Array[], { context }))).rejects.toMatchObject(
      invalid,
    );
    expect(() => encryptor.sealStream({})).toThrow(expect.objectContaining(invalid));
  });

  it('fail with ClosedError when the Encryptor closes under them', async () => {
    const own = new Encryptor({ keys: new LocalKeyring({ keys: [{ id: 'k', key: randomBytes(32) }] }) });
    const reader = own.sealStream(inPieces(randomBytes(1_000_000), 65_536), { context });
    await reader.next();
    await own.close();
    await expect(collect(reader)).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('openRange', () => {
  const bytes = randomBytes(20 * 16_384 + 77);
  let sealed: Buffer;
  beforeAll(async () => {
    sealed = await seal(bytes);
  });

  it('gives what slice gives, for any start and end', async () => {
    const edge = fc.constantFrom(
      0,
      1,
      16_383,
      16_384,
      16_385,
      32_768,
      bytes.length - 78,
      bytes.length - 1,
      bytes.length,
      bytes.length + 9,
    );
    const place = fc.oneof(edge, fc.integer({ min: 0, max: bytes.length + 20_000 }));
    await fc.assert(
      fc.asyncProperty(place, place, async (a, b) => {
        const [start, end] = a < b ? [a, b] : [b, a];
        expect((await encryptor.openRange(sealed, { context, start, end })).equals(bytes.subarray(start, end))).toBe(
          true,
        );
      }),
    );
    expect((await encryptor.openRange(sealed, { context })).equals(bytes)).toBe(true);
    for (const length of [0, 16_384]) {
      const exact = randomBytes(length);
      expect((await encryptor.openRange(await seal(exact), { context })).equals(exact)).toBe(true);
    }
  });

  it('reads header, last chunk and the chunks of the range alone', async () => {
    const reads: number[] = [];
    const source = {
      size: sealed.length,
      read: async (offset: number, length: number) => {
        reads.push(length);
        return sealed.subarray(offset, offset + length);
      },
    };
    await encryptor.openRange(source, { context, start: 5 * 16_384, end: 5 * 16_384 + 10 });
    expect(reads).toEqual([512, 77 + 16, 16_400]);
  });

  it('reads files and blobs', async () => {
    const path = join(folder, 'range');
    await writeFile(path, sealed);
    const file = await open(path);
    const range = { context, start: 100_000, end: 100_100 };
    expect((await encryptor.openRange(file, range)).equals(bytes.subarray(100_000, 100_100))).toBe(true);
    await file.close();
    expect((await encryptor.openRange(await openAsBlob(path), range)).equals(bytes.subarray(100_000, 100_100))).toBe(
      true,
    );
  });

  it('refuses what was cut, changed or extended, wherever the range lies', async () => {
    const range = { context, start: 0, end: 10 };
    for (const cut of [1, 77 + 16, 16_400, 2 * 16_400, sealed.length - 60, sealed.length - 3, sealed.length]) {
      await expect(
        encryptor.openRange(sealed.subarray(0, sealed.length - cut), range),
        `cut by ${cut}`,
      ).rejects.toMatchObject(refused);
    }
    for (const more of [1, 16, 16_400]) {
      await expect(encryptor.openRange(Buffer.concat([sealed, Buffer.alloc(more)]), range)).rejects.toMatchObject(
        refused,
      );
    }
    for (const at of [0, 10, 60, 110, 150, sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(encryptor.openRange(changed, range), `byte ${at}`).rejects.toMatchObject(refused);
    }
    await expect(encryptor.openRange(sealed, { ...range, context: 'x' })).rejects.toMatchObject(refused);
  });

  it('refuses bad ranges and sources, and sources that give too little', async () => {
    for (const range of [{ start: -1 }, { start: 1.5 }, { start: 5, end: 4 }, { end: Number.NaN }]) {
      await expect(encryptor.openRange(sealed, { context, ...range })).rejects.toMatchObject({ code: 'VALIDATION' });
    }
    await expect(encryptor.openRange({} as Buffer, { context })).rejects.toMatchObject({ code: 'VALIDATION' });
    const lying = { size: sealed.length, read: async () => Buffer.alloc(3) };
    await expect(encryptor.openRange(lying, { context })).rejects.toMatchObject({ code: 'PROTOCOL' });
  });
});
