import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { EncryptionIntegration, Encryptor, LocalKeyring, PasswordKeyring } from '@safla/sdk/encryption';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import '../support/properties.js';
import { expand, fromPassword, gcm, prefixed, readSealed, readToken, readValue } from './support/reader.js';

const key = randomBytes(32);
const local = { k1: key };
const encryptorOf = (owner?: string): Encryptor =>
  new Encryptor({
    keys: new LocalKeyring({ keys: [{ id: 'k1', key }] }),
    ...(owner !== undefined && { context: owner }),
  });

describe('what is sealed is what docs/encryption.md says', () => {
  it.each(['chunked', 'short'] as const)('as a token of the format %s, of any length and context', async (format) => {
    const owners = new Map(['', 'billing', 'Köln'].map((owner) => [owner, encryptorOf(owner)]));
    const cases = fc.tuple(
      fc.uint8Array({ maxLength: 40_000 }),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(...owners.keys()),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([plain, context, owner]) => {
        const token = await owners.get(owner)?.seal(plain, { context, format });
        expect(readToken(token ?? '', context, { local, owner }).equals(plain)).toBe(true);
      }),
    );
  });

  it.each([0, 16_383, 16_384, 16_385, 131_073, 5_000_000])('as a stream and a token of %i bytes', async (bytes) => {
    await using encryptor = encryptorOf();
    const plain = randomBytes(bytes);
    const sealed: Uint8Array[] = [];
    for await (const piece of encryptor.sealStream([plain], { context: 'file' })) sealed.push(piece);
    expect(readSealed(Buffer.concat(sealed), 'file', { local }).equals(plain)).toBe(true);
    expect(readToken(await encryptor.seal(plain, { context: 'file' }), 'file', { local }).equals(plain)).toBe(true);
  });

  it('as fields, by their path and with their types', async () => {
    await using encryptor = encryptorOf('crm');
    const visits = [{ note: 'x' }, { note: { $: 'own', at: new Date(5), set: new Set([1n, -0]) } }];
    const row = { ssn: new Map([[1, undefined]]), raw: Buffer.from([255]), visits };
    const sealed = await encryptor.sealFields(row, ['ssn', 'raw', 'visits.*.note'], { context: 'user:1' });
    const read = (token: unknown, path: string): unknown =>
      readValue(JSON.parse(readToken(String(token), 'user:1', { local, owner: 'crm' }, path).toString()));
    expect(read(sealed.ssn, 'ssn')).toEqual(row.ssn);
    expect(read(sealed.raw, 'raw')).toEqual(row.raw);
    expect([0, 1].map((at) => read(sealed.visits[at]?.note, `visits.${at}.note`))).toEqual(
      visits.map(({ note }) => note),
    );
    expect(() => read(sealed.visits[0]?.note, 'visits.1.note')).toThrow();
  });

  it('under a password, in whatever Unicode form it was typed', async () => {
    const password = 'Ame\u0301lie geht nach Köln';
    const kdf = { name: 'scrypt', cost: 2 ** 14, parallelization: 2 } as const;
    await using encryptor = new Encryptor({ keys: new PasswordKeyring({ password, kdf }), context: 'notes' });
    const token = await encryptor.seal('x', { context: '1' });
    for (const typed of [password, password.normalize('NFC')])
      expect(readToken(token, '1', { password: typed, owner: 'notes' }).toString()).toBe('x');
  });

  it('for MACs and blind indexes', async () => {
    await using encryptor = encryptorOf('billing');
    const derived = (purpose: string): Buffer => expand(key, prefixed('safla/keyring/derive', purpose), 32);
    const mac = createHmac('sha256', derived('mac'))
      .update(prefixed('mac', 'billing', 'user:1'))
      .update('data')
      .digest();
    const text = Buffer.concat([Buffer.of(2), Buffer.from('k1'), mac]).toString('base64url');
    expect(encryptor.mac('data', { context: 'user:1' })).toBe(`sfm1.${text}`);
    const index = createHmac('sha256', derived('blind-index')).update(
      prefixed('billing', 'blind-index', 'users.email'),
    );
    const expected = index.update('a@b.c').digest().subarray(0, 8).toString('base64url');
    expect(encryptor.blindIndex('a@b.c', { index: 'users.email', bits: 64 })).toBe(expected);
  });

  it('in the synchronous form', () => {
    const masterKey = 'a master key of some length';
    const scrypt = { cost: 2 ** 14, parallelization: 1 };
    const { encrypted, iv, tag } = new EncryptionIntegration({ masterKey, scrypt }).encrypt('Grüße');
    const bytes = Buffer.from(encrypted, 'hex');
    expect(bytes[0]).toBe(1);
    const sealed = Buffer.concat([Buffer.from(iv, 'hex'), bytes.subarray(24), Buffer.from(tag, 'hex')]);
    expect(gcm(fromPassword(masterKey, bytes.subarray(1, 24)), sealed, bytes.subarray(0, 24)).toString()).toBe('Grüße');
  });

  it('in its worked example', async () => {
    const page = readFileSync(new URL('../../docs/encryption.md', import.meta.url), 'utf8');
    const [, header = '', token = '', short = ''] = /^header (.+)\ntoken {2}(\S+)\nshort {2}(\S+)$/m.exec(page) ?? [];
    const example = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
    const keys = new LocalKeyring({ keys: [{ id: 'k1', key: example }] });
    await using encryptor = new Encryptor({ keys, context: 'billing' });
    for (const one of [token, short]) {
      expect(readToken(one, 'user:42', { local: { k1: example }, owner: 'billing' }).toString()).toBe('hello');
      expect(await encryptor.openText(one, { context: 'user:42' })).toBe('hello');
    }
    expect(Buffer.from(token.slice(4), 'base64url').toString('hex')).toMatch(
      new RegExp(`^${header.replaceAll(' ', '')}`),
    );
  });
});
