const isoTime = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{3}))?)?(Z?))?)?)?$/;
/** So many of the latest labels must agree on the step. */
const mostLabels = 48;

/**
 * The next labels of a series, in the form of those given: equal steps of months (also from month end
 * to month end) or of time are continued. `+1`, `+2`, ... where the labels are not ISO 8601 or not
 * evenly spaced.
 *
 * @example extendTimes(['2024-11', '2024-12'], 2); // ['2025-01', '2025-02']
 */
export function extendTimes(times: readonly string[], count: number): string[] {
  const recent = times.slice(-mostLabels);
  const last = recent.at(-1) ?? '';
  const moments = recent.map(readTime);
  const known = moments.every((moment) => moment !== undefined) && recent.every((time) => time.length === last.length);
  const next = known && moments.length > 1 ? (monthSteps(moments) ?? equalSteps(moments)) : undefined;
  return Array.from({ length: count }, (_, i) => (next ? writeTime(next(i + 1), last) : `+${i + 1}`));
}

function readTime(text: string): Date | undefined {
  const match = isoTime.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, ms = 0] = match
    .slice(1, 8)
    .map((part) => (part === undefined ? undefined : Number(part)));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, ms);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date : undefined;
}

/** The same form again: as many characters of the ISO text, with the separator and zone mark of the model. */
function writeTime(date: Date, model: string): string {
  const zone = model.endsWith('Z') ? 'Z' : '';
  const text = date.toISOString().slice(0, model.length - zone.length) + zone;
  return model[10] === ' ' ? text.replace('T', ' ') : text;
}

type Step = (count: number) => Date;

function monthSteps(moments: readonly Date[]): Step | undefined {
  const months = moments.map((date) => date.getUTCFullYear() * 12 + date.getUTCMonth());
  const step = commonDifference(months);
  const first = moments[0];
  const last = moments.at(-1);
  if (!step || !first || !last) return undefined;
  const sameDay = moments.every((date) => date.getUTCDate() === first.getUTCDate());
  if (!sameDay && !moments.every(isMonthEnd)) return undefined;
  return (count) => {
    const next = new Date(last);
    next.setUTCDate(1);
    next.setUTCMonth(last.getUTCMonth() + step * count);
    const monthEnd = new Date(Date.UTC(next.getUTCFullYear(), next.getUTCMonth() + 1, 0)).getUTCDate();
    next.setUTCDate(sameDay ? Math.min(first.getUTCDate(), monthEnd) : monthEnd);
    return next;
  };
}

function isMonthEnd(date: Date): boolean {
  return new Date(date.getTime() + 86_400_000).getUTCDate() === 1;
}

function equalSteps(moments: readonly Date[]): Step | undefined {
  const step = commonDifference(moments.map((date) => date.getTime()));
  const last = moments.at(-1);
  return step && last ? (count) => new Date(last.getTime() + step * count) : undefined;
}

/** The positive difference between all neighbours, if it is one. */
function commonDifference(numbers: readonly number[]): number | undefined {
  const [first = 0, second = 0] = numbers;
  const step = second - first;
  const even = numbers.every((number, i) => number === first + step * i);
  return even && step > 0 ? step : undefined;
}
