import { ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeJSON } from '../../src/core/internal.js';

class Point {
  readonly x = 1;
  readonly y = undefined;
}

const cycle: { self?: unknown } = {};
cycle.self = cycle;

const shared = {};
const speaksForItself = Object.create({ toJSON: () => speaksForItself }, { id: { value: 1, enumerable: true } });

function failure(value: unknown): ValidationError {
  try {
    encodeJSON(value, 'order');
  } catch (error) {
    if (error instanceof ValidationError) return error;
    throw error;
  }
  throw new Error('expected a ValidationError');
}

describe('encodeJSON', () => {
  it('gives what JSON.stringify gives for whatever JSON can carry', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(encodeJSON(value, 'value')).toBe(JSON.stringify(value));
      }),
    );
  });

  it.each<[string, unknown, string]>([
    ['an instance of a class, without undefined members', new Point(), '{"x":1}'],
    ['a date', [new Date(0)], '["1970-01-01T00:00:00.000Z"]'],
    ['what toJSON gives', { a: { toJSON: (key: string) => [key] } }, '{"a":["a"]}'],
    ['an object whose toJSON gives itself', speaksForItself, '{"id":1}'],
    ['one object in two places', [shared, shared], '[{},{}]'],
  ])('encodes %s', (_, value, text) => {
    expect(encodeJSON(value, 'order')).toBe(text);
  });

  it.each<[string, unknown]>([
    ['a BigInt', 1n],
    ['a function', () => 1],
    ['a symbol', Symbol('hunter2')],
    ['NaN', Number.NaN],
    ['infinity', Number.NEGATIVE_INFINITY],
    ['a cycle', cycle],
    ['a Map', new Map([['hunter2', 1]])],
    ['a Set', new Set(['hunter2'])],
    ['a RegExp', /hunter2/],
    ['an Error', new RangeError('hunter2')],
    ['a Promise', Promise.resolve('hunter2')],
    ['bytes', new Uint8Array(3)],
    ['an ArrayBuffer', new ArrayBuffer(3)],
    ['URLSearchParams', new URLSearchParams('hunter2')],
    ['a FormData', new FormData()],
    ['an iterator', ['hunter2'].values()],
    ['an invalid date', new Date(Number.NaN)],
    ['a form that JSON cannot carry', { toJSON: () => ({ total: Number.NaN }) }],
  ])('refuses %s and names its place, not its value', (_, value) => {
    const error = failure({ lines: [{ price: value }] });
    expect(error.message).toMatch(/^order: lines\.0\.price.*: (?:is|refers to) .+, which JSON cannot carry$/);
    expect(error.message).not.toContain('hunter2');
    expect(failure(value).issues).toHaveLength(1);
  });

  it('refuses undefined as the whole and inside an array, where JSON would make it null', () => {
    expect(failure(undefined).issues[0]?.path).toEqual([]);
    expect(failure({ a: [1, undefined] }).issues[0]?.path).toEqual(['a', 1]);
    expect(failure(new Array(1)).issues[0]?.path).toEqual([0]);
  });

  it('refuses what is nested deeper than JSON can go', () => {
    let value: unknown = 0;
    for (let depth = 0; depth < 100_000; depth++) value = [value];
    expect(failure(value).message).toBe('order: is nested too deep for JSON');
  });
});
