/**
 * An agent of your own: what to do with one task; queue, checks, retries, time limits and events come with it.
 *
 *     npx tsx examples/agent-own.ts
 */
import assert from 'node:assert/strict';
import { Agent, type Task, type TaskContext } from '@safla/sdk/agents';
import { ConnectionError } from '@safla/sdk/core';
import { LocalVectorMemory } from '@safla/sdk/memory';
import { z } from 'zod';

const Order = z.object({ sku: z.string(), amount: z.number().int().positive() });
const Receipt = z.object({ total: z.number() });
const prices: Record<string, number> = { tea: 4, coffee: 6 };
let outages = 1;

class OrderAgent extends Agent<z.output<typeof Order>, z.output<typeof Receipt>> {
  constructor(memory: LocalVectorMemory) {
    super('orders', {
      capabilities: ['orders'],
      maxConcurrentTasks: 2,
      input: Order,
      output: Receipt,
      timeoutMs: 5_000,
      retry: { maxRetries: 2, baseDelayMs: 5 },
      tools: { price: ({ sku }) => prices[String(sku)] ?? Promise.reject(new Error(`no price for ${sku}`)) },
      memory,
    });
  }

  async execute({ id, parameters }: Task<z.output<typeof Order>>, context: TaskContext): Promise<{ total: number }> {
    const { sku, amount } = parameters;
    context.progress({ progress: 1, total: 2, message: `pricing ${sku}` });
    if (outages-- > 0) throw new ConnectionError('the shop is not reachable');
    const price = Number(await context.tools.callTool('price', { sku }));
    await context.memory.store(id, [price, amount], { sku });
    return { total: price * amount };
  }
}

await using memory = new LocalVectorMemory();
await using agent = new OrderAgent(memory);

const handle = agent.submit({ id: 'order-1', type: 'order', parameters: { sku: 'tea', amount: 3 } });
const seen: string[] = [];
for await (const event of handle.events) seen.push(event.type === 'status' ? event.state : event.type);
const { success, data, metadata } = await handle.result;
assert.deepEqual(seen, ['submitted', 'working', 'progress', 'retry', 'progress', 'completed']);
assert.deepEqual({ success, data, attempts: metadata.attempts }, { success: true, data: { total: 12 }, attempts: 2 });
assert.deepEqual((await memory.retrieve('order-1'))?.metadata, { sku: 'tea' });
console.log(`order-1: total ${data?.total} after ${metadata.attempts} attempts (${seen.join(' > ')})`);

const wrong = await agent.submit({ type: 'order', parameters: { sku: 'tea', amount: -1 } }).result;
assert.equal(wrong.metadata.state, 'rejected');
console.log(`an order of -1: ${wrong.metadata.state}, ${wrong.error}`);

const unknown = await agent.submit({ type: 'order', parameters: { sku: 'gold', amount: 1 } }).result;
assert.equal(unknown.metadata.state, 'failed');
console.log(`an order of gold: ${unknown.metadata.state}, ${unknown.error}`);
