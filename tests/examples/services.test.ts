import { expect, it } from 'vitest';
import { runExample } from './run-example.js';

it('services-for-tests.ts checks itself, ends and leaves no process', async () => {
  const { code, stderr, left } = await runExample('examples/services-for-tests.ts');
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(left).toEqual([]);
});
