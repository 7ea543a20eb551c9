import { at, plainMean } from '../numeric.js';

/** Where a function was found to be smallest. */
export interface Minimum {
  readonly point: readonly number[];
  readonly value: number;
}

interface Vertex {
  readonly angles: readonly number[];
  readonly value: number;
}

type Evaluate = (angles: readonly number[]) => Vertex;

/** Length of the first steps, in radians: about a fifth of the cube. */
const firstStep = 0.25;

/**
 * Minimises a function over the unit cube by the simplex method of Nelder and Mead, The Computer
 * Journal 7 (1965) 308. Each coordinate is the squared sine of an angle, so that the search knows no
 * border (clipping would flatten the simplex there). Non-finite values count as worst.
 *
 * @param start A point of the cube.
 */
export function minimiseInUnitCube(
  objective: (point: readonly number[]) => number,
  start: readonly number[],
  options: { readonly maxEvaluations?: number; readonly tolerance?: number } = {},
): Minimum {
  const { maxEvaluations = 200 * start.length, tolerance = 1e-9 } = options;
  let evaluations = 0;
  const evaluate: Evaluate = (angles) => {
    evaluations++;
    const value = objective(pointAt(angles));
    return { angles, value: Number.isFinite(value) ? value : Number.MAX_VALUE };
  };
  let simplex = firstSimplex(start, evaluate);
  while (evaluations < maxEvaluations && !converged(simplex, tolerance)) simplex = improved(simplex, evaluate);
  const [best] = simplex;
  return { point: pointAt(best.angles), value: best.value };
}

/** Vertices from best to worst: the best, those between, the worst. */
type Simplex = readonly [Vertex, ...Vertex[]];

function firstSimplex(start: readonly number[], evaluate: Evaluate): Simplex {
  const angles = start.map((coordinate) => Math.asin(Math.sqrt(coordinate)));
  const inward = (angle: number): number => (angle > Math.PI / 4 ? angle - firstStep : angle + firstStep);
  const others = angles.map((_, axis) => evaluate(angles.map((angle, i) => (i === axis ? inward(angle) : angle))));
  return ordered(evaluate(angles), others);
}

/** One step: the worst vertex goes through the centre of the others, or all of them shrink to the best. */
function improved(simplex: Simplex, evaluate: Evaluate): Simplex {
  const [best, ...others] = simplex;
  const worst = others.pop() ?? best;
  const kept = [best, ...others];
  const centre = best.angles.map((_, axis) => plainMean(kept.map(({ angles }) => at(angles, axis))));
  const along = (factor: number): Vertex =>
    evaluate(centre.map((middle, axis) => middle + factor * (at(worst.angles, axis) - middle)));
  const reflected = along(-1);
  if (reflected.value < best.value) {
    const expanded = along(-2);
    return ordered(expanded.value < reflected.value ? expanded : reflected, kept);
  }
  if (reflected.value < (kept.at(-1) ?? best).value) return ordered(reflected, kept);
  const contracted = along(reflected.value < worst.value ? -0.5 : 0.5);
  if (contracted.value < Math.min(reflected.value, worst.value)) return ordered(contracted, kept);
  const halfway = ({ angles }: Vertex): Vertex =>
    evaluate(angles.map((angle, axis) => (angle + at(best.angles, axis)) / 2));
  return ordered(best, [...others, worst].map(halfway));
}

function ordered(one: Vertex, others: readonly Vertex[]): Simplex {
  const [best = one, ...rest] = [one, ...others].sort((a, b) => a.value - b.value);
  return [best, ...rest];
}

function converged([best, ...others]: Simplex, tolerance: number): boolean {
  const worst = others.at(-1) ?? best;
  return worst.value - best.value <= tolerance * (Math.abs(best.value) + tolerance);
}

function pointAt(angles: readonly number[]): number[] {
  return angles.map((angle) => Math.sin(angle) ** 2);
}
