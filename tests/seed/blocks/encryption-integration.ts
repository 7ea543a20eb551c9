import assert from 'node:assert/strict';
import { EncryptionIntegration } from '@safla/sdk/encryption';

/** The guide declares this class and shows no use of it: here each method is called with the arguments it declares. */
export function exerciseEncryption(): void {
  const masterKey: string = 'a master key of some length';
  const encryption = new EncryptionIntegration(masterKey);

  const data: string = 'Grüße aus Köln 🔐';
  const { encrypted, iv, tag }: { encrypted: string; iv: string; tag: string } = encryption.encrypt(data);
  const decrypted: string = encryption.decrypt(encrypted, iv, tag);
  assert.equal(decrypted, data);
  for (const text of [encrypted, iv, tag]) assert.match(text, /^[0-9a-f]+$/);
  assert.equal(tag.length, 32);

  // What one object encrypts, another one with the same key decrypts.
  assert.equal(new EncryptionIntegration(masterKey).decrypt(encrypted, iv, tag), data);
  const forged: string = `${tag[0] === '0' ? '1' : '0'}${tag.slice(1)}`;
  try {
    encryption.decrypt(encrypted, iv, forged);
    assert.fail('a changed tag was accepted');
  } catch (error) {
    assert.equal(error.code, 'DECRYPT_FAILED');
  }

  const hash: string = encryption.generateHash('abc');
  assert.equal(hash, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  const random: string = encryption.generateSecureRandom(16);
  assert.match(random, /^[0-9a-f]{32}$/);
  assert.notEqual(random, encryption.generateSecureRandom(16));
}
