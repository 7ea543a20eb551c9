import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { withContext } from '@safla/sdk/core';
import {
  type DataKeyPair,
  Encryptor,
  type EncryptorOptions,
  type KeyProvider,
  LocalKeyring,
} from '@safla/sdk/encryption';
import { ManualClock } from '@safla/sdk/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const context = 'user:42/ssn';
const secret = Buffer.from('7c0c5c1b7e3f4d0a9b8e6d5c4b3a29180716253443526170c0ffee00deadbeef', 'hex');
const keyring = (): LocalKeyring => new LocalKeyring({ keys: [{ id: 'k1', key: secret }] });
const encryptor = (options: Partial<EncryptorOptions> = {}): Encryptor =>
  new Encryptor({ keys: keyring(), ...options });
const refused = { code: 'DECRYPT_FAILED' };
const formats = ['chunked', 'short'] as const;

/** Hands out keys that the test keeps an eye on. */
function watched(): { readonly keys: KeyProvider; readonly given: Uint8Array[]; calls: number } {
  const inner = keyring();
  const state = { given: [] as Uint8Array[], calls: 0 };
  const keep = <T extends Uint8Array>(key: T): T => {
    state.given.push(key);
    state.calls += 1;
    return key;
  };
  const keys: KeyProvider = {
    generateDataKey(request): DataKeyPair {
      const pair = inner.generateDataKey(request);
      keep(pair.plaintext);
      return pair;
    },
    unwrapDataKey: (key, request) => keep(inner.unwrapDataKey(key, request)),
    needsRotation: (key) => inner.needsRotation(key),
  };
  return Object.assign(state, { keys });
}

describe.each(formats)('seal and open, format %s', (format) => {
  it('give back texts and bytes of any length', async () => {
    await using e = encryptor();
    for (const length of [0, 1, 2, 3, 1_000, 16_383, 16_384, 131_072, 131_073, 1_500_000]) {
      const bytes = randomBytes(length);
      const token = await e.seal(bytes, { context, format });
      expect((await e.open(token, { context })).equals(bytes), `${length} bytes`).toBe(true);
      expect(e.inspect(token).bytes).toBe(length);
    }
    const text = `naïve 日本 ${'🎉x'.repeat(150_000)}`;
    expect(await e.openText(await e.seal(text, { context, format }), { context })).toBe(text);
  });

  it('opens in another process that holds the same key', async () => {
    await using here = encryptor();
    await using there = encryptor();
    expect(await there.openText(await here.seal('x', { context, format }), { context })).toBe('x');
  });

  it('refuses every change of a single character, every cut, and additions', async () => {
    await using e = encryptor();
    const token = await e.seal('attack at dawn', { context, format });
    const letters = 'AB_z9';
    for (let at = 0; at < token.length; at++) {
      for (const letter of letters) {
        if (letter === token[at]) continue;
        const changed = token.slice(0, at) + letter + token.slice(at + 1);
        await expect(e.open(changed, { context }), `character ${at}`).rejects.toMatchObject(refused);
      }
      await expect(e.open(token.slice(0, at), { context }), `cut at ${at}`).rejects.toMatchObject(refused);
    }
    for (const more of ['A', 'AA', 'AAA', 'AAAA', '=', '==', '\n', ' ', '.', 'sf1.']) {
      await expect(e.open(token + more, { context })).rejects.toMatchObject(refused);
      await expect(e.open(more + token, { context })).rejects.toMatchObject(refused);
    }
  });

  it('refuses every change of a single byte, in a reader that holds no data key yet', async () => {
    await using e = encryptor();
    const bytes = Buffer.from((await e.seal('x', { context, format })).slice(4), 'base64url');
    await using reader = encryptor();
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      const failed = reader.open(`sf1.${changed.toString('base64url')}`, { context });
      await expect(failed, `byte ${at}`).rejects.toMatchObject(refused);
    }
  });

  it('refuses other spellings of the same bytes: padding, plain base64, unused bits, white space', async () => {
    await using e = encryptor();
    for (let length = 0; length < 3; length++) {
      const token = await e.seal('x'.repeat(length), { context, format });
      const body = token.slice(4);
      const last = Buffer.from(body.slice(-1) || 'A').toString();
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const neighbour = alphabet[alphabet.indexOf(last) ^ 1] ?? '';
      const spellings = [
        `sf1.${body}=`,
        `sf1.${body.slice(0, -1)}${neighbour}`,
        `sf1. ${body}`,
        `SF1.${body}`,
        `sf2.${body}`,
      ];
      if (/[-_]/.test(body)) spellings.push(`sf1.${body.replaceAll('-', '+').replaceAll('_', '/')}`);
      for (const spelling of spellings) await expect(e.open(spelling, { context })).rejects.toMatchObject(refused);
    }
  });

  it('refuses another context, the context of another Encryptor, and another key', async () => {
    await using e = encryptor({ context: 'billing' });
    const token = await e.seal('x', { context, format });
    for (const other of ['', 'user:43/ssn', `${context}\0`]) {
      await expect(e.open(token, { context: other })).rejects.toMatchObject(refused);
    }
    await using shop = encryptor({ context: 'shop' });
    await expect(shop.open(token, { context })).rejects.toMatchObject(refused);
    await using stranger = new Encryptor({
      keys: new LocalKeyring({ keys: [{ id: 'k1', key: randomBytes(32) }] }),
      context: 'billing',
    });
    await expect(stranger.open(token, { context })).rejects.toMatchObject(refused);
  });

  it('round-trips whatever text and context, and opens with that context alone', async () => {
    await using e = encryptor();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string(), fc.string(), async (text, ctx, other) => {
        const token = await e.seal(text, { context: ctx, format });
        expect(await e.openText(token, { context: ctx })).toBe(text);
        if (other !== ctx) await expect(e.open(token, { context: other })).rejects.toMatchObject(refused);
      }),
    );
  });
});

describe('what open refuses', () => {
  it.each([
    '',
    'sf1',
    'sf1.',
    'sf1.A',
    'sf1.AQ',
    'sf1.AQEB',
    'hello',
    'eyJhbGciOiJkaXIifQ..a.b.c',
    `sf1.${'A'.repeat(1_000)}`,
  ])('DECRYPT_FAILED: %s', async (token) => {
    await using e = encryptor();
    await expect(e.open(token, { context })).rejects.toMatchObject(refused);
    expect(() => e.inspect(token)).toThrow(expect.objectContaining(refused));
    expect(() => e.needsRotation(token)).toThrow(expect.objectContaining(refused));
  });

  it('refuses tokens of megabytes that are none, and damaged ones, with the one code', async () => {
    await using e = encryptor();
    const token = await e.seal(randomBytes(1_500_000), { context });
    const middle = token.length >> 1;
    const changed = token.slice(0, middle) + (token[middle] === 'A' ? 'B' : 'A') + token.slice(middle + 1);
    const junk = [
      'A',
      'sf1.',
      `sf1.${'A'.repeat(2_000_000)}`,
      'x'.repeat(2_000_000),
      changed,
      token.slice(0, -30),
      `${token}AAAA`,
    ];
    for (const bad of junk) await expect(e.open(bad, { context })).rejects.toMatchObject(refused);
  });

  it('has one text, no cause, and shows nothing of token, key or plaintext', async () => {
    await using e = encryptor();
    const token = await e.seal('plaintext-canary', { context });
    const changed = token.slice(0, -2) + (token.endsWith('AA') ? 'BA' : 'AA');
    const errors: unknown[] = [];
    for (const [bad, ctx] of [
      [changed, context],
      [token, 'other'],
      ['junk', context],
    ] as const) {
      errors.push(await e.open(bad, { context: ctx }).catch((error: unknown) => error));
    }
    expect(new Set(errors.map((error) => (error as Error).message)).size).toBe(1);
    for (const error of errors) {
      const shown = inspect(error) + JSON.stringify(error) + (error as Error).stack;
      expect(shown).not.toContain('canary');
      expect(shown).not.toContain(token.slice(10, 30));
      expect(shown).not.toContain('Unsupported state');
      expect((error as Error).cause).toBeUndefined();
    }
    expect(inspect(e, { depth: 9, showHidden: true })).not.toContain(secret.toString('hex').slice(0, 12));
  });

  it('names a key that is not held, with a code of its own', async () => {
    await using e = encryptor();
    await using other = new Encryptor({ keys: new LocalKeyring({ keys: [{ id: 'k2', key: randomBytes(32) }] }) });
    const token = await e.seal('x', { context });
    await expect(other.open(token, { context })).rejects.toMatchObject({ code: 'UNKNOWN_KEY', keyId: 'k1' });
  });

  it('is a ValidationError for what is no text, binary opened as text, and a missing context', async () => {
    await using e = encryptor();
    const invalid = { code: 'VALIDATION' };
    await expect(e.open(7 as unknown as string, { context })).rejects.toMatchObject(invalid);
    for (const none of [undefined, null, 7, {}, { length: 1e9 }, ['x'], new Uint16Array(2)])
      await expect(e.seal(none as unknown as string, { context })).rejects.toMatchObject(invalid);
    await expect(e.seal('x', {})).rejects.toThrow(/context/);
    await expect(e.seal('x', undefined as unknown as { context: string })).rejects.toMatchObject(invalid);
    await expect(e.seal('x', { context, format: 'long' as 'short' })).rejects.toMatchObject(invalid);
    const binary = await e.seal(Buffer.from('fffe80', 'hex'), { context });
    await expect(e.openText(binary, { context })).rejects.toMatchObject(invalid);
    expect((await e.open(binary, { context })).toString('hex')).toBe('fffe80');
    for (const lone of ['a\ud800', '\udc00b', `${'x'.repeat(200_000)}\ud800`]) {
      await expect(e.seal(lone, { context })).rejects.toMatchObject(invalid);
      await expect(e.seal('x', { context: lone })).rejects.toMatchObject(invalid);
    }
  });

  it('needs no context of the call when the Encryptor has one', async () => {
    await using e = encryptor({ context: 'session' });
    expect(await e.openText(await e.seal('x', {}), {})).toBe('x');
  });
});

describe('data keys', () => {
  it('are asked for once by many calls at the same time', async () => {
    const provider = watched();
    await using e = new Encryptor({ keys: provider.keys });
    await Promise.all(Array.from({ length: 50 }, () => e.seal('x', { context })));
    expect(provider.calls).toBe(1);
  });

  it('change after maxMessages, maxBytes and maxAgeMs, and the old ones still open', async () => {
    const clock = new ManualClock();
    const provider = watched();
    await using e = new Encryptor({
      keys: provider.keys,
      clock,
      dataKey: { maxMessages: 3, maxBytes: 100, maxAgeMs: 1_000 },
    });
    const tokens: string[] = [];
    const seal = async (bytes: number): Promise<void> =>
      void tokens.push(await e.seal(Buffer.alloc(bytes), { context }));
    for (let i = 0; i < 3; i++) await seal(1);
    expect(provider.calls).toBe(1);
    await seal(60);
    expect(provider.calls).toBe(2);
    await seal(60);
    expect(provider.calls).toBe(3);
    await clock.advance(1_000);
    await seal(1);
    expect(provider.calls).toBe(4);
    for (const token of tokens) await e.open(token, { context });
    expect(provider.calls).toBe(4);
  });

  it('hold the cap when many messages want in at once', async () => {
    const provider = watched();
    await using e = new Encryptor({ keys: provider.keys, dataKey: { maxMessages: 10 } });
    const tokens = await Promise.all(Array.from({ length: 95 }, () => e.seal('x', { context, format: 'short' })));
    const uses = new Map<string, number>();
    for (const token of tokens) uses.set(token.slice(0, 60), (uses.get(token.slice(0, 60)) ?? 0) + 1);
    expect(Math.max(...uses.values())).toBeLessThanOrEqual(10);
  });

  it('refuse one message that is more than a key may seal', async () => {
    await using e = encryptor({ dataKey: { maxBytes: 10 } });
    await expect(e.seal(Buffer.alloc(11), { context })).rejects.toMatchObject({ code: 'KEY_EXHAUSTED' });
    await expect(e.seal(Buffer.alloc(10), { context })).resolves.toMatch(/^sf1\./);
  });

  it('are unwrapped again after ttlMs, and when more are in use than maxKeys', async () => {
    const clock = new ManualClock();
    const tokens: string[] = [];
    for (let i = 0; i < 3; i++) {
      await using writer = encryptor();
      tokens.push(await writer.seal(`${i}`, { context }));
    }
    const provider = watched();
    await using e = new Encryptor({ keys: provider.keys, clock, keyCache: { maxKeys: 2, ttlMs: 100 } });
    const open = (index: number): Promise<string> => e.openText(tokens[index] ?? '', { context });
    expect(await Promise.all([open(0), open(0), open(1)])).toEqual(['0', '0', '1']);
    expect(provider.calls).toBe(2);
    await open(2);
    await open(0);
    expect(provider.calls).toBe(4);
    await clock.advance(100);
    await open(0);
    expect(provider.calls).toBe(5);
    expect(await Promise.all(Array.from({ length: 30 }, (_, i) => open(i % 3)))).toHaveLength(30);
  });

  it('are wiped by close, and by leaving the cache', async () => {
    const provider = watched();
    const e = new Encryptor({ keys: provider.keys, dataKey: { maxMessages: 1 }, keyCache: { maxKeys: 1 } });
    await e.seal('x', { context });
    await e.seal('x', { context });
    await e.seal('x', { context });
    await new Promise((resolve) => setImmediate(resolve));
    const isWiped = (key: Uint8Array): boolean => key.every((byte) => byte === 0);
    expect(provider.given.map(isWiped)).toEqual([true, true, false]);
    await e.close();
    expect(provider.given.map(isWiped)).toEqual([true, true, true]);
  });

  it('have nonces of 96 bits that do not repeat', async () => {
    await using e = encryptor();
    const nonces = new Set<string>();
    for (let i = 0; i < 3_000; i++) {
      const bytes = Buffer.from((await e.seal('', { context, format: 'short' })).slice(4), 'base64url');
      nonces.add(bytes.subarray(-28, -16).toString('hex'));
    }
    expect(nonces.size).toBe(3_000);
  });
});

describe('calls', () => {
  it('reject with the reason of a signal or of the context, before and between', async () => {
    await using e = encryptor();
    const reason = new Error('enough');
    await e.seal('x', { context });
    await expect(e.seal('x', { context, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const long = randomBytes(4_000_000);
    const abort = new AbortController();
    const sealing = e.seal(long, { context, signal: abort.signal });
    setImmediate(() => abort.abort(reason));
    await expect(sealing).rejects.toBe(reason);
    const over = new AbortController();
    const work = withContext({ signal: over.signal }, async () => {
      over.abort(reason);
      await e.seal('x', { context });
    });
    await expect(work).rejects.toBe(reason);
  });

  it('reject with ClosedError after close, which may be called twice', async () => {
    const e = encryptor();
    const token = await e.seal('x', { context });
    await Promise.all([e.close(), e.close()]);
    const closed = { code: 'CLOSED' };
    await expect(e.seal('x', { context })).rejects.toMatchObject(closed);
    await expect(e.open(token, { context })).rejects.toMatchObject(closed);
    await expect(e.sealFields({ a: 1 }, ['a'], { context })).rejects.toMatchObject(closed);
    await expect(e.openRange(Buffer.alloc(1), { context })).rejects.toMatchObject(closed);
    expect(() => e.sealStream({ context })).toThrow(expect.objectContaining(closed));
    expect(() => e.mac('x', { context })).toThrow(expect.objectContaining(closed));
  });

  it.each([
    [{}, /keys/],
    [{ keys: {} }, /generateDataKey/],
    [{ keys: keyring(), kontext: 'x' }, /context/],
    [{ keys: keyring(), context: 7 }, /context/],
    [{ keys: keyring(), dataKey: { maxMessages: 0 } }, /maxMessages/],
    [{ keys: keyring(), dataKey: { maxMessages: 2 ** 32 + 1 } }, /maxMessages/],
    [{ keys: keyring(), dataKey: { maxAgeMs: -1 } }, /maxAgeMs/],
    [{ keys: keyring(), keyCache: { maxKeys: 1.5 } }, /maxKeys/],
  ])('refuse wrong options at construction: %#', (options, message) => {
    expect(() => new Encryptor(options as EncryptorOptions)).toThrow(message);
    expect(() => new Encryptor(options as EncryptorOptions)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION' }),
    );
  });
});

describe('mac, blindIndex, hash and token', () => {
  it('verify the same data, context and key only', async () => {
    await using e = encryptor();
    const mac = e.mac('order 42', { context });
    expect(e.verifyMac('order 42', mac, { context })).toBe(true);
    expect(e.verifyMac(Buffer.from('order 42'), mac, { context })).toBe(true);
    expect(e.verifyMac('order 43', mac, { context })).toBe(false);
    expect(e.verifyMac('order 42', mac, { context: 'x' })).toBe(false);
    for (const bad of ['', 'sfm1.', `${mac}A`, mac.slice(0, -1), mac.replace('sfm1', 'sf1'), 7 as unknown as string]) {
      expect(e.verifyMac('order 42', bad, { context })).toBe(false);
    }
    for (let at = 5; at < mac.length; at++) {
      const changed = mac.slice(0, at) + (mac[at] === 'A' ? 'B' : 'A') + mac.slice(at + 1);
      expect(e.verifyMac('order 42', changed, { context }), `character ${at}`).toBe(false);
    }
  });

  it('stay valid while keys rotate, until the key is retired', async () => {
    const keys = keyring();
    await using e = new Encryptor({ keys });
    const mac = e.mac('x', { context });
    const index = e.blindIndex('a@b.c', { index: 'users.email' });
    keys.add({ id: 'k2', key: randomBytes(32) });
    keys.promote('k2');
    expect(e.verifyMac('x', mac, { context })).toBe(true);
    expect(e.blindIndex('a@b.c', { index: 'users.email' })).not.toBe(index);
    expect(e.blindIndexes('a@b.c', { index: 'users.email' })).toEqual([
      e.blindIndex('a@b.c', { index: 'users.email' }),
      index,
    ]);
    keys.retire('k1');
    expect(e.verifyMac('x', mac, { context })).toBe(false);
  });

  it('give blind indexes that are equal for equal values of one index, and of the length asked for', async () => {
    await using e = encryptor();
    await using again = encryptor();
    const index = 'users.email';
    expect(e.blindIndex('a@b.c', { index })).toBe(again.blindIndex('a@b.c', { index }));
    expect(e.blindIndex('a@b.c', { index })).not.toBe(e.blindIndex('a@b.d', { index }));
    expect(e.blindIndex('a@b.c', { index })).not.toBe(e.blindIndex('a@b.c', { index: 'users.name' }));
    expect(Buffer.from(e.blindIndex('a', { index, bits: 32 }), 'base64url')).toHaveLength(4);
    for (const bits of [0, 8, 12, 257]) expect(() => e.blindIndex('a', { index, bits })).toThrow(/bits/);
    expect(() => e.blindIndex('a', { index: '' })).toThrow(/index/);
  });

  it('are unsupported where the provider gives no keys for them', async () => {
    await using e = new Encryptor({ keys: watched().keys });
    expect(() => e.mac('x', { context })).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
    await using with_ = new Encryptor({ keys: watched().keys, macKeys: keyring() });
    expect(with_.verifyMac('x', with_.mac('x', { context }), { context })).toBe(true);
  });

  it('hash content as SHA-256 does, and make tokens of 16 bytes or more', async () => {
    await using e = encryptor();
    expect(e.hash('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(e.token()).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(e.token({ bytes: 16 }), 'base64url')).toHaveLength(16);
    for (const bytes of [0, 15, 1.5, Number.NaN]) expect(() => e.token({ bytes })).toThrow(/bytes/);
  });
});
