import { ValidationError } from '../../core/index.js';
import type { CorrelationMatrix } from '../analyze-table.js';
import { printable } from './printable.js';
import { blue, orange, type PictureSize, rounded, shortened, svgDocument } from './svg-document.js';
import { escapeXML } from './xml.js';

/** Correlations with a heading. */
export interface HeatMapChart extends Pick<CorrelationMatrix, 'names' | 'coefficients' | 'method'> {
  readonly title?: string | undefined;
}

/** Wider and higher cells than this only spread the numbers apart. */
const largestCell = 110;

/** Beyond this a cell is dark enough for white numbers. */
const deep = 0.6;

/** A square of cells, blue for going together and orange for going apart, the stronger the deeper, each with its number. */
export function drawHeatMap(
  { names, coefficients, method, title: own }: HeatMapChart,
  { width, height, title }: PictureSize,
): string {
  const count = names.length;
  if (count === 0 || coefficients.length !== count || coefficients.some((row) => row.length !== count)) {
    throw new ValidationError('chart', [
      { path: ['coefficients'], message: 'expected a square with a row for each name' },
    ]);
  }
  const labels = names.map(printable);
  const longest = Math.max(...labels.map((label) => [...label].length));
  const left = 20 + Math.min(longest, 18) * 7;
  const top = 72;
  const wide = Math.min(largestCell, (width - 24 - left) / count);
  const high = Math.min(largestCell, (height - 16 - top) / count);
  const head = (index: number): string => escapeXML(shortened(labels[index] ?? '', Math.max(2, wide / 7)));
  const cells = coefficients.flatMap((row, i) =>
    row.map((r, j) => {
      const [x, y] = [left + j * wide, top + i * high];
      const colour = (r ?? 0) < 0 ? orange : blue;
      const size = Math.abs(r ?? 0);
      const box = `<rect x="${rounded(x + 1)}" y="${rounded(y + 1)}" width="${rounded(wide - 2)}" height="${rounded(high - 2)}" rx="3" fill="${colour}" fill-opacity="${Math.round(90 * size) / 100}"/>`;
      const roomy = wide >= 34 && high >= 14;
      const number = r === null ? '–' : r.toFixed(2).replace('-', '−');
      return roomy
        ? `${box}<text x="${rounded(x + wide / 2)}" y="${rounded(y + high / 2)}" dy=".35em" text-anchor="middle"${size > deep ? ' fill="#fff"' : ''}>${number}</text>`
        : box;
    }),
  );
  const rows = labels.map(
    (label, i) =>
      `<text x="${left - 8}" y="${rounded(top + (i + 0.5) * high)}" dy=".35em" text-anchor="end">${escapeXML(shortened(label, 18))}</text>`,
  );
  const columns = labels.map(
    (_, j) => `<text x="${rounded(left + (j + 0.5) * wide)}" y="${top - 8}" text-anchor="middle">${head(j)}</text>`,
  );
  const heading = title ?? (printable(own ?? '') || `Correlations (${method})`);
  return svgDocument({ width, height, heading, description: describe(labels, coefficients, method), left }, [
    `<g aria-hidden="true">\n${[...columns, ...rows, ...cells].join('\n')}\n</g>`,
  ]);
}

/** Names the strongest pair. */
function describe(names: readonly string[], coefficients: HeatMapChart['coefficients'], method: string): string {
  let strongest: { r: number; pair: string } | undefined;
  for (const [i, row] of coefficients.entries()) {
    for (const [j, r] of row.entries()) {
      if (j <= i || r === null || Math.abs(r) <= Math.abs(strongest?.r ?? 0)) continue;
      strongest = { r, pair: `${names[i]} and ${names[j]}` };
    }
  }
  const most = strongest ? ` The strongest is ${strongest.r.toFixed(2)}, of ${strongest.pair}.` : '';
  return `${method} correlations of ${names.length} ${names.length === 1 ? 'column' : 'columns'}.${most}`;
}
