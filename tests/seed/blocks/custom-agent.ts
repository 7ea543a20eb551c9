// custom-agent.ts
import { Agent, AgentCapabilities, type Task, type TaskResult } from '@safla/sdk/agents';

export class CustomAnalysisAgent extends Agent {
  constructor() {
    super('custom-analysis-agent', {
      capabilities: [
        AgentCapabilities.DATA_ANALYSIS,
        AgentCapabilities.PATTERN_RECOGNITION,
        AgentCapabilities.REPORTING,
      ],
      maxConcurrentTasks: 5,
      priority: 1,
    });
  }

  async canHandle(task: Task): Promise<boolean> {
    return task.type === 'data-analysis' || task.type === 'pattern-recognition';
  }

  async execute(task: Task): Promise<TaskResult> {
    try {
      this.updateStatus('processing');
      
      const result = await this.performAnalysis(task);
      
      this.updateStatus('completed');
      return {
        success: true,
        data: result,
        metadata: {
          processingTime: Date.now() - task.createdAt,
          agent: this.id,
        },
      };
    } catch (error) {
      this.updateStatus('failed');
      return {
        success: false,
        error: error.message,
        metadata: {
          agent: this.id,
          failureReason: error.name,
        },
      };
    }
  }

  private async performAnalysis(task: Task): Promise<any> {
    const { data, analysisType } = task.parameters;
    
    switch (analysisType) {
      case 'statistical':
        return await this.performStatisticalAnalysis(data);
      case 'pattern':
        return await this.performPatternAnalysis(data);
      case 'trend':
        return await this.performTrendAnalysis(data);
      default:
        throw new Error(`Unsupported analysis type: ${analysisType}`);
    }
  }

  private async performStatisticalAnalysis(data: any): Promise<any> {
    // Custom statistical analysis implementation
    return {
      mean: this.calculateMean(data),
      median: this.calculateMedian(data),
      standardDeviation: this.calculateStandardDeviation(data),
      outliers: this.detectOutliers(data),
    };
  }

  private async performPatternAnalysis(data: any): Promise<any> {
    // Custom pattern analysis implementation
    return {
      patterns: this.identifyPatterns(data),
      frequency: this.calculateFrequency(data),
      correlations: this.findCorrelations(data),
    };
  }

  private async performTrendAnalysis(data: any): Promise<any> {
    // Custom trend analysis implementation
    return {
      trend: this.identifyTrend(data),
      seasonality: this.detectSeasonality(data),
      forecast: this.generateForecast(data),
    };
  }

  // Helper methods for analysis
  private calculateMean(data: number[]): number {
    return data.reduce((sum, value) => sum + value, 0) / data.length;
  }

  private calculateMedian(data: number[]): number {
    const sorted = [...data].sort((a, b) => a - b);
    const mid = Math.floor(sorted.length / 2);
    return sorted.length % 2 === 0
      ? (sorted[mid - 1] + sorted[mid]) / 2
      : sorted[mid];
  }

  private calculateStandardDeviation(data: number[]): number {
    const mean = this.calculateMean(data);
    const variance = data.reduce((sum, value) => sum + Math.pow(value - mean, 2), 0) / data.length;
    return Math.sqrt(variance);
  }

  private detectOutliers(data: number[]): number[] {
    const mean = this.calculateMean(data);
    const stdDev = this.calculateStandardDeviation(data);
    const threshold = 2 * stdDev;
    
    return data.filter(value => Math.abs(value - mean) > threshold);
  }

  private identifyPatterns(data: any): any[] {
    // Pattern identification logic
    return [];
  }

  private calculateFrequency(data: any): Record<string, number> {
    // Frequency calculation logic
    return {};
  }

  private findCorrelations(data: any): any[] {
    // Correlation analysis logic
    return [];
  }

  private identifyTrend(data: any): string {
    // Trend identification logic
    return 'stable';
  }

  private detectSeasonality(data: any): any {
    // Seasonality detection logic
    return null;
  }

  private generateForecast(data: any): any[] {
    // Forecasting logic
    return [];
  }
}
