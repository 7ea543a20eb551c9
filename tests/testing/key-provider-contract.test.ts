import { randomBytes } from 'node:crypto';
import { type DataKeyPair, DecryptError, type KeyRequest, LocalKeyring, type WrappedKey } from '@safla/sdk/encryption';
import { type KeyProviderSubject, keyProviderContract } from '@safla/sdk/testing';
import { describe, expect, it } from 'vitest';
import { CollectingRunner } from './fixtures/collecting-runner.js';

/** A provider that passes everything on to a keyring. Its parts are methods, so that a test can break one. */
class WrappedProvider implements KeyProviderSubject {
  readonly inner: LocalKeyring = new LocalKeyring({ keys: [{ id: 'k1', key: LocalKeyring.generateKey() }] });

  generateDataKey(request: KeyRequest): DataKeyPair {
    return this.inner.generateDataKey(request);
  }

  unwrapDataKey(key: WrappedKey, request: KeyRequest): Uint8Array {
    return this.inner.unwrapDataKey(key, request);
  }

  needsRotation(key: WrappedKey): boolean {
    return this.inner.needsRotation(key);
  }
}

const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0xff);

/** Each provider breaks one promise; the case that guards it must fail. */
const broken: Readonly<Record<string, new () => WrappedProvider>> = {
  'gives data keys of 32 bytes, named and wrapped': class extends WrappedProvider {
    override generateDataKey(request: KeyRequest): DataKeyPair {
      return { ...super.generateDataKey(request), keyId: '' };
    }
  },
  'gives another key each time, also at the same time': class extends WrappedProvider {
    #last: DataKeyPair | undefined;
    override generateDataKey(request: KeyRequest): DataKeyPair {
      this.#last ??= super.generateDataKey(request);
      return this.#last;
    }
  },
  'does not show the key in what it wrapped': class extends WrappedProvider {
    override generateDataKey(request: KeyRequest): DataKeyPair {
      const pair = super.generateDataKey(request);
      return { ...pair, wrapped: Buffer.concat([pair.wrapped, pair.plaintext]) };
    }
  },
  'unwraps what it wrapped, again and again': class extends WrappedProvider {
    readonly #seen = new Set<string>();
    override unwrapDataKey(key: WrappedKey, request: KeyRequest): Uint8Array {
      const name = Buffer.from(key.wrapped).toString('hex');
      if (this.#seen.has(name)) return randomBytes(32);
      this.#seen.add(name);
      return super.unwrapDataKey(key, request);
    }
  },
  'leaves the key it gives to the receiver, who may wipe it': class extends WrappedProvider {
    readonly #cache = new Map<string, Uint8Array>();
    override generateDataKey(request: KeyRequest): DataKeyPair {
      const pair = super.generateDataKey(request);
      this.#cache.set(Buffer.from(pair.wrapped).toString('hex'), pair.plaintext);
      return pair;
    }
    override unwrapDataKey(key: WrappedKey, request: KeyRequest): Uint8Array {
      return this.#cache.get(Buffer.from(key.wrapped).toString('hex')) ?? super.unwrapDataKey(key, request);
    }
  },
  'refuses wrapped keys that were changed or cut with DECRYPT_FAILED': class extends WrappedProvider {
    // Hidden and not authenticated.
    override generateDataKey(): DataKeyPair {
      const plaintext = randomBytes(32);
      return { keyId: 'k1', plaintext, wrapped: flipped(plaintext) };
    }
    override unwrapDataKey({ wrapped }: WrappedKey): Uint8Array {
      if (wrapped.length !== 32) throw new DecryptError();
      return flipped(wrapped);
    }
  },
  'refuses keys of another context with DECRYPT_FAILED': class extends WrappedProvider {
    override generateDataKey(): DataKeyPair {
      return super.generateDataKey({ context: '' });
    }
    override unwrapDataKey(key: WrappedKey): Uint8Array {
      return super.unwrapDataKey(key, { context: '' });
    }
  },
  'refuses a key id that it does not hold with UNKNOWN_KEY': class extends WrappedProvider {
    override unwrapDataKey(key: WrappedKey, request: KeyRequest): Uint8Array {
      return super.unwrapDataKey({ ...key, keyId: 'k1' }, request);
    }
  },
  'says that new keys need no rotation, and that those of another key do': class extends WrappedProvider {
    override needsRotation(): boolean {
      return false;
    }
  },
};

describe('keyProviderContract', () => {
  it('has a broken provider for every case', () => {
    const runner = new CollectingRunner();
    keyProviderContract('any', () => new WrappedProvider(), { runner });
    expect(Object.keys(broken)).toEqual(runner.tests.map(({ name }) => name));
  });

  it('passes on a provider that only passes on', async () => {
    const runner = new CollectingRunner();
    keyProviderContract('any', () => new WrappedProvider(), { runner });
    expect([...(await runner.failures())]).toEqual([]);
  });

  it.each(Object.entries(broken))('%s: fails on a provider that does not', async (name, Broken) => {
    const runner = new CollectingRunner();
    keyProviderContract('broken', () => new Broken(), { runner });
    expect([...(await runner.failures(name)).keys()]).toEqual([name]);
  });

  it('asks a provider without contexts for nothing that needs them', async () => {
    const runner = new CollectingRunner();
    const Contextless = broken['refuses keys of another context with DECRYPT_FAILED'] ?? WrappedProvider;
    keyProviderContract('any', () => new Contextless(), { runner, capabilities: { context: false } });
    expect([...(await runner.failures())]).toEqual([]);
    expect(runner.tests.map(({ name }) => name).at(-1)).toContain("for want of 'context'");
  });
});
