import { valueAxis } from './value-axis.js';

/** A mark on the time axis. */
export interface TimeTick {
  readonly position: number;
  readonly label: string;
}

/** Parts of an ISO 8601 time, how many characters reach to it, and the multiples that read well. */
const units: readonly { readonly length: number; readonly multiples: readonly number[] }[] = [
  { length: 4, multiples: [1, 2, 5, 10, 20, 25, 50, 100, 200, 500] },
  { length: 7, multiples: [1, 2, 3, 6] },
  { length: 10, multiples: [1, 2, 5, 10, 15] },
  { length: 13, multiples: [1, 2, 3, 6, 12] },
  { length: 16, multiples: [1, 2, 5, 10, 15, 30] },
  { length: 19, multiples: [1, 2, 5, 10, 15, 30] },
];

/**
 * Marks for positions 0 to `count - 1`, at most `most` of them: where a year begins, or failing that a
 * month, a day, an hour and so on. Labels that are no ISO times are taken at even distances; positions
 * without labels count from 1.
 */
export function timeTicks(times: readonly string[] | null, count: number, most: number): TimeTick[] {
  if (!times) return numberTicks(count, most);
  for (const { length, multiples } of units) {
    const starts = startsOf(times, length);
    if (!starts) break;
    for (const multiple of multiples) {
      const ticks = starts.filter(({ order }) => order % multiple === 0);
      if (ticks.length >= 3 && ticks.length <= most) return ticks;
    }
  }
  const step = Math.max(1, Math.ceil(count / most));
  return times.map((label, position) => ({ position, label })).filter(({ position }) => position % step === 0);
}

/** Positions where the first `length` characters change; nothing when the labels are not ISO times. */
function startsOf(times: readonly string[], length: number): (TimeTick & { readonly order: number })[] | undefined {
  const starts: (TimeTick & { readonly order: number })[] = [];
  for (const [position, time] of times.entries()) {
    if (time.startsWith('+')) break;
    if (time.length < length || !/^\d{4}(?:-\d\d(?:-\d\d(?:[T ][\d:.]+Z?)?)?)?$/.test(time)) return undefined;
    const label = time.slice(0, length);
    const before = times[position - 1];
    const begins = before === undefined ? /^(?:-01)*[T :.0Z]*$/.test(time.slice(length)) : !before.startsWith(label);
    if (!begins) continue;
    const number = Number(label.slice(length === 4 ? 0 : length - 2));
    // Months and days count from 1; the others from 0.
    starts.push({ position, label, order: length === 7 || length === 10 ? number - 1 : number });
  }
  return starts;
}

function numberTicks(count: number, most: number): TimeTick[] {
  const { ticks } = valueAxis(1, Math.max(2, count), Math.max(1, most - 1));
  const whole = ticks.filter(({ value }) => Number.isInteger(value) && value <= count);
  return whole.map(({ value, label }) => (value < 1 ? { position: 0, label: '1' } : { position: value - 1, label }));
}
