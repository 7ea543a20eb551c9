import { squaredLength } from './dot-product.js';
import type { Metric } from './metric.js';
import { RowCodes } from './scan/row-codes.js';

/** Rows of a full segment: a power of two. */
export const segmentRows = 16_384;

const firstCapacity = 16;
/** Fewer rows are looked at as fast without codes. */
const codedFrom = 256;

/** Up to {@link segmentRows} float32 rows in one piece of memory, with their codes once they are many. */
export class RowSegment {
  readonly #dimension: number;
  readonly #metric: Metric;
  #rows: Float32Array;
  #squaredNorms: Float64Array;
  #end = 0;
  /** Null where the kernel cannot run. */
  #codes: RowCodes | undefined | null;

  constructor(dimension: number, metric: Metric) {
    this.#dimension = dimension;
    this.#metric = metric;
    this.#rows = new Float32Array(dimension * firstCapacity);
    this.#squaredNorms = new Float64Array(firstCapacity);
  }

  /** Row `n` begins at `n * dimension`. Replaced when the segment grows. */
  get rows(): Float32Array {
    return this.#rows;
  }

  /** The squared length of each row, in float64 over the stored float32. */
  get squaredNorms(): Float64Array {
    return this.#squaredNorms;
  }

  /** One more than the last row that was ever in use. */
  get end(): number {
    return this.#end;
  }

  /** Undefined while the rows are few, and where the kernel cannot run. */
  get codes(): RowCodes | undefined {
    return this.#codes ?? undefined;
  }

  get bytes(): number {
    return this.#rows.byteLength + this.#squaredNorms.byteLength + (this.#codes?.bytes ?? 0);
  }

  set(row: number, vector: Float64Array | Float32Array): void {
    while (row >= this.#squaredNorms.length) this.#grow();
    this.#end = Math.max(this.#end, row + 1);
    this.#rows.set(vector, row * this.#dimension);
    this.#squaredNorms[row] = squaredLength(this.view(row));
    if (this.#codes) this.#codes.set(row, this.view(row), this.#squaredNorms[row] as number);
    else if (this.#codes === undefined && this.#end >= codedFrom) this.#codeAll();
  }

  remove(row: number): void {
    this.#codes?.remove(row);
  }

  /** The row itself, not a copy. */
  view(row: number): Float32Array {
    return this.#rows.subarray(row * this.#dimension, (row + 1) * this.#dimension);
  }

  #codeAll(): void {
    this.#codes = RowCodes.create(this.#metric, this.#dimension, segmentRows) ?? null;
    if (!this.#codes) return;
    for (let row = 0; row < this.#end; row++) this.#codes.set(row, this.view(row), this.#squaredNorms[row] as number);
  }

  #grow(): void {
    const capacity = Math.min(segmentRows, this.#squaredNorms.length * 2);
    const rows = new Float32Array(capacity * this.#dimension);
    rows.set(this.#rows);
    const squaredNorms = new Float64Array(capacity);
    squaredNorms.set(this.#squaredNorms);
    this.#rows = rows;
    this.#squaredNorms = squaredNorms;
  }
}
