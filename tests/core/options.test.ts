import { ConfigurationError } from '@safla/sdk/core';
import { describe, expect, it } from 'vitest';
import { checkOptions, is, type OptionChecks } from '../../src/core/internal.js';

interface Options {
  readonly url: string;
  readonly timeoutMs?: number;
  readonly limit?: number;
  readonly mode?: 'a' | 'b';
  readonly nested?: { readonly ratio?: number };
}

const checks: OptionChecks<Options> = {
  url: is.required(is.url('http:', 'https:')),
  timeoutMs: is.milliseconds,
  limit: is.count,
  mode: is.oneOf('a', 'b'),
  nested: is.options({ ratio: is.ratio }),
};

const check = (options: unknown): void => checkOptions('Client', options as Options, checks);

describe('checkOptions', () => {
  it('accepts good options and treats undefined as absent', () => {
    expect(() =>
      check({ url: 'https://h', timeoutMs: undefined, limit: 1, mode: 'b', nested: { ratio: 0.5 } }),
    ).not.toThrow();
  });

  it.each([
    [{ url: 'https://h', timoutMs: 1 }, 'Client.timoutMs', "did you mean 'timeoutMs'?"],
    [{ url: 'https://h', colour: 1 }, 'Client.colour', 'known: url, timeoutMs, limit, mode, nested'],
    [{ url: '' }, 'Client.url', 'got an empty text'],
    [{ url: 'example.com' }, 'Client.url', 'must be an absolute URL'],
    [{ url: 'ftp://h' }, 'Client.url', "the scheme 'ftp:'"],
    [{ url: 'https://h', timeoutMs: Number.NaN }, 'Client.timeoutMs', 'got NaN'],
    [{ url: 'https://h', timeoutMs: -1 }, 'Client.timeoutMs', 'got -1'],
    [{ url: 'https://h', timeoutMs: '5' }, 'Client.timeoutMs', 'got a string'],
    [{ url: 'https://h', limit: 1.5 }, 'Client.limit', 'a whole number'],
    [{ url: 'https://h', mode: 'c' }, 'Client.mode', 'one of "a", "b"'],
    [{ url: 'https://h', nested: { ratio: 2 } }, 'Client.nested.ratio', 'from 0 to 1'],
    [{ url: 'https://h', nested: null }, 'Client.nested', 'an options object'],
    [{ limit: 1 }, 'Client.url', 'got undefined'],
    [null, 'Client', 'an options object'],
    ['https://h', 'Client', 'an options object'],
  ])('refuses %j naming the field', (options, field, text) => {
    expect(() => check(options)).toThrow(ConfigurationError);
    expect(() => check(options)).toThrow(text);
    try {
      check(options);
    } catch (error) {
      expect((error as ConfigurationError).field).toBe(field);
    }
  });

  it('does not repeat a text value, which may be a secret', () => {
    expect(() => check({ url: 'hunter2' })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hunter2') }),
    );
  });

  it('is not fooled by names every object inherits', () => {
    expect(() => check({ url: 'https://h', constructor: 1 })).toThrow('Client.constructor is not an option');
  });
});
