import { at } from '../numeric.js';

/** Where a function was found to be smallest. */
export interface Minimum {
  readonly point: Float64Array;
  readonly value: number;
}

/** Length of the first steps, in radians: about a fifth of the cube. */
const firstStep = 0.25;

/**
 * Minimises a function over the unit cube by the simplex method of Nelder and Mead, The Computer
 * Journal 7 (1965) 308. Each coordinate is the squared sine of an angle, so that the search knows no
 * border (clipping would flatten the simplex there). Non-finite values count as worst. The point given
 * to the objective is reused: it must not be kept.
 *
 * @param start A point of the cube.
 */
export function minimiseInUnitCube(
  objective: (point: Float64Array) => number,
  start: readonly number[],
  options: { readonly maxEvaluations?: number; readonly tolerance?: number } = {},
): Minimum {
  const size = start.length;
  const { maxEvaluations = 200 * size, tolerance = 1e-9 } = options;
  const point = new Float64Array(size);
  let evaluations = 0;
  const evaluate = (angles: Float64Array): number => {
    evaluations++;
    toPoint(angles, point);
    const value = objective(point);
    return Number.isFinite(value) ? value : Number.MAX_VALUE;
  };
  const simplex = firstSimplex(start, evaluate);
  const centre = new Float64Array(size);
  let trial: Float64Array = new Float64Array(size);
  let second: Float64Array = new Float64Array(size);
  while (evaluations < maxEvaluations) {
    const best = vertexAt(simplex, 0);
    const worst = vertexAt(simplex, size);
    if (worst.value - best.value <= tolerance * (Math.abs(best.value) + tolerance)) break;
    centreOf(simplex, centre);
    let value = evaluate(along(trial, centre, worst.angles, -1));
    if (value < best.value) {
      const farther = evaluate(along(second, centre, worst.angles, -2));
      if (farther < value) {
        [trial, second] = [second, trial];
        value = farther;
      }
    } else if (value >= vertexAt(simplex, size - 1).value) {
      const inside = evaluate(along(second, centre, worst.angles, value < worst.value ? -0.5 : 0.5));
      if (inside >= Math.min(value, worst.value)) {
        shrink(simplex, evaluate);
        continue;
      }
      [trial, second] = [second, trial];
      value = inside;
    }
    // The place of the worst vertex goes to the trial, and its array is the next one to be written to.
    const freed = worst.angles;
    worst.angles = trial;
    worst.value = value;
    trial = freed;
    sink(simplex);
  }
  const best = vertexAt(simplex, 0);
  toPoint(best.angles, point);
  return { point, value: best.value };
}

interface Vertex {
  angles: Float64Array;
  value: number;
}

function vertexAt(simplex: Vertex[], index: number): Vertex {
  return simplex[index] ?? { angles: new Float64Array(0), value: Number.MAX_VALUE };
}

function firstSimplex(start: readonly number[], evaluate: (angles: Float64Array) => number): Vertex[] {
  const origin = Float64Array.from(start, (coordinate) => Math.asin(Math.sqrt(coordinate)));
  const simplex: Vertex[] = [{ angles: origin, value: evaluate(origin) }];
  for (let axis = 0; axis < origin.length; axis++) {
    const angles = origin.slice();
    const angle = at(origin, axis);
    angles[axis] = angle > Math.PI / 4 ? angle - firstStep : angle + firstStep;
    simplex.push({ angles, value: evaluate(angles) });
  }
  return simplex.sort((a, b) => a.value - b.value);
}

function centreOf(simplex: Vertex[], centre: Float64Array): void {
  const size = centre.length;
  centre.fill(0);
  for (let i = 0; i < size; i++) {
    const { angles } = vertexAt(simplex, i);
    for (let axis = 0; axis < size; axis++) centre[axis] = at(centre, axis) + at(angles, axis) / size;
  }
}

function along(target: Float64Array, centre: Float64Array, worst: Float64Array, factor: number): Float64Array {
  for (let axis = 0; axis < target.length; axis++) {
    target[axis] = at(centre, axis) + factor * (at(worst, axis) - at(centre, axis));
  }
  return target;
}

/** All vertices go halfway to the best. */
function shrink(simplex: Vertex[], evaluate: (angles: Float64Array) => number): void {
  const best = vertexAt(simplex, 0).angles;
  for (const vertex of simplex.slice(1)) {
    for (let axis = 0; axis < best.length; axis++) {
      vertex.angles[axis] = (at(vertex.angles, axis) + at(best, axis)) / 2;
    }
    vertex.value = evaluate(vertex.angles);
  }
  simplex.sort((a, b) => a.value - b.value);
}

/** Moves the last vertex, which alone is new, to its place in the order. */
function sink(simplex: Vertex[]): void {
  for (let i = simplex.length - 1; i > 0; i--) {
    const vertex = vertexAt(simplex, i);
    const before = vertexAt(simplex, i - 1);
    if (before.value <= vertex.value) return;
    simplex[i] = before;
    simplex[i - 1] = vertex;
  }
}

function toPoint(angles: Float64Array, point: Float64Array): void {
  for (let axis = 0; axis < point.length; axis++) point[axis] = Math.sin(at(angles, axis)) ** 2;
}
