import { expect, it } from 'vitest';
import { runEventSoak } from './event-soak.js';
import { subjects } from './subjects.js';

const soak = process.env.SAFLA_SOAK !== undefined;

it('loses nothing and handles nothing twice within one process while handlers fail', async () => {
  await using subject = await subjects.memory();
  const result = await runEventSoak(subject, { count: soak ? 100_000 : 4_000, faults: 0, seed: 1 });
  expect(result).toMatchObject({ lost: 0, twice: 0 });
  expect(result.handlerFailures).toBeGreaterThan(0);
});
