/**
 * What sealing costs, beside jose's JWE, the guide's algorithm (repaired), and bare node:crypto.
 *
 * The bar against jose is its A256KW form with additional data: like a token of ours it carries its data key,
 * wrapped under a key-encryption key that can rotate, and is bound to a context. `dir` has neither; its figure
 * stands beside it. jose wraps a key for each message where an Encryptor keeps one for many, so the row of an
 * Encryptor that takes a new data key for each message stands there too.
 *
 * The chunked format derives a key for each message: HKDF-SHA-512, 76 bytes. What that cost, in CPU microseconds:
 * hkdfSync 7.3; two createHmac 4.5 (a KeyObject) to 6.0 (a Buffer); createHash copied from a prepared state 4.8;
 * crypto.hash into buffers 7.4; crypto.hash into binary texts 2.7, which is what is used. Taking base64url straight
 * out of the cipher cost 0.5 more than encoding the whole, and a KeyObject for the message key 1.8 more than its bytes.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, scryptSync } from 'node:crypto';
import { chunkedOpen, chunkedSeal, EncryptionIntegration, Encryptor, LocalKeyring } from '@safla/sdk/encryption';
import { CompactEncrypt, compactDecrypt, FlattenedEncrypt, flattenedDecrypt } from 'jose';
import { type Measured, measure } from './measure.js';
import { version } from './support/version.js';

const raw = randomBytes(32);
const key = createSecretKey(raw);
const context = 'user:42/ssn';
const plain = randomBytes(1_024);
const text = plain.toString('latin1').replaceAll(/[^a-z]/g, 'x');
const keyring = new LocalKeyring({ keys: [{ id: 'k1', key: raw }] });
const encryptor = new Encryptor({ keys: keyring });
const keyForEach = new Encryptor({ keys: keyring, dataKey: { maxMessages: 1 }, keyCache: { maxKeys: 1 } });

const jose = `jose ${version('jose')} JWE`;
const joseContext = Buffer.from(context);
async function byFlattened(alg: 'A256KW' | 'A256GCMKW' | 'dir', material: typeof key | CryptoKey): Promise<unknown> {
  const jwe = await new FlattenedEncrypt(plain)
    .setProtectedHeader({ alg, enc: 'A256GCM', kid: 'k1' })
    .setAdditionalAuthenticatedData(joseContext)
    .encrypt(material);
  return flattenedDecrypt(jwe, material);
}
async function byCompact(material: typeof key | CryptoKey): Promise<unknown> {
  const header = { alg: 'dir', enc: 'A256GCM' };
  return compactDecrypt(await new CompactEncrypt(plain).setProtectedHeader(header).encrypt(material), material);
}
const wrapping = await crypto.subtle.importKey('raw', raw, 'AES-KW', false, ['wrapKey', 'unwrapKey']);
const direct = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);

/** One-shot AES-256-GCM with 96-bit nonce, the AAD and the base64url that the short format has too. */
const aad = Buffer.alloc(80, 7);
function bareSeal(data: Buffer): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 }).setAAD(aad);
  const body = cipher.update(data);
  cipher.final();
  return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url');
}
function bareOpen(token: string): Buffer {
  const sealed = Buffer.from(token, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 }).setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-16));
  const body = decipher.update(sealed.subarray(12, -16));
  decipher.final();
  return body;
}

/** The guide's lines with createCipheriv: a key derived by scrypt with a fixed salt at every call, hex. */
function guideRoundTrip(): void {
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-gcm', scryptSync('a master key of some length', 'salt', 32), iv);
  const encrypted = cipher.update(text, 'utf8', 'hex') + cipher.final('hex');
  const decipher = createDecipheriv('aes-256-gcm', scryptSync('a master key of some length', 'salt', 32), iv);
  decipher.setAuthTag(cipher.getAuthTag());
  decipher.update(encrypted, 'hex', 'utf8');
  decipher.final();
}

function table(title: string, results: readonly Omit<Measured, 'rounds'>[], unit: (micros: number) => string): void {
  console.log(`\n${title}`);
  for (const { name, cpuMicros } of results) console.log(`${unit(cpuMicros).padStart(14)} | ${name}`);
}

const bar = (name: string, value: number, least: number): void =>
  console.log(`bar: ${name} >= ${least}: ${value.toFixed(2)}, ${value >= least ? 'met' : 'MISSED'}`);

const perSecond = (micros: number): string => `${Math.round(1e6 / micros).toLocaleString('en')}/s`;
const of = (results: readonly Measured[], index: number): number => results[index]?.cpuMicros ?? Number.NaN;

// 1 KiB, sealed and opened.
const messages = await measure(
  [
    {
      name: 'Encryptor, chunked (default)',
      run: async () => encryptor.open(await encryptor.seal(plain, { context }), { context }),
    },
    {
      name: 'Encryptor, short',
      run: async () => encryptor.open(await encryptor.seal(plain, { context, format: 'short' }), { context }),
    },
    {
      name: `bare node:crypto AES-256-GCM, same AAD length, base64url (node ${process.versions.node})`,
      run: async () => bareOpen(bareSeal(plain)),
    },
    {
      name: 'chunkedSeal and chunkedOpen, bytes',
      run: async () => chunkedOpen(raw, context, chunkedSeal(raw, context, plain)),
    },
    { name: `${jose} A256KW, context as additional data, KeyObject: the bar`, run: () => byFlattened('A256KW', key) },
    { name: `${jose} A256KW, context as additional data, CryptoKey`, run: () => byFlattened('A256KW', wrapping) },
    { name: `${jose} A256GCMKW, context as additional data, KeyObject`, run: () => byFlattened('A256GCMKW', key) },
    { name: `${jose} dir, no context, KeyObject`, run: () => byCompact(key) },
    { name: `${jose} dir, no context, CryptoKey`, run: () => byCompact(direct) },
    {
      name: 'Encryptor, chunked, a data key for each message',
      run: async () => keyForEach.open(await keyForEach.seal(plain, { context }), { context }),
    },
  ],
  { calls: 1_000, rounds: 15 },
);
const integration = new EncryptionIntegration('a master key of some length');
const guide = await measure(
  [
    { name: 'the guide, repaired: scrypt at every call', run: async () => guideRoundTrip() },
    {
      name: 'EncryptionIntegration (derived once)',
      run: async () => {
        for (let i = 0; i < 100; i++) {
          const { encrypted, iv, tag } = integration.encrypt(text);
          integration.decrypt(encrypted, iv, tag);
        }
      },
    },
  ],
  { calls: 5, rounds: 5 },
);
table(
  '1 KiB sealed and opened, pairs per CPU-second',
  [
    ...messages,
    ...guide.map(({ name, cpuMicros }, index) => ({ name, cpuMicros: index === 1 ? cpuMicros / 100 : cpuMicros })),
  ],
  perSecond,
);
bar('chunked / jose A256KW with a KeyObject', of(messages, 4) / of(messages, 0), 9);
for (const index of [5, 6, 7, 8])
  console.log(`     chunked / ${messages[index]?.name}: ${(of(messages, index) / of(messages, 0)).toFixed(2)}`);
bar('chunked / guide', of(guide, 0) / of(messages, 0), 1_000);
bar('short / bare', of(messages, 2) / of(messages, 1), 0.7);
for (const each of [encryptor, keyForEach, integration]) await each.close();
