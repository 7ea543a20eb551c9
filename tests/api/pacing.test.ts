import { systemClock } from '@safla/sdk/core';
import { expect, it } from 'vitest';
import { Pacing } from '../../src/api/pacing.js';

it('remembers a thousand origins, and forgets those with nothing to remember first', () => {
  const pacing = new Pacing({}, systemClock);
  const first = pacing.of('https://0.example');
  for (let i = 1; i < 1_000; i++) pacing.of(`https://${i}.example`);
  expect(pacing.of('https://0.example')).toBe(first);
  pacing.of('https://1000.example');
  expect(pacing.of('https://0.example')).not.toBe(first);
});
