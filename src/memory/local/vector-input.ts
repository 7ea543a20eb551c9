import { ValidationError } from '../../core/index.js';
import type { Metric } from './metric.js';
import type { VectorRoom } from './vector-room.js';

/** A vector as it is given. */
export type VectorInput = readonly number[] | Float32Array | Float64Array;

/** Under cosine, vectors whose largest component lies outside are scaled: their squares would not fit. */
const [smallest, largest] = [2 ** -100, 2 ** 100];

/**
 * A checked copy in float64, fit to be rounded to float32. Under cosine only the direction counts:
 * very large and very small vectors are scaled by a power of two, which is exact.
 *
 * @param room what the copy is cut from
 * @throws ValidationError
 */
export function readVector(vector: unknown, metric: Metric, subject: string, room: VectorRoom): Float64Array {
  if (!isVector(vector)) throw refuse(subject, 'must be an array of numbers');
  if (vector.length === 0) throw refuse(subject, 'is empty');
  const copy = room.take(vector.length);
  let peak = 0;
  for (let i = 0; i < copy.length; i++) {
    const component: unknown = vector[i];
    if (typeof component !== 'number' || !Number.isFinite(component)) {
      throw refuse(subject, 'must be a finite number', i);
    }
    if (metric !== 'cosine' && !Number.isFinite(Math.fround(component))) {
      throw refuse(subject, 'is too large for float32', i);
    }
    copy[i] = component;
    peak = Math.max(peak, Math.abs(component));
  }
  if (metric !== 'cosine') return copy;
  if (peak === 0) throw refuse(subject, 'is zero, which has no direction; cosine needs one');
  return peak < smallest || peak > largest ? rescale(copy, peak) : copy;
}

/** @throws ValidationError unless `vector` is as long as `dimension` says; undefined for any length */
export function assertDimension(vector: Float64Array, dimension: number | undefined, subject: string): void {
  if (dimension === undefined || vector.length === dimension) return;
  throw refuse(subject, `has ${vector.length} components; this memory holds vectors of ${dimension}`);
}

/** Brings the largest component near 1, in two steps because a single factor may not fit a number. */
function rescale(vector: Float64Array, peak: number): Float64Array {
  const exponent = -Math.floor(Math.log2(peak));
  const half = Math.trunc(exponent / 2);
  return vector.map((component) => component * 2 ** half * 2 ** (exponent - half));
}

function isVector(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array;
}

function refuse(subject: string, message: string, index?: number): ValidationError {
  return new ValidationError(subject, [{ path: index === undefined ? [] : [index], message }]);
}
