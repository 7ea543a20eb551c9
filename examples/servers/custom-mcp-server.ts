/**
 * An MCP server with one tool, `custom_analysis`, and a place for resources.
 *
 *   node --import tsx examples/servers/custom-mcp-server.ts
 */
import { pathToFileURL } from 'node:url';
import { analyzePatterns, analyzeStatistics, analyzeTrend } from '@safla/sdk/analysis';
import { defineTool, MCPServer, type MCPServerOptions, runStdio, type Tool, ToolError } from '@safla/sdk/mcp';
import { z } from 'zod';

const analysisTypes = ['statistical', 'pattern', 'trend'] as const;
type AnalysisType = (typeof analysisTypes)[number];

export class CustomMCPServer {
  readonly server: MCPServer;

  constructor(options: Partial<MCPServerOptions> = {}) {
    this.server = new MCPServer({
      name: 'custom-mcp-server',
      version: '1.0.0',
      ...options,
      tools: this.setupToolHandlers(),
    });
    this.setupResourceHandlers();
  }

  protected setupToolHandlers(): Tool[] {
    return [
      defineTool(
        {
          name: 'custom_analysis',
          description: 'Perform custom data analysis',
          input: z.object({
            data: z.string().describe('Data to analyze: numbers, separated by commas or lines, or a JSON array'),
            analysisType: z.enum(analysisTypes).describe('Type of analysis to perform'),
          }),
          annotations: { readOnlyHint: true, idempotentHint: true },
        },
        (args) => this.performCustomAnalysis(args),
      ),
    ];
  }

  /** For subclasses: called once, when the server is there. */
  protected setupResourceHandlers(): void {}

  private performCustomAnalysis({ data, analysisType }: { data: string; analysisType: AnalysisType }): object {
    const result = this.analyzeData(data, analysisType);
    return {
      content: [{ type: 'text', text: `Analysis complete: ${JSON.stringify(result)}` }],
      structuredContent: result,
    };
  }

  private analyzeData(data: string, type: AnalysisType): object {
    try {
      switch (type) {
        case 'statistical':
          return this.performStatisticalAnalysis(data);
        case 'pattern':
          return this.performPatternAnalysis(data);
        case 'trend':
          return this.performTrendAnalysis(data);
      }
    } catch (error) {
      // What is wrong with the data came from the caller, who may read it.
      throw new ToolError(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  /** mean, median, standardDeviation, confidence, outliers and more. */
  private performStatisticalAnalysis(data: string): object {
    return analyzeStatistics(data);
  }

  /** patterns, frequency, anomalies, correlations and more. */
  private performPatternAnalysis(data: string): object {
    return analyzePatterns(data);
  }

  /** trend, slope, correlation, seasonality, forecast and more. */
  private performTrendAnalysis(data: string): object {
    return analyzeTrend(data);
  }

  async start(): Promise<void> {
    await this.server.start();
  }
}

// Started by node, not when imported.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await runStdio(() => new CustomMCPServer().server);
