import { normal } from '../distributions/normal.js';
import { at } from '../numeric.js';
import { type ChartInput, type Plot, readPlot } from './chart-input.js';
import { downsample } from './downsample.js';
import { blue, ink, orange, type PictureSize, rounded, svgDocument } from './svg-document.js';
import { timeTicks } from './time-axis.js';
import { readable, shareOf, type ValueAxis, valueAxis } from './value-axis.js';
import { escapeXML } from './xml.js';

/**
 * A line chart: the series, its forecast as a dashed line in a fan of the 50 % interval (narrowed from the
 * given one by the normal distribution) and the given one, axes and a legend.
 */
export function drawSeries(input: ChartInput, { width, height, title }: PictureSize): string {
  const plot = readPlot(input);
  const heading = title ?? (plot.title || (plot.mean.length > 0 ? 'Series and forecast' : 'Series'));
  const frame = layOut(plot, width, height);
  return svgDocument({ width, height, heading, description: describe(plot), left: frame.left }, [
    legend(plot, frame),
    axes(plot, frame),
    fan(plot, frame),
    lines(plot, frame),
  ]);
}

interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly axis: ValueAxis;
  readonly x: (position: number) => string;
  readonly y: (value: number) => string;
}

function layOut(plot: Plot, width: number, height: number): Frame {
  const top = 66;
  const bottom = height - 34;
  const axis = valueAxis(plot.low, plot.high, Math.max(2, (bottom - top) / 55));
  const longest = Math.max(...axis.ticks.map(({ label }) => label.length));
  const left = 20 + longest * 7;
  const right = width - 24;
  const last = Math.max(1, plot.values.length + plot.mean.length - 1);
  const x = (position: number): string => rounded(left + ((right - left) * position) / last);
  const y = (value: number): string => rounded(bottom - (bottom - top) * shareOf(axis, value));
  return { left, right, top, bottom, axis, x, y };
}

function describe({ values, times, mean, lower, upper, level, method }: Plot): string {
  const n = values.length;
  const span = times ? ` from ${times[0]} to ${times[n - 1]}` : '';
  const last = `last ${readable(at(values, n - 1))}`;
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const series = `${n} ${n === 1 ? 'value' : 'values'}${span}, between ${readable(low)} and ${readable(high)}, ${last}.`;
  const steps = mean.length;
  if (steps === 0) return series;
  const end = steps - 1;
  const bounds =
    lower && upper ? `, ${percent(level)} interval ${readable(at(lower, end))} to ${readable(at(upper, end))}` : '';
  const ahead = `Forecast of ${steps} ${steps === 1 ? 'step' : 'steps'} by ${method}`;
  return `${series} ${ahead}, ending at ${readable(at(mean, end))}${bounds}.`;
}

function axes({ values, mean, times }: Plot, { left, right, top, bottom, axis, x, y }: Frame): string {
  const count = values.length + mean.length;
  const across = axis.ticks.map(
    ({ value, label }) =>
      `<path d="M${left} ${y(value)}H${right}" stroke="${ink}" stroke-opacity=".22"/>` +
      `<text x="${left - 8}" y="${y(value)}" dy=".35em" text-anchor="end">${escapeXML(label)}</text>`,
  );
  const down = timeTicks(times, count, Math.max(2, Math.floor((right - left) / 80))).map(({ position, label }) => {
    // The last label ends at the edge of the picture rather than beyond it.
    const anchor =
      Number(x(position)) > right - 12
        ? `x="${right + 20}" text-anchor="end"`
        : `x="${x(position)}" text-anchor="middle"`;
    const mark = `<path d="M${x(position)} ${bottom}v5" stroke="${ink}"/>`;
    return `${mark}<text ${anchor} y="${bottom + 20}">${escapeXML(label)}</text>`;
  });
  const now =
    mean.length > 0
      ? [
          `<path d="M${x(values.length - 1)} ${top}V${bottom}" stroke="${ink}" stroke-opacity=".5" stroke-dasharray="2 4"/>`,
        ]
      : [];
  return ['<g aria-hidden="true">', ...across, ...down, ...now, '</g>'].join('\n');
}

/** The intervals as areas that open at the last value. */
function fan({ values, mean, lower, upper, level }: Plot, frame: Frame): string {
  if (!lower || !upper || mean.length === 0) return '';
  const inner = normal.quantile(0.75) / normal.quantile((1 + level) / 2);
  const narrowed = (bound: readonly number[]): number[] =>
    bound.map((value, i) => at(mean, i) * (1 - inner) + value * inner);
  const start = at(values, values.length - 1);
  const area = (low: readonly number[], high: readonly number[], opacity: number): string => {
    const over = [start, ...high].map((value, i) => `${frame.x(values.length - 1 + i)} ${frame.y(value)}`);
    const back = low.map((value, i) => `${frame.x(values.length + i)} ${frame.y(value)}`).reverse();
    return `<path d="M${[...over, ...back].join('L')}Z" fill="${orange}" fill-opacity="${opacity}"/>`;
  };
  const outer = area(lower, upper, 0.16);
  return inner < 1 ? `${outer}\n${area(narrowed(lower), narrowed(upper), 0.22)}` : outer;
}

function lines({ values, mean }: Plot, { x, y, left, right }: Frame): string {
  const points = downsample(values, Math.floor(right - left));
  const observed = points.map(({ position, value }) => `${x(position)} ${y(value)}`).join('L');
  const last = values.length - 1;
  const parts = [
    `<path d="M${observed}" fill="none" stroke="${blue}" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"/>`,
    `<circle cx="${x(last)}" cy="${y(at(values, last))}" r="3.5" fill="${blue}"/>`,
  ];
  if (mean.length > 0) {
    const ahead = [at(values, last), ...mean].map((value, i) => `${x(last + i)} ${y(value)}`).join('L');
    parts.push(
      `<path d="M${ahead}" fill="none" stroke="${orange}" stroke-width="2" stroke-linejoin="round" stroke-dasharray="6 3"/>`,
    );
  }
  return parts.join('\n');
}

/** One line of keys: in few words where there is little room, and without those that would not fit. */
function legend({ mean, lower, level, method }: Plot, { left, right }: Frame): string {
  const items = [
    { long: 'observed', short: 'observed', mark: `<path d="M0 0h22" stroke="${blue}" stroke-width="2"/>` },
  ];
  if (mean.length > 0) {
    const mark = `<path d="M0 0h22" stroke="${orange}" stroke-width="2" stroke-dasharray="6 3"/>`;
    items.push({ long: `forecast (${method})`, short: 'forecast', mark });
  }
  if (mean.length > 0 && lower) {
    const outer = `<path d="M0 -6h22v12h-22z" fill="${orange}" fill-opacity=".16"/>`;
    const inner = `<path d="M0 -3h22v6h-22z" fill="${orange}" fill-opacity=".22"/>`;
    const long = `${level > 0.5 ? '50 % and ' : ''}${percent(level)} interval`;
    items.push({ long, short: percent(level), mark: level > 0.5 ? outer + inner : outer });
  }
  const widthOf = (label: string): number => 28 + label.length * 6.2;
  const gap = 22;
  const roomy = items.reduce((sum, { long }) => sum + widthOf(long) + gap, -gap) <= right + 20 - left;
  let offset = left;
  const drawn: string[] = [];
  for (const { long, short, mark } of items) {
    const label = roomy ? long : short;
    if (offset + widthOf(label) > right + 20) break;
    const text = `<text x="28" dy=".35em">${escapeXML(label)}</text>`;
    drawn.push(`<g transform="translate(${rounded(offset)} 46)">${mark}${text}</g>`);
    offset += widthOf(label) + gap;
  }
  return ['<g aria-hidden="true">', ...drawn, '</g>'].join('\n');
}

function percent(level: number): string {
  return `${Number((level * 100).toPrecision(6))} %`;
}
