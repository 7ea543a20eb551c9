import { at } from '../numeric.js';

/** Where a function was found to be smallest. */
export interface Minimum {
  readonly point: readonly number[];
  readonly value: number;
}

interface Vertex {
  readonly point: number[];
  readonly value: number;
}

/**
 * Minimises a function over the unit cube by the simplex method of Nelder and Mead, The Computer
 * Journal 7 (1965) 308; points outside are moved to the border. Non-finite values count as worst.
 *
 * @param start A point inside the cube.
 */
export function minimiseInUnitCube(
  objective: (point: readonly number[]) => number,
  start: readonly number[],
  options: { readonly maxEvaluations?: number; readonly tolerance?: number } = {},
): Minimum {
  const { maxEvaluations = 200 * start.length, tolerance = 1e-8 } = options;
  let evaluations = 0;
  const evaluate = (raw: readonly number[]): Vertex => {
    evaluations++;
    const point = raw.map((coordinate) => Math.max(0, Math.min(1, coordinate)));
    const value = objective(point);
    return { point, value: Number.isFinite(value) ? value : Number.MAX_VALUE };
  };
  const simplex = [evaluate(start), ...start.map((_, axis) => evaluate(stepped(start, axis)))];
  while (evaluations < maxEvaluations) {
    simplex.sort((a, b) => a.value - b.value);
    const best = simplex[0] as Vertex;
    const worst = simplex[simplex.length - 1] as Vertex;
    const nextWorst = simplex[simplex.length - 2] as Vertex;
    if (worst.value - best.value <= tolerance * (Math.abs(best.value) + tolerance)) break;
    const centre = start.map((_, axis) => mean(simplex.slice(0, -1).map(({ point }) => at(point, axis))));
    const along = (factor: number): Vertex =>
      evaluate(centre.map((middle, axis) => middle + factor * (at(worst.point, axis) - middle)));
    const reflected = along(-1);
    let next = reflected;
    if (reflected.value < best.value) {
      const expanded = along(-2);
      if (expanded.value < reflected.value) next = expanded;
    } else if (reflected.value >= nextWorst.value) {
      next = along(reflected.value < worst.value ? -0.5 : 0.5);
      if (next.value >= Math.min(reflected.value, worst.value)) {
        shrink(simplex, best, evaluate);
        continue;
      }
    }
    simplex[simplex.length - 1] = next;
  }
  simplex.sort((a, b) => a.value - b.value);
  return simplex[0] as Vertex;
}

/** Moves every vertex but the best halfway towards it. */
function shrink(simplex: Vertex[], best: Vertex, evaluate: (point: readonly number[]) => Vertex): void {
  for (let i = 1; i < simplex.length; i++) {
    const vertex = simplex[i] as Vertex;
    simplex[i] = evaluate(vertex.point.map((value, axis) => (value + at(best.point, axis)) / 2));
  }
}

/** A first step of a fifth of the cube, towards its middle. */
function stepped(point: readonly number[], axis: number): number[] {
  return point.map((value, i) => (i === axis ? value + (value > 0.5 ? -0.2 : 0.2) : value));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
