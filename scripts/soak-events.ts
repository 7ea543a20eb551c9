/**
 * Publishes events while faults hit the server, and counts what was lost and what was handled twice.
 *
 *     npx tsx scripts/soak-events.ts --transport redis --count 100000 --faults 30 --seed 1
 */
import { parseArgs } from 'node:util';
import { runEventSoak } from '../tests/events/soak/event-soak.js';
import { subjects } from '../tests/events/soak/subjects.js';

const { values } = parseArgs({
  options: {
    transport: { type: 'string', multiple: true, default: ['memory', 'redis', 'jetstream'] },
    count: { type: 'string', default: '100000' },
    faults: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    verbose: { type: 'boolean', default: false },
  },
});
const settings = { count: Number(values.count), faults: Number(values.faults), seed: Number(values.seed) };

console.log('| transport | acked | published again | faults | lost | handled twice | seconds |');
console.log('|---|---|---|---|---|---|---|');
for (const name of values.transport) {
  const open = new Map(Object.entries(subjects)).get(name);
  if (!open) throw new Error(`--transport must be one of ${Object.keys(subjects).join(', ')}`);
  await using subject = await open();
  const onFault = values.verbose ? (line: string) => console.error(`  ${line}`) : () => undefined;
  const result = await runEventSoak(subject, { ...settings, onFault });
  const faults = Object.entries(result.faults).map(([kind, times]) => `${times} ${kind}`);
  const { published, republished, lost, twice, seconds } = result;
  console.log(
    `| ${subject.name} | ${published} | ${republished} | ${faults.join(', ') || 'none'} | ${lost} | ${twice} | ${seconds.toFixed(1)} |`,
  );
  if (lost > 0 || (subject.once && twice > 0)) process.exitCode = 1;
}
