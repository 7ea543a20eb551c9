// A server by the official package, with one tool; run by bench/mcp-host.bench.ts.
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

serveStdio(() => {
  const server = new McpServer({ name: 'sdk', version: '1.0.0' });
  server.registerTool('ping', { description: 'Ping' }, () => ({ content: [{ type: 'text', text: 'pong' }] }));
  return server;
});
