/** Largest magnitude of an int8 code. */
const codeMax = 127;
const int32Max = 2 ** 31 - 1;
/** Added and taken away again it leaves no room for a fraction in a float64. Faster than Math.round. */
const rounder = 1.5 * 2 ** 52;

/** Components of a coded row: `dimension` and zeros up to a multiple of 8. */
export function strideOf(dimension: number): number {
  return Math.ceil(dimension / 8) * 8;
}

/** The largest magnitude of a query code for which every sum of products with row codes fits int32. */
export function queryCodeMax(dimension: number): number {
  return Math.max(1, Math.min(32_767, Math.floor(int32Max / (codeMax * strideOf(dimension)))));
}

/** What a row lost when it was coded. */
export interface Coded {
  /** Float32: `scale * code` is near the component. */
  readonly scale: number;
  /** The Euclidean length of the difference. */
  readonly error: number;
}

/** Where a row's codes begin among the codes of all: rows stand four by four, eight components of each in turn. */
export function codesOf(row: number, stride: number): number {
  const lane = row % 4;
  return (row - lane) * stride + lane * 8;
}

/** Codes a row as int8 with one scale: x is near scale * code. @param start as {@link codesOf} gives it */
export function codeRow(row: Float32Array, codes: Int8Array, start: number): Coded {
  const { length } = row;
  let peak = 0;
  for (let i = 0; i < length; i++) peak = Math.max(peak, Math.abs(row[i] as number));
  // Below this the scale would be subnormal: the row is all error.
  const scale = peak < 1e-30 ? 0 : Math.fround(peak / codeMax);
  const inverse = scale === 0 ? 0 : 1 / scale;
  let squared = 0;
  for (let i = 0; i < length; i++) {
    const component = row[i] as number;
    // To the nearest whole number, which is 127 at most: the scale is the peak / 127 but for its own rounding.
    const code = component * inverse + rounder - rounder;
    codes[start + ((i >> 3) << 5) + (i & 7)] = code;
    const lost = component - code * scale;
    squared += lost * lost;
  }
  return { scale, error: Math.sqrt(squared) };
}

/** Codes a query, brought to length 1, as int16; gives the scale. */
export function codeQuery(query: Float64Array, length: number, codes: Int16Array): number {
  let peak = 0;
  for (let i = 0; i < query.length; i++) peak = Math.max(peak, Math.abs(query[i] as number));
  const scale = length > 0 ? peak / length / queryCodeMax(query.length) : 0;
  const inverse = scale > 0 ? 1 / (length * scale) : 0;
  if (!Number.isFinite(inverse)) return 0;
  for (let i = 0; i < query.length; i++) codes[i] = (query[i] as number) * inverse + rounder - rounder;
  return scale;
}
