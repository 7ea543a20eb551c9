import { at } from '../numeric.js';

/** A point of a polyline. */
export interface Point {
  readonly position: number;
  readonly value: number;
}

/**
 * The points of a line that show on so many columns: the first, lowest, highest and last of each
 * (M4: Jugel et al., Proceedings of the VLDB Endowment 7 (2014) 797). A short line is kept whole.
 */
export function downsample(values: readonly number[], columns: number): Point[] {
  const n = values.length;
  if (n <= 4 * columns) return values.map((value, position) => ({ position, value }));
  const points: Point[] = [];
  for (let column = 0; column < columns; column++) {
    const from = Math.floor((column * n) / columns);
    const to = Math.floor(((column + 1) * n) / columns);
    let low = from;
    let high = from;
    for (let i = from; i < to; i++) {
      if (at(values, i) < at(values, low)) low = i;
      if (at(values, i) > at(values, high)) high = i;
    }
    const kept = [...new Set([from, low, high, to - 1])].sort((a, b) => a - b);
    for (const position of kept) points.push({ position, value: at(values, position) });
  }
  return points;
}
