import { expect, it } from 'vitest';
import { needServices, runExample } from './run-example.js';

it.each(needServices)('%s checks itself, ends and leaves no process', async (name) => {
  const { code, stderr, left } = await runExample(`examples/${name}`);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(left).toEqual([]);
});
