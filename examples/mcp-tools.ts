/**
 * What the SDK connects to, behind one MCP server: a REST API by its OpenAPI document, a database by named
 * statements, the tools of another server, and events as a resource. A model sees three tools: it searches
 * for what it needs, and calls what it found.
 *
 *     npx tsx examples/mcp-tools.ts
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { APIIntegration } from '@safla/sdk/api';
import { PostgresDatabase } from '@safla/sdk/database';
import { EventBusIntegration } from '@safla/sdk/events';
import {
  analysisTools,
  apiTools,
  databaseTools,
  defineTool,
  eventResources,
  MCPServer,
  searchableTools,
  upstreamTools,
} from '@safla/sdk/mcp';

// The REST API: a shop on loopback. Usually the document is read from a file.
const shop = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ method: request.method, path: request.url }));
}).listen(0, '127.0.0.1');
await new Promise((resolve) => shop.once('listening', resolve));
const id = { name: 'id', in: 'path', required: true, schema: { type: 'integer' } };
const openapi = {
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  paths: {
    '/orders/{id}': {
      get: { operationId: 'getOrder', summary: 'One order of a customer', parameters: [id] },
      delete: { operationId: 'cancelOrder', summary: 'Cancel an order', parameters: [id] },
    },
    '/orders/{id}/refund': { post: { operationId: 'refundOrder', summary: 'Refund an order', parameters: [id] } },
  },
};
await using api = new APIIntegration({ baseURL: `http://127.0.0.1:${(shop.address() as AddressInfo).port}` });

await using db = new PostgresDatabase({ url: 'memory:' });
await db.query('create table stock (sku text primary key, left_over int not null)');
await db.query("insert into stock values ('tea', 4), ('cup', 0)");

await using bus = new EventBusIntegration({ url: 'memory:' });

const quote = defineTool(
  { name: 'shipping_quote', description: 'What shipping costs', annotations: { readOnlyHint: true } },
  () => ({ price: 4.9 }),
);
await using carrier = new MCPServer({ name: 'carrier', version: '1.0.0', tools: [quote] });
await using toCarrier = await carrier.connectInMemory();

// Only what reads, and the one write that is named.
const all = [
  apiTools(api, { openapi, allow: ['refundOrder'] }),
  databaseTools(db, {
    queries: {
      stock: {
        description: 'How many pieces of a product are left',
        sql: 'select left_over from stock where sku = $1',
        params: { sku: { type: 'string' } },
      },
    },
  }),
  await upstreamTools(toCarrier, { name: 'carrier' }),
  analysisTools(),
];
assert.ok(!all.flat().some(({ name }) => name === 'cancelOrder'));

await using server = new MCPServer({ name: 'assistant', version: '1.0.0', tools: [searchableTools(all)] });
await using _events = await eventResources(server, bus, { channels: ['orders'] });

await using client = await server.connectInMemory();
console.log((await client.listTools()).map(({ name }) => name).join(', '));

const search = async (query: string): Promise<{ name: string; callBy: string }> => {
  const { structuredContent } = await client.callTool('search_tools', { query, limit: 1 });
  const [hit] = (structuredContent as { tools: { name: string; callBy: string }[] }).tools;
  assert.ok(hit);
  console.log(`${query}: ${hit.name} by ${hit.callBy}`);
  return hit;
};

const stock = await search('how much of a product is left');
const left = await client.callTool(stock.callBy, { tool: stock.name, arguments: { sku: 'tea' } });
assert.deepEqual(left.structuredContent, { rows: [{ left_over: 4 }] });

const refund = await search('refund an order');
assert.equal(refund.callBy, 'call_writing_tool');
const refunded = await client.callTool(refund.callBy, { tool: refund.name, arguments: { id: 7 } });
assert.deepEqual((refunded.structuredContent as { data: unknown }).data, {
  method: 'POST',
  path: '/orders/7/refund',
});

// A wrong argument is told in words that a model can mend it by.
const wrong = await client.callTool(refund.callBy, { tool: refund.name, arguments: { id: 'seven' } });
assert.match(wrong.text, /id: must be integer/);

const shipping = await search('shipping');
const price = await client.callTool(shipping.callBy, { tool: shipping.name });
assert.deepEqual(price.structuredContent, { price: 4.9 });

await bus.publish('orders', { id: 7, refunded: true });
const shown = async (): Promise<string> => (await client.readResource('events://orders'))[0]?.text ?? '';
while (!(await shown()).includes('refunded')) await new Promise((resolve) => setTimeout(resolve, 10));
console.log(`events://orders: ${await shown()}`);

shop.closeAllConnections();
shop.close();
