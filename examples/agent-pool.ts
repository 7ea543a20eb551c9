/**
 * A pool: each task finds an agent that can do it, agents hand work to each other, tasks come as events.
 *
 *     npx tsx examples/agent-pool.ts
 */
import assert from 'node:assert/strict';
import {
  Agent,
  AgentPool,
  AnalysisAgent,
  consumeTasks,
  rememberFrom,
  type Task,
  type TaskContext,
} from '@safla/sdk/agents';
import { EventStream } from '@safla/sdk/events';
import { LocalVectorMemory } from '@safla/sdk/memory';
import { z } from 'zod';

const Trend = z.object({ trend: z.string(), slope: z.number() });

/** Writes a sentence about numbers; the numbers themselves it leaves to the analyst. */
class Reporter extends Agent {
  constructor() {
    super('reporter', { capabilities: ['reporting'] });
  }

  override canHandle({ type }: Task): boolean {
    return type === 'report';
  }

  async execute({ parameters }: Task, { delegate, output }: TaskContext): Promise<string> {
    output('Looking at the numbers ...');
    const analysis = { data: parameters.data, analysisType: 'trend' };
    const { trend, slope } = await delegate({ type: 'data-analysis', parameters: analysis }, { schema: Trend });
    return `Sales are ${trend} by ${Math.abs(slope).toFixed(1)} a month.`;
  }
}

await using pool = new AgentPool([new Reporter(), new AnalysisAgent()]);
const sales = [10, 12, 15, 17, 21, 22, 25, 28, 29, 33, 34, 38];

const handle = pool.submit({ type: 'report', capability: 'reporting', parameters: { data: sales } });
const { data } = await handle.result;
assert.equal(data, 'Sales are increasing by 2.5 a month.');
console.log(data);

const nobody = await pool.submit({ type: 'report', capability: 'cooking' }).result;
assert.equal(nobody.metadata.state, 'rejected');
console.log(nobody.error);

await using events = new EventStream({ url: 'memory:' });
await using memory = new LocalVectorMemory();
await using _tasks = await consumeTasks(events, pool, { channel: 'safla.agent.task' });
await using _updates = await rememberFrom(events, memory, { channel: 'safla.memory.update' });

const results: unknown[] = [];
await using _results = await events.consume('safla.agent.task.result', { group: 'example', from: 'start' }, (event) => {
  results.push(event.data);
});
await events.publish('safla.agent.task', { type: 'report', parameters: { data: sales.toReversed() } }, { id: 'e-1' });
await events.publish('safla.memory.update', { id: 'sales', vector: [1, 2, 3], metadata: { unit: 'thousand' } });
while (results.length === 0 || (await memory.count()) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
assert.deepEqual(
  results.map((result) => (result as { task: string }).task),
  ['e-1'],
);
console.log(`by event: ${(results[0] as { result: { data: string } }).result.data}`);
