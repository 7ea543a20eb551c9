import { autocorrelation } from './autocorrelation.js';
import { normal } from './distributions/normal.js';
import type { MannKendall } from './mann-kendall.js';
import { at } from './numeric.js';
import { ranksOf } from './order.js';

/** A Mann-Kendall test for values that are like their neighbours. */
export interface HamedRao {
  /** Factor on the variance of S; 1 where no autocorrelation stands out. */
  readonly factor: number;
  readonly z: number;
  readonly p: number;
}

const critical = 1.959963984540054;

/**
 * The modified Mann-Kendall test of Hamed and Rao, Journal of Hydrology 204 (1998) 182: the variance of S
 * is multiplied by n over the effective number of independent values, from the autocorrelations of the
 * ranks, after Sen's slope is taken out, that lie beyond the 95 % band of white noise.
 */
export function hamedRao(values: ArrayLike<number>, { S, varS }: MannKendall, slope: number): HamedRao {
  const n = values.length;
  const r = autocorrelation(ranksOf(Float64Array.from(values, (value, step) => value - slope * step)), n - 1);
  let sum = 0;
  for (let lag = 1; lag < r.length; lag++) {
    const rho = at(r, lag);
    if (Math.abs(rho) > critical / Math.sqrt(n)) sum += (n - lag) * (n - lag - 1) * (n - lag - 2) * rho;
  }
  const factor = 1 + (2 / (n * (n - 1) * (n - 2))) * sum;
  // Strong negative autocorrelations can drive the estimate below what any process has.
  const used = factor > 0 ? factor : 1;
  const z = varS > 0 ? (S - Math.sign(S)) / Math.sqrt(varS * used) : 0;
  return { factor: used, z, p: normal.twoSided(z) };
}
