import {
  type DataKeyPair,
  EncryptionIntegration,
  Encryptor,
  type KeyProvider,
  type LocalKeyring,
  type SealedFields,
} from '@safla/sdk/encryption';
import type { MemoryEncryption } from '@safla/sdk/memory';
import { expectTypeOf } from 'vitest';

declare const keys: LocalKeyring;
const encryptor = new Encryptor({ keys });

// An Encryptor is what a LocalVectorMemory encrypts with, and a LocalKeyring is a KeyProvider.
expectTypeOf(encryptor).toExtend<MemoryEncryption>();
expectTypeOf(keys).toExtend<KeyProvider>();
expectTypeOf<DataKeyPair['plaintext']>().toEqualTypeOf<Uint8Array>();

expectTypeOf(encryptor.seal('x', { context: 'c' })).resolves.toEqualTypeOf<string>();
expectTypeOf(encryptor.open('x', { context: 'c' })).resolves.toEqualTypeOf<Buffer>();
expectTypeOf(encryptor.openText('x', { context: 'c' })).resolves.toEqualTypeOf<string>();
expectTypeOf(encryptor.sealStream({ context: 'c' })).toEqualTypeOf<TransformStream<Uint8Array, Uint8Array>>();
expectTypeOf(encryptor.sealStream([new Uint8Array()], { context: 'c' })).toEqualTypeOf<
  AsyncIterableIterator<Uint8Array>
>();

interface User {
  id: number;
  ssn: number;
  nick?: Date;
  card: { number: bigint; brand: string };
  visits: { at: Date; note: string[] }[];
}
type Row = SealedFields<User, 'ssn' | 'nick' | 'card.number' | 'visits.*.note'>;
expectTypeOf<Row['id']>().toEqualTypeOf<number>();
expectTypeOf<Row['ssn']>().toEqualTypeOf<string>();
expectTypeOf<Row['nick']>().toEqualTypeOf<string | undefined>();
expectTypeOf<Row['card']>().toEqualTypeOf<{ number: string; brand: string }>();
expectTypeOf<Row['visits']>().toEqualTypeOf<{ at: Date; note: string }[]>();

expectTypeOf(new EncryptionIntegration('master').encrypt('x')).toExtend<{
  encrypted: string;
  iv: string;
  tag: string;
}>();
expectTypeOf(new EncryptionIntegration('master').decrypt('', '', '')).toEqualTypeOf<string>();
