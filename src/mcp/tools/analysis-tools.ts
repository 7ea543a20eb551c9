import { lazy } from '../../core/internal.js';
import { defineTool } from './define-tool.js';
import { fromJSONSchema } from './from-json-schema.js';
import { readable } from './readable.js';
import type { Tool } from './tool.js';

/** What `custom_analysis` can do. */
export type AnalysisType = 'statistical' | 'pattern' | 'trend';

const loadAnalysis = lazy(() => import('../../analysis/index.js'));

const data = {
  anyOf: [
    { type: 'string', minLength: 1 },
    { type: 'array', items: { type: 'number' }, minItems: 1 },
  ],
  description: 'The series: numbers, or a text with a JSON array or comma- or newline-separated numbers',
};

interface Forecast {
  readonly data: string | number[];
  readonly horizon: number;
  readonly period?: number;
  readonly level?: number;
}

/**
 * Analysis of number series behind MCP: `custom_analysis` (statistical, pattern or trend) and
 * `forecast`. Both only compute.
 *
 * @example new MCPServer({ name: 'numbers', version: '1.0.0', tools: [analysisTools()] })
 */
export function analysisTools(): Tool[] {
  return [
    defineTool(
      {
        name: 'custom_analysis',
        description: 'Analyse a series of numbers: its statistics, its patterns and anomalies, or its trend',
        input: fromJSONSchema<{ data: string | number[]; analysisType: AnalysisType }>({
          type: 'object',
          properties: {
            data,
            analysisType: {
              type: 'string',
              enum: ['statistical', 'pattern', 'trend'],
              description: 'Type of analysis to perform',
            },
          },
          required: ['data', 'analysisType'],
          additionalProperties: false,
        }),
        annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
      },
      (args) =>
        readable(['VALIDATION'], async () => {
          const { analyzePatterns, analyzeStatistics, analyzeTrend } = await loadAnalysis();
          const analyses = { statistical: analyzeStatistics, pattern: analyzePatterns, trend: analyzeTrend };
          const result = analyses[args.analysisType](args.data);
          const text = `Analysis complete: ${JSON.stringify(result)}`;
          return { content: [{ type: 'text', text }], structuredContent: result };
        }),
    ),
    defineTool(
      {
        name: 'forecast',
        description: 'Forecast the next values of a series, with an interval for each',
        input: fromJSONSchema<Forecast>({
          type: 'object',
          properties: {
            data,
            horizon: { type: 'integer', minimum: 1, maximum: 1000, description: 'How many values to forecast' },
            period: { type: 'integer', minimum: 1, description: 'Length of the season, found by itself when absent' },
            level: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1, description: 'Level of the intervals' },
          },
          required: ['data', 'horizon'],
          additionalProperties: false,
        }),
        annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
      },
      ({ data: series, ...options }) =>
        readable(['VALIDATION'], async () => {
          const { forecast, parseSeries } = await loadAnalysis();
          return forecast(parseSeries(series), options);
        }),
    ),
  ];
}
