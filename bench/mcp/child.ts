/** One server under measure: `child.ts <variant> <stdio|http|memory|memoryServer>`. Tells its CPU time and memory when asked. */
import { variants } from './variants.js';

/** What the parent asks: the numbers so far, or in memory so many calls. */
export type Ask = { readonly ask: 'numbers' } | { readonly ask: 'run'; readonly calls: number };
export interface Numbers {
  readonly cpuMicros: number;
  readonly rssMiB: number;
  readonly p50Micros?: number;
}

const [variant = 'ours', transport = 'memory'] = process.argv.slice(2);
const make = variants[variant];
if (!make) throw new Error(`No variant ${variant}`);
const server = await make();
const call = transport === 'memory' || transport === 'memoryServer' ? await server[transport]?.() : undefined;
if (transport === 'stdio') await server.stdio();
const url = transport === 'http' ? await server.http() : undefined;

process.on('message', async (message: Ask) => {
  const times = message.ask === 'run' ? await run(message.calls) : [];
  const { user, system } = process.cpuUsage();
  const p50 = times.toSorted((a, b) => a - b)[times.length >> 1];
  const numbers: Numbers = {
    cpuMicros: user + system,
    rssMiB: process.memoryUsage.rss() / 1_048_576,
    ...(p50 === undefined ? {} : { p50Micros: p50 * 1_000 }),
  };
  process.send?.(numbers);
});
process.once('disconnect', () => process.exit());
process.send?.({ url });

async function run(calls: number): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < calls; index++) {
    const began = performance.now();
    await call?.(index, 1);
    times.push(performance.now() - began);
  }
  return times;
}
