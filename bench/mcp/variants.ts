import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

/** Where the peers that are no dependencies of this package are fetched to. */
export const peerFolder: string = resolve('.tmp/mcp-peers');

/** One way to write the same server: a tool that adds two numbers and answers text and value. */
export interface ServerVariant {
  stdio(): Promise<void>;
  /** @returns the address */
  http(): Promise<string>;
  /** @returns a function that calls the tool over the variant's own in-memory transport and client */
  memory(): Promise<ToolCaller>;
  /** The same with the SDK's client, where the variant has another: what the server alone costs. */
  memoryServer?(): Promise<ToolCaller>;
}

/** Calls the tool. */
export type ToolCaller = (a: number, b: number) => Promise<unknown>;

const info = { name: 'bench', version: '1.0.0' };
const description = 'Add two numbers';
const input = z.object({ a: z.number(), b: z.number() });
const answer = ({ a, b }: z.infer<typeof input>) => ({
  content: [{ type: 'text' as const, text: JSON.stringify({ sum: a + b }) }],
  structuredContent: { sum: a + b },
});
/** With `BENCH_TOOL=waits` the tool answers a turn later, as tools that wait for something do. */
const given =
  process.env.BENCH_TOOL === 'waits'
    ? async <T>(value: T): Promise<T> => {
        await null;
        return value;
      }
    : <T>(value: T): T => value;
interface Caller {
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
}
const once =
  (client: Caller): ToolCaller =>
  (a, b) =>
    client.callTool({ name: 'add', arguments: { a, b } });

async function bySDKClient(asking: object): Promise<ToolCaller> {
  const { Client } = await import('@modelcontextprotocol/client');
  const client = new Client(info, { versionNegotiation: { mode: 'auto' } });
  await client.connect(asking as Parameters<typeof client.connect>[0]);
  return once(client);
}

async function ours(): Promise<ServerVariant> {
  const { defineTool, MCPServer } = await import('@safla/sdk/mcp');
  const add = defineTool({ name: 'add', description, input }, ({ a, b }) => given({ sum: a + b }));
  const server = new MCPServer({ ...info, tools: [add], limiter: false });
  return {
    stdio: () => server.start(),
    http: async () => (await server.listen({ port: 0 })).url,
    memory: async () => {
      const client = await server.connectInMemory();
      return (a, b) => client.callTool('add', { a, b });
    },
    memoryServer: async () => {
      const { InMemoryTransport } = await import('@modelcontextprotocol/server');
      const [serving, asking] = InMemoryTransport.createLinkedPair();
      // The server's own client gets an end with nobody at the other, and gives up at once.
      InMemoryTransport.createLinkedPair = () => [serving, new InMemoryTransport()];
      await server.connectInMemory().catch(() => undefined);
      return bySDKClient(asking);
    },
  };
}

async function raw(): Promise<ServerVariant> {
  const { createMcpHandler, InMemoryTransport, McpServer } = await import('@modelcontextprotocol/server');
  const { serveStdio } = await import('@modelcontextprotocol/server/stdio');
  const make = () => {
    const server = new McpServer(info);
    server.registerTool('add', { description, inputSchema: input }, (args) => given(answer(args)));
    return server;
  };
  const memory = (): Promise<ToolCaller> => {
    const [serving, asking] = InMemoryTransport.createLinkedPair();
    serveStdio(make, { transport: serving });
    return bySDKClient(asking);
  };
  return {
    stdio: async () => void serveStdio(make),
    http: async () => {
      const { createServer } = await import('node:http');
      const { toNodeHandler } = await import('@modelcontextprotocol/node');
      const handle = toNodeHandler(createMcpHandler(make));
      const server = createServer((request, response) => void handle(request as never, response as never));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `http://127.0.0.1:${(server.address() as { port: number }).port}/mcp`;
    },
    memory,
    memoryServer: memory,
  };
}

/* The peers below are not in package.json: what is used of them is written down here. */
interface FastMCPModule {
  readonly FastMCP: new (
    info: object,
  ) => {
    addTool(tool: object): void;
    start(options: object): Promise<void>;
    connect(transport: object): Promise<unknown>;
  };
}
interface V1 {
  readonly Client: new (info: object) => { connect(transport: object): Promise<void> } & Caller;
  readonly InMemoryTransport: { createLinkedPair(): [object, object] };
}

async function peer<Module>(path: string): Promise<Module> {
  const require = createRequire(join(peerFolder, 'package.json'));
  return (await import(pathToFileURL(require.resolve(path)).href)) as Module;
}

async function fastmcp(): Promise<ServerVariant> {
  const { FastMCP } = await peer<FastMCPModule>('fastmcp');
  const server = new FastMCP(info);
  server.addTool({
    name: 'add',
    description,
    parameters: input,
    execute: async (args: z.infer<typeof input>) => given(answer(args)),
  });
  const port = 20_000 + (process.pid % 20_000);
  return {
    stdio: () => server.start({ transportType: 'stdio' }),
    http: async () => {
      await server.start({ transportType: 'httpStream', httpStream: { port, host: '127.0.0.1', stateless: true } });
      return `http://127.0.0.1:${port}/mcp`;
    },
    memory: async () => {
      const { Client } = await peer<V1>('@modelcontextprotocol/sdk/client');
      const { InMemoryTransport } = await peer<V1>('@modelcontextprotocol/sdk/inMemory.js');
      const [serving, asking] = InMemoryTransport.createLinkedPair();
      const client = new Client(info);
      await Promise.all([server.connect(serving), client.connect(asking)]);
      return once(client);
    },
  };
}

/** By the name on the command line of the child. */
export const variants: Readonly<Record<string, () => Promise<ServerVariant>>> = { ours, raw, fastmcp };
