/** The inner product in float64, in four sums that the processor can add up at the same time. */
export function dotProduct(query: Float64Array, rows: Float32Array, offset: number): number {
  const { length } = query;
  const whole = length - (length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += (query[i] as number) * (rows[offset + i] as number);
    b += (query[i + 1] as number) * (rows[offset + i + 1] as number);
    c += (query[i + 2] as number) * (rows[offset + i + 2] as number);
    d += (query[i + 3] as number) * (rows[offset + i + 3] as number);
  }
  for (let i = whole; i < length; i++) a += (query[i] as number) * (rows[offset + i] as number);
  return a + b + (c + d);
}

/** The squared Euclidean length, added up in the order of {@link dotProduct}. */
export function squaredLength(vector: Float64Array | Float32Array): number {
  const { length } = vector;
  const whole = length - (length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += (vector[i] as number) ** 2;
    b += (vector[i + 1] as number) ** 2;
    c += (vector[i + 2] as number) ** 2;
    d += (vector[i + 3] as number) ** 2;
  }
  for (let i = whole; i < length; i++) a += (vector[i] as number) ** 2;
  return a + b + (c + d);
}
