/** One thing to measure. */
export interface Variant {
  readonly name: string;
  readonly run: () => Promise<unknown>;
}

/** CPU time of one variant. */
export interface Measured {
  readonly name: string;
  /** Median over the rounds of CPU microseconds (user + system) per call. */
  readonly cpuMicros: number;
}

/**
 * CPU time per call, all variants interleaved in each round so that they share the machine's moods;
 * the median over rounds. Ratios of these are what documents may quote.
 */
export async function measure(
  variants: readonly Variant[],
  { calls, rounds }: { readonly calls: number; readonly rounds: number },
): Promise<Measured[]> {
  const samples = variants.map((): number[] => []);
  for (const variant of variants) await repeat(variant.run, Math.ceil(calls / 5));
  for (let round = 0; round < rounds; round++) {
    for (const [index, variant] of variants.entries()) {
      const before = process.cpuUsage();
      await repeat(variant.run, calls);
      const { user, system } = process.cpuUsage(before);
      samples[index]?.push((user + system) / calls);
    }
  }
  return variants.map(({ name }, index) => ({ name, cpuMicros: median(samples[index] ?? []) }));
}

async function repeat(run: () => Promise<unknown>, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await run();
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
