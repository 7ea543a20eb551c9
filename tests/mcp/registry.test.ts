import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { definePrompt, defineTool, MCPServer, type MCPServerOptions, ToolError } from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigurationError } from '../../src/core/index.js';
import { waitUntil } from './support/wait-until.js';

const tool = (name: string, description = name): ReturnType<typeof defineTool> =>
  defineTool({ name, description }, () => name);
const make = (options: Partial<MCPServerOptions>): MCPServer => new MCPServer({ name: 's', version: '1', ...options });

describe('what a server is made of', () => {
  it('refuses two tools of one name, naming both', () => {
    const tools = [tool('search', 'Search the web'), [tool('search', 'Search the memory')]];
    expect(() => make({ tools })).toThrow(ConfigurationError);
    expect(() => make({ tools })).toThrow(/'search': "Search the web" and "Search the memory"/);
    expect(() => make({ tools: [tool('a')] }).addTool(tool('a'))).toThrow(/'a'/);
  });

  it('refuses a schema that is not an object or cannot be written as JSON Schema', () => {
    const list = defineTool({ name: 'list', description: 'x', input: z.array(z.string()) }, () => 1);
    expect(() => make({ tools: [list] })).toThrow(/tool 'list': input must describe an object, not 'array'/);
    const odd = defineTool({ name: 'odd', description: 'x', input: z.object({ f: z.date() }) }, () => 1);
    expect(() => make({ tools: [odd] })).toThrow(/tool 'odd': input cannot be written as JSON Schema/);
  });

  it('refuses resources without an absolute URI, or with the same one', () => {
    const notes = { uri: 'memo://notes', name: 'Notes', content: 'x' };
    expect(() => make({ resources: [{ ...notes, uri: 'notes' }] })).toThrow(/absolute/);
    expect(() => make({ resources: [notes, { ...notes, name: 'More' }] })).toThrow(/"Notes" and "More"/);
  });

  it('refuses an option it does not know', () => {
    expect(() => make({ tool: [] } as Partial<MCPServerOptions>)).toThrow(/did you mean 'tools'/);
  });

  it('lists tools in the order they were added, with what hosts need', async () => {
    const annotated = defineTool(
      {
        name: 'z',
        title: 'Zed',
        description: 'Last',
        input: z.object({ q: z.string() }),
        annotations: { readOnlyHint: true },
      },
      () => 1,
    );
    await using server = make({ tools: [tool('b'), tool('a'), annotated] });
    await using client = await server.connectInMemory();
    const tools = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['b', 'a', 'z']);
    expect(tools[2]).toMatchObject({
      title: 'Zed',
      annotations: { readOnlyHint: true },
      inputSchema: { required: ['q'] },
    });
    expect(client.serverInfo).toMatchObject({ name: 's', version: '1' });
    expect(client.protocolVersion).toBe('2026-07-28');
  });

  it('tells the caller of an unknown tool which ones there are', async () => {
    await using server = make({ tools: [tool('search')] });
    await using client = await server.connectInMemory();
    await expect(client.callTool('serach')).rejects.toMatchObject({
      code: 'PROTOCOL',
      message: expect.stringContaining("Unknown tool 'serach'; did you mean 'search'?"),
    });
  });
});

describe('resources', () => {
  it('are read as text, as bytes, and from a function at every read', async () => {
    let reads = 0;
    await using server = make({
      resources: [
        { uri: 'memo://text', name: 'Text', description: 'A text', mimeType: 'text/markdown', content: '# Hi' },
      ],
    });
    server.addResource('memo://bytes', { name: 'Bytes', content: new Uint8Array([1, 2, 255]) });
    server.addResource('memo://fresh', { name: 'Fresh', content: async () => `read ${++reads}` });
    await using client = await server.connectInMemory();
    expect((await client.listResources()).map(({ uri }) => uri)).toEqual([
      'memo://text',
      'memo://bytes',
      'memo://fresh',
    ]);
    expect(await client.readResource('memo://text')).toEqual([
      { uri: 'memo://text', mimeType: 'text/markdown', text: '# Hi' },
    ]);
    expect((await client.readResource('memo://bytes'))[0]).toMatchObject({
      blob: Buffer.from([1, 2, 255]).toString('base64'),
      mimeType: 'application/octet-stream',
    });
    await client.readResource('memo://fresh');
    expect((await client.readResource('memo://fresh'))[0]?.text).toBe('read 2');
  });

  it('are replaced by adding them again, and gone when removed', async () => {
    await using server = make({});
    server
      .addResource('memo://a', { name: 'A', content: 'old' })
      .addResource('memo://a', { name: 'A', content: 'new' });
    await using client = await server.connectInMemory();
    expect((await client.readResource('memo://a'))[0]?.text).toBe('new');
    server.removeResource('memo://a').removeResource('memo://never');
    expect(await client.listResources()).toEqual([]);
    await expect(client.readResource('memo://a')).rejects.toMatchObject({ code: 'PROTOCOL' });
  });

  it('that fail keep their error on the server', async () => {
    await using server = make({});
    server.addResource('memo://a', { name: 'A', content: () => Promise.reject(new Error('canary')) });
    server.addResource('memo://b', { name: 'B', content: () => Promise.reject(new ToolError('come back later')) });
    await using client = await server.connectInMemory();
    await expect(client.readResource('memo://a')).rejects.toThrow(/failed\. Reference: /);
    await expect(client.readResource('memo://a')).rejects.not.toThrow(/canary/);
    await expect(client.readResource('memo://b')).rejects.toThrow(/come back later/);
  });
});

describe('prompts', () => {
  const text = (): string => 'x';
  it.each([
    ['no name', { name: '' }, text, /name must be a text/],
    ['an unknown key', { name: 'p', inputt: 1 }, text, /did you mean 'input'/],
    ['no schema as input', { name: 'p', input: {} }, text, /input must be a schema/],
    ['no handler', { name: 'p' }, 5, /handler must be a function/],
  ])('refuses a definition with %s', (_, definition, handler, message) => {
    expect(() => definePrompt(definition as never, handler as never)).toThrow(message);
  });

  const review = definePrompt(
    {
      name: 'review',
      description: 'Review code',
      input: z.object({ code: z.string().describe('The code'), tone: z.string().optional() }),
    },
    ({ code, tone }) => `Review${tone ? ` in a ${tone} tone` : ''}: ${code}`,
  );

  it('are listed with their arguments and written from them', async () => {
    await using server = make({ prompts: [review] });
    await using client = await server.connectInMemory();
    expect(await client.listPrompts()).toMatchObject([
      {
        name: 'review',
        arguments: [
          { name: 'code', description: 'The code', required: true },
          { name: 'tone', required: false },
        ],
      },
    ]);
    expect(await client.getPrompt('review', { code: 'x=1' })).toEqual([
      { role: 'user', content: { type: 'text', text: 'Review: x=1' } },
    ]);
  });

  it('say what is wrong with their arguments, and which prompts there are', async () => {
    await using server = make({}).addPrompt(review);
    await using client = await server.connectInMemory();
    await expect(client.getPrompt('review')).rejects.toThrow(/Invalid arguments for prompt 'review':\n- code: /);
    await expect(client.getPrompt('revue')).rejects.toThrow(/did you mean 'review'/);
  });
});

describe('changes while clients are connected', () => {
  it('are told to a subscribed client over HTTP', async () => {
    await using server = make({ tools: [tool('first')] });
    const { url } = await server.listen();
    let changes = 0;
    const onChanged = (): void => {
      changes += 1;
    };
    const client = new Client(
      { name: 'raw', version: '1' },
      {
        versionNegotiation: { mode: 'auto' },
        listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged } },
      },
    );
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    server.addTool(tool('second'));
    await waitUntil(() => changes > 0, 'the client was told');
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['first', 'second']);
    await client.close();
  });
});
