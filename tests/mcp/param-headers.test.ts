import { defineTool, MCPServer } from '@safla/sdk/mcp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decodeHeader, paramHeaders } from '../../src/mcp/server/param-headers.js';
import '../support/properties.js';

const encode = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;
const tool = defineTool(
  {
    name: 'route',
    description: 'Says where',
    input: z.object({
      region: z.string().meta({ 'x-mcp-header': 'Region' }),
      shard: z.object({ n: z.int().optional().meta({ 'x-mcp-header': 'Shard' }) }).optional(),
    }),
  },
  (args) => JSON.stringify(args),
);

async function call(args: object, headers: Record<string, string>): Promise<readonly [number, number | undefined]> {
  await using server = new MCPServer({ name: 's', version: '1', tools: [tool] });
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const response = await server.fetch(
    new Request('http://127.0.0.1/mcp', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'route',
        ...headers,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 7,
        method: 'tools/call',
        params: { name: 'route', arguments: args, _meta },
      }),
    }),
  );
  const { error, id } = (await response.json()) as { error?: { code: number }; id: number };
  expect(id).toBe(7);
  return [response.status, error?.code];
}

describe('headers that repeat parameters', () => {
  it.each([
    ['as they are', { region: 'eu' }, { 'mcp-param-region': 'eu' }],
    ['in Base64', { region: 'Zürich' }, { 'mcp-param-region': encode('Zürich') }],
    [
      'in the name of a tool that is in Base64',
      { region: 'eu' },
      { 'mcp-param-region': 'eu', 'mcp-name': encode('route') },
    ],
    ['of nested numbers', { region: 'eu', shard: { n: 3 } }, { 'mcp-param-region': 'eu', 'mcp-param-shard': '3.0' }],
  ])('are accepted %s', async (_, args, headers) => {
    expect(await call(args, headers)).toEqual([200, undefined]);
  });

  it.each([
    ['that are missing', { region: 'eu' }, {}],
    ['that differ', { region: 'eu' }, { 'mcp-param-region': 'us' }],
    ['with broken Base64', { region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVsbG8?=' }],
    ['missing for a nested value', { region: 'eu', shard: { n: 3 } }, { 'mcp-param-region': 'eu' }],
    ['hidden behind a wrapped name', { region: 'eu' }, { 'mcp-param-region': 'us', 'mcp-name': encode('route') }],
  ])('are refused %s', async (_, args, headers) => {
    expect(await call(args, headers)).toEqual([400, -32020]);
  });

  it('leave what is no text, number or flag to the check of the arguments', async () => {
    expect(await call({ region: { x: 1 } }, {})).toEqual([200, undefined]);
  });

  it('are told by schemas, and only where a header can carry the value', () => {
    const list = { type: 'array', 'x-mcp-header': 'List' };
    const odd = { type: 'string', 'x-mcp-header': 'no spaces' };
    const fine = { type: 'boolean', 'x-mcp-header': 'Fine' };
    expect(paramHeaders({ type: 'object', properties: { list, odd, fine } })).toEqual([
      { path: ['fine'], header: 'Fine' },
    ]);
    expect(paramHeaders({ type: 'object' })).toEqual([]);
  });

  it('give back any text that was wrapped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodeHeader(encode(text))).toBe(text);
      }),
    );
  });
});
