import { type FittedETS, fitETS } from './ets.js';
import type { ETSShape } from './ets-pass.js';

const trends = ['N', 'A', 'Ad'] as const;
/** A longer season has more phases than a series tells apart: such series are adjusted first. */
const longestSeason = 24;

/**
 * The ETS model with the least AICc: all of additive and relative errors with no, additive or damped
 * trend, without season and with an additive or multiplicative one; the combinations that Hyndman and
 * Khandakar (Journal of Statistical Software 27(3), 2008) call numerically unstable are left out.
 * Relative errors and multiplicative seasons are for positive values.
 */
export function bestETS(values: readonly number[], period: number | null): FittedETS | undefined {
  let best: FittedETS | undefined;
  for (const shape of shapes(period !== null && period <= longestSeason ? period : 1, values)) {
    const fitted = fitETS(values, shape);
    if (fitted && fitted.aicc < (best?.aicc ?? Number.POSITIVE_INFINITY)) best = fitted;
  }
  return best;
}

function shapes(period: number, values: readonly number[]): ETSShape[] {
  const positive = values.every((value) => value > 0);
  const errors = positive ? (['A', 'M'] as const) : (['A'] as const);
  return trends.flatMap((trend) => [
    ...errors.map((error): ETSShape => ({ error, trend, season: 'N', period: 1 })),
    ...(period > 1 ? errors.map((error): ETSShape => ({ error, trend, season: 'A', period })) : []),
    ...(period > 1 && positive ? [{ error: 'M', trend, season: 'M', period } as const] : []),
  ]);
}
