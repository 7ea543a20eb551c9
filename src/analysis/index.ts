export { analyzePatterns, type Pattern, type PatternOptions, type Patterns } from './analyze-patterns.js';
export { analyzeStatistics, type JarqueBera, type Statistics, type StatisticsOptions } from './analyze-statistics.js';
export {
  analyzeTable,
  type CorrelationMatrix,
  type TableAnalysis,
  type TableOptions,
} from './analyze-table.js';
export { analyzeTrend, type Seasonality, type Trend, type TrendOptions } from './analyze-trend.js';
export type { Anomaly } from './anomalies.js';
export type { ChangePoint } from './change-point.js';
export type { ChartInput } from './chart/chart-input.js';
export type { DecompositionChart } from './chart/decomposition-svg.js';
export { extendTimes } from './chart/extend-times.js';
export type { HeatMapChart } from './chart/heat-map-svg.js';
export type { HistogramChart } from './chart/histogram-svg.js';
export { type SVGInput, type SVGOptions, toSVG } from './chart/svg.js';
export { type TerminalChartOptions, toTerminalChart } from './chart/terminal.js';
export {
  type CorrelationMethod,
  type CorrelationOptions,
  type CorrelationResult,
  correlate,
  type TableColumn,
} from './correlation.js';
export { type DecomposeOptions, type Decomposition, decompose } from './decompose.js';
export { detectPeriod } from './detect-period.js';
export { type StudentT, studentT } from './distributions/student-t.js';
export { type Forecast, type ForecastOptions, forecast } from './forecast/forecast.js';
export type { ForecastMethod } from './forecast/method.js';
export type { HamedRao } from './hamed-rao.js';
export { type Histogram, type HistogramBin, histogram } from './histogram.js';
export type { MannKendall } from './mann-kendall.js';
export {
  type Discord,
  type MatrixProfile,
  type MatrixProfileOptions,
  type Motif,
  matrixProfile,
} from './matrix-profile.js';
export type { Outlier, OutlierMethod } from './outliers.js';
export { type CSVOptions, type CSVSeries, parseCSV } from './parse-csv.js';
export { parseSeries, type SeriesInput, type SeriesOptions, type TimePoint } from './parse-series.js';
export type { RunsTest } from './runs-test.js';
export type { SenSlope } from './sen-slope.js';
