import { MCPHost } from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { scriptServer } from './support/child.js';

/** A server of 2025-06-18 whose lists have pages, as many as asked for; a million is without end. */
const pagedServer = (pages: number): string => `
  const say = (message) => console.log(JSON.stringify({ jsonrpc: '2.0', ...message }));
  const item = { tools: (n) => ({ name: 't' + n, inputSchema: { type: 'object' } }), prompts: (n) => ({ name: 'p' + n }),
    resources: (n) => ({ uri: 'r://' + n, name: 'r' + n }), resourceTemplates: (n) => ({ uriTemplate: 'r://{x}/' + n, name: 'x' + n }) };
  const kinds = { 'tools/list': 'tools', 'prompts/list': 'prompts', 'resources/list': 'resources', 'resources/templates/list': 'resourceTemplates' };
  require('readline').createInterface(process.stdin).on('line', (line) => {
    const { id, method, params = {} } = JSON.parse(line);
    const kind = kinds[method];
    if (method === 'initialize') say({ id, result: { protocolVersion: '2025-06-18', serverInfo: { name: 'paged', version: '1' },
      capabilities: { tools: {}, prompts: {}, resources: {}, completions: {} } } });
    else if (method === 'completion/complete') say({ id, result: { completion: { values: [params.ref.type, params.argument.value, JSON.stringify(params.context ?? null)], total: 9, hasMore: true } } });
    else if (kind) {
      const page = Number(params.cursor ?? 0);
      say({ id, result: { [kind]: [item[kind](page)], ...(page + 1 < ${pages} ? { nextCursor: String(page + 1) } : {}) } });
    } else if (id !== undefined) say({ id, error: { code: -32601, message: 'no such method' } });
  });
`;

const hostOf = (pages: number): MCPHost => new MCPHost({ servers: { paged: scriptServer(pagedServer(pages)) } });

describe('lists of a server that gives them in pages', () => {
  it('are read to their end', async () => {
    await using host = hostOf(150);
    expect(await host.listTools()).toHaveLength(150);
    expect(await host.listPrompts()).toHaveLength(150);
    expect(await host.listResources()).toHaveLength(150);
    const templates = await host.listResourceTemplates();
    expect(templates).toHaveLength(150);
    expect(templates.at(-1)).toEqual({ uriTemplate: 'r://{x}/149', name: 'x149', server: 'paged' });
  });

  it('reject when they have no end', async () => {
    await using host = hostOf(1_000_000);
    await expect(host.listTools()).rejects.toMatchObject({ code: 'PROTOCOL' });
  });
});

describe('completions', () => {
  it('are asked for arguments of prompts and variables of templates', async () => {
    await using host = hostOf(1);
    const prompt = await host.complete('paged', { prompt: 'p', argument: 'x', value: 'a', known: { y: 'b' } });
    expect(prompt).toEqual({ values: ['ref/prompt', 'a', '{"arguments":{"y":"b"}}'], total: 9, hasMore: true });
    const template = await host.complete('paged', { resourceTemplate: 'r://{x}', argument: 'x', value: '' });
    expect(template.values).toEqual(['ref/resource', '', 'null']);
  });
});
