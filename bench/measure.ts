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
  /** CPU microseconds per call of each round. */
  readonly rounds: readonly number[];
}

/** How often variants are run. */
export interface MeasureOptions {
  /** Of each variant in each round. */
  readonly calls: number;
  readonly rounds: number;
  /** Calls at the same time. @default 1 */
  readonly concurrency?: number;
  /** Calls of each variant before the first round. @default a fifth of `calls` */
  readonly warmup?: number;
}

/**
 * CPU time per call, all variants interleaved in each round, in rotating order, so that they share the machine's
 * moods; the median over rounds. Ratios of these are what documents may quote.
 */
export async function measure(
  variants: readonly Variant[],
  { calls, rounds, concurrency = 1, warmup = Math.ceil(calls / 5) }: MeasureOptions,
): Promise<Measured[]> {
  const measured = variants.map((variant) => ({ ...variant, samples: [] as number[] }));
  for (const { run } of variants) await repeat(run, warmup, concurrency);
  for (let round = 0; round < rounds; round++) {
    const first = round % measured.length;
    for (const { run, samples } of [...measured.slice(first), ...measured.slice(0, first)]) {
      globalThis.gc?.();
      const before = process.cpuUsage();
      await repeat(run, calls, concurrency);
      const { user, system } = process.cpuUsage(before);
      samples.push((user + system) / calls);
    }
  }
  return measured.map(({ name, samples }) => ({ name, cpuMicros: median(samples), rounds: samples }));
}

/** How many times as much as `other` costs: the median of ratios within a round, where both had the same machine. */
export function timesAsMuch(own: Measured | undefined, other: Measured | undefined): number {
  return median((own?.rounds ?? []).map((value, round) => value / (other?.rounds[round] ?? Number.NaN)));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function repeat(run: () => Promise<unknown>, times: number, concurrency: number): Promise<void> {
  let left = times;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await run();
  };
  if (concurrency === 1) await worker();
  else await Promise.all(Array.from({ length: concurrency }, worker));
}
