import { randomUUID } from 'node:crypto';
import { Agent, AgentPool, consumeTasks, rememberFrom, type Task, type TaskContext } from '@safla/sdk/agents';
import { ConfigurationError } from '@safla/sdk/core';
import { EventStream } from '@safla/sdk/events';
import { LocalVectorMemory } from '@safla/sdk/memory';
import { TestContainer } from '@safla/sdk/testing';
import { describe, expect, it, vi } from 'vitest';

class Echo extends Agent {
  calls = 0;

  constructor(readonly work: (task: Task, context: TaskContext) => unknown = ({ parameters }) => parameters) {
    super('echo', { maxConcurrentTasks: 4 });
  }

  execute(task: Task, context: TaskContext): unknown {
    this.calls += 1;
    return this.work(task, context);
  }
}

async function collect(events: EventStream, channel: string): Promise<unknown[]> {
  const seen: unknown[] = [];
  await events.consume(channel, { group: `test-${randomUUID()}`, from: 'start' }, ({ data }) => void seen.push(data));
  return seen;
}

describe('tasks from events', () => {
  it('are done, also those sent before anybody listened, and their results and progress come back', async () => {
    await using events = new EventStream({ url: 'memory:' });
    await using pool = new AgentPool([
      new Echo(({ parameters }, context) => {
        context.progress(0.5);
        if (parameters.fail) throw new Error('no');
        return parameters.n;
      }),
    ]);
    await events.publish('safla.agent.task', { type: 'echo', parameters: { n: 1 } }, { id: 'e1' });
    await using _consumer = await consumeTasks(events, pool, { progressChannel: 'progress' });
    await events.publish('safla.agent.task', { id: 'mine', type: 'echo', parameters: { fail: true } }, { id: 'e2' });
    const results = await collect(events, 'safla.agent.task.result');
    const progress = await collect(events, 'progress');
    await vi.waitFor(() => expect(results).toHaveLength(2));
    expect(results).toMatchObject([
      { task: 'e1', type: 'echo', state: 'completed', result: { success: true, data: 1 } },
      { task: 'mine', state: 'failed', result: { success: false, error: 'no' } },
    ]);
    await vi.waitFor(() => expect(progress).toHaveLength(2));
    expect(progress[0]).toMatchObject({ task: 'e1', event: { type: 'progress', progress: 0.5 } });
    expect(await events.lag('safla.agent.task', 'agents')).toBe(0);
  });

  it('become dead letters when they are none', async () => {
    await using events = new EventStream({ url: 'memory:' });
    await using pool = new AgentPool([new Echo()]);
    await using _consumer = await consumeTasks(events, pool);
    await events.publish('safla.agent.task', { parameters: {} }, { id: 'bad' });
    const reasons: string[] = [];
    await vi.waitFor(async () => {
      for await (const { reason } of events.deadLetters('safla.agent.task')) reasons.push(reason);
      expect(reasons[0]).toContain('type: must be a text that is not empty');
    });
  });

  it('go to another process when this one ends before they are final, and are done once by each event id', async () => {
    await using services = await TestContainer.start({ redis: true });
    const { url } = services.redis;
    const channel = `tasks.${randomUUID()}`;
    await using events = new EventStream({ url });
    let release: () => void = () => undefined;
    const stuck = new Echo(() => new Promise<void>((resolve) => (release = resolve)));
    await using first = new AgentPool([stuck]);
    const consumer = await consumeTasks(events, first, { channel });
    await events.publish(channel, { type: 'echo', parameters: { n: 1 } }, { id: 'one' });
    await vi.waitFor(() => expect(stuck.calls).toBe(1), 20_000);
    await consumer.close({ timeoutMs: 20 });
    const other = new Echo();
    await using second = new AgentPool([other]);
    await using _consumer = await consumeTasks(events, second, { channel });
    const results = await collect(events, `${channel}.result`);
    await vi.waitFor(() => expect(results).toMatchObject([{ task: 'one', result: { data: { n: 1 } } }]), 20_000);
    expect(other.calls).toBe(1);
    release();
  });

  it('come again when the pool is closed or has no room', async () => {
    await using events = new EventStream({ url: 'memory:', redelivery: { baseDelayMs: 1, maxDeliveries: 100 } });
    const pool = new AgentPool([new Echo()]);
    await pool.close();
    await using consumer = await consumeTasks(events, pool);
    await events.publish('safla.agent.task', { type: 'echo' });
    await vi.waitFor(() => expect(consumer).toMatchObject({ group: 'agents' }));
    await vi.waitFor(async () => expect(await events.lag('safla.agent.task', 'agents')).toBe(1));
  });

  it('need a stream, an agent, and options that exist', async () => {
    const pool = new AgentPool();
    await using events = new EventStream({ url: 'memory:' });
    await expect(consumeTasks({} as never, pool)).rejects.toBeInstanceOf(ConfigurationError);
    await expect(consumeTasks(events, {} as never)).rejects.toBeInstanceOf(ConfigurationError);
    await expect(consumeTasks(events, pool, { chanel: 'x' } as never)).rejects.toThrow("did you mean 'channel'?");
  });
});

describe('memory from events', () => {
  it('stores and deletes what they say', async () => {
    await using events = new EventStream({ url: 'memory:' });
    await using memory = new LocalVectorMemory({
      embed: async (texts: readonly string[]) => texts.map((text) => [text.length, 1]),
    });
    await using _updates = await rememberFrom(events, memory);
    await events.publish('safla.memory.update', { id: 'a', vector: [1, 0], metadata: { kind: 'x' } });
    await events.publish('safla.memory.update', { id: 'b', text: 'hello' });
    await events.publish('safla.memory.update', { id: 'a', deleted: true });
    await vi.waitFor(async () => expect(await memory.count()).toBe(1));
    await vi.waitFor(async () => expect(await memory.retrieve('b')).toMatchObject({ vector: [5, 1] }));
    await expect(memory.retrieve('a')).resolves.toBeNull();
  });

  it('sets aside what says nothing that can be stored', async () => {
    await using events = new EventStream({ url: 'memory:' });
    await using memory = new LocalVectorMemory();
    await using _updates = await rememberFrom(events, memory, { channel: 'm' });
    for (const data of [{ id: 'a' }, { id: '', text: 'x' }, { id: 'a', vector: ['x'] }, 'text'])
      await events.publish('m', data);
    await vi.waitFor(async () => {
      let count = 0;
      for await (const _letter of events.deadLetters('m')) count += 1;
      expect(count).toBe(4);
    });
    expect(await memory.count()).toBe(0);
  });

  it('needs a stream and a memory', async () => {
    await expect(rememberFrom({} as never, new LocalVectorMemory())).rejects.toBeInstanceOf(ConfigurationError);
    await using events = new EventStream({ url: 'memory:' });
    await expect(rememberFrom(events, {} as never)).rejects.toBeInstanceOf(ConfigurationError);
  });
});
