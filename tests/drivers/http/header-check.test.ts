import { request } from 'node:http';
import { ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkedHeaders, headerFault } from '../../../src/drivers/http/index.js';

describe('checkedHeaders', () => {
  it('gives lower-case names and leaves out what is undefined', () => {
    expect(checkedHeaders({ 'X-A': '1', 'x-b': undefined }, 'request')).toEqual({ 'x-a': '1' });
  });

  it.each([
    ['x-a', 'a\r\nx-b: c'],
    ['x-a', 'a\nb'],
    ['x-a', 'a\0b'],
    ['x-a', '漢'],
    ['x a', 'b'],
    ['', 'b'],
    ['x-a:', 'b'],
    ['Host', 'evil.example'],
    ['content-length', '3'],
    ['Transfer-Encoding', 'chunked'],
  ])('refuses %j: %j, without repeating the value', (name, value) => {
    const secret = `${value}hunter2`;
    const attempt = () => checkedHeaders({ [name]: secret }, 'request');
    expect(attempt).toThrow(ValidationError);
    expect(attempt).not.toThrow(/hunter2/);
  });

  it('refuses what is not a text', () => {
    expect(() => checkedHeaders({ 'x-a': 1 as unknown as string }, 'request')).toThrow(/must be a text, got number/);
  });

  it('lets nothing pass that Node.js would refuse', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        if (headerFault('x-a', value) !== undefined) return;
        const probe = request({ host: '127.0.0.1', port: 1, headers: { 'x-a': value } });
        probe.on('error', () => undefined).destroy();
      }),
      { numRuns: 200 },
    );
  });
});
