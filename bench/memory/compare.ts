import type { Dataset } from './data.js';
import type { Searcher } from './searchers.js';

/** One searcher over one dataset. */
export interface Row {
  readonly name: string;
  /** Median over the rounds of CPU milliseconds (user and system, all threads) per query. */
  readonly cpuMs: number;
  /** Share of the ten nearest by float64 arithmetic that it found. */
  readonly recall: number;
}

/** Searches in turn, round by round, so that all share the machine's moods. */
export async function compare(
  { rows, queries }: Dataset,
  searchers: readonly Searcher[],
  { rounds, callsOf }: { readonly rounds: number; readonly callsOf: (searcher: Searcher) => number },
): Promise<Row[]> {
  const k = 10;
  const truth = queries.map((query) => nearest(rows, query, k));
  const samples = searchers.map((): number[] => []);
  // What was left behind before is not theirs to collect: it would fall on those that live on the same heap.
  globalThis.gc?.();
  for (const { search } of searchers) await warmUp((call) => search(queries[call % queries.length] as Float32Array, k));
  for (let round = 0; round < rounds; round++) {
    for (const [place, searcher] of searchers.entries()) {
      const calls = callsOf(searcher);
      const before = process.cpuUsage();
      for (let call = 0; call < calls; call++) await searcher.search(queries[call % queries.length] as Float32Array, k);
      const { user, system } = process.cpuUsage(before);
      samples[place]?.push((user + system) / 1_000 / calls);
    }
  }
  const table: Row[] = [];
  for (const [place, searcher] of searchers.entries()) {
    let found = 0;
    const asked = Math.min(queries.length, callsOf(searcher));
    for (let i = 0; i < asked; i++) {
      const ids = await searcher.search(queries[i] as Float32Array, k);
      found += ids.filter((id) => truth[i]?.has(id)).length;
    }
    const sorted = (samples[place] ?? []).toSorted((a, b) => a - b);
    table.push({
      name: searcher.name,
      cpuMs: sorted[Math.floor(sorted.length / 2)] as number,
      recall: found / (asked * k),
    });
  }
  return table;
}

/**
 * Compiled code against compiled code: JavaScript takes thousands of calls until its last compilation, which is
 * billed to the same CPU. Ends after 6,000 calls, or two CPU-seconds.
 */
export async function warmUp(run: (call: number) => unknown): Promise<void> {
  const before = process.cpuUsage();
  for (let call = 0; call < 6_000; call++) {
    await run(call);
    const { user, system } = process.cpuUsage(before);
    if (user + system > 2e6) return;
  }
}

/** By float64 arithmetic over the float32 rows. */
function nearest(rows: readonly Float32Array[], query: Float32Array, k: number): Set<number> {
  const scored = rows.map((row, id) => {
    let [product, length] = [0, 0];
    for (let i = 0; i < row.length; i++) {
      product += (row[i] as number) * (query[i] as number);
      length += (row[i] as number) ** 2;
    }
    return { id, score: product / Math.sqrt(length) };
  });
  return new Set(
    scored
      .sort((a, b) => b.score - a.score || a.id - b.id)
      .slice(0, k)
      .map(({ id }) => id),
  );
}

export function print(title: string, rows: readonly Row[], base: Row | undefined): void {
  console.log(`\n${title}`);
  for (const { name, cpuMs, recall } of rows) {
    const times = base ? `${(base.cpuMs / cpuMs).toFixed(1)}x` : '';
    const rate = Math.round(1_000 / cpuMs).toLocaleString('en-US');
    console.log(
      `  ${name.padEnd(40)} ${cpuMs.toFixed(3).padStart(9)} CPU ms ${rate.padStart(8)}/s ${times.padStart(8)}  recall ${recall.toFixed(4)}`,
    );
  }
}
