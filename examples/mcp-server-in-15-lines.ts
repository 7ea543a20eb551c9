/** A whole MCP server. Point a host at `node --import tsx examples/mcp-server-in-15-lines.ts`. */
import { defineTool, MCPServer, runStdio } from '@safla/sdk/mcp';
import { z } from 'zod';

const convert = defineTool(
  {
    name: 'celsius_to_fahrenheit',
    description: 'Convert a temperature from Celsius to Fahrenheit',
    input: z.object({ celsius: z.number().min(-273.15) }),
  },
  ({ celsius }) => ({ fahrenheit: celsius * 1.8 + 32 }),
);

await runStdio(() => new MCPServer({ name: 'temperature', version: '1.0.0', tools: [convert] }));
