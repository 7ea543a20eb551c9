/**
 * What the official conformance suite expects of a server, at `http://127.0.0.1:$PORT/mcp`:
 *
 *   PORT=3000 npx tsx tests/mcp/conformance-server.ts
 */
import { definePrompt, defineTool, MCPServer } from '@safla/sdk/mcp';
import { z } from 'zod';
import { image } from './conformance/content.js';
import { contentTools } from './conformance/content-tools.js';
import { prompts } from './conformance/prompts.js';
import { questionTools } from './conformance/question-tools.js';
import { taskTools } from './conformance/task-tools.js';

let changes = 0;
const server: MCPServer = new MCPServer({
  name: 'conformance',
  version: '1.0.0',
  tools: [
    contentTools,
    questionTools,
    taskTools,
    defineTool(
      {
        name: 'test_region',
        description: 'Repeats its argument as a header',
        input: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) }),
      },
      ({ region }) => region,
    ),
    defineTool({ name: 'test_trigger_tool_change', description: 'Changes the list of tools' }, () => {
      changes += 1;
      server.removeTool(`changing_${changes - 1}`);
      server.addTool(defineTool({ name: `changing_${changes}`, description: 'Comes and goes' }, () => 'here'));
      return 'changed';
    }),
    defineTool({ name: 'test_trigger_prompt_change', description: 'Changes the list of prompts' }, () => {
      changes += 1;
      server.addPrompt(definePrompt({ name: `changing_${changes}` }, () => 'here'));
      server.removePrompt(`changing_${changes}`);
      return 'changed';
    }),
  ],
  resources: [
    {
      uri: 'test://static-text',
      name: 'Static text',
      mimeType: 'text/plain',
      content: 'This is the content of the static text resource.',
    },
    {
      uri: 'test://static-binary',
      name: 'Static binary',
      mimeType: 'image/png',
      content: Buffer.from(image.data, 'base64'),
    },
    { uri: 'test://watched-resource', name: 'Watched', content: () => `It is ${new Date().toISOString()}` },
  ],
  resourceTemplates: [
    {
      uriTemplate: 'test://template/{id}/data',
      name: 'Template',
      mimeType: 'application/json',
      content: ({ id }) => JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
    },
  ],
  prompts,
  cacheHint: { ttlMs: 1_000, scope: 'public' },
});
const { url } = await server.listen({ port: Number(process.env.PORT ?? 0) });
console.log(url);
