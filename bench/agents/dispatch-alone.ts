/** One way of dispatching in a process of its own: prints one sample as JSON, after warming up. Arguments: its index and how many tasks. */
import { dispatching, median, sample } from './dispatch.js';

const [index, n] = process.argv.slice(2).map(Number);
const variant = dispatching[index ?? -1];
if (!variant || !n) throw new Error('Arguments: the index of the variant, and how many tasks');
const samples: number[] = [];
for (let round = -3; round < 5; round++) {
  const micros = await sample(variant, n);
  if (round >= 0) samples.push(micros);
}
console.log(JSON.stringify(median(samples)));
