/** Eleven years of a CSV file are analysed, the twelfth is forecast, and the forecast is held against it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import {
  analyzePatterns,
  analyzeStatistics,
  analyzeTrend,
  forecast,
  parseCSV,
  toSVG,
  toTerminalChart,
} from '@safla/sdk/analysis';

const file = new URL('./data/air-passengers.csv', import.meta.url);
const { time, values, name } = parseCSV(await readFile(file, 'utf8'), { file: 'air-passengers.csv' });
const known = values.slice(0, -12);
const held = values.slice(-12);

const { mean, median, standardDeviation, confidenceInterval } = analyzeStatistics(known);
const { period, patterns, anomalies } = analyzePatterns(known);
const { trend, senSlope, mannKendall } = analyzeTrend(known, { period });
const next = forecast(known, { horizon: 12, period });

const [low = 0, high = 0] = confidenceInterval ?? [];
console.log(`${name}, ${time[0]} to ${time[known.length - 1]}: ${known.length} values`);
console.log(`  centre    mean ${mean.toFixed(1)} (95 %: ${low.toFixed(1)} to ${high.toFixed(1)}), median ${median}`);
console.log(`  spread    standard deviation ${standardDeviation?.toFixed(1)}`);
console.log(`  trend     ${trend}, ${senSlope?.slope.toFixed(2)} a month, p = ${mannKendall.p.toExponential(1)}`);
console.log(`  patterns  ${patterns.map(({ type }) => type).join(', ')}; period ${period}`);
console.log(`  odd ones  ${anomalies.map(({ index }) => time[index]).join(', ') || 'none'}`);

const chart = { values: known, times: time.slice(0, -12), forecast: next, title: `${name}: the next year` };
console.log(`\n${toTerminalChart(chart, { width: 96, height: 16, color: process.stdout.hasColors?.() ?? false })}\n`);

const errors = next.mean.map((value, i) => Math.abs(value / (held[i] ?? 0) - 1));
const error = (100 * errors.reduce((sum, value) => sum + value, 0)) / errors.length;
const inside = held.filter((value, i) => value >= (next.lower?.[i] ?? 0) && value <= (next.upper?.[i] ?? 0)).length;
console.log(`${next.method} is ${error.toFixed(1)} % off on average; ${inside} of 12 months lie in the 95 % interval.`);

assert.equal(period, 12);
assert.equal(trend, 'increasing');
assert.ok(error < 5, `the forecast is ${error} % off`);
assert.ok(inside >= 10, `${inside} of 12 months are inside`);
assert.match(toSVG(chart), /^<svg [^>]*role="img"/);
