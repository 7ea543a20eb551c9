/** The sum with its rounding errors carried beside it (Neumaier, ZAMM 54, 1974, "Verfahren IV"). */
function compensatedSum(values: ArrayLike<number>, term: (value: number) => number): number {
  let sum = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const next = term(values[i] as number);
    const total = sum + next;
    lost += Math.abs(sum) >= Math.abs(next) ? sum - total + next : next - total + sum;
    sum = total;
  }
  return sum + lost;
}

/** The arithmetic mean of at least one value. */
export function compensatedMean(values: ArrayLike<number>): number {
  return compensatedSum(values, (value) => value) / values.length;
}

/** The sample standard deviation (n - 1) of at least two values around their mean. */
export function compensatedDeviation(values: ArrayLike<number>, mean: number): number {
  return Math.sqrt(compensatedSum(values, (value) => (value - mean) ** 2) / (values.length - 1));
}
