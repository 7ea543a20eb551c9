/** What each method would have said of a year that is known, and what their median says. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { decompose, type ForecastMethod, forecast, parseCSV, toSVG } from '@safla/sdk/analysis';

const file = new URL('./data/air-passengers.csv', import.meta.url);
const { time, values } = parseCSV(await readFile(file, 'utf8'), { file: 'air-passengers.csv' });
const known = values.slice(0, -12);
const held = values.slice(-12);

const methods: readonly ForecastMethod[] = ['seasonal-naive', 'ets', 'theta', 'arima', 'damped-trend', 'combination'];
const errors = new Map<ForecastMethod, number>();
for (const method of methods) {
  const { mean, lower, upper, models } = forecast(known, { horizon: 12, period: 12, method });
  const error = mean.reduce((sum, value, i) => sum + Math.abs(value / (held[i] ?? 0) - 1), 0) * (100 / 12);
  const inside = held.filter((value, i) => value >= (lower?.[i] ?? 0) && value <= (upper?.[i] ?? 0)).length;
  errors.set(method, error);
  console.log(
    `${method.padEnd(15)} ${error.toFixed(1).padStart(5)} % off, ${inside} of 12 inside: ${models.join('; ')}`,
  );
}

const { seasonalStrength, trendStrength, ...parts } = decompose(known, { period: 12, model: 'multiplicative' });
console.log(`\nstrength of season ${seasonalStrength?.toFixed(2)}, of trend ${trendStrength.toFixed(2)}`);
const picture = toSVG({ ...parts, seasonalStrength, times: time.slice(0, -12) });

assert.ok((errors.get('combination') ?? 99) < 5);
assert.ok((errors.get('combination') ?? 99) < (errors.get('seasonal-naive') ?? 0) / 2);
assert.ok((seasonalStrength ?? 0) > 0.9 && trendStrength > 0.9);
assert.match(picture, /multiplicative decomposition of 132 values/);
