/**
 * Where keys come from: a keyring in the process, a password, Vault, AWS KMS, and a provider of your own.
 * Vault and KMS are stand-ins on this machine; with the real ones only the addresses and credentials change.
 *
 *     npx tsx examples/key-providers.ts
 */
import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { APIIntegration } from '@safla/sdk/api';
import {
  AwsKmsKeyring,
  DecryptError,
  Encryptor,
  type KeyProvider,
  LocalKeyring,
  PasswordKeyring,
  UnknownKeyError,
  VaultKeyring,
} from '@safla/sdk/encryption';

/** Wraps as a key service does: AES-GCM under a key that never leaves it. */
const serviceKey = randomBytes(32);
function wrap(key: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', serviceKey, nonce);
  return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
}
function unwrap(blob: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', serviceKey, blob.subarray(0, 12), { authTagLength: 16 });
  decipher.setAuthTag(blob.subarray(-16));
  return Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()]);
}

let requests = 0;
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (part: Buffer) => (body += part.toString()));
  request.on('end', () => {
    requests += 1;
    const input = JSON.parse(body) as { ciphertext?: string; CiphertextBlob?: string };
    const blob = input.ciphertext?.split(':')[2] ?? input.CiphertextBlob;
    const key = blob ? unwrap(Buffer.from(blob, 'base64')) : randomBytes(32);
    const [plain, wrapped] = [key.toString('base64'), wrap(key).toString('base64')];
    const isVault = request.headers['x-vault-token'] === 'dev-token';
    const isSigned = /^AWS4-HMAC-SHA256 Credential=AKID\//.test(request.headers.authorization ?? '');
    response.writeHead(isVault || isSigned ? 200 : 403, { 'content-type': 'application/json' });
    const vault = { data: { plaintext: plain, ciphertext: `vault:v1:${wrapped}` } };
    response.end(JSON.stringify(isVault ? vault : { Plaintext: plain, CiphertextBlob: wrapped }));
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

await using vaultClient = new APIIntegration({
  baseURL: `http://${host}/v1`, // https://vault.example:8200/v1
  auth: { type: 'header', name: 'X-Vault-Token', value: 'dev-token' },
});
await using kmsClient = new APIIntegration({ baseURL: `http://${host}` }); // https://kms.eu-central-1.amazonaws.com

/** A provider of your own: three methods. `keyProviderContract` of `@safla/sdk/testing` checks it. */
const own: KeyProvider = {
  async generateDataKey() {
    const plaintext = randomBytes(32);
    return { keyId: 'own-1', plaintext, wrapped: wrap(plaintext) };
  },
  async unwrapDataKey({ keyId, wrapped }) {
    if (keyId !== 'own-1') throw new UnknownKeyError(keyId);
    try {
      return unwrap(Buffer.from(wrapped));
    } catch {
      throw new DecryptError('the data key');
    }
  },
  needsRotation: ({ keyId }) => keyId !== 'own-1',
};

const providers: readonly (readonly [string, KeyProvider])[] = [
  ['LocalKeyring', new LocalKeyring({ keys: [{ id: 'local-1', key: LocalKeyring.generateKey() }] })],
  ['PasswordKeyring', new PasswordKeyring({ password: 'correct horse battery staple' })],
  ['VaultKeyring', new VaultKeyring({ client: vaultClient, key: 'orders' })],
  [
    'AwsKmsKeyring',
    new AwsKmsKeyring({
      client: kmsClient,
      host, // leave it out for AWS
      keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      credentials: () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret' }),
    }),
  ],
  ['own', own],
];

for (const [name, keys] of providers) {
  await using encryptor = new Encryptor({ keys, context: 'shop' });
  const before = requests;
  const tokens = await Promise.all([1, 2, 3, 4].map((n) => encryptor.seal(`order ${n}`, { context: `order:${n}` })));
  const texts = await Promise.all(tokens.map((token, i) => encryptor.openText(token, { context: `order:${i + 1}` })));
  assert.deepEqual(texts, ['order 1', 'order 2', 'order 3', 'order 4']);
  const { keyId } = encryptor.inspect(tokens[0] ?? '');
  console.log(`${name.padEnd(16)} ${requests - before} requests for 4 messages, key ${keyId}`);
  assert.ok(requests - before <= 1);
}
server.close();
server.closeAllConnections();
