/**
 * A file of 64 MiB, sealed and opened as a stream; a part of it read without the rest; and a cut refused.
 *
 *     npx tsx examples/encrypt-large-file.ts
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, open, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DecryptError, Encryptor, LocalKeyring } from '@safla/sdk/encryption';

const MiB = 2 ** 20;
const keys = new LocalKeyring({ keys: [{ id: 'backup-1', key: LocalKeyring.generateKey() }] });
await using encryptor = new Encryptor({ keys });
const context = 'backup/2026-11-22';

const folder = await mkdtemp(join(tmpdir(), 'safla-example-'));
try {
  const path = join(folder, 'backup.sealed');
  const block = randomBytes(MiB);
  const plainHash = createHash('sha256');
  function* backup(): Generator<Buffer> {
    for (let i = 0; i < 64; i++) {
      block.writeUInt32BE(i);
      plainHash.update(block);
      yield Buffer.from(block);
    }
  }

  await pipeline(encryptor.sealStream(backup(), { context }), createWriteStream(path));
  console.log(`sealed: ${(await stat(path)).size} bytes for ${64 * MiB}`);

  const openedHash = createHash('sha256');
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      openedHash.update(chunk);
      done();
    },
  });
  await pipeline(createReadStream(path), (sealed) => encryptor.openStream(sealed, { context }), sink);
  assert.equal(openedHash.digest('hex'), plainHash.digest('hex'));

  const file = await open(path);
  const part = await encryptor.openRange(file, { context, start: 33 * MiB, end: 33 * MiB + 4 });
  await file.close();
  assert.equal(part.readUInt32BE(), 33);
  console.log('block', part.readUInt32BE(), 'read without opening the rest');

  // Cut exactly between two chunks: nothing looks damaged, and it is refused all the same.
  await truncate(path, (await stat(path)).size - 16_400);
  const cut = await open(path);
  await assert.rejects(encryptor.openRange(cut, { context, end: 4 }), DecryptError);
  await cut.close();
  console.log('a file that was cut is refused');
} finally {
  await rm(folder, { recursive: true, force: true });
}
