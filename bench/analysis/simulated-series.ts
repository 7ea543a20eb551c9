/** Series from known processes with the lengths and horizons of the M3 competition. Seeded: the same on every run. */

/** What came before, and what followed. */
export interface SimulatedSeries {
  readonly kind: 'yearly' | 'quarterly' | 'monthly' | 'other';
  readonly period: number;
  readonly past: readonly number[];
  readonly future: readonly number[];
}

interface Kind {
  readonly kind: SimulatedSeries['kind'];
  readonly period: number;
  readonly shortest: number;
  readonly longest: number;
  readonly horizon: number;
}

const kinds: readonly Kind[] = [
  { kind: 'yearly', period: 1, shortest: 14, longest: 41, horizon: 6 },
  { kind: 'quarterly', period: 4, shortest: 16, longest: 64, horizon: 8 },
  { kind: 'monthly', period: 12, shortest: 48, longest: 126, horizon: 18 },
  { kind: 'other', period: 1, shortest: 63, longest: 104, horizon: 8 },
];

/** So many of each kind: exponential smoothing, ARIMA and structural processes in turn, a third of them spoiled. */
export function simulatedSeries(each: number): SimulatedSeries[] {
  const random = mulberry(20_001);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return kinds.flatMap((kind) =>
    Array.from({ length: each }, (_, index) => {
      const length = Math.floor(kind.shortest + random() * (kind.longest - kind.shortest)) + kind.horizon;
      const process = [smoothing, integrated, structural][index % 3] ?? smoothing;
      const season = kind.period > 1 && random() < 0.7 ? seasonOf(kind.period, random, normal) : undefined;
      const relative = process(length, random, normal);
      const level = 500 + 6_000 * random();
      const values = relative.map((value, t) => level * Math.exp(value + (season?.[t % kind.period] ?? 0)));
      const cut = length - kind.horizon;
      if (index % 3 === 0) spoil(values, cut, random);
      return { kind: kind.kind, period: kind.period, past: values.slice(0, cut), future: values.slice(cut) };
    }),
  );
}

type Process = (length: number, random: () => number, normal: () => number) => number[];

/** Level and damped growth that follow the errors. */
const smoothing: Process = (length, random, normal) => {
  const [alpha, beta, phi, size] = [
    0.1 + 0.8 * random(),
    0.15 * random(),
    0.85 + 0.15 * random(),
    0.01 + 0.05 * random(),
  ];
  let level = 0;
  let growth = 0.01 * normal();
  return Array.from({ length }, () => {
    const error = size * normal();
    const value = level + phi * growth + error;
    level += phi * growth + alpha * error;
    growth = phi * growth + beta * error;
    return value;
  });
};

/** ARIMA(1, 1, 1) with drift. */
const integrated: Process = (length, random, normal) => {
  const [ar, ma, drift, size] = [random() - 0.2, 0.8 * random() - 0.4, 0.008 * normal(), 0.01 + 0.04 * random()];
  let value = 0;
  let change = 0;
  let before = 0;
  return Array.from({ length }, () => {
    const error = size * normal();
    change = drift + ar * (change - drift) + error + ma * before;
    before = error;
    value += change;
    return value;
  });
};

/** A straight line with a cycle, noise like its neighbours, and one break of level or slope. */
const structural: Process = (length, random, normal) => {
  const [slope, cycle, wave, ar, size] = [
    0.01 * normal(),
    0.1 * random(),
    20 + 40 * random(),
    0.7 * random(),
    0.01 + 0.05 * random(),
  ];
  const place = Math.floor(length * random());
  const [step, bend] = random() < 0.5 ? [0.1 * normal(), 0] : [0, 0.01 * normal()];
  let noise = 0;
  return Array.from({ length }, (_, t) => {
    noise = ar * noise + size * normal();
    const broken = t < place ? 0 : step + bend * (t - place);
    return slope * t + cycle * Math.sin((2 * Math.PI * t) / wave) + noise + broken;
  });
};

function seasonOf(period: number, random: () => number, normal: () => number): number[] {
  const size = 0.03 + 0.15 * random();
  return Array.from({ length: period }, () => size * normal());
}

/** A few values of the past are wrong. */
function spoil(values: number[], before: number, random: () => number): void {
  for (let count = 1 + Math.floor(random() * 2); count > 0; count--) {
    const index = Math.floor(random() * (before - 1));
    values[index] = (values[index] ?? 0) * (random() < 0.5 ? 0.7 : 1.4);
  }
}

function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
