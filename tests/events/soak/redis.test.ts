import { expect, it } from 'vitest';
import { runEventSoak } from './event-soak.js';
import { subjects } from './subjects.js';

const soak = process.env.SAFLA_SOAK !== undefined;
const settings = soak ? { count: 100_000, faults: 32, seed: 1 } : { count: 3_000, faults: 3, seed: 1 };

it('loses nothing and handles nothing twice on Redis Streams through CLIENT KILL, SIGSTOP and kill -9', async () => {
  await using subject = await subjects.redis();
  const result = await runEventSoak(subject, settings);
  expect(result).toMatchObject({ published: settings.count, lost: 0, twice: 0 });
  expect(Object.keys(result.faults)).toEqual(['CLIENT KILL', 'SIGSTOP', 'kill -9']);
}, 900_000);
