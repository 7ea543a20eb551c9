import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertChannelName, assertChannelPattern, channelMatcher } from '../../src/events/channel-name.js';

const segment = fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom(...'abZ09_-:/+()[]$^|\\?é') });
const channel = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join('.'));

/** What a pattern means, said a second way. */
function matches(pattern: string, name: string): boolean {
  const [want, have] = [pattern.split('.'), name.split('.')];
  for (const [index, part] of want.entries()) {
    if (part === '**') return have.length > index;
    if (have[index] === undefined || (part !== '*' && part !== have[index])) return false;
  }
  return want.length === have.length;
}

describe('channel patterns', () => {
  it('match a name only to itself', () => {
    fc.assert(
      fc.property(channel, channel, (one, other) => {
        assertChannelName(one);
        expect(channelMatcher(one)(one)).toBe(true);
        expect(channelMatcher(one)(other)).toBe(one === other);
      }),
    );
  });

  it('match by segments: * is one, ** at the end one or more', () => {
    const part = fc.oneof(fc.constantFrom('a', 'b', '*'));
    const pattern = fc
      .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([parts, rest]) => (rest ? [...parts, '**'] : parts).join('.'));
    const name = fc
      .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 6 })
      .map((parts) => parts.join('.'));
    fc.assert(
      fc.property(pattern, name, (some, one) => {
        assertChannelPattern(some);
        expect(channelMatcher(some)(one)).toBe(matches(some, one));
      }),
    );
  });
});
