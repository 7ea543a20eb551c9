/**
 * One tool call through an `MCPClient` (in memory) or an `MCPHost` (over stdio) and through the official
 * SDK's `Client`, against the same server by that SDK: CPU time of the client's process, which in memory
 * holds the server as well. Rounds are interleaved and ratios taken within a round, so that a busy
 * machine weighs on both alike. In the lanes `listed` the tools were listed, so answers are checked
 * against their output schema.
 *
 *     npx tsx bench/mcp-client.bench.ts
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root, run } from '../scripts/run.js';
import type { Ask, Numbers } from './mcp/child.js';
import { version } from './support/version.js';

const rounds = Number(process.env.ROUNDS ?? 15);
const calls = Number(process.env.CALLS ?? 1_000);
const bar = 1.1;
const childFile = join(root, '.tmp/mcp-client-bench.mjs');
const lanes = (
  process.env.LANES ?? 'memory 2026,memory 2026 listed,memory 2025,stdio 2026,stdio 2026 listed,stdio 2025'
).split(',');

const esbuild = join(root, 'node_modules/.bin/esbuild');
const alias = `--alias:@safla/sdk/mcp=${join(root, 'src/mcp/index.ts')}`;
const how = ['--bundle', '--platform=node', '--format=esm', '--target=node20', '--packages=external', alias];
const built = await run(esbuild, [join(root, 'bench/mcp/client-child.ts'), ...how, `--outfile=${childFile}`]);
if (built.code !== 0) throw new Error(built.output);

console.log(`@modelcontextprotocol/client ${version('@modelcontextprotocol/client')}, Node.js ${process.version}`);
console.log(`${rounds} rounds of ${calls} calls; medians; ratios are ours / SDK, within a round\n`);
console.log('lane                | ours us | SDK us | ratio | bar 1.10');
for (const lane of lanes) {
  const [ours, raw] = await Promise.all([start('ours', lane), start('raw', lane)]);
  const round = async (child: ChildProcess): Promise<number> => {
    const before = await ask(child, { ask: 'numbers' });
    return ((await ask(child, { ask: 'run', calls })).cpuMicros - before.cpuMicros) / calls;
  };
  for (let warm = 0; warm < 3; warm++) for (const child of [ours, raw]) await round(child);
  const measured: { readonly ours: number; readonly raw: number }[] = [];
  for (let index = 0; index < rounds; index++) {
    // Each is first equally often.
    const first = index % 2 === 0 ? await round(ours) : undefined;
    const other = await round(raw);
    measured.push({ ours: first ?? (await round(ours)), raw: other });
  }
  for (const child of [ours, raw]) child.disconnect();
  const ratio = median(measured.map((one) => one.ours / one.raw));
  const figures = [measured.map((one) => one.ours), measured.map((one) => one.raw)].map((all) =>
    median(all).toFixed(0),
  );
  console.log(
    `${lane.padEnd(19)} | ${figures[0]?.padStart(7)} | ${figures[1]?.padStart(6)} | ${ratio.toFixed(2).padStart(5)} | ${ratio <= bar ? 'met' : 'MISSED'}`,
  );
}

async function start(variant: string, lane: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [childFile, variant, lane], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  return child;
}

async function ask(child: ChildProcess, what: Ask): Promise<Numbers> {
  const answer = once(child, 'message');
  child.send(what);
  return ((await answer) as [Numbers])[0];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
