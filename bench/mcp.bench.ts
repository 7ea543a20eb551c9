/**
 * One tool call on an `MCPServer`, on the official SDK by itself, and on fastmcp (fetched into
 * `.tmp/mcp-peers`): CPU time of the server's process, latency, start and idle memory. Each server is a
 * process of its own (`in memory, server`: our server and the SDK's, each called by the SDK's client; `in
 * memory`: each with its own client); rounds are interleaved and ratios taken within a round, so that a busy machine
 * weighs on all alike. fastmcp serves protocols up to 2025-11-25 only. `LANE=stdio` runs the lanes of that name.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../scripts/run.js';
import type { Ask, Numbers } from './mcp/child.js';
import { peerFolder } from './mcp/variants.js';
import { overHTTP, overStdio, type WireCall } from './mcp/wire.js';
import { version } from './support/version.js';

const rounds = Number(process.env.ROUNDS ?? 15);
const calls = Number(process.env.CALLS ?? 2_000);
const fastmcp = 'fastmcp@4.20.16';

const childFile = join(root, '.tmp/mcp-bench.mjs');

interface Subject {
  readonly child: ChildProcess;
  readonly variant: string;
  /** A round of calls: CPU microseconds of the server and median microseconds of a call. */
  readonly round: () => Promise<{ readonly cpu: number; readonly p50: number }>;
  readonly startCPU: number;
  readonly idleRSS: number;
}

if (!existsSync(join(peerFolder, 'node_modules/fastmcp'))) {
  mkdirSync(peerFolder, { recursive: true });
  writeFileSync(join(peerFolder, 'package.json'), '{ "private": true }\n');
  await run('npm', ['install', '--no-audit', '--no-fund', fastmcp, '@modelcontextprotocol/sdk@1.32'], {
    cwd: peerFolder,
  });
}
await bundle();
console.log(
  `@modelcontextprotocol/server ${version('@modelcontextprotocol/server')}, ${fastmcp}, Node.js ${process.version}`,
);
console.log(`${rounds} rounds of ${calls} calls; medians; ratios are ours / peer, within a round\n`);
console.log('lane                   |  ours us | x raw SDK | x fastmcp | ours p50 us | p50 x fastmcp');

const modernPeers = ['ours', 'raw'];
const allPeers = ['ours', 'raw', 'fastmcp'];
await lane('in memory, server', modernPeers, (variant) => inMemory(variant, 'memoryServer'));
await lane('in memory', allPeers, (variant) => inMemory(variant, 'memory'));
const stdio = await lane('stdio, 2025-11-25', allPeers, (variant) => onWire(variant, 'stdio', false));
await lane('stdio, tool that waits', allPeers, (variant) => onWire(variant, 'stdio', false, { BENCH_TOOL: 'waits' }));
await lane('stdio, 2026-07-28', modernPeers, (variant) => onWire(variant, 'stdio', true));
await lane('HTTP, 2026-07-28', modernPeers, (variant) => onWire(variant, 'http', true));
await lane('HTTP, 2025-11-25', allPeers, (variant) => onWire(variant, 'http', false));

console.log('\nstdio server   | start CPU ms | idle RSS MiB');
for (const { variant, startCPU, idleRSS } of stdio)
  console.log(
    `${variant.padEnd(14)} | ${(startCPU / 1_000).toFixed(0).padStart(12)} | ${idleRSS.toFixed(0).padStart(12)}`,
  );
const ours = stdio.find(({ variant }) => variant === 'ours');
console.log(`bar: idle RSS <= 75 MiB: ${(ours?.idleRSS ?? 999) <= 75 ? 'met' : 'MISSED'}`);

/** The servers run as they are installed: JavaScript, without the compiler in their process. */
async function bundle(): Promise<void> {
  const alias = `--alias:@safla/sdk/mcp=${join(root, 'src/mcp/index.ts')}`;
  const how = ['--bundle', '--platform=node', '--format=esm', '--target=node20', '--packages=external', alias];
  const esbuild = join(root, 'node_modules/.bin/esbuild');
  const { code, output } = await run(esbuild, [join(root, 'bench/mcp/child.ts'), ...how, `--outfile=${childFile}`]);
  if (code !== 0) throw new Error(output);
}

async function lane(
  name: string,
  names: readonly string[],
  open: (variant: string) => Promise<Subject>,
): Promise<Subject[]> {
  if (!name.includes(process.env.LANE ?? '')) return [];
  const subjects: Subject[] = [];
  for (const variant of names) subjects.push(await open(variant));
  for (const { round } of subjects) for (let warm = 0; warm < 3; warm++) await round();
  const cpu: Record<string, number[]> = Object.fromEntries(names.map((variant) => [variant, []]));
  const p50: Record<string, number[]> = Object.fromEntries(names.map((variant) => [variant, []]));
  for (let index = 0; index < rounds; index++) {
    // Each is first, second and last equally often.
    for (let turn = 0; turn < subjects.length; turn++) {
      const subject = subjects[(turn + index) % subjects.length];
      if (!subject) continue;
      const measured = await subject.round();
      cpu[subject.variant]?.push(measured.cpu / calls);
      p50[subject.variant]?.push(measured.p50);
    }
  }
  for (const { child } of subjects) child.disconnect();
  const ratio = (of: Record<string, number[]>, peer: string): string =>
    of[peer]
      ? median((of.ours ?? []).map((value, index) => value / (of[peer]?.[index] ?? Number.NaN))).toFixed(2)
      : '-';
  console.log(
    [
      name.padEnd(22),
      median(cpu.ours ?? [])
        .toFixed(0)
        .padStart(8),
      ratio(cpu, 'raw').padStart(9),
      ratio(cpu, 'fastmcp').padStart(9),
      median(p50.ours ?? [])
        .toFixed(0)
        .padStart(11),
      ratio(p50, 'fastmcp').padStart(13),
    ].join(' | '),
  );
  return subjects;
}

async function start(
  variant: string,
  transport: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ child: ChildProcess; url: string; numbers: Numbers }> {
  const args = [childFile, variant, transport];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'ignore', 'ipc'],
  });
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  return { child, url, numbers: await ask(child, { ask: 'numbers' }) };
}

async function inMemory(variant: string, transport: 'memory' | 'memoryServer'): Promise<Subject> {
  const { child, numbers } = await start(variant, transport);
  const round = async () => {
    const before = await ask(child, { ask: 'numbers' });
    const after = await ask(child, { ask: 'run', calls });
    return { cpu: after.cpuMicros - before.cpuMicros, p50: after.p50Micros ?? Number.NaN };
  };
  return { child, variant, round, startCPU: numbers.cpuMicros, idleRSS: numbers.rssMiB };
}

async function onWire(
  variant: string,
  transport: 'stdio' | 'http',
  modern: boolean,
  env?: Readonly<Record<string, string>>,
): Promise<Subject> {
  const { child, url, numbers } = await start(variant, transport, env);
  const call: WireCall = transport === 'stdio' ? await overStdio(child, modern) : await overHTTP(url, modern);
  let index = 0;
  const round = async () => {
    const before = await ask(child, { ask: 'numbers' });
    const times: number[] = [];
    for (let done = 0; done < calls; done++) {
      const began = performance.now();
      await call(index++);
      times.push(performance.now() - began);
    }
    const after = await ask(child, { ask: 'numbers' });
    return { cpu: after.cpuMicros - before.cpuMicros, p50: median(times) * 1_000 };
  };
  return { child, variant, round, startCPU: numbers.cpuMicros, idleRSS: numbers.rssMiB };
}

async function ask(child: ChildProcess, what: Ask): Promise<Numbers> {
  const answer = once(child, 'message');
  child.send(what);
  return ((await answer) as [Numbers])[0];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
