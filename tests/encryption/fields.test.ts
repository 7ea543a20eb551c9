import { randomBytes } from 'node:crypto';
import { Encryptor, LocalKeyring } from '@safla/sdk/encryption';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFieldValue, encodeFieldValue } from '../../src/encryption/fields/field-value.js';

const context = 'user:42';
const keys = (): LocalKeyring => new LocalKeyring({ keys: [{ id: 'k1', key: randomBytes(32) }] });
const refused = { code: 'DECRYPT_FAILED' };
const user = {
  id: 42,
  ssn: '123-45-6789',
  card: { number: '4111', brand: 'visa' },
  visits: [
    { at: new Date(0), note: 'a' },
    { at: new Date(1), note: 'b' },
  ],
};
const paths = ['ssn', 'card.number', 'visits.*.note'] as const;

describe('sealFields and openFields', () => {
  it('seal the named fields and leave the rest and the original as they are', async () => {
    await using e = new Encryptor({ keys: keys() });
    const before = structuredClone(user);
    const row = await e.sealFields(user, paths, { context });
    expect(user).toEqual(before);
    expect([row.id, row.card.brand, row.visits[1]?.at]).toEqual([42, 'visa', new Date(1)]);
    for (const sealed of [row.ssn, row.card.number, row.visits[0]?.note]) expect(sealed).toMatch(/^sf1\./);
    expect(e.inspect(row.ssn).format).toBe('short');
    expect(await e.openFields(row, paths, { context })).toEqual(user);
    expect(await e.openFields(JSON.parse(JSON.stringify(row)), paths, { context })).toEqual({
      ...user,
      visits: JSON.parse(JSON.stringify(user.visits)),
    });
  });

  it('keep every type', async () => {
    await using e = new Encryptor({ keys: keys() });
    const values = [
      null,
      true,
      0,
      -0,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
      2n ** 70n,
      '',
      'a\ud800',
      new Date(7),
      new Date(Number.NaN),
      new Uint8Array([1, 2]),
      Buffer.of(3),
      [],
      [undefined, [1n]],
      { a: { $: 'x' }, b: undefined },
      new Map([[1, new Set(['x'])]]),
    ];
    for (const value of values) {
      const row = await e.sealFields({ value }, ['value'], { context });
      const back = await e.openFields<{ value: unknown }>(row, ['value'], { context });
      expect(back.value).toStrictEqual(value);
    }
    const big = { value: 'x'.repeat(400_000) };
    expect(await e.openFields(await e.sealFields(big, ['value'], { context }), ['value'], { context })).toEqual(big);
  });

  it('keep any JSON value, and keys such as __proto__', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withNullPrototype: false }), (value) => {
        expect(decodeFieldValue(encodeFieldValue(value, 'x'))).toStrictEqual(value);
      }),
    );
    const hostile = JSON.parse('{"__proto__":{"polluted":true},"constructor":1}') as object;
    const back = decodeFieldValue(encodeFieldValue(hostile, 'x')) as object;
    expect(Object.keys(back)).toEqual(['__proto__', 'constructor']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('bind each field to its place: swapped fields, elements and records do not open', async () => {
    await using e = new Encryptor({ keys: keys() });
    const row = await e.sealFields({ a: 'x', b: 'y', list: ['1', '2'] }, ['a', 'b', 'list.*'], { context });
    const swapped = [
      { ...row, a: row.b, b: row.a },
      { ...row, list: row.list.toReversed() },
    ];
    for (const bad of swapped) {
      await expect(e.openFields(bad, ['a', 'b', 'list.*'], { context })).rejects.toMatchObject(refused);
    }
    await expect(e.openFields(row, ['a'], { context: 'user:43' })).rejects.toMatchObject(refused);
    await expect(e.open(row.a, { context })).rejects.toMatchObject(refused);
    const message = await e.seal('"x"', { context, format: 'short' });
    await expect(e.openFields({ a: message }, ['a'], { context })).rejects.toMatchObject(refused);
  });

  it('leave missing and undefined fields alone, and reach through nothing that is not an object', async () => {
    await using e = new Encryptor({ keys: keys() });
    const sparse = { a: undefined, b: 'text' };
    expect(await e.sealFields<object, string>(sparse, ['a', 'missing', 'b.c', 'toString'], { context })).toEqual(
      sparse,
    );
  });

  it('refuse to seal twice, to open what is no token, and what cannot be kept', async () => {
    await using e = new Encryptor({ keys: keys() });
    const invalid = { code: 'VALIDATION' };
    const row = await e.sealFields({ a: 1 }, ['a'], { context });
    await expect(e.sealFields(row, ['a'], { context })).rejects.toThrow(/a: is sealed already|is sealed already/);
    await expect(e.openFields({ a: 1 }, ['a'], { context })).rejects.toMatchObject(refused);
    await expect(e.openFields({ a: 'plain' }, ['a'], { context })).rejects.toMatchObject(refused);
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    class Money {
      readonly cents = 1;
    }
    for (const bad of [() => 1, Symbol('x'), cycle, new Money(), [new Money()], new WeakMap(), /x/]) {
      await expect(e.sealFields({ a: bad }, ['a'], { context })).rejects.toMatchObject(invalid);
    }
    for (const bad of [[], [''], ['a..b'], ['a', 'a.b'], ['*', 'a'], 'a', [7]]) {
      await expect(e.sealFields({ a: 1 }, bad as string[], { context })).rejects.toMatchObject(invalid);
    }
    await expect(e.sealFields(7 as unknown as object, ['a'], { context })).rejects.toMatchObject(invalid);
  });

  it('rotate all fields to the new key', async () => {
    const ring = keys();
    await using e = new Encryptor({ keys: ring });
    const row = await e.sealFields(user, paths, { context });
    ring.add({ id: 'k2', key: randomBytes(32) });
    ring.promote('k2');
    const fresh = await e.rotateFields(row, paths, { context });
    expect(e.inspect(fresh.ssn).keyId).toBe('k2');
    ring.destroy('k1');
    expect(await e.openFields(fresh, paths, { context })).toEqual(user);
  });
});
