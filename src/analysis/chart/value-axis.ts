import { clampToDouble } from '../scale.js';

/** An axis from `from` to `to` with marks on round numbers between them. */
export interface ValueAxis {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

/** Narrower ranges would have subnormal steps. */
const smallestRange = 1e-300;

/**
 * Round marks for a range: steps of 1, 2 or 5 times a power of ten, some `wanted` of them. The axis
 * starts and ends on a mark. Ends that are equal, but for rounding, are opened by a tenth of their size.
 */
export function valueAxis(low: number, high: number, wanted: number): ValueAxis {
  const size = Math.max(Math.abs(low), Math.abs(high));
  const room = high - low > Math.max(1e-12 * size, smallestRange) ? 0 : Math.max(size / 10, smallestRange);
  // In larger units the width of any range of doubles is a double.
  const unit = size > 1e300 ? 1e8 : 1;
  const bottom = low / unit - room / unit;
  const top = high / unit + room / unit;
  const step = roundStep((top - bottom) / Math.max(1, wanted));
  const first = Math.floor(bottom / step + 1e-9);
  const last = Math.ceil(top / step - 1e-9);
  const values = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step * unit);
  const write = tickFormat(values, step * unit);
  return {
    from: clampToDouble(values[0] ?? low),
    to: clampToDouble(values.at(-1) ?? high),
    ticks: values.filter(Number.isFinite).map((value) => ({ value, label: write(value) })),
  };
}

/** A position between the ends of an axis as a share of its length, also where the length overflows. */
export function shareOf({ from, to }: ValueAxis, value: number): number {
  const share = (value - from) / (to - from);
  const overflows = !Number.isFinite(to - from) || !Number.isFinite(value - from);
  return overflows ? (value / 2 - from / 2) / (to / 2 - from / 2) : share;
}

/** A number for reading: about four significant digits, with thousands separators. */
export function readable(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e15 || size < 1e-4)) return plainExponent(value, 3);
  if (size >= 1e6) return compact.format(value);
  return value.toLocaleString('en-US', {
    maximumFractionDigits: size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 6,
  });
}

const compact = { format: (value: number): string => compactFormat().format(value) };
let sharedFormat: Intl.NumberFormat | undefined;

function compactFormat(): Intl.NumberFormat {
  sharedFormat ??= new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 3 });
  return sharedFormat;
}

function tickFormat(values: readonly number[], step: number): (value: number) => string {
  const largest = Math.max(...values.map(Math.abs).filter(Number.isFinite));
  if (largest >= 1e15 || largest < 1e-4) {
    const digits = Math.max(0, Math.floor(Math.log10(largest)) - Math.floor(Math.log10(step)));
    return (value) => (value === 0 ? '0' : plainExponent(value, Math.min(digits, 15)));
  }
  if (largest >= 1e6 && step >= 1e3) return (value) => compactFormat().format(value);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return (value) =>
    (value === 0 ? 0 : value).toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** `1.5e+6` as `1.5e6`, without zeros at the end. */
function plainExponent(value: number, digits: number): string {
  return value.toExponential(digits).replace(/\.?0*e\+?/, 'e');
}

function roundStep(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= size * (1 - 1e-9)) ?? 10;
  return factor * power || Number.MIN_VALUE;
}
