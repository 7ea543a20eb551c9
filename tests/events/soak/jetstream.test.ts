import { expect, it } from 'vitest';
import { runEventSoak, type SoakSubject } from './event-soak.js';
import { subjects } from './subjects.js';

const soak = process.env.SAFLA_SOAK !== undefined;
const settings = soak ? { count: 100_000, faults: 32, seed: 1 } : { count: 2_000, faults: 2, seed: 1 };

it('loses nothing and handles nothing twice on JetStream through SIGSTOP', async () => {
  await using subject = await subjects.jetstream();
  const faults = only(subject, (name) => name === 'SIGSTOP');
  const result = await runEventSoak({ ...subject, faults }, settings);
  expect(result).toMatchObject({ published: settings.count, lost: 0, twice: 0 });
}, 900_000);

it('loses nothing on JetStream through cut connections and kill -9', async () => {
  await using subject = await subjects.jetstream();
  const faults = only(subject, (name) => name !== 'SIGSTOP');
  const result = await runEventSoak({ ...subject, faults }, settings);
  expect(result).toMatchObject({ published: settings.count, lost: 0 });
}, 900_000);

function only({ faults }: SoakSubject, wanted: (name: string) => boolean): SoakSubject['faults'] {
  return Object.fromEntries(Object.entries(faults).filter(([name]) => wanted(name)));
}
