import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { ConfigurationError, QueueFullError, ValidationError } from '@safla/sdk/core';
import { PasswordHasher, type PasswordHasherOptions } from '@safla/sdk/security';
import bcrypt from 'bcrypt';
import { describe, expect, it } from 'vitest';

/** The least cost: what is tested here is not the time. */
const hasherOf = (options: PasswordHasherOptions = {}) => new PasswordHasher({ cost: 10, ...options });
const argon2 = { algorithm: 'argon2id', argon2: { memoryKiB: 64, passes: 1 } } as const;

describe.each<[string, PasswordHasherOptions]>([
  ['bcrypt', {}],
  ['argon2id', argon2],
  ['bcrypt with a pepper', { pepper: { id: 'k1', secret: 'p'.repeat(32) } }],
  ['argon2id with a pepper', { ...argon2, pepper: { id: 'k1', secret: 'p'.repeat(32) } }],
])('PasswordHasher by %s', (_name, options) => {
  const hasher = hasherOf(options);

  it('accepts the password it hashed and no other', async () => {
    const stored = await hasher.hash('correct horse');
    expect(await hasher.verify('correct horse', stored)).toEqual({ ok: true, needsRehash: false });
    expect(await hasher.verify('correct horsf', stored)).toEqual({ ok: false, needsRehash: false });
    expect(await hasher.hash('correct horse')).not.toBe(stored);
  });

  it('counts every byte of a long password, and a zero byte ends nothing', async () => {
    const long = await hasher.hash(`${'a'.repeat(72)}b`);
    expect((await hasher.verify(`${'a'.repeat(72)}b`, long)).ok).toBe(true);
    expect((await hasher.verify(`${'a'.repeat(72)}c`, long)).ok).toBe(false);
    expect((await hasher.verify('a'.repeat(72), long)).ok).toBe(false);
    const accented = await hasher.hash(`${'é'.repeat(36)}b`);
    expect((await hasher.verify(`${'é'.repeat(36)}c`, accented)).ok).toBe(false);
    const zero = await hasher.hash('abc\0def');
    expect((await hasher.verify('abc\0xyz', zero)).ok).toBe(false);
    expect(await hasher.verify('abc\0def', zero)).toEqual({ ok: true, needsRehash: false });
  });

  it('takes a letter for the same however the keyboard wrote it', async () => {
    const stored = await hasher.hash('Zoe\u0308');
    expect((await hasher.verify('Zo\u00eb', stored)).ok).toBe(true);
  });

  it('says no for a user who does not exist', async () => {
    expect(await hasher.verify('anything', null)).toEqual({ ok: false, needsRehash: false });
    expect(await hasher.verify('anything', undefined)).toEqual({ ok: false, needsRehash: false });
  });
});

describe('PasswordHasher', () => {
  it('writes plain bcrypt where that is safe, and marks what it condensed first', async () => {
    expect(await hasherOf().hash('short')).toMatch(/^\$2b\$10\$/);
    const long = await hasherOf().hash('x'.repeat(73));
    expect(long).toMatch(/^\$bcrypt-sha256\$v=2,t=2b,r=10\$[./\w]{22}\$[./\w]{31}$/);
  });

  it('reads what passlib documents as its bcrypt_sha256', async () => {
    const stored = '$bcrypt-sha256$v=2,t=2b,r=12$n79VH.0Q2TMWmt3Oqt9uku$Kq4Noyk3094Y2QlB8NdRT8SvGiI4ft2';
    expect((await hasherOf().verify('password', stored)).ok).toBe(true);
    expect((await hasherOf().verify('passwore', stored)).ok).toBe(false);
  });

  it('checks hashes of older code, and asks for new ones', async () => {
    const hasher = hasherOf();
    const old = await bcrypt.hash('secret', 4);
    expect(await hasher.verify('secret', old)).toEqual({ ok: true, needsRehash: true });
    expect(await hasher.verify('secret', old.replace('$2b', '$2y'))).toEqual({ ok: true, needsRehash: true });
    expect(await hasher.verify('secret', old.replace('$2b', '$2a'))).toEqual({ ok: true, needsRehash: true });
    expect(await hasher.verify('wrong', old)).toEqual({ ok: false, needsRehash: false });
    const spelled = await bcrypt.hash('Zoe\u0308', 10);
    expect(await hasher.verify('Zoe\u0308', spelled)).toEqual({ ok: true, needsRehash: true });
    const other = await hasherOf(argon2).hash('secret');
    expect(await hasher.verify('secret', other)).toEqual({ ok: true, needsRehash: true });
  });

  it('refuses a long password against a hash that saw 72 bytes of it, unless told', async () => {
    const old = await bcrypt.hash('a'.repeat(80), 10);
    expect((await hasherOf().verify(`${'a'.repeat(72)}other`, old)).ok).toBe(false);
    expect((await hasherOf().verify('a'.repeat(72), old)).ok).toBe(true);
    const kind = hasherOf({ acceptTruncated: true });
    expect(await kind.verify('a'.repeat(80), old)).toEqual({ ok: true, needsRehash: true });
  });

  it('changes peppers without losing anybody', async () => {
    const k1 = { id: 'k1', secret: randomBytes(32) };
    const k2 = { id: 'k2', secret: randomBytes(32) };
    const bare = await hasherOf().hash('secret');
    const stored = await hasherOf({ pepper: k1 }).hash('secret');
    expect(stored).toMatch(/^\$pepper\$id=k1\$2b\$10\$/);
    const next = hasherOf({ pepper: k2, previousPeppers: [k1] });
    expect(await next.verify('secret', stored)).toEqual({ ok: true, needsRehash: true });
    expect(await next.verify('secret', bare)).toEqual({ ok: true, needsRehash: true });
    await expect(hasherOf({ pepper: k2 }).verify('secret', stored)).rejects.toThrow(/'k1'/);
    await expect(hasherOf({ pepper: { ...k1, secret: k2.secret } }).verify('secret', stored)).resolves.toMatchObject({
      ok: false,
    });
  });

  it('does the same work for a user who does not exist', async () => {
    const hasher = hasherOf({ cost: 11 });
    const stored = await hasher.hash('secret');
    const cost = async (hash: string | null): Promise<number> => {
      let best = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 3; i++) {
        const before = process.cpuUsage();
        await hasher.verify('wrong', hash);
        const { user, system } = process.cpuUsage(before);
        best = Math.min(best, user + system);
      }
      return best;
    };
    const ratio = (await cost(null)) / (await cost(stored));
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });

  it('runs so many at once, lets others wait, and refuses the rest', async () => {
    const hasher = hasherOf({ maxConcurrent: 1, maxQueue: 1 });
    const [one, two, three] = ['a', 'b', 'c'].map((text) => hasher.hash(text));
    await expect(three).rejects.toBeInstanceOf(QueueFullError);
    await Promise.all([one, two]);
  });

  it('leaves the line when the caller does', async () => {
    const hasher = hasherOf({ maxConcurrent: 1 });
    const running = hasher.hash('a');
    const reason = new Error('left');
    const controller = new AbortController();
    const waiting = hasher.hash('b', { signal: controller.signal });
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await running;
    await hasher.hash('c');
  });

  it.each([
    [''],
    ['garbage'],
    ['$2b$12$short'],
    [`$2b$31$${'a'.repeat(53)}`],
    [`$2x$10$${'a'.repeat(53)}`],
    ['$argon2id$v=19$m=99999999,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    [{}],
  ])('refuses %o as a stored hash, without showing it', async (stored) => {
    const error = await hasherOf()
      .verify('x', stored as string)
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ValidationError);
    if (typeof stored === 'string' && stored !== '') expect(inspect(error)).not.toContain(stored);
  });

  it.each([[''], ['x'.repeat(4_097)], ['\ud800'], [undefined], [7]])('refuses %o as a password', async (password) => {
    await expect(hasherOf().hash(password as string)).rejects.toBeInstanceOf(ValidationError);
    expect((await hasherOf().verify(password as string, await hasherOf().hash('x'))).ok).toBe(false);
  });

  it.each<[object]>([
    [{ cost: 9 }],
    [{ cost: 31 }],
    [{ cost: '12' }],
    [{ algorithm: 'md5' }],
    [{ pepper: { id: 'k', secret: 'short' } }],
    [{ pepper: { id: 'k$', secret: 'p'.repeat(32) } }],
    [{ pepper: { id: 'k', secret: 'p'.repeat(32) }, previousPeppers: [{ id: 'k', secret: 'q'.repeat(32) }] }],
    [{ argon2: { memoryKiB: 1e9 } }],
    [{ rounds: 12 }],
  ])('refuses %o', (options) => {
    expect(() => new PasswordHasher(options)).toThrow(ConfigurationError);
  });

  it('finds a cost for this machine, more for more time', async () => {
    const { value: quick } = await hasherOf().calibrate(1);
    const slow = await hasherOf().calibrate(1_000_000);
    expect([quick, slow.value]).toEqual([10, 18]);
    expect(slow.expectedMs).toBeGreaterThan(0);
    expect((await hasherOf(argon2).calibrate(0.001)).value).toBe(2);
  });
});
