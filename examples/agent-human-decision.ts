/**
 * A task that asks a person before it goes on, and one that is canceled while it waits.
 *
 *     npx tsx examples/agent-human-decision.ts
 */
import assert from 'node:assert/strict';
import { Agent, type Task, type TaskContext } from '@safla/sdk/agents';
import { z } from 'zod';

const Decision = z.object({ approved: z.boolean(), note: z.string().optional() });

class RefundAgent extends Agent<{ order: string; amount: number }, string> {
  constructor() {
    super('refunds', { maxConcurrentTasks: 1 });
  }

  async execute({ parameters }: Task<{ order: string; amount: number }>, { ask }: TaskContext): Promise<string> {
    const { order, amount } = parameters;
    if (amount > 100) {
      const { approved, note } = await ask({ question: `Refund ${amount} for ${order}?` }, { schema: Decision });
      if (!approved) return `refused: ${note ?? 'no reason given'}`;
    }
    return `refunded ${amount}`;
  }
}

await using agent = new RefundAgent();
const large = agent.submit({ type: 'refund', parameters: { order: 'o-1', amount: 500 } });
const small = agent.submit({ type: 'refund', parameters: { order: 'o-2', amount: 5 } });

// Although only one task runs at a time: who waits for a person holds up nobody.
assert.equal((await small.result).data, 'refunded 5');
assert.equal(large.state, 'input-required');

for await (const event of large.events) {
  if (event.type !== 'status' || !event.question) continue;
  console.log('asked:', JSON.stringify(event.question.prompt));
  await assert.rejects(large.respond('maybe'), { code: 'VALIDATION' });
  await large.respond({ approved: false, note: 'too late' });
}
const { data } = await large.result;
assert.equal(data, 'refused: too late');
console.log('decided:', data);

const forgotten = agent.submit({ type: 'refund', parameters: { order: 'o-3', amount: 300 } });
while (forgotten.state !== 'input-required') await new Promise((resolve) => setImmediate(resolve));
forgotten.cancel('the customer withdrew');
const { error, metadata } = await forgotten.result;
assert.equal(metadata.state, 'canceled');
console.log('canceled:', error);
