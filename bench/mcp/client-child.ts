/** One client under measure: `client-child.ts <ours|raw> <lane>`. Calls a tool of a server by the official SDK alone, and tells its CPU time. */
import { fileURLToPath } from 'node:url';
import type { Ask, Numbers } from './child.js';

type Call = (index: number) => Promise<unknown>;

const info = { name: 'bench', version: '1.0.0' };
const [variant = 'ours', lane = 'memory'] = process.argv.slice(2);
const modern = !lane.includes('2025');
const server = fileURLToPath(new URL('../bench/support/mcp-adding-server.mjs', import.meta.url));
const args = [server, ...(modern ? [] : ['legacy'])];

/** Both ends in this process; the server is the same for both clients. */
async function memoryPair() {
  const { InMemoryTransport } = await import('@modelcontextprotocol/server');
  const { serveStdio } = await import('@modelcontextprotocol/server/stdio');
  const { makeServer } = (await import(server)) as { makeServer: () => never };
  const [serving, asking] = InMemoryTransport.createLinkedPair();
  serveStdio(makeServer, { transport: serving });
  return asking;
}

async function raw(): Promise<Call> {
  const { Client } = await import('@modelcontextprotocol/client');
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
  const client = new Client(info, { versionNegotiation: { mode: modern ? 'auto' : 'legacy' } });
  const transport = lane.startsWith('memory')
    ? await memoryPair()
    : new StdioClientTransport({ command: process.execPath, args });
  await client.connect(transport);
  if (lane.includes('listed')) await client.listTools();
  return (index) => client.callTool({ name: 'add', arguments: { a: index, b: 1 } });
}

async function ours(): Promise<Call> {
  const { MCPClient, MCPHost } = await import('@safla/sdk/mcp');
  const client = lane.startsWith('memory')
    ? await MCPClient.connect({ label: 'a server', transport: (await memoryPair()) as never, legacy: !modern })
    : new MCPHost({ servers: { bench: { command: process.execPath, args } } });
  if (lane.includes('listed')) await client.listTools();
  return (index) => client.callTool('add', { a: index, b: 1 });
}

const call = variant === 'ours' ? await ours() : await raw();
await call(0);

process.on('message', async (message: Ask) => {
  for (let index = 0; message.ask === 'run' && index < message.calls; index++) {
    const { content } = (await call(index)) as { content: readonly { readonly text?: string }[] };
    if (content[0]?.text !== `{"sum":${index + 1}}`) throw new Error(`Call ${index} got ${JSON.stringify(content)}`);
  }
  const { user, system } = process.cpuUsage();
  const numbers: Numbers = { cpuMicros: user + system, rssMiB: process.memoryUsage.rss() / 1_048_576 };
  process.send?.(numbers);
});
process.once('disconnect', () => process.exit());
process.send?.({});
