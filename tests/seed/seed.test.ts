import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { APIIntegration, EventBusIntegration, LocalVectorMemory, loadMCPConfig, MCPHost } from '@safla/sdk';
import { AgentPool } from '@safla/sdk/agents';
import { TestContainer } from '@safla/sdk/testing';
import { createSchema, createYoga } from 'graphql-yoga';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { MongoEmulator } from '../support/mongo-emulator/mongo-emulator.js';

/**
 * The guide that the product comes from, block by block: its own code in blocks/, changed only in its
 * import lines, the addresses it connects to, and what it exports. `npm run types` compiles it strictly.
 */
const root = fileURLToPath(new URL('../../', import.meta.url));

describe('REST API integration', () => {
  const seen: string[] = [];
  let server: Server;

  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ method: request.method, sent: body ? JSON.parse(body) : null }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    process.env.API_BASE_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    process.env.API_KEY = 'seed-key';
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
    delete process.env.API_BASE_URL;
    delete process.env.API_KEY;
  });

  it('constructs as in the usage example', async () => {
    const { apiIntegration } = await import('./blocks/api-integration.js');
    expect(apiIntegration).toBeInstanceOf(APIIntegration);
    await apiIntegration.close();
  });

  it("serves the guide's own APIIntegrationMCPServer", async () => {
    const { APIIntegrationMCPServer } = await import('./blocks/api-integration.js');
    const mcp = new APIIntegrationMCPServer();
    await expect(mcp.handleAPICall('/test', 'get')).resolves.toEqual({ method: 'GET', sent: null });
    await expect(mcp.handleAPICall('/test', 'POST', { data: 'test' })).resolves.toEqual({ method: 'POST', sent: { data: 'test' } });
    await expect(mcp.handleAPICall('/test', 'PUT', { a: 1 })).resolves.toEqual({ method: 'PUT', sent: { a: 1 } });
    await expect(mcp.handleAPICall('/test', 'DELETE')).resolves.toEqual({ method: 'DELETE', sent: null });
    expect(seen).toContain('GET /v1/test Bearer seed-key');
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    await expect(mcp.handleAPICall('/test', 'BREW')).rejects.toThrow('Unsupported method: BREW');
    log.mockRestore();
  });

  it('answers a repeated get from its cache, as the guide expects, unless told not to', async () => {
    await using api = new APIIntegration(process.env.API_BASE_URL ?? '', 'seed-key', 50);
    const before = seen.length;
    await api.get('/cached', { page: 1 });
    await api.get('/cached', { page: 1 });
    expect(seen.length - before).toBe(1);
    await api.get('/cached', { page: 1 }, false);
    expect(seen.length - before).toBe(2);
  });
});

describe('WebSocket integration', () => {
  it("serves the guide's own WebSocketMCPServer", async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    server.on('connection', (socket) => socket.send('{"hello":1}'));
    const lines: unknown[][] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((...args) => void lines.push(args));
    const { WebSocketMCPServer } = await import('./blocks/websocket-integration.js');
    const mcp = new WebSocketMCPServer(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await mcp.start();
    await vi.waitFor(() => expect(lines).toHaveLength(2));
    mcp.stop();
    await vi.waitFor(() => expect(lines).toHaveLength(3));
    log.mockRestore();
    expect(lines).toEqual([
      ['WebSocket integration connected'],
      ['Received WebSocket message:', { hello: 1 }],
      ['WebSocket integration disconnected'],
    ]);
    server.close();
  });
});

describe('GraphQL integration', () => {
  it("runs the guide's queries on the class of the SDK", async () => {
    const { UserGraphQLIntegration } = await import('./blocks/graphql-integration.js');
    const ada = { id: '7', name: 'Ada', email: 'ada@example.com', profile: { bio: 'counts', avatar: null } };
    const schema = createSchema({
      typeDefs: `
        type Query { user(id: ID!): User }
        type Mutation { createUser(input: UserInput!): User }
        type User { id: ID name: String email: String profile: Profile }
        type Profile { bio: String avatar: String }
        input UserInput { name: String email: String }
      `,
      resolvers: {
        Query: { user: (_: unknown, { id }: { id: string }) => ({ ...ada, id }) },
        Mutation: { createUser: (_: unknown, { input }: { input: object }) => ({ id: '8', ...input }) },
      },
    });
    const server = createServer(createYoga({ schema, logging: false }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
    const graphql = new UserGraphQLIntegration(endpoint, { 'Content-Type': 'application/json', Authorization: 'Bearer seed' });
    await expect(graphql.getUserData('7')).resolves.toEqual({ user: ada });
    const grace = { name: 'Grace', email: 'grace@example.com' };
    await expect(graphql.createUser(grace)).resolves.toEqual({ createUser: { id: '8', ...grace } });
    await graphql.close();
    server.close();
  });
});

describe('custom vector provider', () => {
  it("compiles against the SDK's types and works", async () => {
    const { CustomVectorProvider } = await import('./blocks/custom-vector-provider.js');
    const provider = new CustomVectorProvider();
    await provider.store('a', [1, 0], { kind: 'x' });
    await provider.store('b', [0, 1]);
    const hits = await provider.search([1, 0.1]);
    expect(hits.map((hit) => hit.id)).toEqual(['a']);
    await expect(provider.delete('a')).resolves.toBe(true);
    await expect(provider.retrieve('a')).resolves.toBeNull();
  });

  it('has the same four calls on LocalVectorMemory', async () => {
    await using memory = new LocalVectorMemory();
    await memory.store('a', [1, 0], { kind: 'x' });
    await memory.store('b', [0, 1]);
    const hits = await memory.search([1, 0.1], 10, 0.7);
    expect(hits.map((hit) => hit.id)).toEqual(['a']);
    expect(hits[0]?.metadata).toEqual({ kind: 'x' });
    await expect(memory.delete('a')).resolves.toBe(true);
    await expect(memory.retrieve('a')).resolves.toBeNull();
  });
});

describe('custom agent', () => {
  const parameters = { data: [1, 2, 3, 4], analysisType: 'statistical' };

  it('runs when it is called directly, as in the guide', async () => {
    const { CustomAnalysisAgent } = await import('./blocks/custom-agent.js');
    const agent = new CustomAnalysisAgent();
    const task = { id: '1', type: 'data-analysis', parameters, createdAt: Date.now() };
    await expect(agent.canHandle(task)).resolves.toBe(true);
    await expect(agent.execute(task)).resolves.toMatchObject({
      success: true,
      data: { mean: 2.5, median: 2.5 },
      metadata: { agent: 'custom-analysis-agent' },
    });
    expect(agent.status).toBe('completed');
    await expect(agent.execute({ ...task, parameters: { analysisType: 'magic' } })).resolves.toMatchObject({
      success: false,
      error: 'Unsupported analysis type: magic',
      metadata: { failureReason: 'Error' },
    });
    expect(agent.status).toBe('failed');
  });

  it('runs in a pool, unchanged', async () => {
    const { CustomAnalysisAgent } = await import('./blocks/custom-agent.js');
    await using pool = new AgentPool([new CustomAnalysisAgent()]);
    await expect(pool.submit({ type: 'data-analysis', capability: 'data-analysis', parameters }).result).resolves.toMatchObject({
      success: true,
      data: { mean: 2.5 },
      metadata: { state: 'completed', agent: 'custom-analysis-agent' },
    });
    await expect(pool.submit({ type: 'cooking' }).result).resolves.toMatchObject({ metadata: { state: 'rejected' } });
  });
});

describe('event bus', () => {
  let services: TestContainer;
  const before = process.env.REDIS_URL;

  beforeAll(async () => {
    services = await TestContainer.start({ redis: { kinds: ['system', 'package'] } });
    process.env.REDIS_URL = services.redis.url;
  });

  afterAll(async () => {
    if (before === undefined) delete process.env.REDIS_URL;
    else process.env.REDIS_URL = before;
    await services.stop();
  });

  it("delivers to the guide's own listener with channel and event", async () => {
    const lines: unknown[][] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((...args) => void lines.push(args));
    const { eventBus } = await import('./blocks/event-bus-integration.js');
    expect(eventBus).toBeInstanceOf(EventBusIntegration);
    await eventBus.subscribe(['safla.memory.update', 'other']);
    await eventBus.publish('safla.memory.update', { id: 1 });
    await eventBus.publish('other', 'x');
    await vi.waitFor(() => expect(lines).toHaveLength(3));
    log.mockRestore();
    expect(lines).toEqual([
      ['Received event on safla.memory.update:', { id: 1 }],
      ['Received event on other:', 'x'],
      ['Unknown event channel:', 'other'],
    ]);
    await eventBus.unsubscribe(['safla.memory.update', 'other']);
    await eventBus.close();
  });
});

describe('Database integration', () => {
  it("has every method of the guide's DatabaseIntegration, in its forms (documents on the emulator)", async () => {
    const { exerciseDatabase } = await import('./blocks/database-integration.js');
    await using services = await TestContainer.start({ postgres: true });
    await using mine = await services.postgres.namespace();
    await using emulator = await MongoEmulator.start();
    await exerciseDatabase(mine.url, emulator.url('guide'));
  });
});

describe('Security', () => {
  it("has every method of the guide's SecurityIntegration, in its forms", async () => {
    const { exerciseSecurity } = await import('./blocks/security-integration.js');
    await using services = await TestContainer.start({ redis: true });
    await exerciseSecurity(services.redis.url);
  });
});

describe('Encryption', () => {
  it("has every method of the guide's EncryptionIntegration, in its forms", async () => {
    const { exerciseEncryption } = await import('./blocks/encryption-integration.js');
    exerciseEncryption();
  });
});

describe('MCP servers', () => {
  const start = (file: string): MCPHost =>
    new MCPHost({ servers: { it: { command: process.execPath, args: ['--import', 'tsx', `examples/servers/${file}`], cwd: root } } });

  it.each(['custom-mcp-server.ts', 'advanced-mcp-server.ts'])('%s offers custom_analysis with the schema of the guide', async (file) => {
    await using host = start(file);
    const tool = (await host.listTools()).find(({ name }) => name === 'custom_analysis');
    expect(tool?.inputSchema).toMatchObject({
      type: 'object',
      properties: { analysisType: { type: 'string', enum: ['statistical', 'pattern', 'trend'] } },
      required: ['data', 'analysisType'],
    });
  });

  it('answers with the keys of the guide, computed', async () => {
    await using host = start('custom-mcp-server.ts');
    const analyse = async (analysisType: string): Promise<Record<string, unknown>> => {
      const { text, isError } = await host.callTool('custom_analysis', { data: '3, 1, 4, 1, 5, 9, 2, 6', analysisType });
      expect(isError).toBe(false);
      expect(text).toMatch(/^Analysis complete: \{/);
      return JSON.parse(text.slice('Analysis complete: '.length)) as Record<string, unknown>;
    };
    expect(await analyse('statistical')).toMatchObject({ mean: 3.875, median: 3.5, confidence: 0.95 });
    expect(Object.keys(await analyse('pattern'))).toEqual(expect.arrayContaining(['patterns', 'frequency', 'anomalies']));
    expect(Object.keys(await analyse('trend'))).toEqual(expect.arrayContaining(['trend', 'slope', 'correlation', 'forecast']));
  });

  it('refuses an analysis it does not know, and a tool it does not have', async () => {
    await using host = start('custom-mcp-server.ts');
    await expect(host.callTool('custom_analysis', { data: '1', analysisType: 'magic' })).resolves.toMatchObject({ isError: true });
    await expect(host.callTool('no_such_tool')).rejects.toThrow();
  });
});

describe('MCP server configuration', () => {
  const file = fileURLToPath(new URL('./blocks/mcp-server-config.yaml', import.meta.url));

  it('is read as it stands in the guide', async () => {
    const { servers } = await loadMCPConfig(file, { env: { EXTERNAL_API_KEY: 'k-1' } });
    expect(Object.keys(servers)).toEqual(['custom-analysis', 'advanced-features', 'external-api']);
    expect(servers['custom-analysis']).toMatchObject({
      command: 'node',
      args: ['dist/mcp-server-template.js'],
      env: { LOG_LEVEL: 'info', CACHE_SIZE: '1000' },
    });
    expect(servers['external-api']).toMatchObject({ env: { API_KEY: 'k-1', RATE_LIMIT: '100' } });
  });

  it('names the variable that is not set', async () => {
    await expect(loadMCPConfig(file, { env: {} })).rejects.toThrow('EXTERNAL_API_KEY');
    expect(readFileSync(file, 'utf8')).toContain('${EXTERNAL_API_KEY}');
  });
});
