import { randomBytes } from 'node:crypto';
import { APIIntegration } from '@safla/sdk/api';
import { ConnectionError } from '@safla/sdk/core';
import {
  AwsKmsKeyring,
  Encryptor,
  type KeyProvider,
  type KeyServiceClient,
  LocalKeyring,
  PasswordKeyring,
  signV4,
  VaultKeyring,
} from '@safla/sdk/encryption';
import { keyProviderContract } from '@safla/sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unwrapKey, wrapKey } from '../../src/encryption/keyrings/key-wrap.js';
import { type KeyService, kmsService, vaultService } from './support/key-services.js';

const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const vaultToken = 'hvs.canary-token-0123456789';
const secretAccessKey = 'canary/secret/key+0123456789';
const password = 'correct horse battery staple';
const fastKdf = { name: 'scrypt', cost: 2 ** 14, parallelization: 1 } as const;
const context = 'user:1';
const runner = { describe, it };

let vault: KeyService;
let kms: KeyService;
let vaultClient: APIIntegration;
let kmsClient: APIIntegration;

beforeAll(async () => {
  vault = await vaultService(vaultToken);
  kms = await kmsService(secretAccessKey, 'eu-central-1');
  const auth = { type: 'header', name: 'X-Vault-Token', value: vaultToken } as const;
  vaultClient = new APIIntegration({ baseURL: `${vault.url}/v1`, auth });
  kmsClient = new APIIntegration({ baseURL: kms.url });
});

afterAll(async () => {
  await vaultClient.close();
  await kmsClient.close();
  await vault.close();
  await kms.close();
});

const vaultKeys = (): VaultKeyring => new VaultKeyring({ client: vaultClient, key: 'orders', derived: true });
const kmsKeys = (): AwsKmsKeyring =>
  new AwsKmsKeyring({
    client: kmsClient,
    keyArn,
    host: kms.host,
    credentials: () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey, sessionToken: 'session-token' }),
  });

const local = (): LocalKeyring => new LocalKeyring({ keys: [{ id: 'k1', key: randomBytes(32) }] });
keyProviderContract('LocalKeyring', local, { runner });
keyProviderContract('PasswordKeyring with scrypt', () => new PasswordKeyring({ password, kdf: fastKdf }), { runner });
keyProviderContract(
  'PasswordKeyring with argon2id',
  () => new PasswordKeyring({ password, kdf: { name: 'argon2id', memoryKiB: 7_168, iterations: 1, parallelism: 1 } }),
  { runner },
);
keyProviderContract('VaultKeyring', vaultKeys, { runner });
keyProviderContract('AwsKmsKeyring', kmsKeys, { runner });

describe('AES-KWP', () => {
  it('unwraps what it wrapped, and refuses every changed byte', () => {
    const [wrapping, key] = [randomBytes(32), randomBytes(32)];
    const wrapped = wrapKey(wrapping, key);
    expect(wrapped).toHaveLength(40);
    expect(unwrapKey(wrapping, wrapped)).toEqual(key);
    for (let at = 0; at < wrapped.length; at++) {
      const changed = Buffer.from(wrapped);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => unwrapKey(wrapping, changed)).toThrow(expect.objectContaining({ code: 'DECRYPT_FAILED' }));
    }
  });
});

describe('signV4', () => {
  it('signs what the service computes by itself, with and without a session token', async () => {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'TrentService.GenerateDataKey' };
    const body = JSON.stringify({ KeyId: keyArn });
    for (const session of [{}, { sessionToken: 'abc' }]) {
      const signature = signV4(
        { host: kms.host, region: 'eu-central-1', service: 'kms', headers, body, time: new Date() },
        { accessKeyId: 'AKID', secretAccessKey, ...session },
      );
      const answer = await fetch(kms.url, { method: 'POST', body, headers: { ...headers, ...signature } });
      expect(answer.status).toBe(200);
      const forged = await fetch(kms.url, { method: 'POST', body: `${body} `, headers: { ...headers, ...signature } });
      expect(forged.status).toBe(400);
    }
  });
});

describe('key services behind an Encryptor', () => {
  it('asks once for many messages, and once more to open them elsewhere', async () => {
    await using writer = new Encryptor({ keys: kmsKeys(), context: 'billing' });
    const before = kms.calls.length;
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => writer.seal(`v${i}`, { context })));
    expect(kms.calls.slice(before)).toEqual(['GenerateDataKey']);
    await using reader = new Encryptor({ keys: kmsKeys(), context: 'billing' });
    const texts = await Promise.all(tokens.map((token) => reader.openText(token, { context })));
    expect(texts[19]).toBe('v19');
    expect(kms.calls.slice(before)).toEqual(['GenerateDataKey', 'Decrypt']);
  });

  it('sees a rotation in Vault, and rotates tokens to the new version', async () => {
    const keys = vaultKeys();
    await using encryptor = new Encryptor({ keys, context: 'billing' });
    const old = await encryptor.seal('x', { context });
    expect(encryptor.needsRotation(old)).toBe(false);
    await vaultClient.request('/transit/keys/orders/rotate', { method: 'POST', body: {} });
    await using later = new Encryptor({ keys, context: 'billing' });
    const fresh = await later.rotate(old, { context });
    expect(later.needsRotation(old)).toBe(true);
    expect(later.needsRotation(fresh)).toBe(false);
    expect(await later.openText(fresh, { context })).toBe('x');
    // What is opened afterwards is old: it does not make the old version the latest again.
    await using reader = new Encryptor({ keys: vaultKeys(), context: 'billing' });
    for (const token of [fresh, old]) await reader.openText(token, { context });
    expect(reader.needsRotation(old)).toBe(true);
  });

  it('does not ask the service for a token whose key part was damaged', async () => {
    await using writer = new Encryptor({ keys: kmsKeys() });
    const token = await writer.seal('x', { context });
    await using reader = new Encryptor({ keys: kmsKeys() });
    const before = kms.calls.length;
    const damaged = `${token.slice(0, 60)}${token[60] === 'A' ? 'B' : 'A'}${token.slice(61)}`;
    await expect(reader.open(damaged, { context })).rejects.toMatchObject({ code: 'DECRYPT_FAILED' });
    expect(kms.calls.length).toBe(before);
  });

  it('is a ConnectionError without a secret when the service is away or refuses', async () => {
    const gone = await vaultService('other');
    const client = new APIIntegration({
      baseURL: `${gone.url}/v1`,
      auth: { type: 'header', name: 'X-Vault-Token', value: vaultToken },
      policy: { retry: false },
    });
    await using encryptor = new Encryptor({ keys: new VaultKeyring({ client, key: 'orders' }) });
    const refused: unknown = await encryptor.seal('x', { context }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'HTTP_STATUS', status: 403 });
    await gone.close();
    const away: unknown = await encryptor.seal('x', { context }).catch((error: unknown) => error);
    expect(away).toBeInstanceOf(ConnectionError);
    for (const error of [refused, away]) {
      expect(`${String(error)}${JSON.stringify(error)}${(error as Error).stack}`).not.toContain('canary');
    }
    await client.close();
  });

  it('gives typed errors for clients of other kinds, and keeps nothing of their errors', async () => {
    const client: KeyServiceClient = {
      request: async () => {
        throw Object.assign(new Error('plaintext=canary'), { status: 503, response: { key: 'canary' } });
      },
    };
    const failed: unknown = await Promise.resolve(
      new VaultKeyring({ client, key: 'k' }).generateDataKey({ context: '' }),
    ).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'CONNECTION' });
    expect(JSON.stringify(failed) + (failed as Error).stack + String((failed as Error).cause)).not.toContain('canary');
    const empty: KeyServiceClient = { request: async () => ({ data: { data: {} } }) };
    await expect(new VaultKeyring({ client: empty, key: 'k' }).generateDataKey({ context: '' })).rejects.toMatchObject({
      code: 'PROTOCOL',
    });
  });
});

describe('PasswordKeyring', () => {
  it('opens in another keyring with the password alone, with its own salt and parameters', async () => {
    await using first = new PasswordKeyring({ password, kdf: { ...fastKdf, blockSize: 9 } });
    await using second = new PasswordKeyring({ password, kdf: fastKdf });
    await using writer = new Encryptor({ keys: first });
    await using reader = new Encryptor({ keys: second });
    const token = await writer.seal('x', { context });
    expect(await reader.openText(token, { context })).toBe('x');
    expect(reader.needsRotation(token)).toBe(true);
    expect(reader.needsRotation(await reader.rotate(token, { context }))).toBe(false);
    await using other = new PasswordKeyring({ password: `${password}!`, kdf: fastKdf });
    await using stranger = new Encryptor({ keys: other });
    await expect(stranger.open(token, { context })).rejects.toMatchObject({ code: 'DECRYPT_FAILED' });
  });

  it('salts each keyring, so that equal passwords give other keys', async () => {
    const tokens = await Promise.all(
      [1, 2].map(async () => {
        const keys = new PasswordKeyring({ password, kdf: fastKdf });
        return Buffer.from((await keys.generateDataKey({ context: '' })).wrapped.subarray(7, 23)).toString('hex');
      }),
    );
    expect(tokens[0]).not.toBe(tokens[1]);
  });

  it('refuses parameters from sealed data that would cost too much memory or time', async () => {
    await using keys = new PasswordKeyring({ password, kdf: fastKdf });
    const { keyId, wrapped } = await keys.generateDataKey({ context: '' });
    for (const change of [
      (b: Buffer) => b.writeUInt32BE(2 ** 31, 1),
      (b: Buffer) => b.writeUInt8(255, 5),
      (b: Buffer) => b.writeUInt8(0, 6),
      (b: Buffer) => b.writeUInt8(9, 0),
    ]) {
      const forged = Buffer.from(wrapped);
      change(forged);
      await expect(keys.unwrapDataKey({ keyId, wrapped: forged }, { context: '' })).rejects.toMatchObject({
        code: 'DECRYPT_FAILED',
      });
    }
  });

  it.each([undefined, '', 'fifteen letters', 42])('refuses the password %s', (bad) => {
    expect(() => new PasswordKeyring({ password: bad as string })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION' }),
    );
  });

  it('rejects with ClosedError after close', async () => {
    const keys = new PasswordKeyring({ password, kdf: fastKdf });
    await keys.close();
    await keys.close();
    await expect(keys.generateDataKey({ context: '' })).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('LocalKeyring', () => {
  const key = (): Buffer => randomBytes(32);

  it('takes keys as bytes, hex and base64url', async () => {
    const bytes = key();
    const forms = [bytes, bytes.toString('hex'), bytes.toString('hex').toUpperCase(), bytes.toString('base64url')];
    const rings = forms.map((form) => new LocalKeyring({ keys: [{ id: 'a', key: form }] }));
    const wrapped = rings[0]?.generateDataKey({ context: '' });
    for (const ring of rings) {
      expect(Buffer.from(ring.unwrapDataKey(wrapped ?? { keyId: '', wrapped: key() }, { context: '' }))).toEqual(
        Buffer.from(wrapped?.plaintext ?? []),
      );
    }
  });

  it.each([
    ['no keys', []],
    ['an empty key', [{ id: 'a', key: '' }]],
    ['a short key', [{ id: 'a', key: Buffer.alloc(31, 7) }]],
    ['a long key', [{ id: 'a', key: Buffer.alloc(33, 7) }]],
    ['a wiped key', [{ id: 'a', key: Buffer.alloc(32) }]],
    ['a text that is neither hex nor base64url', [{ id: 'a', key: 'not a key, certainly not of 32 bytes' }]],
    ['an empty id', [{ id: '', key: Buffer.alloc(32, 7) }]],
    ['an id of 256 bytes', [{ id: 'x'.repeat(256), key: Buffer.alloc(32, 7) }]],
    ['an id used twice', [1, 2].map(() => ({ id: 'a', key: Buffer.alloc(32, 7), state: 'primary' as const }))],
    ['two primary keys', ['a', 'b'].map((id) => ({ id, key: Buffer.alloc(32, 7), state: 'primary' as const }))],
    [
      'two keys and no primary one',
      ['a', 'b'].map((id) => ({ id, key: Buffer.alloc(32, 7), state: 'active' as const })),
    ],
    ['an unknown state', [{ id: 'a', key: Buffer.alloc(32, 7), state: 'best' as 'active' }]],
  ])('refuses %s, without showing the key', (_, keys) => {
    try {
      new LocalKeyring({ keys });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONFIGURATION' });
      expect(String(error)).not.toContain('certainly');
    }
  });

  it('goes through the states, and an Encryptor follows with its next call', async () => {
    const keys = new LocalKeyring({ keys: [{ id: 'old', key: key() }] });
    await using encryptor = new Encryptor({ keys });
    const token = await encryptor.seal('x', { context });
    keys.add({ id: 'new', key: key() });
    expect(encryptor.inspect(await encryptor.seal('y', { context })).keyId).toBe('old');
    keys.promote('new');
    expect(keys.states()).toEqual({ old: 'active', new: 'primary' });
    expect(encryptor.inspect(await encryptor.seal('y', { context })).keyId).toBe('new');
    expect(encryptor.needsRotation(token)).toBe(true);
    const rotated = await encryptor.rotate(token, { context });
    expect(encryptor.needsRotation(rotated)).toBe(false);
    keys.retire('old');
    await expect(encryptor.open(token, { context })).rejects.toMatchObject({ code: 'UNKNOWN_KEY', keyId: 'old' });
    keys.activate('old');
    expect(await encryptor.openText(token, { context })).toBe('x');
    keys.destroy('old');
    await expect(encryptor.open(token, { context })).rejects.toMatchObject({ code: 'UNKNOWN_KEY' });
    expect(await encryptor.openText(rotated, { context })).toBe('x');
    expect(() => keys.activate('old')).toThrow(/destroyed/);
    expect(() => keys.add({ id: 'old', key: key() })).toThrow(/never used again/);
    expect(() => keys.retire('new')).toThrow(/promote another key first/);
    expect(() => keys.promote('missing')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  it('throws ClosedError after close', async () => {
    const keys = new LocalKeyring({ keys: [{ id: 'a', key: key() }] });
    await keys.close();
    expect(() => keys.generateDataKey({ context: '' })).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });
});

describe('providers that misbehave', () => {
  const provider = (over: Partial<KeyProvider>): KeyProvider => ({
    generateDataKey: () => ({ keyId: 'a', plaintext: randomBytes(32), wrapped: randomBytes(8) }),
    unwrapDataKey: () => randomBytes(32),
    needsRotation: () => false,
    ...over,
  });

  it('is a ProtocolError when a data key is not 32 bytes', async () => {
    const keys = provider({
      generateDataKey: () => ({ keyId: 'a', plaintext: randomBytes(16), wrapped: randomBytes(8) }),
    });
    await using encryptor = new Encryptor({ keys });
    await expect(encryptor.seal('x', { context })).rejects.toMatchObject({ code: 'PROTOCOL' });
  });

  it('settles within 50 ms of an abort and of close when the provider never answers', async () => {
    const keys = provider({ generateDataKey: () => new Promise(() => undefined) });
    const encryptor = new Encryptor({ keys });
    const reason = new Error('enough');
    const abort = new AbortController();
    const aborted = encryptor.seal('x', { context, signal: abort.signal });
    abort.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    await expect(encryptor.seal('x', { context, timeoutMs: 20 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    const waiting = expect(encryptor.seal('x', { context })).rejects.toMatchObject({ code: 'CLOSED' });
    await encryptor.close({ timeoutMs: 0 });
    await waiting;
  });

  it('tries again after a failure', async () => {
    let failures = 1;
    const keys = provider({
      generateDataKey: () => {
        if (failures-- > 0) throw new ConnectionError('away');
        return { keyId: 'a', plaintext: randomBytes(32), wrapped: randomBytes(8) };
      },
    });
    await using encryptor = new Encryptor({ keys });
    await expect(encryptor.seal('x', { context })).rejects.toMatchObject({ code: 'CONNECTION' });
    await expect(encryptor.seal('x', { context })).resolves.toMatch(/^sf1\./);
  });
});
