/**
 * A tool that asks its user before it acts, and the client's model for words. One definition serves
 * clients of both protocol eras.
 *
 *     npx tsx examples/mcp-server-that-asks.ts
 */
import assert from 'node:assert/strict';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { defineTool, MCPServer } from '@safla/sdk/mcp';
import { z } from 'zod';

const refunded = new Set<string>();
const refund = defineTool(
  { name: 'refund_order', description: 'Refund an order after its owner agreed', input: z.object({ id: z.string() }) },
  async ({ id }, context) => {
    const schema = z.object({ confirm: z.boolean(), reason: z.enum(['broken', 'late', 'other']) });
    const { action, content } = await context.ask({ message: `Refund order ${id}?`, schema });
    if (action !== 'accept' || !content.confirm) return { id, refunded: false };
    // On 2026-07-28 the handler runs again from its beginning after each answer: act after the last question.
    const note = await context.sample({
      messages: [{ role: 'user', content: { type: 'text', text: `One polite line about a ${content.reason} order` } }],
      maxTokens: 50,
    });
    refunded.add(id);
    return { id, refunded: true, reason: content.reason, by: note.model };
  },
);

await using server = new MCPServer({ name: 'refunds', version: '1.0.0', tools: [refund] });
const { url } = await server.listen();

for (const mode of ['legacy', 'auto'] as const) {
  const capabilities = { elicitation: {}, sampling: {} };
  const client = new Client({ name: 'assistant', version: '1.0.0' }, { capabilities, versionNegotiation: { mode } });
  const asked: string[] = [];
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    asked.push(params.message);
    return { action: 'accept', content: { confirm: true, reason: 'late' } };
  });
  client.setRequestHandler('sampling/createMessage', async () => ({
    role: 'assistant',
    content: { type: 'text', text: 'We are sorry.' },
    model: 'example-model',
  }));
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  const answer = await client.callTool({ name: 'refund_order', arguments: { id: '7' } });
  assert.deepEqual(answer.structuredContent, { id: '7', refunded: true, reason: 'late', by: 'example-model' });
  assert.deepEqual(asked, ['Refund order 7?']);
  console.log(
    `${client.getNegotiatedProtocolVersion()}: asked "${asked[0]}", then ${JSON.stringify(answer.structuredContent)}`,
  );
  await client.close();
}
assert.deepEqual([...refunded], ['7']);
