// The least a server can be, of the protocol of 2025-06-18; run by bench/mcp-host.bench.ts.
import { createInterface } from 'node:readline';

const serverInfo = { name: 'bare', version: '1.0.0' };
const results = {
  initialize: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo },
  'tools/call': { content: [{ type: 'text', text: 'pong' }] },
  ping: {},
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  if (id === undefined) return;
  const result = results[method];
  const answer = result ? { result } : { error: { code: -32601, message: 'unknown' } };
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...answer })}\n`);
});
