import { stripVTControlCharacters } from 'node:util';
import { analyzeTable, decompose, extendTimes, forecast, histogram, toSVG, toTerminalChart } from '@safla/sdk/analysis';
import { ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { downsample } from '../../src/analysis/chart/downsample.js';
import { timeTicks } from '../../src/analysis/chart/time-axis.js';
import { readable, shareOf, valueAxis } from '../../src/analysis/chart/value-axis.js';
import { fixture } from './support.js';

const { values, times } = fixture('air-passengers');
const passengers = { values, times, forecast: forecast(values, { horizon: 12 }), title: 'Airline passengers' };
const elements = (svg: string, name: string): string[] =>
  svg.match(new RegExp(`<${name}[ >][\\s\\S]*?(?:/>|</${name}>)`, 'g')) ?? [];

/** Whether tags nest and attributes are quoted: enough of XML 1.0 for documents without CDATA or comments. */
function isWellFormed(xml: string): boolean {
  const open: string[] = [];
  const rest = xml.replace(
    /<(\/?)([a-z]+)((?:\s+[a-z-]+(?::[a-z]+)?="[^"<]*")*)\s*(\/?)>/gi,
    (_, close, name, _attributes, empty) => {
      if (close) return open.pop() === name ? '' : '<';
      if (!empty) open.push(name);
      return '';
    },
  );
  return open.length === 0 && !/[<>]|&(?!(?:amp|lt|gt|quot|#39);)/.test(rest);
}

describe('toSVG', () => {
  const svg = toSVG(passengers);

  it('is a well-formed document with a name and a description for those who cannot see it', () => {
    expect(isWellFormed(svg)).toBe(true);
    expect(svg).toContain('role="img"');
    expect(svg).toContain('<title>Airline passengers</title>');
    expect(svg).toMatch(
      /<desc>144 values from 1949-01 to 1960-12, between 104 and 622, last 432\. Forecast of 12 steps by combination, ending at 4\d\d(\.\d)?, 95 % interval \d+(\.\d)? to \d+(\.\d)?\.<\/desc>/,
    );
  });

  it('draws every value once, the forecast dashed, and two intervals', () => {
    const solid = elements(svg, 'path').find((path) => path.includes('stroke-linecap'));
    expect(solid?.match(/[ML][\d.]+ [\d.]+/g)).toHaveLength(144);
    const dashed = elements(svg, 'path').find(
      (path) => path.includes('stroke-linejoin') && path.includes('stroke-dasharray'),
    );
    expect(dashed?.match(/[ML][\d.]+ [\d.]+/g)).toHaveLength(13);
    expect(elements(svg, 'path').filter((path) => path.includes('fill-opacity') && path.includes('Z'))).toHaveLength(2);
  });

  it('keeps everything inside the picture', () => {
    const placed = svg.replace(/<g transform[\s\S]*?<\/g>/g, '');
    for (const [, x, y] of placed.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)) {
      expect(Number(x)).toBeGreaterThanOrEqual(0);
      expect(Number(x)).toBeLessThanOrEqual(900);
      expect(Number(y)).toBeGreaterThanOrEqual(0);
      expect(Number(y)).toBeLessThanOrEqual(420);
    }
  });

  it('has round marks: years below, hundreds at the side', () => {
    const labels = elements(svg, 'text').map((text) => text.replace(/<[^>]+>/g, ''));
    expect(labels).toEqual(expect.arrayContaining(['0', '200', '400', '600', '800', '1950', '1952', '1960']));
  });

  it('is the same every time', () => {
    expect(toSVG(passengers)).toBe(svg);
  });

  it('escapes whatever its texts hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', minLength: 1 }), (title, time) => {
        const drawn = toSVG({ values: [1, 2], times: [time, '<&"\'>'], title });
        expect(isWellFormed(drawn)).toBe(true);
        expect(Buffer.from(drawn).toString()).toBe(drawn);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML cannot hold.
        expect(drawn).not.toMatch(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/);
      }),
    );
    expect(toSVG({ values: [1], title: '<script>' })).toContain('<title>&lt;script&gt;</title>');
  });

  it('stays small for long series and still shows their peaks', () => {
    const long = Array.from({ length: 200_000 }, (_, i) => (i === 123_456 ? 50 : Math.sin(i / 5_000)));
    const drawn = toSVG({ values: long });
    expect(drawn.length).toBeLessThan(100_000);
    expect(drawn).toContain('between -1 and 50');
    expect(downsample(long, 800).some(({ position, value }) => position === 123_456 && value === 50)).toBe(true);
  });

  it('draws a forecast without interval, one value, and equal values', () => {
    const bare = toSVG({ values: [5], forecast: forecast([5], { horizon: 3 }) });
    expect(isWellFormed(bare)).toBe(true);
    expect(bare).not.toContain('interval');
    expect(toSVG({ values: [5, 5, 5] })).toContain('between 5 and 5');
  });

  it('shortens the legend and the heading where they have no room', () => {
    const narrow = toSVG({ ...passengers, title: 'x'.repeat(500) }, { width: 300, height: 200 });
    expect(narrow).not.toContain('combination)');
    expect(narrow).toMatch(/>x+…<\/text>/);
  });
});

describe('texts from a file', () => {
  const hostile = ['\u001b[31m2024\u0007', '\u009b2J\u007f', '\u202e\u2028x'];
  const input = { values: [1, 2, 3], times: hostile, title: `\u001b]0;t\u0007${hostile[2]}` };

  it('cannot steer the terminal or turn the text around', () => {
    for (const drawn of [toTerminalChart(input), toSVG(input)]) {
      expect(drawn).toContain('[31m2024');
      expect(drawn).not.toMatch(/[^\P{Cc}\n]|\p{Cf}|\u2028/u);
    }
  });

  it('keep their joiners', () => {
    expect(toSVG({ values: [1], title: '👩\u200d🔬' })).toContain('<title>👩\u200d🔬</title>');
  });
});

describe('toTerminalChart', () => {
  const chart = toTerminalChart(passengers, { width: 90, height: 18 });

  it('fills the size it was given and no more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 30, max: 200 }), fc.integer({ min: 8, max: 60 }), (width, height) => {
        const lines = toTerminalChart({ ...passengers, title: 'T' }, { width, height }).split('\n');
        expect(lines).toHaveLength(height);
        for (const line of lines.slice(0, -1)) expect(line.length).toBeLessThanOrEqual(width);
      }),
      { numRuns: 40 },
    );
  });

  it('tells series and forecast apart without colour', () => {
    expect(chart).toContain('Airline passengers');
    expect(chart).toContain('observed');
    expect(chart).toContain('forecast (combination)');
    expect(chart).toContain('95 % interval');
    const rows = chart.split('\n').slice(1, -3);
    const rule = rows[0]?.indexOf('┊') ?? -1;
    expect(rule).toBeGreaterThan(70);
    expect(rows.some((row) => row.slice(rule + 1).includes('░'))).toBe(true);
    for (const row of rows) expect(row.slice(0, rule)).not.toContain('░');
  });

  it('is the same drawing in colour', () => {
    const coloured = toTerminalChart(passengers, { width: 90, height: 18, color: true });
    expect(coloured).toContain('\u001b[36m');
    expect(coloured).toContain('\u001b[33m');
    expect(
      stripVTControlCharacters(coloured)
        .split('\n')
        .map((line) => line.trimEnd()),
    ).toEqual(chart.split('\n'));
  });

  it('draws a rising line from bottom left to top right', () => {
    const rows = toTerminalChart({ values: [0, 1, 2, 3, 4, 5, 6, 7, 8] }, { width: 40, height: 10 })
      .split('\n')
      .slice(0, 7);
    const places = rows.map((row) => row.search(/[\u2801-\u28FF]/)).filter((place) => place >= 0);
    expect(places).toEqual([...places].sort((a, b) => b - a));
    expect(places.length).toBeGreaterThan(3);
  });

  it('lets no title steer the terminal', () => {
    const drawn = toTerminalChart({ values: [1, 2], title: '\u001b[2Jgone\u0007\nnext' });
    expect(drawn.split('\n')[0]).toBe('[2Jgone next');
  });
});

describe('charts refuse', () => {
  it.each([
    [{ values: [] }, {}],
    [{ values: [Number.NaN] }, {}],
    [{ values: [1, 2], times: ['a'] }, {}],
    [{ values: [1], forecast: { mean: [1, 2], lower: [0], upper: [2], level: 0.95, method: 'naive' as const } }, {}],
    [{ values: [1] }, { width: 10 }],
    [{ values: [1] }, { height: Number.NaN }],
  ])('%j with %j', (input, options) => {
    expect(() => toSVG(input, options)).toThrow(ValidationError);
    expect(() => toTerminalChart(input, options)).toThrow(ValidationError);
  });
});

describe('extendTimes', () => {
  it.each([
    [
      ['2023', '2024'],
      ['2025', '2026'],
    ],
    [
      ['2024-10', '2024-11', '2024-12'],
      ['2025-01', '2025-02'],
    ],
    [
      ['2024-03', '2024-06'],
      ['2024-09', '2024-12'],
    ],
    [
      ['2024-02-27', '2024-02-28'],
      ['2024-02-29', '2024-03-01'],
    ],
    [
      ['2023-11-30', '2023-12-31', '2024-01-31'],
      ['2024-02-29', '2024-03-31'],
    ],
    [
      ['2024-11-15', '2024-12-15'],
      ['2025-01-15', '2025-02-15'],
    ],
    [
      ['2024-12-31T22:00', '2024-12-31T23:00'],
      ['2025-01-01T00:00', '2025-01-01T01:00'],
    ],
    [
      ['2024-01-01 00:00:00', '2024-01-01 00:00:30'],
      ['2024-01-01 00:01:00', '2024-01-01 00:01:30'],
    ],
    [
      ['2024-01-01T00:00:00Z', '2024-01-01T06:00:00Z'],
      ['2024-01-01T12:00:00Z', '2024-01-01T18:00:00Z'],
    ],
    [
      ['Monday', 'Tuesday'],
      ['+1', '+2'],
    ],
    [
      ['2024-01-01', '2024-01-02', '2024-01-05'],
      ['+1', '+2'],
    ],
    [
      ['2024-02-30', '2024-03-01'],
      ['+1', '+2'],
    ],
    [
      ['2024-02', '2024-01'],
      ['+1', '+2'],
    ],
    [['2024-01'], ['+1', '+2']],
    [[], ['+1', '+2']],
  ])('continues %j', (given, expected) => {
    expect(extendTimes(given, 2)).toEqual(expected);
  });

  it('continues as the series itself did', () => {
    expect(extendTimes(times.slice(0, 60), 84)).toEqual(times.slice(60));
  });
});

describe('axes', () => {
  it('take marks of 1, 2 or 5 that enclose the range', () => {
    const range = fc.tuple(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    fc.assert(
      fc.property(range, fc.integer({ min: 2, max: 12 }), ([a, b], wanted) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const axis = valueAxis(low, high, wanted);
        expect(axis.ticks.length).toBeGreaterThanOrEqual(1);
        expect(axis.ticks.length).toBeLessThanOrEqual(wanted + 3);
        for (const value of [low, high]) {
          expect(shareOf(axis, value)).toBeGreaterThanOrEqual(-1e-6);
          expect(shareOf(axis, value)).toBeLessThanOrEqual(1 + 1e-6);
        }
      }),
    );
    expect(valueAxis(104, 622, 5).ticks.map(({ label }) => label)).toEqual(['0', '200', '400', '600', '800']);
    expect(valueAxis(0.12, 0.31, 4).ticks.map(({ label }) => label)).toEqual([
      '0.10',
      '0.15',
      '0.20',
      '0.25',
      '0.30',
      '0.35',
    ]);
    expect(valueAxis(-2e6, 3e6, 5).ticks.map(({ label }) => label)).toEqual(['-2M', '-1M', '0', '1M', '2M', '3M']);
    expect(valueAxis(0, 3e-7, 3).ticks.map(({ label }) => label)).toEqual(['0', '1e-7', '2e-7', '3e-7']);
  });

  it('mark where years, months or days begin', () => {
    expect(timeTicks(times, 144, 8).map(({ label }) => label)).toEqual([
      '1950',
      '1952',
      '1954',
      '1956',
      '1958',
      '1960',
    ]);
    expect(timeTicks(times.slice(0, 12), 12, 6).map(({ label, position }) => `${label}@${position}`)).toEqual([
      '1949-01@0',
      '1949-03@2',
      '1949-05@4',
      '1949-07@6',
      '1949-09@8',
      '1949-11@10',
    ]);
    const hours = Array.from({ length: 72 }, (_, i) =>
      new Date(Date.UTC(2024, 1, 28, 12 + i)).toISOString().slice(0, 16),
    );
    expect(timeTicks(hours, 72, 5).map(({ label }) => label)).toEqual(['2024-02-29', '2024-03-01', '2024-03-02']);
    expect(timeTicks(['a', 'b', 'c', 'd'], 4, 2).map(({ label }) => label)).toEqual(['a', 'c']);
    expect(timeTicks(null, 100, 6).map(({ label, position }) => `${label}@${position}`)).toEqual([
      '1@0',
      '20@19',
      '40@39',
      '60@59',
      '80@79',
      '100@99',
    ]);
  });

  it('write numbers as people read them', () => {
    expect([0, 2.34567, 432.06, 12_345.678, 4_560_000, 1.5e20, 0.00002, -7].map(readable)).toEqual([
      '0',
      '2.35',
      '432.1',
      '12,346',
      '4.56M',
      '1.5e20',
      '2e-5',
      '-7',
    ]);
  });
});

describe('toSVG of results', () => {
  const values = Array.from({ length: 48 }, (_, i) => 50 + i + 10 * Math.sin((i * Math.PI) / 6));

  it('draws the panels of a decomposition', () => {
    const svg = toSVG({ ...decompose(values, { period: 12 }), times: values.map((_, i) => `t${i}`), title: 'a < b' });
    for (const name of ['values', 'trend', 'season', 'remainder']) expect(svg).toContain(`>${name}</text>`);
    expect(svg).toContain('<title>a &lt; b</title>');
    expect(svg).toMatch(
      /<desc>additive decomposition of 48 values: trend from .+; season of 12 steps from .+, strength /,
    );
    expect(toSVG(decompose(values, { period: null }))).not.toContain('>season</text>');
  });

  it('draws a bar for each bin', () => {
    const found = histogram(values);
    const svg = toSVG(found);
    expect(svg.match(/fill-opacity="\.8"/g)).toHaveLength(found.bins.length);
    expect(svg).toMatch(/<desc>48 values from /);
    expect(toSVG(histogram([3, 3, 3]))).toContain('in 1 bin;');
  });

  it('draws a cell for each pair, and names the strongest', () => {
    const table = analyzeTable({ up: [1, 2, 3, 4], down: [4, 3, 2, 1.5], '<flat>': [1, 1, 1, 1] });
    for (const svg of [toSVG(table), toSVG(table.correlations)]) {
      expect(svg.match(/<rect /g)).toHaveLength(9);
      expect(svg).toContain('The strongest is -0.99, of up and down.');
      expect(svg).toContain('&lt;flat&gt;');
      expect(svg).not.toMatch(/NaN|undefined/);
    }
  });

  it('refuses lists that do not fit, and sizes without room', () => {
    const parts = decompose(values, { period: 12 });
    expect(() => toSVG({ ...parts, trend: [1] })).toThrow(ValidationError);
    expect(() => toSVG(parts, { height: 200 })).toThrow(ValidationError);
    expect(() => toSVG({ names: ['a'], coefficients: [], method: 'pearson' })).toThrow(/square/);
    expect(() => toSVG({ bins: [], n: 0 })).toThrow(/bin/);
  });

  it('takes any finite values', () => {
    for (const extreme of [
      [0, 0, 0, 0],
      [1e308, -1e308, 1e308, 0],
      [5e-324, 0, 5e-324, 1e-300],
    ]) {
      for (const svg of [toSVG(histogram(extreme)), toSVG(decompose(extreme, { period: null }))]) {
        expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      }
    }
  });
});
