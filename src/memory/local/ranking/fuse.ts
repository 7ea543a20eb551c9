/** Of reciprocal rank fusion, as its authors chose it. */
const rankOffset = 60;

/**
 * Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): what stands high in any of the
 * lists scores high, without comparing their scores. Gives the score of each row: the sum of
 * 1 / (60 + rank), ranks from 1.
 */
export function fuse(lists: readonly (readonly number[])[]): Map<number, number> {
  const scores = new Map<number, number>();
  for (const list of lists) {
    for (const [place, row] of list.entries()) {
      scores.set(row, (scores.get(row) ?? 0) + 1 / (rankOffset + place + 1));
    }
  }
  return scores;
}
