import { describe, expect, it } from 'vitest';
import { mayReconnect } from '../../src/graphql/socket-failure.js';

describe('connecting again', () => {
  it.each([
    [401, false],
    [403, false],
    [404, false],
    [408, true],
    [429, true],
    [499, false],
    [500, true],
    [503, true],
  ])('after an upgrade that was answered %i: %s', (status, expected) => {
    expect(mayReconnect({ message: `Unexpected server response: ${status}` })).toBe(expected);
  });

  it('never after the credentials were refused', () => {
    expect(mayReconnect({ code: 4401, reason: '' })).toBe(false);
    expect(mayReconnect({ code: 4403, reason: '' })).toBe(false);
    expect(mayReconnect({ code: 1006, reason: '' })).toBe(true);
  });
});
