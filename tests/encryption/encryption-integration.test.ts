import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { inspect, promisify } from 'node:util';
import { constantTimeEqual, EncryptionIntegration } from '@safla/sdk/encryption';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const masterKey = 'correct horse battery staple';
const scrypt = { cost: 2 ** 14, parallelization: 1 };
const integration = (key = masterKey): EncryptionIntegration => new EncryptionIntegration({ masterKey: key, scrypt });
const refused = expect.objectContaining({ code: 'DECRYPT_FAILED' });
const flip = (hex: string, at: number): string => hex.slice(0, at) + (hex[at] === '0' ? '1' : '0') + hex.slice(at + 1);

describe("the guide's form", () => {
  it('encrypts and decrypts as in the guide, synchronously', () => {
    const encryption = new EncryptionIntegration(masterKey);
    const { encrypted, iv, tag } = encryption.encrypt('secret data');
    expect(encryption.decrypt(encrypted, iv, tag)).toBe('secret data');
    expect([iv.length, tag.length]).toEqual([24, 32]);
    for (const part of [encrypted, iv, tag]) expect(part).toMatch(/^[0-9a-f]+$/);
  });

  it('opens in another object and in another process', async () => {
    const { encrypted, iv, tag } = integration().encrypt('across');
    expect(integration().decrypt(encrypted, iv, tag)).toBe('across');
    // Defaults there: salt and parameters come from the text itself.
    const script = `import { EncryptionIntegration } from './src/encryption/index.ts';
      console.log(new EncryptionIntegration(${JSON.stringify(masterKey)}).decrypt(...process.argv.slice(1)));`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', script, encrypted, iv, tag];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout.trim()).toBe('across');
  });

  it('round-trips any text', () => {
    const encryption = integration();
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { encrypted, iv, tag } = encryption.encrypt(text);
        expect(encryption.decrypt(encrypted, iv, tag)).toBe(text);
      }),
    );
  });

  it('hashes with SHA-256 and gives random bytes as hex', () => {
    const encryption = integration();
    expect(encryption.generateHash('abc')).toBe(createHash('sha256').update('abc').digest('hex'));
    expect(encryption.generateSecureRandom(16)).toMatch(/^[0-9a-f]{32}$/);
    expect(encryption.generateSecureRandom(16)).not.toBe(encryption.generateSecureRandom(16));
  });

  it('has an Encryptor under the same master key', async () => {
    await using first = integration();
    await using second = integration();
    const token = await first.encryptor.seal('x', { context: 'c' });
    expect(await second.encryptor.openText(token, { context: 'c' })).toBe('x');
    expect(first.encryptor).toBe(first.encryptor);
  });

  it('closes once, and throws ClosedError afterwards', async () => {
    const encryption = integration();
    const { encryptor } = encryption;
    const { encrypted, iv, tag } = encryption.encrypt('x');
    await Promise.all([encryption.close(), encryption.close()]);
    const closed = expect.objectContaining({ code: 'CLOSED' });
    expect(() => encryption.encrypt('x')).toThrow(closed);
    expect(() => encryption.decrypt(encrypted, iv, tag)).toThrow(closed);
    expect(() => encryption.encryptor).toThrow(closed);
    await expect(encryptor.seal('x', { context: 'c' })).rejects.toEqual(closed);
  });
});

/** What was wrong with the guide's own class, each with the input that showed it. */
describe('defects of the guide that must not come back', () => {
  const encryption = integration();
  const { encrypted, iv, tag } = encryption.encrypt('a secret text');

  it('1: encrypt works at the first call', () => expect(() => encryption.encrypt('x')).not.toThrow());

  it('2: refuses a truncated tag, and hex with a tail', () => {
    for (let length = 0; length < tag.length; length++) {
      expect(() => encryption.decrypt(encrypted, iv, tag.slice(0, length)), `${length}`).toThrow(refused);
    }
    for (const bad of [`${tag}zz`, `${tag}00`, tag.toUpperCase(), ` ${tag}`]) {
      if (bad !== tag) expect(() => encryption.decrypt(encrypted, iv, bad)).toThrow(refused);
    }
    expect(() => encryption.decrypt(`${encrypted}zz`, iv, tag)).toThrow(refused);
    expect(() => encryption.decrypt(`${encrypted}00`, iv, tag)).toThrow(refused);
    expect(() => encryption.decrypt(encrypted, `${iv}00`, tag)).toThrow(refused);
  });

  it('2: refuses every change of a single digit', () => {
    for (let at = 0; at < tag.length; at++)
      expect(() => encryption.decrypt(encrypted, iv, flip(tag, at))).toThrow(refused);
    for (let at = 0; at < iv.length; at++)
      expect(() => encryption.decrypt(encrypted, flip(iv, at), tag)).toThrow(refused);
    // 16 bytes of salt each make another key, which takes its time: three stand for all.
    const digits = Array.from({ length: encrypted.length }, (_, at) => at).filter(
      (at) => at < 16 || at > 46 || at % 16 === 0,
    );
    for (const at of digits)
      expect(() => encryption.decrypt(flip(encrypted, at), iv, tag), `digit ${at}`).toThrow(refused);
  });

  it('3: derives with a random salt, so that equal master keys give other keys', () => {
    const salts = [integration(), integration()].map((one) => one.encrypt('x').encrypted.slice(16, 48));
    expect(salts[0]).not.toBe(salts[1]);
  });

  it('4: derives once, so that later calls cost a thousandth', () => {
    const slow = new EncryptionIntegration(masterKey);
    const cost = (work: () => unknown): number => {
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    const first = cost(() => slow.encrypt('x'));
    const later = cost(() => {
      for (let i = 0; i < 100; i++) slow.encrypt('x');
    });
    expect(later).toBeLessThan(first);
  });

  it('5: binds to a context, by its Encryptor', async () => {
    await using own = integration();
    const token = await own.encryptor.seal('x', { context: 'alice' });
    await expect(own.encryptor.open(token, { context: 'bob' })).rejects.toEqual(refused);
  });

  it.each(['', 'fifteen letters', undefined, null, 42])('6: refuses the master key %s', (bad) => {
    expect(() => new EncryptionIntegration(bad as string)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
  });

  it('7: says which key, and rotates: the version is in the text, keys are in the Encryptor', () => {
    expect(encrypted.slice(0, 2)).toBe('01');
    expect(() => encryption.decrypt(`02${encrypted.slice(2)}`, iv, tag)).toThrow(refused);
  });

  it('8: uses nonces of 96 bits', () => expect(iv).toHaveLength(24));

  it('9: refuses binary and lone surrogates where text is asked for', () => {
    const invalid = expect.objectContaining({ code: 'VALIDATION' });
    for (const bad of [Buffer.from('fffe80', 'hex'), 'a\ud800', undefined, 7]) {
      expect(() => encryption.encrypt(bad as string)).toThrow(invalid);
    }
  });

  it('10: parts of two texts do not open together, and one token carries all', () => {
    const other = encryption.encrypt('another text');
    expect(() => encryption.decrypt(encrypted, other.iv, tag)).toThrow(refused);
    expect(() => encryption.decrypt(encrypted, iv, other.tag)).toThrow(refused);
    expect(() => encryption.decrypt(other.encrypted, iv, tag)).toThrow(refused);
  });

  it('11: has a keyed digest beside the plain hash', async () => {
    const { Encryptor, LocalKeyring } = await import('@safla/sdk/encryption');
    const make = (): InstanceType<typeof Encryptor> =>
      new Encryptor({ keys: new LocalKeyring({ keys: [{ id: 'k', key: LocalKeyring.generateKey() }] }) });
    expect(make().blindIndex('a@b.c', { index: 'email' })).not.toBe(make().blindIndex('a@b.c', { index: 'email' }));
  });

  it.each([0, -1, 1.5, Number.NaN, 65_537, '16'])('12: refuses %s random bytes', (length) => {
    expect(() => encryption.generateSecureRandom(length as number)).toThrow(
      expect.objectContaining({ code: 'VALIDATION' }),
    );
  });

  it('13: does not show the master key', () => {
    expect(inspect(encryption, { depth: 9, showHidden: true })).not.toContain('correct horse');
    expect(JSON.stringify(encryption)).not.toContain('correct horse');
  });

  it('14: has one text for every refusal, without what OpenSSL says', () => {
    const message = (work: () => unknown): string => {
      try {
        work();
        return '';
      } catch (error) {
        expect((error as Error).cause).toBeUndefined();
        return String(error);
      }
    };
    const texts = new Set([
      message(() => encryption.decrypt(encrypted, iv, flip(tag, 0))),
      message(() => encryption.decrypt('', '', '')),
      message(() => encryption.decrypt('zz', iv, tag)),
      message(() => integration('another key of some length').decrypt(encrypted, iv, tag)),
    ]);
    expect(texts.size).toBe(1);
    expect([...texts][0]).not.toMatch(/Unsupported state|authenticate data/);
  });

  it('refuses scrypt parameters from the text that would cost too much', () => {
    const forged = `01${'01'}${'80000000'}${encrypted.slice(12)}`;
    expect(() => encryption.decrypt(forged, iv, tag)).toThrow(refused);
  });
});

describe('constantTimeEqual', () => {
  it('compares texts and bytes', () => {
    expect(constantTimeEqual('abc', Buffer.from('abc'))).toBe(true);
    expect(constantTimeEqual('abc', 'abd')).toBe(false);
    expect(constantTimeEqual('abc', 'ab')).toBe(false);
    expect(() => constantTimeEqual(7 as unknown as string, 'x')).toThrow(/must be a text/);
  });
});
