import { ValidationError } from '../../core/index.js';
import type { Histogram } from '../histogram.js';
import { printable } from './printable.js';
import { blue, ink, type PictureSize, rounded, svgDocument } from './svg-document.js';
import { readable, shareOf, valueAxis } from './value-axis.js';
import { escapeXML } from './xml.js';

/** A histogram with what its values are called. */
export interface HistogramChart extends Pick<Histogram, 'bins' | 'n'> {
  readonly title?: string | undefined;
}

/** Bars over the bins, with counts upward. */
export function drawHistogram({ bins, n, title: own }: HistogramChart, { width, height, title }: PictureSize): string {
  const first = bins[0];
  const last = bins.at(-1);
  if (!first || !last) throw new ValidationError('chart', [{ path: ['bins'], message: 'expected at least one bin' }]);
  const most = bins.reduce((a, b) => Math.max(a, b.count), 0);
  const counts = valueAxis(0, most, Math.max(2, (height - 100) / 55));
  const across = valueAxis(first.from, last.to, Math.max(2, (width - 80) / 90));
  const left = 20 + Math.max(...counts.ticks.map(({ label }) => label.length)) * 7;
  const right = width - 24;
  const top = 52;
  const bottom = height - 34;
  const x = (value: number): number => left + (right - left) * shareOf(across, value);
  const y = (count: number): number => bottom - (bottom - top) * shareOf(counts, count);
  const narrow = first.from === last.to;
  const bars = bins.map(({ from, to, count }) => {
    const start = narrow ? x(from) - 20 : x(from) + 0.5;
    const end = narrow ? x(to) + 20 : Math.max(x(to) - 0.5, start + 0.5);
    return `<path d="M${rounded(start)} ${bottom}V${rounded(y(count))}H${rounded(end)}V${bottom}Z" fill="${blue}" fill-opacity=".8"><title>${escapeXML(`${readable(from)} to ${readable(to)}: ${count}`)}</title></path>`;
  });
  const rules = counts.ticks
    .filter(({ value }) => Number.isInteger(value))
    .map(
      ({ value, label }) =>
        `<path d="M${left} ${rounded(y(value))}H${right}" stroke="${ink}" stroke-opacity=".22"/>` +
        `<text x="${left - 8}" y="${rounded(y(value))}" dy=".35em" text-anchor="end">${escapeXML(label)}</text>`,
    );
  const marks = across.ticks.map(
    ({ value, label }) =>
      `<path d="M${rounded(x(value))} ${bottom}v5" stroke="${ink}"/>` +
      `<text x="${rounded(x(value))}" y="${bottom + 20}" text-anchor="middle">${escapeXML(label)}</text>`,
  );
  const fullest = bins.find(({ count }) => count === most) ?? first;
  const description = `${n} values from ${readable(first.from)} to ${readable(last.to)} in ${bins.length} ${bins.length === 1 ? 'bin' : 'bins'}; most, ${most}, from ${readable(fullest.from)} to ${readable(fullest.to)}.`;
  const heading = title ?? (printable(own ?? '') || 'Histogram');
  return svgDocument({ width, height, heading, description, left }, [
    `<g aria-hidden="true">\n${[...rules, ...marks, ...bars].join('\n')}\n</g>`,
  ]);
}
