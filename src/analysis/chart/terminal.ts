import { at } from '../numeric.js';
import { BrailleCanvas, type Dot } from './braille.js';
import { type ChartInput, type Plot, readPlot, requireSize } from './chart-input.js';
import { downsample } from './downsample.js';
import { type TimeTick, timeTicks } from './time-axis.js';
import { shareOf, type ValueAxis, valueAxis } from './value-axis.js';

/** Settings of {@link toTerminalChart}. */
export interface TerminalChartOptions {
  /** Of the whole chart in characters, at least 30. @default 80 */
  readonly width?: number;
  /** Of the whole chart in lines, at least 8. @default 20 */
  readonly height?: number;
  /** Adds ANSI colours. Pass what the terminal can show: nothing is detected. @default false */
  readonly color?: boolean;
}

const codes = { observed: 36, forecast: 33, fan: 33, frame: 90 } as const;
type Paint = (text: string, part: keyof typeof codes) => string;

/**
 * A line chart of Unicode characters: the series as a line of braille dots, and after a vertical rule
 * the forecast as a dotted line in a shade of `░` for its interval. It reads the same with and without
 * colour.
 *
 * @throws ValidationError when there is nothing to draw, lists do not fit, or the size leaves no room.
 *
 * @example console.log(toTerminalChart({ values, times, forecast }, { width: process.stdout.columns }));
 */
export function toTerminalChart(input: ChartInput, options: TerminalChartOptions = {}): string {
  const { width = 80, height = 20, color = false } = options;
  requireSize('toTerminalChart', 'width', width, 30);
  requireSize('toTerminalChart', 'height', height, 8);
  const plot = readPlot(input);
  const paint: Paint = (text, part) => (color ? `\u001b[${codes[part]}m${text}\u001b[39m` : text);
  const { title } = plot;
  const rows = Math.floor(height) - (title ? 4 : 3);
  const axis = valueAxis(plot.low, plot.high, Math.max(2, rows / 4));
  const margin = Math.max(...axis.ticks.map(({ label }) => label.length)) + 1;
  const columns = Math.floor(width) - margin - 1;
  const grid = draw(plot, axis, columns, rows, paint);
  const labels = new Map(axis.ticks.map(({ value, label }) => [rowOf(axis, value, rows * 4) >> 2, label]));
  const body = grid.map((line, row) => {
    const label = labels.get(row);
    return `${paint((label ?? '').padStart(margin - 1) + (label === undefined ? ' │' : ' ┤'), 'frame')}${line}`;
  });
  const count = plot.values.length + plot.mean.length;
  const ticks = timeTicks(plot.times, count, Math.max(2, Math.floor(columns / 12)));
  const foot = timeLine(ticks, count, columns).map((line) => paint(' '.repeat(margin) + line, 'frame'));
  return [...(title ? [title] : []), ...body, ...foot, legend(plot, margin, paint)]
    .map((line) => line.trimEnd())
    .join('\n');
}

function draw(plot: Plot, axis: ValueAxis, columns: number, rows: number, paint: Paint): string[] {
  const { values, mean, lower, upper } = plot;
  const n = values.length;
  const last = Math.max(1, n + mean.length - 1);
  const dotAt = (position: number, value: number): Dot => ({
    x: Math.round((position * (columns * 2 - 1)) / last),
    y: rowOf(axis, value, rows * 4),
  });
  const end = dotAt(n - 1, at(values, n - 1));
  const onward = (bound: readonly number[]): Dot[] => [end, ...bound.map((value, i) => dotAt(n + i, value))];
  const observed = new BrailleCanvas(columns, rows);
  trace(
    observed,
    downsample(values, columns * 2).map(({ position, value }) => dotAt(position, value)),
  );
  const ahead = new BrailleCanvas(columns, rows);
  if (mean.length > 0) trace(ahead, onward(mean), 2);
  const shade = lower && upper ? shadeBetween(onward(upper), onward(lower), columns) : undefined;
  const rule = mean.length > 0 ? end.x >> 1 : -1;
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => {
      const line = observed.character(column, row);
      if (line) return paint(line, 'observed');
      const dotted = ahead.character(column, row);
      if (dotted) return paint(dotted, 'forecast');
      if (column === rule) return paint('┊', 'frame');
      const [top = 0, bottom = -1] = shade?.[column] ?? [];
      return row >= top && row <= bottom ? paint('░', 'fan') : ' ';
    }).join(''),
  );
}

function trace(canvas: BrailleCanvas, dots: readonly Dot[], spacing = 1): void {
  for (const [i, dot] of dots.entries()) canvas.line(dots[i - 1] ?? dot, dot, spacing);
}

/** The first and last row of characters between two lines, for each column they reach. */
function shadeBetween(upper: readonly Dot[], lower: readonly Dot[], columns: number): (readonly [number, number])[] {
  const shade: (readonly [number, number])[] = [];
  const start = upper[0]?.x ?? 0;
  for (let column = (start >> 1) + 1; column < columns; column++) {
    shade[column] = [heightAt(upper, column * 2) >> 2, heightAt(lower, column * 2) >> 2];
  }
  return shade;
}

/** The row of dots where a line of ascending dots passes `x`. */
function heightAt(line: readonly Dot[], x: number): number {
  const next = line.findIndex((dot) => dot.x >= x);
  const to = line.at(next) ?? { x: 0, y: 0 };
  const from = line[next - 1] ?? to;
  return to.x > from.x ? Math.round(from.y + ((to.y - from.y) * (x - from.x)) / (to.x - from.x)) : to.y;
}

/** The row of dots of a value, from the top. */
function rowOf(axis: ValueAxis, value: number, dots: number): number {
  return Math.round((1 - shareOf(axis, value)) * (dots - 1));
}

function timeLine(ticks: readonly TimeTick[], count: number, columns: number): [rule: string, labels: string] {
  const rule = [...'─'.repeat(columns)];
  let labels = '';
  for (const { position, label } of ticks) {
    const column = Math.round((position * (columns - 1)) / Math.max(1, count - 1));
    const start = Math.max(0, Math.min(columns - label.length, column - (label.length >> 1)));
    if (labels.length > 0 && start <= labels.length) continue;
    rule[column] = '┬';
    labels = labels.padEnd(start) + label;
  }
  return [`└${rule.join('')}`, ` ${labels}`];
}

function legend({ mean, lower, level, method }: Plot, margin: number, paint: Paint): string {
  const parts = [`${paint('⠤⠒⠉', 'observed')} observed`];
  if (mean.length > 0) parts.push(`${paint('⠄⠂⠁', 'forecast')} forecast (${method})`);
  if (mean.length > 0 && lower) parts.push(`${paint('░░░', 'fan')} ${Number((level * 100).toPrecision(6))} % interval`);
  return ' '.repeat(margin + 1) + parts.join('   ');
}
