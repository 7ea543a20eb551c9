/**
 * The MCP server of the quick start: a REST API, analysis, memory and events behind one set of tools.
 * What is published as `finding.recorded` is remembered by a consumer of that channel.
 *
 * Environment: SERIES_URL and SERIES_KEY of the REST backend; MEMORY_DIR, a folder in which memory outlives
 * the process.
 */
import {
  APIIntegration,
  analysisTools,
  apiTools,
  EventStream,
  eventTools,
  LocalVectorMemory,
  MCPServer,
  memoryTools,
  runStdio,
} from '@safla/sdk';
import { z } from 'zod';
import { embed } from '../support/embed.js';

const { SERIES_URL = '', SERIES_KEY = '', MEMORY_DIR } = process.env;
const Finding = z.object({ id: z.string(), text: z.string() });

await using series = new APIIntegration({ baseURL: SERIES_URL, auth: SERIES_KEY, cache: true });
await using memory = new LocalVectorMemory({ embed, ...(MEMORY_DIR && { path: MEMORY_DIR }) });
await using events = new EventStream({ url: 'memory:' });
await using _remember = await events.consume('finding.recorded', { group: 'memory', schema: Finding }, ({ data }) =>
  memory.store(data.id, data.text, { text: data.text }),
);

await runStdio(
  new MCPServer({
    name: 'assistant',
    version: '1.0.0',
    tools: [
      apiTools(series, { name: 'series' }),
      analysisTools(),
      memoryTools(memory),
      eventTools(events, { channels: ['finding.recorded'], allow: ['publish'] }),
    ],
  }),
);
