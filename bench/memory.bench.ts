/**
 * Vector search beside its peers: CPU time per query and recall, the price of filters, growth to a
 * million rows, the share of the machine's memory bandwidth that the scan uses, and how fast it stores and
 * opens. Ways to scan less that were tried for 10,000 GloVe vectors and left out, by the share of rows that
 * their bounds leave over (frequent words, spread words): 100 or 400 k-means lists with cone bounds 1.00, 0.99;
 * the first 32 or 64 of 100 principal components with a bound on the rest 0.18, 0.63 or 0.01, 0.07, which would
 * save a tenth of the time on spread words; product codes of 4 bits for 2 components 0.10, 0.27; scalar codes of
 * 4 bits 0.007, 0.014, whose table look-ups cost as many instructions here as the products they replace.
 * `--quick` stops at 100,000 rows; `--only=exact,together,indexes,filters,storing,growth` picks parts.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalVectorMemory } from '@safla/sdk/memory';
import { root } from '../scripts/run.js';
import { type Measured, measure } from './measure.js';
import { compare, print, type Row, warmUp } from './memory/compare.js';
import { clustered, glove } from './memory/data.js';
import { logLog, type Point } from './memory/plot.js';
import {
  guide,
  hnswlib,
  langchain,
  ours,
  type Searcher,
  usearchExact,
  usearchIndex,
  zvec,
} from './memory/searchers.js';

const quick = process.argv.includes('--quick');
const efs = [10, 20, 40, 80, 160, 320];

const picked = process.argv
  .find((one) => one.startsWith('--only='))
  ?.slice('--only='.length)
  .split(',');
const parts: Readonly<Record<string, () => Promise<void>>> = {
  exact,
  together,
  indexes: async () => {
    for (const which of ['spread', 'frequent'] as const) await againstIndexes(which);
  },
  filters,
  storing,
  growth,
};
for (const [name, run] of Object.entries(parts)) if (!picked || picked.includes(name)) await run();

async function exact(): Promise<void> {
  const data = clustered(100_000);
  const searchers = [await ours(data), guide(data), await langchain(data), usearchExact(data)].filter(
    (one) => one !== undefined,
  );
  const callsOf = ({ name }: Searcher): number => (/guide|LangChain/.test(name) ? 3 : 50);
  const rows = await compare(data, searchers, { rounds: 7, callsOf });
  const base = rows.find(({ name }) => name.startsWith('the guide'));
  print(`${data.name}, 100,000 rows, k = 10 (times faster than the guide's provider)`, rows, base);
  const [mine, usearch] = [rows[0] as Row, rows.find(({ name }) => name.startsWith('usearch'))];
  if (usearch) console.log(`  LocalVectorMemory is ${(usearch.cpuMs / mine.cpuMs).toFixed(1)}x usearch exactSearch`);
  const scanned = data.count * data.dimension;
  const rate = scanned / (mine.cpuMs / 1_000) / 1e9;
  const machine = readBandwidth();
  console.log(
    `  codes read at ${rate.toFixed(1)} GB per CPU-second; memory of this machine: ${machine.toFixed(1)} (${Math.round((100 * rate) / machine)} %)`,
  );
}

/** One way through memory for many queries, beside a search for each. */
async function together(): Promise<void> {
  console.log('\nMany queries at once, k = 10: CPU ms per query');
  for (const count of [100_000, 300_000]) {
    const { rows, queries } = clustered(count);
    const memory = new LocalVectorMemory({ maxBytes: 2 ** 32 });
    for (let from = 0; from < count; from += 10_000) {
      const part = rows.slice(from, from + 10_000);
      await memory.storeMany(part.map((vector, i) => ({ id: String(from + i), vector })));
    }
    const [alone, many] = await measure(
      [
        { name: 'search', run: () => Promise.all(queries.map((query) => memory.search(query))) },
        { name: 'searchMany', run: () => memory.searchMany(queries) },
      ],
      { calls: 3, rounds: 7 },
    );
    const perQuery = ({ cpuMicros }: Measured): string => (cpuMicros / 1_000 / queries.length).toFixed(3);
    console.log(
      `  ${count.toLocaleString('en-US').padStart(9)} rows  search ${perQuery(alone as Measured)}  searchMany of ${queries.length} ${perQuery(many as Measured)}`,
    );
    await memory.close();
  }
}

/**
 * Queries are held out of the same sample as the rows, as ann-benchmarks.com does. The bar is `spread`: a uniform
 * sample of the vocabulary. `frequent` words are the first of it only; they lie so that graphs have it easy.
 */
async function againstIndexes(which: 'frequent' | 'spread'): Promise<void> {
  const data = glove(10_000, which);
  if (!data) return;
  const at = hnswlib(data);
  const opened = await zvec(data);
  const searchers = [
    await ours(data),
    ...(at ? efs.map(at) : []),
    ...efs.flatMap((ef) => usearchIndex(data, ef) ?? []),
    ...efs.map(opened.at),
  ];
  const rows = await compare(data, searchers, { rounds: 9, callsOf: () => 200 });
  print(`${data.name}, 10,000 rows, k = 10; indexes with M = 16, efConstruction = 128`, rows, undefined);
  for (const name of ['hnswlib', 'usearch', 'zvec']) {
    const good = rows.filter((row) => row.name.startsWith(name) && row.recall >= 0.99);
    const best = good.toSorted((a, b) => a.cpuMs - b.cpuMs)[0];
    const verdict = best
      ? `${(best.cpuMs / (rows[0] as Row).cpuMs).toFixed(1)}x the queries of ${best.name} (recall ${best.recall.toFixed(3)})`
      : `${name} never reached a recall of 0.99`;
    console.log(`  LocalVectorMemory at recall 1: ${verdict}`);
  }
  opened.close();
}

async function filters(): Promise<void> {
  const { rows, queries } = clustered(100_000);
  const memory = new LocalVectorMemory();
  await memory.storeMany(rows.map((vector, i) => ({ id: String(i), vector, metadata: { place: i % 1_000 } })));
  console.log('\nFilters over 100,000 rows: CPU ms per query, recall');
  for (const share of [1, 0.5, 0.1, 0.01, 0.001]) {
    const filter = { place: { $lt: share * 1_000 } };
    const calls = 50;
    await memory.search(queries[0] as Float32Array, { filter });
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) await memory.search(queries[i % queries.length] as Float32Array, { filter });
    const { user, system } = process.cpuUsage(before);
    const all = await memory.search(queries[0] as Float32Array, { limit: Number.POSITIVE_INFINITY });
    const truth = all.filter(({ metadata }) => (metadata?.place as number) < share * 1_000).slice(0, 10);
    const hits = new Set((await memory.search(queries[0] as Float32Array, { filter })).map(({ id }) => id));
    const recall = truth.filter(({ id }) => hits.has(id)).length / truth.length;
    console.log(
      `  ${`${share * 100} %`.padStart(6)} match ${((user + system) / 1_000 / calls).toFixed(3).padStart(9)} ms  recall ${recall.toFixed(4)}`,
    );
  }
  await memory.close();
}

async function storing(): Promise<void> {
  const { rows, count } = clustered(100_000);
  const items = rows.map((vector, i) => ({ id: String(i), vector }));
  console.log('\nStoring and opening 100,000 rows of 128 components, storeMany of 10,000');
  for (const fsync of [undefined, 'os', 'always'] as const) {
    const path = mkdtempSync(join(tmpdir(), 'safla-bench-'));
    const options = fsync === undefined ? {} : { path, fsync };
    const memory = new LocalVectorMemory(options);
    const before = process.cpuUsage();
    for (let from = 0; from < count; from += 10_000) await memory.storeMany(items.slice(from, from + 10_000));
    const { user, system } = process.cpuUsage(before);
    const seconds = (user + system) / 1e6;
    await memory.close();
    const name = fsync === undefined ? 'in process' : `fsync ${fsync}`;
    console.log(`  ${name.padEnd(14)} ${Math.round(count / seconds).toLocaleString('en-US')} vectors per CPU-second`);
    if (fsync === 'os') {
      const [opening, start] = [performance.now(), process.cpuUsage()];
      const again = new LocalVectorMemory({ path });
      await again.count();
      const cpu = process.cpuUsage(start);
      const [wallMs, cpuSeconds] = [performance.now() - opening, (cpu.user + cpu.system) / 1e6];
      console.log(`  opened again in ${cpuSeconds.toFixed(2)} CPU-seconds (${(wallMs / 1_000).toFixed(2)} s)`);
      await again.close();
    }
    rmSync(path, { recursive: true, force: true });
  }
}

async function growth(): Promise<void> {
  const sizes = [1_000, 3_000, 10_000, 30_000, 100_000, ...(quick ? [] : [300_000, 1_000_000])];
  const points: Point[] = [];
  const { rows, queries } = clustered(sizes.at(-1) as number);
  const memory = new LocalVectorMemory({ maxBytes: 2 ** 32, maxItems: 2_000_000 });
  console.log('\nGrowth: CPU ms per query, k = 10, 128 components');
  let stored = 0;
  for (const size of sizes) {
    for (; stored < size; stored += Math.min(10_000, size - stored)) {
      const part = rows.slice(stored, Math.min(size, stored + 10_000));
      await memory.storeMany(part.map((vector, i) => ({ id: String(stored + i), vector })));
    }
    const calls = Math.max(20, Math.min(500, Math.round(2e6 / size)));
    await warmUp((call) => memory.search(queries[call % queries.length] as Float32Array));
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) await memory.search(queries[i % queries.length] as Float32Array);
    const { user, system } = process.cpuUsage(before);
    points.push({ x: size, y: (user + system) / 1_000 / calls });
    console.log(
      `  ${size.toLocaleString('en-US').padStart(9)} rows ${(points.at(-1) as Point).y.toFixed(3).padStart(9)} ms`,
    );
  }
  await memory.close();
  if (quick) return;
  const folder = join(root, 'docs/images');
  mkdirSync(folder, { recursive: true });
  const curve = { name: 'LocalVectorMemory, recall 1', color: '#1f6feb', points };
  const axes = { x: 'vectors of 128 components', y: 'CPU milliseconds per query' };
  writeFileSync(join(folder, 'memory-growth.svg'), logLog('Exact search, k = 10', axes, [curve]));
}

/** GB per CPU-second that one thread reads: the C library's memchr over 512 MB. */
function readBandwidth(): number {
  const bytes = Buffer.alloc(2 ** 29, 1);
  const rates = Array.from({ length: 7 }, () => {
    const before = process.cpuUsage();
    bytes.indexOf(0);
    const { user, system } = process.cpuUsage(before);
    return bytes.length / ((user + system) * 1_000);
  });
  return rates.sort((a, b) => a - b)[3] as number;
}
