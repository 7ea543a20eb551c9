import type { Decomposition } from '../decompose.js';
import { requireLength } from './chart-input.js';
import { downsample } from './downsample.js';
import { printable } from './printable.js';
import { blue, ink, orange, type PictureSize, rounded, svgDocument } from './svg-document.js';
import { timeTicks } from './time-axis.js';
import { readable, shareOf, valueAxis } from './value-axis.js';
import { escapeXML } from './xml.js';

/** A decomposition with what its values are called. */
export interface DecompositionChart
  extends Pick<Decomposition, 'values' | 'trend' | 'season' | 'remainder' | 'model' | 'period' | 'seasonalStrength'> {
  /** A label for each value. */
  readonly times?: readonly string[] | undefined;
  readonly title?: string | undefined;
}

interface Panel {
  readonly name: string;
  readonly values: readonly number[];
  readonly colour: string;
  /** Sticks from here rather than a line. */
  readonly from?: number;
}

/** Panels of one width below each other: the values, trend, season and remainder, each on its own axis. */
export function drawDecomposition(chart: DecompositionChart, { width, height, title }: PictureSize): string {
  const { values, times, model, period } = chart;
  requireLength('times', times, values.length);
  const neutral = model === 'multiplicative' ? 1 : 0;
  const panels: Panel[] = [
    { name: 'values', values, colour: blue },
    { name: 'trend', values: chart.trend, colour: orange },
    ...(period === null ? [] : [{ name: 'season', values: chart.season, colour: blue }]),
    { name: 'remainder', values: chart.remainder, colour: ink, from: neutral },
  ];
  for (const panel of panels) requireLength(panel.name, panel.values, values.length);
  const axes = panels.map((panel) => {
    const shown = panel.from === undefined ? panel.values : [...panel.values, panel.from];
    return valueAxis(smallest(shown), greatest(shown), 3);
  });
  const longest = Math.max(...axes.flatMap(({ ticks }) => ticks.map(({ label }) => label.length)));
  const left = 20 + longest * 7;
  const right = width - 24;
  const top = 52;
  const each = (height - 34 - top) / panels.length;
  const x = (position: number): string => rounded(left + ((right - left) * position) / Math.max(1, values.length - 1));
  const drawn = panels.map((panel, k) => {
    const axis = axes[k] ?? valueAxis(0, 1, 3);
    const head = top + k * each + 20;
    const foot = top + (k + 1) * each - 8;
    const y = (value: number): string => rounded(foot - (foot - head) * shareOf(axis, value));
    const marks = axis.ticks.map(
      ({ value, label }) =>
        `<path d="M${left} ${y(value)}H${right}" stroke="${ink}" stroke-opacity=".22"/>` +
        `<text x="${left - 8}" y="${y(value)}" dy=".35em" text-anchor="end">${escapeXML(label)}</text>`,
    );
    const points = downsample(panel.values, Math.floor(right - left));
    const from = panel.from;
    const path =
      from === undefined
        ? `M${points.map(({ position, value }) => `${x(position)} ${y(value)}`).join('L')}`
        : points.map(({ position, value }) => `M${x(position)} ${y(from)}V${y(value)}`).join('');
    const line = `<path d="${path}" fill="none" stroke="${panel.colour}" stroke-width="1.5" stroke-linejoin="round"/>`;
    return [`<text x="${left}" y="${rounded(head - 8)}" font-weight="600">${panel.name}</text>`, ...marks, line].join(
      '\n',
    );
  });
  const labels = times?.map(printable) ?? null;
  const marks = timeTicks(labels, values.length, Math.max(2, Math.floor((right - left) / 80))).map(
    ({ position, label }) =>
      `<path d="M${x(position)} ${height - 34}v5" stroke="${ink}"/>` +
      `<text x="${x(position)}" y="${height - 14}" text-anchor="middle">${escapeXML(label)}</text>`,
  );
  const heading = title ?? (printable(chart.title ?? '') || 'Trend, season and remainder');
  return svgDocument({ width, height, heading, description: describe(chart), left }, [
    `<g aria-hidden="true">\n${[...drawn, ...marks].join('\n')}\n</g>`,
  ]);
}

function describe({ values, trend, season, remainder, model, period, seasonalStrength }: DecompositionChart): string {
  const spanOf = (list: readonly number[]): string => `${readable(smallest(list))} to ${readable(greatest(list))}`;
  const seasonal =
    period === null
      ? ''
      : `; season of ${period} steps from ${spanOf(season)}${seasonalStrength === null ? '' : `, strength ${readable(seasonalStrength)}`}`;
  return `${model} decomposition of ${values.length} values: trend from ${spanOf(trend)}${seasonal}; remainder from ${spanOf(remainder)}.`;
}

function smallest(list: readonly number[]): number {
  return list.reduce((a, b) => Math.min(a, b));
}

function greatest(list: readonly number[]): number {
  return list.reduce((a, b) => Math.max(a, b));
}
