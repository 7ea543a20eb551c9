/**
 * The same agents in process and as workers on Redis: the host's code differs by one line. Starts its own Redis.
 *
 *     npx tsx examples/agent-fleet.ts
 */
import assert from 'node:assert/strict';
import { Agent, AgentPool, type Task, type TaskContext, type TaskSubmitter } from '@safla/sdk/agents';
import { AgentFleet, AgentWorker } from '@safla/sdk/agents/bullmq';
import { TestContainer } from '@safla/sdk/testing';

class Squarer extends Agent<{ n: number }, number> {
  constructor() {
    super('squarer', { maxConcurrentTasks: 8 });
  }

  async execute({ parameters }: Task<{ n: number }>, { progress, sleep }: TaskContext): Promise<number> {
    progress(0.5);
    await sleep(parameters.n < 0 ? 60_000 : 1);
    return parameters.n ** 2;
  }
}

/** The host. It does not know where the agents live. */
async function host(where: string, agents: TaskSubmitter): Promise<void> {
  const handles = [1, 2, 3, 4, 5].map((n) => agents.submit({ type: 'square', parameters: { n } }, { priority: n }));
  const results = await Promise.all(handles.map(({ result }) => result));
  assert.deepEqual(
    results.map(({ data }) => data),
    [1, 4, 9, 16, 25],
  );

  const endless = agents.submit({ type: 'square', parameters: { n: -1 } });
  for await (const event of endless.events) if (event.type === 'progress') endless.cancel('nobody waits for it');
  assert.equal((await endless.result).metadata.state, 'canceled');
  console.log(`${where}: ${results.map(({ data }) => data).join(', ')}; one canceled`);
}

{
  await using pool = new AgentPool([new Squarer()]);
  await host('in process', pool);
}

await using services = await TestContainer.start({ redis: true });
const { url } = services.redis;
await using worker = new AgentWorker(new AgentPool([new Squarer()]), { url });
await using other = new AgentWorker(new AgentPool([new Squarer()]), { url });
await Promise.all([worker.start(), other.start()]);
await using fleet = new AgentFleet({ url });
await host('two workers on Redis', fleet);
await fleet.drain({ timeoutMs: 30_000 });
