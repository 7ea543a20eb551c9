import type { Metric, Scorer } from './metric.js';
import { RowSegment, segmentRows } from './row-segment.js';

/** Vectors of one dimension as float32 rows, in segments so that growth copies little; freed rows are used again. */
export class RowStore {
  readonly dimension: number;
  readonly #metric: Metric;
  readonly #segments: RowSegment[] = [];
  readonly #free: number[] = [];
  #end = 0;

  constructor(dimension: number, metric: Metric) {
    this.dimension = dimension;
    this.#metric = metric;
  }

  /** Row `n` is row `n % segmentRows` of segment `n / segmentRows`. */
  get segments(): readonly RowSegment[] {
    return this.#segments;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Stores a vector and gives its row. */
  add(vector: Float64Array | Float32Array): number {
    const row = this.#free.pop() ?? this.#end++;
    this.set(row, vector);
    return row;
  }

  set(row: number, vector: Float64Array | Float32Array): void {
    const place = Math.floor(row / segmentRows);
    this.#segments[place] ??= new RowSegment(this.dimension, this.#metric);
    this.#segments[place].set(row % segmentRows, vector);
  }

  remove(row: number): void {
    this.#segments[Math.floor(row / segmentRows)]?.remove(row % segmentRows);
    this.#free.push(row);
  }

  score(scorer: Scorer, row: number): number {
    return scorer.score(this.#segments[Math.floor(row / segmentRows)] as RowSegment, row % segmentRows);
  }

  /** The row itself, not a copy. */
  view(row: number): Float32Array {
    return (this.#segments[Math.floor(row / segmentRows)] as RowSegment).view(row % segmentRows);
  }

  /** A copy. */
  vector(row: number): number[] {
    const segment = this.#segments[Math.floor(row / segmentRows)] as RowSegment;
    const { rows } = segment;
    const start = (row % segmentRows) * this.dimension;
    const copy = new Array<number>(this.dimension);
    // Array.from goes through the iterator of the view, at ten times the cost.
    for (let i = 0; i < copy.length; i++) copy[i] = rows[start + i] as number;
    return copy;
  }
}
