import { normal } from './distributions/normal.js';
import { medianOf } from './numeric.js';

/** Whether values on one side of the median follow each other more, or less, than by chance. */
export interface RunsTest {
  /** Stretches of values on one side of the median. */
  readonly runs: number;
  /** Their mean number in a random order. */
  readonly expected: number;
  /** Negative when there are too few runs: neighbours are alike. */
  readonly z: number;
  readonly p: number;
}

/**
 * Runs test about the median by the normal approximation (Wald and Wolfowitz, Annals of Mathematical
 * Statistics 11 (1940) 147). Values equal to the median are left out. `null` with fewer than 10 on
 * either side.
 */
export function runsTest(values: ArrayLike<number>): RunsTest | null {
  const median = medianOf(values);
  let above = 0;
  let below = 0;
  let runs = 0;
  let side = 0;
  for (let i = 0; i < values.length; i++) {
    const now = Math.sign((values[i] ?? median) - median);
    if (now === 0) continue;
    if (now > 0) above++;
    else below++;
    if (now !== side) runs++;
    side = now;
  }
  if (above < 10 || below < 10) return null;
  const n = above + below;
  const expected = 1 + (2 * above * below) / n;
  const variance = ((expected - 1) * (expected - 2)) / (n - 1);
  const z = (runs - expected) / Math.sqrt(variance);
  return { runs, expected, z, p: normal.twoSided(z) };
}
