/** Beyond these magnitudes pgvector's float32 sums of squares do not hold. */
const [smallest, largest] = [2 ** -50, 2 ** 50];

/** A vector as pgvector reads it. Under cosine, where only the direction counts, extreme ones are scaled first. */
export function vectorText(vector: Float64Array, scaled: boolean): string {
  let peak = 0;
  for (const component of vector) peak = Math.max(peak, Math.abs(component));
  const factor = scaled && (peak < smallest || peak > largest) ? 2 ** -Math.floor(Math.log2(peak)) : 1;
  return `[${Array.from(vector, (component) => Math.fround(component * factor)).join(',')}]`;
}

/** The components of pgvector's text form, as float32 holds them. */
export function readVectorText(text: string): number[] {
  return text.slice(1, -1).split(',').map(toFloat32);
}

function toFloat32(component: string): number {
  return Math.fround(Number(component));
}
