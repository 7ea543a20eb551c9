import { AgentPool, AnalysisAgent } from '@safla/sdk/agents';
import { analyzeStatistics, analyzeTrend, forecast } from '@safla/sdk/analysis';
import { describe, expect, it } from 'vitest';

const data = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8];

describe('the analysis agent', () => {
  it('answers as the functions of the analysis do', async () => {
    await using agent = new AnalysisAgent();
    await using pool = new AgentPool([agent]);
    const ask = async (type: string, parameters: object): Promise<unknown> =>
      (await pool.submit({ type, parameters }).result).data;
    expect(await ask('data-analysis', { data })).toEqual(analyzeStatistics(data));
    expect(await ask('data-analysis', { data: data.join(','), analysisType: 'trend' })).toEqual(analyzeTrend(data));
    expect(await ask('forecast', { data, horizon: 3 })).toEqual(forecast(data, { horizon: 3 }));
    expect(await ask('pattern-recognition', { data })).toHaveProperty('patterns');
  });

  it('rejects other tasks, requests that are none, and fails on a series that is none', async () => {
    await using agent = new AnalysisAgent();
    const end = async (type: string, parameters: object): Promise<unknown> =>
      (await agent.submit({ type, parameters: parameters as never }).result).metadata.state;
    expect(await end('cook', { data })).toBe('rejected');
    expect(await end('data-analysis', {})).toBe('rejected');
    expect(await end('data-analysis', { data, analysisType: 'magic' })).toBe('rejected');
    expect(await end('forecast', { data, horizon: 1.5 })).toBe('rejected');
    expect(await end('data-analysis', { data: ['x'] })).toBe('failed');
  });
});
