import {
  Agent,
  AgentCapabilities,
  type AgentMemory,
  AgentPool,
  AnalysisAgent,
  type AnyAgent,
  consumeTasks,
  rememberFrom,
  type Task,
  type TaskContext,
  type TaskEventStream,
  type TaskHandle,
  type TaskResult,
  type TaskSubmitter,
  type ToolCaller,
} from '@safla/sdk/agents';
import type { AgentFleet } from '@safla/sdk/agents/bullmq';
import type { EventStream } from '@safla/sdk/events';
import type { MCPClient, MCPHost } from '@safla/sdk/mcp';
import type { LocalVectorMemory, PostgresVectorMemory, VectorMemoryProvider } from '@safla/sdk/memory';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

const Input = z.object({ text: z.string(), limit: z.number().default(3) });

class Summarizer extends Agent<z.output<typeof Input>, string> {
  constructor() {
    super('s', { input: Input, output: z.string(), capabilities: [AgentCapabilities.REPORTING, 'my own'] });
  }

  override execute({ parameters }: Task<z.output<typeof Input>>, context: TaskContext): string {
    expectTypeOf(parameters.limit).toEqualTypeOf<number>();
    expectTypeOf(context.ask('?', { schema: z.number() })).resolves.toEqualTypeOf<number>();
    expectTypeOf(context.ask('?')).resolves.toEqualTypeOf<unknown>();
    expectTypeOf(context.delegate({ type: 't' }, { schema: Input })).resolves.toEqualTypeOf<z.output<typeof Input>>();
    return parameters.text;
  }
}

describe('agents', () => {
  it('know what they take and make', () => {
    const agent = new Summarizer();
    expectTypeOf(agent.submit({ type: 't', parameters: { text: '', limit: 1 } })).toEqualTypeOf<TaskHandle<string>>();
    // @ts-expect-error parameters are needed
    expectTypeOf(agent.submit).toBeCallableWith({ type: 't' });
    // @ts-expect-error of the right kind
    expectTypeOf(agent.submit).toBeCallableWith({ type: 't', parameters: { text: 1 } });
    expectTypeOf<TaskHandle<string>['result']>().resolves.toEqualTypeOf<TaskResult<string>>();
  });

  it('can be anything in a pool', () => {
    expectTypeOf<Summarizer>().toExtend<AnyAgent>();
    expectTypeOf<AnalysisAgent>().toExtend<AnyAgent>();
    expectTypeOf(new AgentPool([new Summarizer(), new AnalysisAgent()])).toEqualTypeOf<AgentPool>();
  });

  it('are exchanged for a pool or a fleet in one line', () => {
    expectTypeOf<AgentPool>().toExtend<TaskSubmitter>();
    expectTypeOf<AgentFleet>().toExtend<TaskSubmitter>();
    expectTypeOf<Agent>().toExtend<TaskSubmitter>();
  });

  it('take hosts, memories and streams by shape', () => {
    expectTypeOf<MCPHost>().toExtend<ToolCaller>();
    expectTypeOf<MCPClient>().toExtend<ToolCaller>();
    expectTypeOf<LocalVectorMemory>().toExtend<AgentMemory>();
    expectTypeOf<PostgresVectorMemory>().toExtend<AgentMemory>();
    expectTypeOf<VectorMemoryProvider>().toExtend<AgentMemory>();
    expectTypeOf<EventStream>().toExtend<TaskEventStream>();
    expectTypeOf(consumeTasks).parameter(0).toEqualTypeOf<TaskEventStream>();
    expectTypeOf(rememberFrom).parameter(1).toEqualTypeOf<Pick<AgentMemory, 'store' | 'delete'>>();
  });
});
