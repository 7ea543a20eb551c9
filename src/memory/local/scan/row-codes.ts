import type { Metric } from '../metric.js';
import { createKernel, type ScanKernel } from './kernel.js';
import { codeRow, codesOf, queryCodeMax, strideOf } from './quantise.js';
import type { ScanQuery } from './scan-query.js';
import type { LinearMemory } from './web-assembly.js';

/** Rows that one call of the kernel looks at. */
export const blockRows = 4_096;

const pageBytes = 65_536;
/** Relative room for the float32 arithmetic of the kernel, per row. */
const rounding = 2 ** -20;
/** Longer rows are looked at always: float32 might not hold their bounds. */
const largestLength = 1e15;

/**
 * The int8 codes of up to `capacity` rows and, for each, an upper bound of what the codes get wrong.
 *
 * With unit query q (codes q', error e_q) and row x (codes x', error e_x, length n):
 * |q.x - q'.x'| <= |q| e_x + e_q |x'| <= e_x + e_q (n + e_x). A query code is off by half a step at most,
 * so e_q <= sqrt(dimension) / (2 * its largest code) =: k for every query, and e_x (1 + k) + k n holds for
 * all of them: it is kept per row. Under cosine all is divided by n.
 */
export class RowCodes {
  readonly #metric: Metric;
  readonly #stride: number;
  readonly #capacity: number;
  readonly #kernel: ScanKernel;
  readonly #memory: LinearMemory;
  readonly #queryError: number;
  readonly #places: Places;
  #views: Views;

  /** Undefined where the kernel cannot run. */
  static create(metric: Metric, dimension: number, capacity: number): RowCodes | undefined {
    const places = placesOf(strideOf(dimension), capacity);
    const made = createKernel(Math.ceil(places.codes / pageBytes));
    return made && new RowCodes(metric, dimension, capacity, places, made);
  }

  private constructor(
    metric: Metric,
    dimension: number,
    capacity: number,
    places: Places,
    { kernel, memory }: { kernel: ScanKernel; memory: LinearMemory },
  ) {
    this.#metric = metric;
    this.#stride = strideOf(dimension);
    this.#capacity = capacity;
    this.#kernel = kernel;
    this.#memory = memory;
    this.#places = places;
    this.#queryError = Math.sqrt(dimension) / (2 * queryCodeMax(dimension));
    this.#views = this.#view();
    this.#views.offsets.fill(Number.NEGATIVE_INFINITY);
  }

  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Codes a row in place of what was there. */
  set(row: number, vector: Float32Array, squaredNorm: number): void {
    this.#reserve(row + 1);
    const { codes, scales, errors, offsets } = this.#views;
    const { scale, error } = codeRow(vector, codes, codesOf(row, this.#stride));
    const length = Math.sqrt(squaredNorm);
    const unit = this.#metric === 'cosine' ? length : 1;
    const bound = error * (1 + this.#queryError) + this.#queryError * length + rounding * (length + error);
    const bounded = length < largestLength;
    scales[row] = bounded ? scale / unit : 0;
    errors[row] = bounded ? (bound / unit) * (1 + rounding) + 1e-44 : Number.POSITIVE_INFINITY;
    offsets[row] = this.#metric === 'euclidean' && bounded ? (rounding - 1) * squaredNorm : 0;
  }

  /** No scan finds the row until it is set again. */
  remove(row: number): void {
    this.#views.scales[row] = 0;
    this.#views.errors[row] = 0;
    this.#views.offsets[row] = Number.NEGATIVE_INFINITY;
  }

  /** Puts a query in the kernel's memory; further scans are of this one. */
  load(query: ScanQuery): void {
    this.#views.query.set(query.codes);
  }

  /** The bounds of the rows that were found last, in their order. */
  get bounds(): Float32Array {
    return this.#views.bounds;
  }

  /** A score that the row's is not below, by the upper bound that a scan gave. */
  lowerBound({ beta }: ScanQuery, row: number, upper: number): number {
    const { errors, offsets } = this.#views;
    // The upper bound holds the error once, and under euclidean the room for rounding with it.
    const room = 2 * beta * (errors[row] as number) - 4 * rounding * (offsets[row] as number);
    const lower = upper - room - Math.abs(upper) * rounding;
    return Number.isNaN(lower) ? Number.NEGATIVE_INFINITY : lower;
  }

  /**
   * Of the rows in [from, to) those whose score may reach `least`, ascending; at most {@link blockRows}.
   * The result is valid until the next call.
   */
  candidates(query: ScanQuery, from: number, to: number, least: number): Uint32Array {
    const first = from - (from % 4);
    const end = Math.min(Math.ceil(to / 4) * 4, Math.floor(this.#views.codes.length / this.#stride / 4) * 4);
    const { codes, query: at, scales, errors, offsets, out, bounds } = this.#places;
    const { alpha, beta } = query;
    const stride = this.#stride;
    const found = this.#kernel.scan(
      codes,
      stride,
      at,
      scales,
      errors,
      offsets,
      first,
      end,
      alpha,
      beta,
      least,
      out,
      bounds,
    );
    return this.#views.out.subarray(0, found);
  }

  /** Of the listed rows, at most {@link blockRows}, those whose score may reach `least`, in their order. */
  candidatesOf(query: ScanQuery, rows: ArrayLike<number>, least: number): Uint32Array {
    this.#views.out.set(rows);
    const { codes, query: at, scales, errors, offsets, out, bounds } = this.#places;
    const { alpha, beta } = query;
    const count = rows.length;
    const stride = this.#stride;
    const found = this.#kernel.scanListed(
      codes,
      stride,
      at,
      scales,
      errors,
      offsets,
      out,
      count,
      alpha,
      beta,
      least,
      out,
      bounds,
    );
    return this.#views.out.subarray(0, found);
  }

  /** Makes room for `rows`, by doubling. */
  #reserve(rows: number): void {
    const held = this.#views.codes.length / this.#stride;
    if (rows <= held) return;
    const wanted = Math.min(this.#capacity, Math.max(rows, held * 2, 1_024));
    const bytes = this.#places.codes + wanted * this.#stride;
    this.#memory.grow(Math.ceil((bytes - this.#memory.buffer.byteLength) / pageBytes));
    this.#views = this.#view();
  }

  #view(): Views {
    const { buffer } = this.#memory;
    const { query, out, bounds, scales, errors, offsets, codes } = this.#places;
    const room = Math.floor((buffer.byteLength - codes) / this.#stride);
    const rows = Math.max(0, Math.min(this.#capacity, room - (room % 4)));
    return {
      query: new Int16Array(buffer, query, this.#stride),
      out: new Uint32Array(buffer, out, blockRows + 4),
      bounds: new Float32Array(buffer, bounds, blockRows + 4),
      scales: new Float32Array(buffer, scales, this.#capacity),
      errors: new Float32Array(buffer, errors, this.#capacity),
      offsets: new Float32Array(buffer, offsets, this.#capacity),
      codes: new Int8Array(buffer, codes, rows * this.#stride),
    };
  }
}

/** Where the parts begin in the kernel's memory. Codes come last: they grow. */
interface Places {
  readonly query: number;
  readonly out: number;
  readonly bounds: number;
  readonly scales: number;
  readonly errors: number;
  readonly offsets: number;
  readonly codes: number;
}

interface Views {
  readonly query: Int16Array;
  readonly out: Uint32Array;
  readonly bounds: Float32Array;
  readonly scales: Float32Array;
  readonly errors: Float32Array;
  readonly offsets: Float32Array;
  readonly codes: Int8Array;
}

function placesOf(stride: number, capacity: number): Places {
  const out = stride * Int16Array.BYTES_PER_ELEMENT;
  const bounds = out + (blockRows + 4) * Uint32Array.BYTES_PER_ELEMENT;
  const scales = bounds + (blockRows + 4) * Float32Array.BYTES_PER_ELEMENT;
  const errors = scales + capacity * Float32Array.BYTES_PER_ELEMENT;
  const offsets = errors + capacity * Float32Array.BYTES_PER_ELEMENT;
  const codes = offsets + capacity * Float32Array.BYTES_PER_ELEMENT;
  return { query: 0, out, bounds, scales, errors, offsets, codes: Math.ceil(codes / 16) * 16 };
}
