import { randomBytes } from 'node:crypto';
import { DecryptError, Encryptor, LocalKeyring } from '@safla/sdk';

/** What encryption kept, in words. */
export interface EncryptionFacts {
  /** Characters of the token of a short text. */
  readonly tokenLength: number;
  /** The key of that token before and after rotation. */
  readonly keys: readonly [before: string, after: string];
  /** What a token said that was moved to another record. */
  readonly moved: string;
  readonly streamedBytes: number;
}

/** Seals a text, fields of a record and a stream, changes the key while they are in use, and moves a token. */
export async function encryptionStep(
  points: readonly { readonly date: string; readonly value: number }[],
): Promise<EncryptionFacts> {
  await using keys = new LocalKeyring({ keys: [{ id: '2026', key: LocalKeyring.generateKey() }] });
  await using encryptor = new Encryptor({ keys, context: 'tour' });

  const token = await encryptor.seal('4111 1111 1111 1111', { context: 'user:1/card' });
  const before = encryptor.inspect(token).keyId;
  const moved = await encryptor.openText(token, { context: 'user:2/card' }).then(
    () => 'opened',
    (error: unknown) => (error instanceof DecryptError ? error.code : 'failed otherwise'),
  );
  keys.add({ id: '2027', key: LocalKeyring.generateKey() });
  keys.promote('2027');
  const rotated = await encryptor.rotate(token, { context: 'user:1/card' });
  check((await encryptor.openText(rotated, { context: 'user:1/card' })) === '4111 1111 1111 1111', 'the text changed');
  keys.retire('2026');

  const record = { id: 'sales', points: [...points] };
  const sealed = await encryptor.sealFields(record, ['points.*.value'], { context: 'series:sales' });
  check(
    sealed.points.every(({ value }) => String(value).startsWith('sf1.')),
    'a value is in clear',
  );
  const opened = await encryptor.openFields(sealed, ['points.*.value'], { context: 'series:sales' });
  check(JSON.stringify(opened) === JSON.stringify(record), 'the fields changed');

  const bytes = randomBytes(1_000_000);
  const out: Uint8Array[] = [];
  const stream = encryptor.sealStream([bytes], { context: 'file' });
  for await (const piece of encryptor.openStream(stream, { context: 'file' })) out.push(piece);
  check(Buffer.concat(out).equals(bytes), 'the stream changed');
  return {
    tokenLength: token.length,
    keys: [before, encryptor.inspect(rotated).keyId],
    moved,
    streamedBytes: bytes.length,
  };
}

function check(fact: boolean, otherwise: string): void {
  if (!fact) throw new Error(otherwise);
}
