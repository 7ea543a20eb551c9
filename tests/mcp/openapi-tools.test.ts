import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { APIIntegration } from '@safla/sdk/api';
import { apiTools, type MCPClient, MCPServer, type Tool } from '@safla/sdk/mcp';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largeDocument } from './support/large-document.js';

let backend: Server;
let baseURL = '';
const seen: string[] = [];

beforeAll(async () => {
  backend = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.writeHead(request.url?.includes('missing') ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ path: request.url }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => backend.once('listening', resolve));
  baseURL = `http://127.0.0.1:${(backend.address() as AddressInfo).port}/api`;
});
afterAll(() => {
  backend.closeAllConnections();
  backend.close();
});

const writes = ['POST', 'PUT', 'PATCH', 'DELETE'];
const api = (): APIIntegration => new APIIntegration({ baseURL, policy: { retry: false } });
const names = (tools: readonly Tool[]): string[] => tools.map(({ name }) => name);

async function withClient<T>(tools: readonly Tool[], work: (client: MCPClient) => Promise<T>): Promise<T> {
  await using server = new MCPServer({ name: 's', version: '1', tools });
  await using client = await server.connectInMemory();
  return await work(client);
}

/** Lists the tools as a client does, checks each one's schema by the dialect that MCP names, and compiles it. */
async function listed(tools: readonly Tool[], compileEvery = 1): Promise<number> {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  return withClient(tools, async (client) => {
    const list = await client.listTools();
    for (const [index, { name, description, inputSchema }] of list.entries()) {
      expect(name).toMatch(/^[A-Za-z0-9_.-]{1,128}$/);
      expect(description?.length).toBeGreaterThan(0);
      expect(description?.length).toBeLessThanOrEqual(1_024);
      expect(inputSchema.type).toBe('object');
      expect(ajv.validateSchema(inputSchema), JSON.stringify(ajv.errors)).toBe(true);
      if (index % compileEvery === 0) ajv.compile(inputSchema);
    }
    return list.length;
  });
}

async function example(file: string): Promise<object> {
  const folder = dirname(createRequire(import.meta.url).resolve('@readme/oas-examples/package.json'));
  return JSON.parse(await readFile(join(folder, file), 'utf8')) as object;
}

describe('apiTools of an OpenAPI document', () => {
  it('make every operation of a document of more than 1,000 a tool that a client can list', async () => {
    await using shop = api();
    const document = largeDocument(1_200);
    expect(await listed(apiTools(shop, { openapi: document, allow: writes }), 25)).toBe(1_200);
  });

  it('make every operation of every published example a tool, but for those that are named as unsupported', async () => {
    await using shop = api();
    const folder = dirname(createRequire(import.meta.url).resolve('@readme/oas-examples/package.json'));
    let total = 0;
    for (const version of ['3.0', '3.1']) {
      const files = await readdir(join(folder, version, 'json'));
      for (const file of files.filter((name) => name.endsWith('.json'))) {
        const openapi = await example(`${version}/json/${file}`);
        const operations = shop.operations(openapi);
        const count = await listed(apiTools(shop, { openapi, allow: writes }));
        expect(count, file).toBe(operations.size);
        total += count;
      }
    }
    expect(total).toBeGreaterThan(300);
  });

  it('only read unless writes are named, by operation or by method', async () => {
    await using shop = api();
    const openapi = await example('3.0/json/petstore.json');
    const reading = names(apiTools(shop, { openapi }));
    expect(reading).toContain('getPetById');
    expect(reading).not.toContain('addPet');
    expect(names(apiTools(shop, { openapi, allow: ['addPet'] }))).toEqual(
      expect.arrayContaining([...reading, 'addPet']),
    );
    const deleting = names(apiTools(shop, { openapi, allow: ['DELETE'], name: 'pets' }));
    expect(deleting).toContain('pets_deletePet');
    expect(deleting).not.toContain('pets_addPet');
    for (const tool of apiTools(shop, { openapi })) expect(tool.annotations?.readOnlyHint).toBe(true);
  });

  it('refuse what cannot be allowed, with the nearest name', async () => {
    await using shop = api();
    const openapi = await example('3.0/json/petstore.json');
    expect(() => apiTools(shop, { openapi, allow: ['adPet'] })).toThrow(/'adPet'.*did you mean 'addPet'/);
    expect(() => apiTools(shop, { openapi: { swagger: '2.0' } })).toThrow(/Swagger 2.0/);
    expect(() => apiTools({ request: shop.request.bind(shop) } as never, { openapi })).toThrow(
      /operations\(document\)/,
    );
  });

  it('call the operation, check its arguments, and tell a status', async () => {
    await using shop = api();
    const openapi = {
      openapi: '3.1.0',
      paths: {
        '/orders/{id}': {
          get: {
            operationId: 'getOrder',
            summary: 'One order',
            parameters: [{ name: 'expand', in: 'query', schema: { type: 'boolean' } }],
          },
        },
      },
    };
    await withClient(apiTools(shop, { openapi }), async (client) => {
      const answer = await client.callTool('getOrder', { id: 'a/b', expand: true });
      expect(answer.structuredContent).toEqual({
        status: 200,
        fromCache: false,
        data: { path: '/api/orders/a%2Fb?expand=true' },
      });
      expect(await client.callTool('getOrder', {})).toMatchObject({
        isError: true,
        text: expect.stringContaining("'id'"),
      });
      expect((await client.callTool('getOrder', { id: '1', expnad: true })).text).toContain('additional properties');
      expect(await client.callTool('getOrder', { id: 'missing' })).toMatchObject({
        isError: true,
        text: 'GET /orders/{id} was answered with status 404',
      });
    });
  });

  it('are found by words and called through three tools when search is asked for', async () => {
    await using shop = api();
    const tools = apiTools(shop, { openapi: largeDocument(1_200), allow: writes, search: true });
    expect(names(tools)).toEqual(['search_tools', 'call_tool', 'call_writing_tool']);
    expect(JSON.stringify(await withClient(tools, (client) => client.listTools())).length).toBeLessThan(4_000);
    await withClient(tools, async (client) => {
      const answer = await client.callTool('search_tools', { query: 'cancel an invoice of the tenant 7', limit: 3 });
      const { tools: hits } = answer.structuredContent as {
        tools: { name: string; callBy: string; inputSchema: { required: string[] } }[];
      };
      expect(hits[0]).toMatchObject({ name: 'cancelInvoice7', callBy: 'call_writing_tool' });
      const before = seen.length;
      const wrong = await client.callTool('call_tool', { tool: 'cancelInvoice7', arguments: {} });
      expect(wrong.isError).toBe(true);
      expect(seen.length).toBe(before);
      const lacking = await client.callTool('call_writing_tool', { tool: 'cancelInvoice7', arguments: {} });
      expect(lacking.text).toContain("Invalid arguments for tool 'cancelInvoice7'");
      const done = await client.callTool('call_writing_tool', {
        tool: 'cancelInvoice7',
        arguments: { id: 'i-1', body: { reason: 'late' } },
      });
      expect(done.structuredContent).toMatchObject({ status: 200 });
      expect(seen.at(-1)).toBe('POST /api/tenants/7/invoices/i-1/cancel');
    });
  });
});
