import type { TableAnalysis } from '../analyze-table.js';
import { type ChartInput, requireSize } from './chart-input.js';
import { type DecompositionChart, drawDecomposition } from './decomposition-svg.js';
import { drawHeatMap, type HeatMapChart } from './heat-map-svg.js';
import { drawHistogram, type HistogramChart } from './histogram-svg.js';
import { drawSeries } from './series-svg.js';

/** Settings of {@link toSVG}. */
export interface SVGOptions {
  /** In pixels, 240 to 20,000. @default 900 */
  readonly width?: number;
  /** In pixels, 160 to 20,000. @default 420; 640 for a decomposition */
  readonly height?: number;
  /** Heading and accessible name. @default that of the input, else one that says what is shown */
  readonly title?: string;
}

/** What {@link toSVG} can draw: a series with its forecast, or a result as its function gave it. */
export type SVGInput = ChartInput | DecompositionChart | HistogramChart | HeatMapChart | TableAnalysis;

/**
 * A picture as a self-contained SVG document: a series with its forecast in a fan of the 50 % and the given
 * interval; the panels of a {@link decompose | decomposition}; a {@link histogram}; or the correlations of
 * a table as a heat map. With a description for screen readers, no scripts, no styles from elsewhere,
 * readable on light and dark pages. All text is escaped.
 *
 * @throws ValidationError when there is nothing to draw, lists do not fit, or the size leaves no room.
 *
 * @example
 * await writeFile('forecast.svg', toSVG({ values, times, forecast: forecast(values, { horizon: 12 }) }));
 * await writeFile('parts.svg', toSVG({ ...decompose(values, { period: 12 }), times }));
 */
export function toSVG(input: SVGInput, options: SVGOptions = {}): string {
  const parts = 'remainder' in input;
  const { width = 900, height = parts ? 640 : 420, title } = options;
  requireSize('toSVG', 'width', width, 240);
  requireSize('toSVG', 'height', height, parts ? 320 : 160);
  const size = { width, height, title };
  if (parts) return drawDecomposition(input, size);
  if ('bins' in input) return drawHistogram(input, size);
  if ('coefficients' in input) return drawHeatMap(input, size);
  return 'correlations' in input ? drawHeatMap(input.correlations, size) : drawSeries(input, size);
}
