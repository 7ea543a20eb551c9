import { fileURLToPath } from 'node:url';
import { MCPHost, type StdioServerConfig } from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { CustomMCPServer } from '../../examples/servers/custom-mcp-server.js';

function example(name: string, env: Record<string, string> = {}): StdioServerConfig {
  const file = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
  return { command: process.execPath, args: ['--import', 'tsx', file], env };
}

describe('the example servers', () => {
  it('custom: has the tool of the guide, which really analyses', async () => {
    await using host = new MCPHost({ servers: { custom: example('servers/custom-mcp-server.ts') } });
    const [tool] = await host.listTools();
    expect(tool).toMatchObject({
      name: 'custom_analysis',
      inputSchema: {
        properties: { data: { type: 'string' }, analysisType: { enum: ['statistical', 'pattern', 'trend'] } },
        required: ['data', 'analysisType'],
      },
    });
    const answer = await host.callTool('custom_analysis', { data: '1, 2, 3, 4', analysisType: 'statistical' });
    expect(answer.text).toMatch(/^Analysis complete: \{/);
    expect(JSON.parse(answer.text.replace('Analysis complete: ', ''))).toMatchObject({
      mean: 2.5,
      median: 2.5,
      confidence: 0.95,
    });
    const wrong = await host.callTool('custom_analysis', { data: 'one, two', analysisType: 'trend' });
    expect(wrong).toMatchObject({ isError: true, text: expect.stringContaining('item 1') });
    expect(await host.listResources()).toEqual([]);
  });

  it('advanced: caches results, serves resources and logs to stderr', async () => {
    const env = { LOG_LEVEL: 'info', ENABLE_CACHING: 'true', CACHE_TTL: '600' };
    await using host = new MCPHost({ servers: { advanced: example('servers/advanced-mcp-server.ts', env) } });
    const call = async (data: string): Promise<string> =>
      (await host.callTool('custom_analysis', { data, analysisType: 'trend' })).text;
    const first = await call('1, 2, 3, 4, 5');
    expect(await call('1, 2, 3, 4, 5')).toBe(first);
    expect(await call('5, 4, 3, 2, 1')).not.toBe(first);
    expect(await host.listResources()).toMatchObject([{ uri: 'cache://statistics', mimeType: 'application/json' }]);
    const [statistics] = await host.readResource('advanced', 'cache://statistics');
    expect(JSON.parse(statistics?.text ?? '')).toEqual({ made: 2, hits: 1 });
  });

  it('temperature: is complete in 15 lines', async () => {
    await using host = new MCPHost({ servers: { temperature: example('mcp-server-in-15-lines.ts') } });
    const answer = await host.callTool('celsius_to_fahrenheit', { celsius: 100 });
    expect(answer.structuredContent).toEqual({ fahrenheit: 212 });
  });

  it('can be imported without being started', async () => {
    const { server } = new CustomMCPServer();
    await using client = await server.connectInMemory();
    expect(await client.listTools()).toHaveLength(1);
    await server.close();
  });
});
