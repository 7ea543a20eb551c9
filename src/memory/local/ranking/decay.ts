import { is, type OptionChecks } from '../../../core/internal.js';

/** How what is older or less important falls behind. */
export interface Decay {
  /** After this time a hit counts half, after twice the time a quarter; in milliseconds. @default age does not count */
  readonly halfLifeMs?: number;
  /** How much the importance of items counts: 0 not at all, 1 in full. @default 1 */
  readonly importance?: number;
}

/** What is known of an item's standing. */
export interface Standing {
  readonly timestamp: number;
  readonly importance: number | undefined;
}

/** Of items that were stored without one. */
const usualImportance = 0.5;

export const decayChecks: OptionChecks<Decay> = { halfLifeMs: is.milliseconds, importance: is.ratio };

/** The weight of an item: 2^(-age / halfLifeMs) * (1 - w + w * importance), from 0 to 1. */
export function weightOf({ timestamp, importance = usualImportance }: Standing, decay: Decay, now: number): number {
  const { halfLifeMs = Number.POSITIVE_INFINITY, importance: share = 1 } = decay;
  const age = Math.max(0, now - timestamp);
  return 2 ** (-age / halfLifeMs) * (1 - share + share * importance);
}
