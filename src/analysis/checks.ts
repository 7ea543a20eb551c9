import { ValidationError } from '../core/index.js';
import { hint } from '../core/internal.js';

/** Refuses an option that is not a whole number in `[least, most]`. */
export function requireWhole(subject: string, field: string, value: number, least: number, most = 1e6): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new ValidationError(subject, [{ path: [field], message: `expected a whole number from ${least} to ${most}` }]);
}

/** Refuses an option that is not strictly between 0 and 1. */
export function requireFraction(subject: string, field: string, value: number): void {
  if (value > 0 && value < 1) return;
  throw new ValidationError(subject, [{ path: [field], message: 'expected a number between 0 and 1, both excluded' }]);
}

/**
 * The length of a season as an option gives it: 1 and `null` both mean none, `undefined` leaves it to be
 * found. Whether the series is long enough for it is another matter.
 */
export function readPeriod(subject: string, period: number | null | undefined): number | null | undefined {
  if (period === undefined || period === null || period === 1) return period === 1 ? null : period;
  requireWhole(subject, 'period', period, 1, Number.MAX_SAFE_INTEGER);
  return period;
}

/** Refuses an option that is not one of the words. */
export function requireOneOf(subject: string, field: string, value: unknown, known: readonly string[]): void {
  if (known.includes(value as string)) return;
  throw new ValidationError(subject, [{ path: [field], message: `expected one of ${known.join(', ')}` }]);
}

/** Refuses option names that are not known, so that a slip of the pen does not go unheard. */
export function requireKnown(subject: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new ValidationError(subject, [{ path: [name], message: `is not an option${hint(name, known)}` }]);
  }
}
