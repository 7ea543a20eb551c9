import { Client, type ElicitResult, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Agent, type Task, type TaskContext } from '@safla/sdk/agents';
import { agentTools, MCPServer } from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ask } from './support/ask.js';
import { waitUntil } from './support/wait-until.js';

/** Asks how many, then whether to go on, and says what it was told. */
class Asking extends Agent {
  reason: unknown;

  constructor() {
    super('asking', { capabilities: ['count'] });
  }

  async execute(_: Task, context: TaskContext): Promise<string> {
    context.signal.addEventListener('abort', () => {
      this.reason = context.signal.reason;
    });
    const count = await context.ask('How many?', { schema: z.number().int() });
    const word = await context.ask({ message: 'Which word?', colour: 'red' });
    return `${count} ${typeof count} ${String(word)}`;
  }
}

const run = { name: 'agent_run', arguments: { type: 'count' } };

async function connect(server: MCPServer, answer: (message: string) => ElicitResult): Promise<Client> {
  const { url } = await server.listen();
  const capabilities = { elicitation: {} };
  const client = new Client({ name: 'c', version: '1' }, { capabilities, versionNegotiation: { mode: 'legacy' } });
  client.setRequestHandler('elicitation/create', async ({ params }) => answer(params.message));
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}

describe('what an agent asks under agent_run', () => {
  it('is put to the user of a client that can be asked, and again when the agent cannot take the answer', async () => {
    await using agent = new Asking();
    await using server = new MCPServer({ name: 's', version: '1', tools: agentTools(agent) });
    const asked: string[] = [];
    const answers = ['many', '3', 'blue'];
    const client = await connect(server, (message) => {
      asked.push(message);
      return { action: 'accept', content: { answer: answers.shift() ?? '' } };
    });
    const { structuredContent } = await client.callTool(run);
    expect(structuredContent).toMatchObject({ state: 'completed', data: '3 number blue' });
    expect(asked[0]).toBe('How many?');
    expect(asked[1]).toMatch(/\n\nHow many\?$/);
    expect(asked[2]).toBe('Which word?');
    await client.close();
  });

  it('cancels the task when the user does not want to answer', async () => {
    await using agent = new Asking();
    await using server = new MCPServer({ name: 's', version: '1', tools: agentTools(agent) });
    const client = await connect(server, () => ({ action: 'decline' }));
    const { isError, content } = await client.callTool(run);
    expect([isError, JSON.stringify(content)]).toEqual([true, expect.stringContaining("the user chose 'decline'")]);
    await client.close();
  });

  it('goes out through the task where the call is one', async () => {
    await using agent = new Asking();
    await using server = new MCPServer({ name: 's', version: '1', tools: agentTools(agent) });
    const taskId = (await ask(server, 'tools/call', run)).result?.taskId;
    const questions = async (): Promise<Readonly<Record<string, { params: { message: string } }>>> =>
      (await ask(server, 'tasks/get', { taskId })).result?.inputRequests ?? {};
    const answer = async (message: string, text: string): Promise<void> => {
      let open = Object.entries(await questions());
      for (let turn = 0; turn < 2_000 && open[0]?.[1].params.message !== message; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        open = Object.entries(await questions());
      }
      expect(open.map(([, { params }]) => params.message)).toEqual([message]);
      const inputResponses = { [String(open[0]?.[0])]: { action: 'accept', content: { answer: text } } };
      await ask(server, 'tasks/update', { taskId, inputResponses });
    };
    await answer('How many?', '4');
    await answer('Which word?', 'green');
    let state = (await ask(server, 'tasks/get', { taskId })).result;
    for (let turn = 0; turn < 2_000 && state?.status !== 'completed'; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      state = (await ask(server, 'tasks/get', { taskId })).result;
    }
    expect(JSON.stringify(state?.result)).toContain('4 number green');
  });

  it.each([
    ['cannot be asked', {}],
    ['is asked by the answer of the call', { elicitation: {} }],
  ])('is left for agent_respond where the client %s', async (_, capabilities) => {
    await using agent = new Asking();
    await using server = new MCPServer({ name: 's', version: '1', tools: agentTools(agent) });
    const { result } = await ask(server, 'tools/call', run, { capabilities });
    expect(result?.structuredContent).toMatchObject({ state: 'input-required', question: { prompt: 'How many?' } });
  });
});

describe('a server that closes', () => {
  it('cancels a task that waits for an answer at once, and the work below it', async () => {
    await using agent = new Asking();
    const server = new MCPServer({ name: 's', version: '1', tools: agentTools(agent) });
    const taskId = (await ask(server, 'tools/call', run)).result?.taskId;
    let status: string | undefined;
    for (let turn = 0; turn < 2_000 && status !== 'input_required'; turn++)
      status = (await ask(server, 'tasks/get', { taskId })).result?.status;
    // Far beyond the test's own time: what ends it is not the deadline.
    await server.close({ timeoutMs: 600_000 });
    await waitUntil(() => agent.reason !== undefined, 'the agent was cancelled');
  });
});
