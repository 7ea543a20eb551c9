import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readQuota } from '../../../src/drivers/http/index.js';

const now = Date.parse('2026-01-01T00:00:00Z');
const seconds = now / 1_000;

describe('readQuota', () => {
  it.each<[string, Record<string, string>, number, number]>([
    ['draft 11', { ratelimit: '"default";r=50;t=30' }, 50, 30_000],
    ['draft 11 with a partition key', { ratelimit: '"default";r=0;t=5;pk=:dXNlcg==:' }, 0, 5_000],
    ['draft 11 without t, by its policy', { ratelimit: '"a";r=0', 'ratelimit-policy': '"a";q=10;w=60' }, 0, 60_000],
    ['draft 8, names as tokens', { ratelimit: 'default;r=7;t=9' }, 7, 9_000],
    ['draft 7', { ratelimit: 'limit=100, remaining=0, reset=12' }, 0, 12_000],
    ['draft 6', { 'ratelimit-limit': '100', 'ratelimit-remaining': '3', 'ratelimit-reset': '50' }, 3, 50_000],
    ['GitHub', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(seconds + 90) }, 0, 90_000],
    ['milliseconds', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now + 250) }, 0, 250],
    [
      'Discord',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': `${seconds + 1}.5`, 'x-ratelimit-reset-after': '1.25' },
      0,
      1_250,
    ],
    ['X', { 'x-rate-limit-remaining': '1', 'x-rate-limit-reset': String(seconds + 900) }, 1, 900_000],
    ['OpenAI', { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6m0.5s' }, 0, 360_500],
    ['a date', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '2026-01-01T00:00:10Z' }, 0, 10_000],
    ['a time that has passed', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(seconds - 5) }, 0, 0],
  ])('reads %s', async (_, headers, remaining, resetMs) => {
    expect(await readQuota(headers, now)).toEqual({ remaining, resetMs });
  });

  it.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['a quota without its end', { 'x-ratelimit-remaining': '0' }],
    ['an end without its quota', { 'x-ratelimit-reset': '60' }],
    ['negative numbers', { 'x-ratelimit-remaining': '-1', 'x-ratelimit-reset': '60' }],
    ['words', { 'x-ratelimit-remaining': 'none', 'x-ratelimit-reset': 'soon' }],
    ['what is not a structured field', { ratelimit: '"default;r=' }],
    ['a structured field of another kind', { ratelimit: '(1 2);r=0;t=5, 3' }],
  ])('takes %s for no quota', async (_, headers) => {
    expect(await readQuota(headers, now)).toBeUndefined();
  });

  it('gives the quota that binds first: of those used up the one that takes longest', async () => {
    const several = '"second";r=0;t=1, "day";r=0;t=3600, "burst";r=5;t=9000';
    expect(await readQuota({ ratelimit: several }, now)).toEqual({ remaining: 0, resetMs: 3_600_000 });
    const pairs = {
      'x-ratelimit-remaining-requests': '10',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-remaining-tokens': '2',
      'x-ratelimit-reset-tokens': '20ms',
    };
    expect(await readQuota(pairs, now)).toEqual({ remaining: 2, resetMs: 20 });
  });

  it('never fails, and never gives a number that is not finite and at least 0', async () => {
    const names = ['ratelimit', 'ratelimit-policy', 'ratelimit-remaining', 'ratelimit-reset', 'x-ratelimit-remaining'];
    const value = fc.oneof(
      fc.string(),
      fc.integer().map(String),
      fc.constantFrom('"a";r=0;t=1', 'remaining=0,reset=1'),
    );
    const headers = fc.dictionary(fc.constantFrom(...names, 'x-ratelimit-reset'), value);
    await fc.assert(
      fc.asyncProperty(headers, async (given) => {
        const quota = await readQuota(given, now);
        if (quota) expect(Number.isFinite(quota.remaining) && quota.resetMs >= 0).toBe(true);
      }),
    );
  });
});
