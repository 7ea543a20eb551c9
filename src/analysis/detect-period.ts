import { autocorrelation } from './autocorrelation.js';
import { at, isConstant } from './numeric.js';
import { parseSeries, type SeriesInput } from './parse-series.js';
import { scaled } from './scale.js';
import { seasonalTest } from './seasonal-test.js';

/** Chance of calling pure noise seasonal, over all periods tried. */
const falseAlarm = 0.001;
/** Peaks of the autocorrelation that are put to the test, of the series and of its differences each. */
const candidatesEach = 12;
const fewestValues = 8;
/** Only so many of the latest values are looked at: enough for any season, and quick. */
const mostValues = 65_536;

/**
 * The number of steps after which a series repeats, or `null` when none stands out: for noise, trends,
 * random walks, equal values, and for fewer than 8 values. Only periods seen three times are found, that is
 * from 2 to n/3, in the latest 65,536 values.
 *
 * Peaks of the autocorrelation of the series and of its differences, and the lags beside them, are
 * candidates. Those count whose phase means differ beyond chance (F test at 0.1 % over all periods,
 * after Bonferroni); among them Schwarz's criterion picks. A weak cycle under strong noise is `null`.
 *
 * @throws ValidationError for an input that is not a series.
 *
 * @example detectPeriod([3, 1, 2, 3, 1, 2, 3, 1, 2]); // 3
 */
export function detectPeriod(series: SeriesInput): number | null {
  return findPeriod(scaled(parseSeries(series)).values);
}

/** {@link detectPeriod} on values that are already checked and scaled. */
export function findPeriod(all: readonly number[]): number | null {
  const values = all.slice(-mostValues);
  if (values.length < fewestValues || isConstant(values)) return null;
  const longest = Math.floor(values.length / 3);
  const threshold = Math.log(falseAlarm / longest);
  let best: { readonly period: number; readonly bic: number } | undefined;
  for (const period of candidates(values, longest)) {
    const { logP, bic } = seasonalTest(values, period);
    if (logP < threshold && bic < (best?.bic ?? Number.POSITIVE_INFINITY)) best = { period, bic };
  }
  return best?.period ?? null;
}

function candidates(values: readonly number[], longest: number): number[] {
  const n = values.length;
  const slope = (at(values, n - 1) - at(values, 0)) / (n - 1);
  const level = values.map((value, step) => value - slope * step);
  const differences = Array.from({ length: n - 1 }, (_, i) => at(values, i + 1) - at(values, i));
  const near = [...peaks(level, longest), ...peaks(differences, longest)].flatMap((lag) => [lag - 1, lag, lag + 1]);
  return [...new Set(near)].filter((lag) => lag >= 2 && lag <= longest).sort((a, b) => a - b);
}

/** Lags from 2 where the autocorrelation is positive and higher than beside, the highest first. */
function peaks(values: readonly number[], longest: number): number[] {
  const r = autocorrelation(values, longest + 1);
  const lags: number[] = [];
  for (let lag = 2; lag <= longest; lag++) {
    if (at(r, lag) > 0 && at(r, lag) > at(r, lag - 1) && at(r, lag) >= at(r, lag + 1)) lags.push(lag);
  }
  return lags.sort((a, b) => at(r, b) - at(r, a)).slice(0, candidatesEach);
}
