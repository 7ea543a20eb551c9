import { is, type OptionChecks } from '../../../core/internal.js';

/** Maximal marginal relevance: hits that are near the query and not near each other. */
export interface MMR {
  /** 1 is relevance alone, 0 difference alone. @default 0.5 */
  readonly lambda?: number;
  /** How many of the best hits are chosen from. @default five times the limit, 50 at least */
  readonly candidates?: number;
}

export const mmrChecks: OptionChecks<MMR> = { lambda: is.ratio, candidates: is.count };

/** Something to choose. */
export interface Choice {
  readonly row: number;
  /** From 0 to 1 for similarities that are. */
  readonly relevance: number;
}

/**
 * Chooses up to `limit`, one after another: each time the one with the highest
 * lambda * relevance - (1 - lambda) * (similarity to the nearest one chosen) (Carbonell and Goldstein,
 * SIGIR 1998). Of equals the first stays first.
 *
 * @param nearness gives the similarity of a row to others
 */
export function diversify<C extends Choice>(
  choices: readonly C[],
  limit: number,
  lambda: number,
  nearness: (row: number) => (other: number) => number,
): C[] {
  const left = choices.map((choice) => ({ choice, nearest: Number.NEGATIVE_INFINITY }));
  const chosen: C[] = [];
  while (chosen.length < limit && left.length > 0) {
    let best = 0;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (const [place, { choice, nearest }] of left.entries()) {
      const redundancy = chosen.length === 0 ? 0 : nearest;
      const score = lambda * choice.relevance - (1 - lambda) * redundancy;
      if (score > bestScore) [best, bestScore] = [place, score];
    }
    const [{ choice }] = left.splice(best, 1) as [(typeof left)[number]];
    chosen.push(choice);
    const near = nearness(choice.row);
    for (const one of left) one.nearest = Math.max(one.nearest, near(one.choice.row));
  }
  return chosen;
}
