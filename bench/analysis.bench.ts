/**
 * How well and how fast each method forecasts: 480 simulated series with the lengths and horizons of the M3
 * competition, and the last years of two real series. Then what long series cost, beside simple-statistics.
 */
import { readFileSync } from 'node:fs';
import {
  analyzePatterns,
  analyzeStatistics,
  analyzeTrend,
  decompose,
  detectPeriod,
  type ForecastMethod,
  forecast,
  matrixProfile,
  parseCSV,
} from '@safla/sdk/analysis';
import { interquartileRange, mean, medianAbsoluteDeviation, sampleStandardDeviation } from 'simple-statistics';
import { type SimulatedSeries, simulatedSeries } from './analysis/simulated-series.js';
import { measure } from './measure.js';

const methods: readonly ForecastMethod[] = [
  'naive',
  'seasonal-naive',
  'drift',
  'ets',
  'theta',
  'arima',
  'damped-trend',
  'combination',
];

interface Score {
  sMAPE: number;
  MASE: number;
  covered: number;
  micros: number;
}

function score(series: readonly SimulatedSeries[], method: ForecastMethod): Score {
  const sum: Score = { sMAPE: 0, MASE: 0, covered: 0, micros: 0 };
  for (const { period, past, future } of series) {
    const before = process.cpuUsage();
    const { mean: ahead, lower, upper } = forecast(past, { horizon: future.length, period, method });
    const { user, system } = process.cpuUsage(before);
    const steps = past.slice(period).map((value, t) => Math.abs(value - (past[t] ?? 0)));
    const scale = steps.reduce((a, b) => a + b, 0) / steps.length;
    for (const [h, actual] of future.entries()) {
      const error = Math.abs((ahead[h] ?? 0) - actual);
      sum.sMAPE += (200 * error) / (Math.abs(ahead[h] ?? 0) + Math.abs(actual)) / future.length;
      sum.MASE += error / scale / future.length;
      if (lower && upper && actual >= (lower[h] ?? 0) && actual <= (upper[h] ?? 0)) sum.covered += 1 / future.length;
    }
    sum.micros += user + system;
  }
  const n = series.length;
  return { sMAPE: sum.sMAPE / n, MASE: sum.MASE / n, covered: sum.covered / n, micros: sum.micros / n };
}

function rollingYears(file: string, years: number): SimulatedSeries[] {
  const { values } = parseCSV(readFileSync(new URL(file, import.meta.url), 'utf8'));
  return Array.from({ length: years }, (_, k) => {
    const cut = values.length - 12 - k;
    return { kind: 'monthly', period: 12, past: values.slice(0, cut), future: values.slice(cut, cut + 12) };
  });
}

const sets: readonly { readonly name: string; readonly series: readonly SimulatedSeries[] }[] = [
  { name: '480 simulated series', series: simulatedSeries(120) },
  {
    name: 'air passengers, 69 rolling years',
    series: rollingYears('../tests/analysis/fixtures/air-passengers.csv', 69),
  },
  {
    name: 'Nottingham temperatures, 69 rolling years',
    series: rollingYears('../tests/analysis/fixtures/nottem.csv', 69),
  },
];
for (const { name, series } of sets) {
  console.log(`\n${name}\nsMAPE |  MASE | in the 95 % interval | CPU ms a series | method`);
  for (const method of methods) {
    const { sMAPE, MASE, covered, micros } = score(series, method);
    const shown = [
      sMAPE.toFixed(2).padStart(5),
      MASE.toFixed(3).padStart(5),
      `${(100 * covered).toFixed(1)} %`.padStart(20),
    ];
    console.log(`${shown.join(' | ')} | ${(micros / 1_000).toFixed(2).padStart(15)} | ${method}`);
  }
}
const monthly = sets[0]?.series.filter(({ kind }) => kind === 'monthly') ?? [];
const rate = 1e6 / score(monthly, 'combination').micros;
console.log(`\nmonthly series a second of CPU time: ${rate.toFixed(0)} (bar >= 50: ${rate >= 50 ? 'met' : 'MISSED'})`);

const figures = Array.from({ length: 100_000 }, (_, i) => Math.sin(i / 16) + ((i * 7_919) % 1_009) / 1_009);
const rows = await measure(
  [
    { name: 'analyzeStatistics', run: async () => analyzeStatistics(figures) },
    {
      name: 'simple-statistics 7: mean, deviation, quartiles, MAD alone',
      run: async () => [
        mean(figures),
        sampleStandardDeviation(figures),
        interquartileRange(figures),
        medianAbsoluteDeviation(figures),
      ],
    },
    { name: 'detectPeriod', run: async () => detectPeriod(figures) },
    { name: 'decompose, STL with a period of 100', run: async () => decompose(figures, { period: 100 }) },
    { name: 'analyzePatterns, period 100', run: async () => analyzePatterns(figures, { period: 100 }) },
    { name: 'analyzeTrend, period 100', run: async () => analyzeTrend(figures, { period: 100 }) },
    {
      name: 'matrixProfile of 5,000 values, window 100',
      run: async () => matrixProfile(figures.slice(0, 5_000), { window: 100 }),
    },
  ],
  { calls: 1, rounds: 3 },
);
console.log('\nCPU ms for 100,000 values');
for (const { name, cpuMicros } of rows) console.log(`${(cpuMicros / 1_000).toFixed(0).padStart(8)} | ${name}`);

const most = Array.from({ length: 10_000_000 }, (_, i) => Math.sin(i / 16) + ((i * 7_919) % 1_009) / 1_009);
const resident = process.memoryUsage().rss;
const before = process.cpuUsage();
analyzeStatistics(most);
const spent = process.cpuUsage(before);
const grown = (process.memoryUsage().rss - resident) / 2 ** 20;
console.log(
  `\nanalyzeStatistics of 10,000,000 values: ${((spent.user + spent.system) / 1e6).toFixed(1)} s of CPU, ${grown.toFixed(0)} MB above the ${(resident / 2 ** 20).toFixed(0)} MB that stood before`,
);
