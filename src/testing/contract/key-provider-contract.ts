import assert from 'node:assert/strict';
import type { DataKeyPair, KeyProvider, KeyRequest } from '../../encryption/index.js';
import { type ContractSuite, contractSuite, failsWith } from './contract-suite.js';

/** What a key provider may lack: `context` is false where it does not bind the Encryptor's context. */
export type KeyProviderCapability = 'context';

/** A provider with a primary key. */
export interface KeyProviderSubject extends KeyProvider {
  close?(): Promise<void>;
}

const request: KeyRequest = { context: 'contract' };

/**
 * What every key provider must do: give fresh random keys, unwrap what it wrapped and nothing else, say
 * which of its refusals is which, and keep its keys to itself.
 *
 * @example
 * keyProviderContract('LocalKeyring', () => new LocalKeyring({ keys: [{ id: 'k1', key: LocalKeyring.generateKey() }] }));
 */
export const keyProviderContract: ContractSuite<KeyProviderSubject, KeyProviderCapability> = contractSuite(
  'KeyProvider',
  [
    {
      name: 'gives data keys of 32 bytes, named and wrapped',
      async run(keys) {
        const { plaintext, keyId, wrapped } = await keys.generateDataKey(request);
        assert.equal(plaintext.length, 32);
        const idBytes = Buffer.byteLength(keyId);
        assert.ok(idBytes >= 1 && idBytes <= 255, `the key id has ${idBytes} bytes, not 1 to 255`);
        assert.ok(wrapped.length <= 65_535, `the wrapped key has ${wrapped.length} bytes`);
      },
    },
    {
      name: 'gives another key each time, also at the same time',
      async run(keys) {
        const pairs = await Promise.all(Array.from({ length: 8 }, () => keys.generateDataKey(request)));
        assert.equal(new Set(pairs.map(({ plaintext }) => hex(plaintext))).size, 8);
        assert.equal(new Set(pairs.map(({ wrapped }) => hex(wrapped))).size, 8);
      },
    },
    {
      name: 'does not show the key in what it wrapped',
      async run(keys) {
        const { plaintext, wrapped } = await keys.generateDataKey(request);
        for (let at = 0; at + 4 <= plaintext.length; at += 4) {
          assert.ok(
            !Buffer.from(wrapped).includes(Buffer.from(plaintext.subarray(at, at + 4))),
            'the wrapped key holds the key',
          );
        }
      },
    },
    {
      name: 'unwraps what it wrapped, again and again',
      async run(keys) {
        const pair = await keys.generateDataKey(request);
        const plaintext = hex(pair.plaintext);
        for (let i = 0; i < 3; i++) assert.equal(hex(await keys.unwrapDataKey(stored(pair), request)), plaintext);
      },
    },
    {
      name: 'leaves the key it gives to the receiver, who may wipe it',
      async run(keys) {
        const pair = await keys.generateDataKey(request);
        const plaintext = hex(pair.plaintext);
        pair.plaintext.fill(0);
        const unwrapped = await keys.unwrapDataKey(stored(pair), request);
        assert.equal(hex(unwrapped), plaintext);
        unwrapped.fill(0);
        assert.equal(hex(await keys.unwrapDataKey(stored(pair), request)), plaintext);
      },
    },
    {
      name: 'refuses wrapped keys that were changed or cut with DECRYPT_FAILED',
      async run(keys) {
        const pair = stored(await keys.generateDataKey(request));
        const last = pair.wrapped.length - 1;
        for (const at of new Set([last, last - 8, last - 20, Math.floor(last / 2)])) {
          const wrapped = Uint8Array.from(pair.wrapped);
          // A letter for a letter: providers whose wrapped keys are text still see one.
          wrapped[at] = (wrapped[at] ?? 0) === 0x41 ? 0x42 : 0x41;
          await failsWith('DECRYPT_FAILED', `a wrapped key changed at byte ${at}`, () =>
            keys.unwrapDataKey({ ...pair, wrapped }, request),
          );
        }
        for (const length of [0, 1, last]) {
          await failsWith('DECRYPT_FAILED', `a wrapped key cut to ${length} bytes`, () =>
            keys.unwrapDataKey({ ...pair, wrapped: pair.wrapped.subarray(0, length) }, request),
          );
        }
      },
    },
    {
      name: 'refuses keys of another context with DECRYPT_FAILED',
      needs: 'context',
      async run(keys) {
        const pair = stored(await keys.generateDataKey(request));
        await failsWith('DECRYPT_FAILED', 'a wrapped key with another context', () =>
          keys.unwrapDataKey(pair, { context: 'other' }),
        );
      },
    },
    {
      name: 'refuses a key id that it does not hold with UNKNOWN_KEY',
      async run(keys) {
        const pair = stored(await keys.generateDataKey(request));
        await failsWith('UNKNOWN_KEY', 'an unknown key id', () =>
          keys.unwrapDataKey({ ...pair, keyId: `${pair.keyId}-unknown` }, request),
        );
      },
    },
    {
      name: 'says that new keys need no rotation, and that those of another key do',
      async run(keys) {
        const pair = stored(await keys.generateDataKey(request));
        assert.equal(keys.needsRotation(pair), false);
        assert.equal(keys.needsRotation({ ...pair, keyId: `${pair.keyId}-unknown` }), true);
      },
    },
  ],
);

/** As it comes out of sealed data: without the plaintext, and in memory of its own. */
function stored({ keyId, wrapped }: DataKeyPair): { readonly keyId: string; readonly wrapped: Uint8Array } {
  return { keyId, wrapped: Uint8Array.from(wrapped) };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
