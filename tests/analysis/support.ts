import { readFileSync } from 'node:fs';
import { parseCSV } from '@safla/sdk/analysis';

/** Numbers that R 4.2.2 gives for a fixture. */
export interface Reference {
  readonly desc: Readonly<Record<'n' | 'mean' | 'sd' | 'median' | 'min' | 'max' | 'q1' | 'q3', number>> & {
    readonly mad_raw: number;
    readonly skew_g1: number;
    readonly kurt_g2: number;
    readonly ci95: readonly [number, number];
    readonly acf: readonly number[];
    readonly jarque_bera: { readonly JB: number; readonly p: number };
  };
  readonly mannKendall: {
    readonly S: number;
    readonly varS: number;
    readonly z: number;
    readonly p: number;
    readonly tau_b: number;
  };
  readonly sen: { readonly slope: number; readonly lo: number; readonly hi: number };
  readonly ols: { readonly intercept1: number; readonly slope: number; readonly r2: number; readonly p: number };
  readonly frequency: number;
  readonly pettitt: { readonly index1: number; readonly K: number; readonly p: number };
  readonly stl_periodic: Strengths;
  readonly mstl: Strengths;
  /** Components at some places, counted from 0. */
  readonly stl: readonly {
    readonly window: number | 'periodic';
    readonly robust: boolean;
    readonly season: readonly number[];
    readonly trend: readonly number[];
    readonly at: readonly number[];
  }[];
  readonly forecast: Readonly<Record<'naive' | 'snaive' | 'ets' | 'theta', ReferenceForecast>>;
}

interface Strengths {
  readonly seasonal: number;
  readonly trend: number;
}

export interface ReferenceForecast {
  readonly mean: readonly number[];
  readonly lo95: readonly number[];
  readonly hi95: readonly number[];
  readonly sMAPE: number;
  readonly cover95: number;
}

export interface Fixture {
  readonly name: string;
  readonly times: readonly string[];
  readonly values: readonly number[];
  readonly r: Reference;
}

export function fixture(name: 'air-passengers' | 'nottem'): Fixture {
  const read = (file: string): string => readFileSync(new URL(`./fixtures/${file}`, import.meta.url), 'utf8');
  const { time, values } = parseCSV(read(`${name}.csv`));
  return { name, times: time, values, r: JSON.parse(read(`${name}.r.json`)) as Reference };
}

export const fixtures: readonly Fixture[] = [fixture('air-passengers'), fixture('nottem')];

/** Equal to a relative error, and no further than that from 0 for 0. */
export function relativeError(actual: number, expected: number): number {
  return Math.abs(actual - expected) / (Math.abs(expected) || 1);
}

/** Every number in a result, wherever it is. */
export function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(numbersIn);
}

/** Symmetric mean absolute percentage error, 0 to 200. */
export function sMAPE(forecast: readonly number[], actual: readonly number[]): number {
  const terms = forecast.map(
    (value, i) => (200 * Math.abs(value - (actual[i] ?? 0))) / (Math.abs(value) + Math.abs(actual[i] ?? 0)),
  );
  return terms.reduce((a, b) => a + b, 0) / terms.length;
}

/** Normal deviates from a seed (Box-Muller over mulberry32's output). */
export function gaussian(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
