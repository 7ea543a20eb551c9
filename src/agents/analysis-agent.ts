import type { Forecast, Patterns, SeriesInput, Statistics, Trend } from '../analysis/index.js';
import { type StandardSchemaV1, ValidationError, type ValidationIssue } from '../core/index.js';
import { lazy } from '../core/internal.js';
import { Agent } from './agent.js';
import { AgentCapabilities } from './agent-capabilities.js';
import type { AgentOptions } from './agent-options.js';
import type { Task } from './task.js';

/** What an {@link AnalysisAgent} is asked. */
export interface AnalysisRequest {
  /** Numbers, points with a time, or a text with a JSON array or comma- or newline-separated numbers. */
  readonly data: SeriesInput;
  /** @default 'statistical' */
  readonly analysisType?: 'statistical' | 'pattern' | 'trend' | 'forecast';
  /** Length of the season in steps. @default found */
  readonly period?: number;
  /** Steps to forecast. @default one season, 12 without a period */
  readonly horizon?: number;
}

/** What an {@link AnalysisAgent} answers, by `analysisType`. */
export type AnalysisAnswer = Statistics | Patterns | Trend | Forecast;

const loadAnalysis = lazy(() => import('../analysis/index.js'));
const types = ['statistical', 'pattern', 'trend', 'forecast'] as const;
const taskTypes: ReadonlySet<string> = new Set(['data-analysis', 'pattern-recognition', 'forecast']);

const requestSchema: StandardSchemaV1<unknown, AnalysisRequest> = {
  '~standard': {
    version: 1,
    vendor: '@safla/sdk',
    validate(value) {
      const issues = requestIssues(value);
      return issues.length > 0 ? { issues } : { value: value as AnalysisRequest };
    },
  },
};

/**
 * Analyses number series as an agent: statistics, patterns, trend or forecast, by the functions of
 * `@safla/sdk/analysis`. It takes tasks of the types `data-analysis`, `pattern-recognition` and `forecast`. It
 * computes in this thread, so a task that has begun is not interrupted.
 *
 * @example
 * const { data } = await new AnalysisAgent().submit({ type: 'data-analysis', parameters: { data: [3, 1, 4], analysisType: 'trend' } }).result;
 */
export class AnalysisAgent extends Agent<AnalysisRequest, AnalysisAnswer> {
  constructor(id: string = 'analysis-agent', options: Omit<AgentOptions<AnalysisRequest>, 'input' | 'output'> = {}) {
    super(id, {
      capabilities: [
        AgentCapabilities.DATA_ANALYSIS,
        AgentCapabilities.PATTERN_RECOGNITION,
        AgentCapabilities.FORECASTING,
        AgentCapabilities.REPORTING,
      ],
      ...options,
      input: requestSchema,
    });
  }

  override canHandle({ type }: Task<AnalysisRequest>): boolean {
    return taskTypes.has(type);
  }

  override async execute({ type, parameters }: Task<AnalysisRequest>): Promise<AnalysisAnswer> {
    const { analyzePatterns, analyzeStatistics, analyzeTrend, forecast, parseSeries } = await loadAnalysis();
    const { data, period, horizon, analysisType = defaultFor(type) } = parameters;
    const season = period === undefined ? {} : { period };
    switch (analysisType) {
      case 'statistical':
        return analyzeStatistics(data);
      case 'pattern':
        return analyzePatterns(data, season);
      case 'trend':
        return analyzeTrend(data, { ...season, ...(horizon === undefined ? {} : { horizon }) });
      case 'forecast':
        return forecast(parseSeries(data), { ...season, horizon: horizon ?? period ?? 12 });
      default:
        throw new ValidationError('analysis', [
          { path: ['analysisType'], message: `must be one of ${types.join(', ')}` },
        ]);
    }
  }
}

function defaultFor(type: string): NonNullable<AnalysisRequest['analysisType']> {
  if (type === 'pattern-recognition') return 'pattern';
  return type === 'forecast' ? 'forecast' : 'statistical';
}

function requestIssues(value: unknown): ValidationIssue[] {
  if (typeof value !== 'object' || value === null) return [{ path: [], message: 'must be an object' }];
  const { data, analysisType, period, horizon } = value as Record<string, unknown>;
  const issues: ValidationIssue[] = [];
  if (typeof data !== 'string' && !Array.isArray(data)) issues.push({ path: ['data'], message: 'must be a series' });
  if (analysisType !== undefined && !types.includes(analysisType as 'trend')) {
    issues.push({ path: ['analysisType'], message: `must be one of ${types.join(', ')}` });
  }
  for (const [name, number] of Object.entries({ period, horizon })) {
    if (number !== undefined && !Number.isSafeInteger(number))
      issues.push({ path: [name], message: 'must be a whole number' });
  }
  return issues;
}
