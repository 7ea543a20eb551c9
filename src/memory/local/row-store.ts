import { dotProduct } from './dot-product.js';

const firstCapacity = 16;

/** Vectors of one dimension as float32 rows in one piece of memory; freed rows are used again. */
export class RowStore {
  readonly dimension: number;
  readonly #free: number[] = [];
  #rows: Float32Array;
  #squaredNorms: Float64Array;
  #end = 0;

  constructor(dimension: number) {
    this.dimension = dimension;
    this.#rows = new Float32Array(dimension * firstCapacity);
    this.#squaredNorms = new Float64Array(firstCapacity);
  }

  /** Row `n` begins at `n * dimension`. Replaced when the store grows: read it anew for each search. */
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

  get bytes(): number {
    return this.#rows.byteLength + this.#squaredNorms.byteLength;
  }

  /** Stores a vector and gives its row. */
  add(vector: Float64Array): number {
    const row = this.#free.pop() ?? this.#nextRow();
    this.set(row, vector);
    return row;
  }

  set(row: number, vector: Float64Array): void {
    this.#rows.set(vector, row * this.dimension);
    const stored = Float64Array.from(this.#view(row));
    this.#squaredNorms[row] = dotProduct(stored, stored, 0);
  }

  remove(row: number): void {
    this.#free.push(row);
  }

  /** A copy. */
  vector(row: number): number[] {
    return Array.from(this.#view(row));
  }

  #view(row: number): Float32Array {
    return this.#rows.subarray(row * this.dimension, (row + 1) * this.dimension);
  }

  #nextRow(): number {
    if (this.#end === this.#squaredNorms.length) this.#grow();
    this.#end += 1;
    return this.#end - 1;
  }

  #grow(): void {
    const capacity = this.#squaredNorms.length * 2;
    const rows = new Float32Array(capacity * this.dimension);
    rows.set(this.#rows);
    const squaredNorms = new Float64Array(capacity);
    squaredNorms.set(this.#squaredNorms);
    this.#rows = rows;
    this.#squaredNorms = squaredNorms;
  }
}
