import { defineTool, MCPServer } from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const asking = defineTool({ name: 'asking', description: 'Asks' }, async (_, context) => {
  const { action, content } = await context.ask({ message: 'How many?', schema: z.object({ n: z.int() }) });
  return { action, n: content?.n ?? null };
});

describe('a client in memory', () => {
  it('answers what tools ask by its answers, and is not asked without', async () => {
    await using server = new MCPServer({ name: 's', version: '1', tools: [asking] });
    const asked: string[] = [];
    await using client = await server.connectInMemory({
      answers: {
        form: async ({ message }) => {
          asked.push(message);
          return { action: 'accept', content: { n: 3 } };
        },
      },
    });
    expect((await client.callTool('asking')).structuredContent).toEqual({ action: 'accept', n: 3 });
    expect(asked).toEqual(['How many?']);
    await using silent = await server.connectInMemory();
    await expect(silent.callTool('asking')).rejects.toThrow(/ask its user/);
    await expect(server.connectInMemory({ answers: { from: () => undefined } as never })).rejects.toThrow(/form/);
  });
});
