import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { definePrompt, defineTool, MCPServer, type ToolContext } from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const confirm = z.object({ ok: z.boolean() });
const tool = (name: string, handler: (context: ToolContext) => unknown) =>
  defineTool({ name, description: name }, (_, context) => handler(context));

const eras = [
  ['2025-11-25', 'legacy'],
  ['2026-07-28', 'auto'],
] as const;

/** A client of the official SDK over HTTP that answers forms by `reply`. */
async function connect(
  server: MCPServer,
  mode: 'legacy' | 'auto',
  capabilities: object,
  reply: (params: Readonly<Record<string, unknown>>) => object = () => ({ action: 'accept', content: { ok: true } }),
): Promise<Client> {
  const { url } = await server.listen();
  const client = new Client({ name: 'asked', version: '1.2.3' }, { capabilities, versionNegotiation: { mode } });
  if ('elicitation' in capabilities)
    client.setRequestHandler('elicitation/create', async ({ params }) => reply({ ...params }) as never);
  if ('sampling' in capabilities) {
    client.setRequestHandler('sampling/createMessage', async () => ({
      role: 'assistant',
      content: { type: 'text', text: 'Paris' },
      model: 'm',
    }));
  }
  if ('roots' in capabilities)
    client.setRequestHandler('roots/list', async () => ({ roots: [{ uri: 'file:///work', name: 'Work' }] }));
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}

describe.each(eras)('questions to a client of %s', (version, mode) => {
  const make = (tools: ReturnType<typeof defineTool>[]): MCPServer => new MCPServer({ name: 's', version: '1', tools });

  it('reach its user, one after the other, and come back checked', async () => {
    await using server = make([
      tool('order', async (context) => {
        const size = await context.ask({ message: 'How many?', schema: z.object({ count: z.number() }) });
        const sure = await context.ask({ message: `Order ${size.content?.count}?`, schema: confirm });
        return { version, count: size.content?.count, ok: sure.content?.ok, client: context.client.name };
      }),
    ]);
    const asked: unknown[] = [];
    const client = await connect(server, mode, { elicitation: {} }, ({ message }) => {
      asked.push(message);
      return { action: 'accept', content: message === 'How many?' ? { count: 3 } : { ok: true } };
    });
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    const answer = await client.callTool({ name: 'order', arguments: {} });
    expect(answer.structuredContent).toEqual({ version, count: 3, ok: true, client: 'asked' });
    expect(asked).toEqual(['How many?', 'Order 3?']);
    await client.close();
  });

  it('tell whether the user declined', async () => {
    await using server = make([
      tool('delete', async (context) => (await context.ask({ message: 'Sure?', schema: confirm })).action),
    ]);
    const client = await connect(server, mode, { elicitation: {} }, () => ({ action: 'decline' }));
    expect(await client.callTool({ name: 'delete' })).toMatchObject({ content: [{ text: 'decline' }] });
    await client.close();
  });

  it('are asked again when the values do not fit', async () => {
    await using server = make([
      tool('age', async (context) => {
        const { content } = await context.ask({ message: 'Age?', schema: z.object({ age: z.number().min(18) }) });
        return { age: content?.age };
      }),
    ]);
    let asked = 0;
    const client = await connect(server, mode, { elicitation: {} }, () => {
      asked += 1;
      return { action: 'accept', content: { age: asked === 1 ? 3 : 30 } };
    });
    expect((await client.callTool({ name: 'age' })).structuredContent).toEqual({ age: 30 });
    expect(asked).toBe(2);
    await client.close();
  });

  it('reach its model, its roots and its user together', async () => {
    await using server = make([
      tool('all', async (context) => {
        const messages = [{ role: 'user', content: { type: 'text', text: 'Capital of France?' } }] as const;
        const [said, roots, sure] = await Promise.all([
          context.sample({ messages, maxTokens: 10 }),
          context.roots(),
          context.ask({ message: 'Sure?', schema: confirm }),
        ]);
        return { said: said.content, roots, sure: sure.content };
      }),
    ]);
    const client = await connect(server, mode, { elicitation: {}, sampling: {}, roots: {} });
    expect((await client.callTool({ name: 'all' })).structuredContent).toEqual({
      said: { type: 'text', text: 'Paris' },
      roots: [{ uri: 'file:///work', name: 'Work' }],
      sure: { ok: true },
    });
    await client.close();
  });

  it('that it cannot answer are refused before they are sent, and a handler may do without', async () => {
    await using server = make([
      tool('strict', (context) => context.ask({ message: 'Sure?', schema: confirm })),
      tool('lenient', (context) =>
        context.ask({ message: 'Sure?', schema: confirm }).catch((error: { code: string }) => error.code),
      ),
    ]);
    const client = await connect(server, mode, {});
    const strict = await client.callTool({ name: 'strict' }).catch((error: Error & { code: number }) => error);
    if (mode === 'auto') expect(strict).toMatchObject({ code: -32_021 });
    else expect(strict).toMatchObject({ isError: true });
    expect(JSON.stringify([strict, String(strict)])).toContain('cannot ask its user');
    expect(await client.callTool({ name: 'lenient' })).toMatchObject({ content: [{ text: 'UNSUPPORTED' }] });
    await client.close();
  });
});

describe('the rounds of a call (2026-07-28)', () => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
  };
  const post = async (server: MCPServer, params: object, principal?: string): Promise<Record<string, unknown>> => {
    const method = 'tools/call';
    const request = new Request('http://localhost/mcp', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        'mcp-name': (params as { name: string }).name,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
    });
    const response = await server.fetch(request, principal ? { principal: { id: principal } } : {});
    return (await response.json()) as Record<string, unknown>;
  };
  const accepted = { 'question-1': { action: 'accept', content: { ok: true } } };
  let runs = 0;
  let cleaned = 0;
  const pay = defineTool(
    { name: 'pay', description: 'Pay', input: z.object({ amount: z.number() }) },
    async ({ amount }, context) => {
      runs += 1;
      try {
        const { content } = await context.ask({ message: `Pay ${amount}?`, schema: confirm });
        return content?.ok ? `paid ${amount}` : 'not paid';
      } catch (error) {
        // What a handler does about failures must not swallow a question.
        if (error instanceof TypeError) throw error;
        return 'swallowed';
      } finally {
        cleaned += 1;
      }
    },
  );
  const make = (stateKey?: string): MCPServer =>
    new MCPServer({ name: 's', version: '1', tools: [pay], ...(stateKey ? { stateKey } : {}) });
  const ask = async (server: MCPServer, principal?: string) => {
    const { result } = await post(server, { name: 'pay', arguments: { amount: 5 } }, principal);
    return result as { resultType: string; inputRequests: object; requestState: string };
  };

  it('run the handler again from its beginning, its own clean-up done, even when it swallows the question', async () => {
    await using server = make();
    runs = 0;
    cleaned = 0;
    const asked = await ask(server);
    expect(asked).toMatchObject({ resultType: 'input_required', inputRequests: { 'question-1': {} } });
    expect([runs, cleaned]).toEqual([1, 1]);
    const next = { name: 'pay', arguments: { amount: 5 }, inputResponses: accepted, requestState: asked.requestState };
    expect(await post(server, next)).toMatchObject({ result: { content: [{ text: 'paid 5' }] } });
    expect([runs, cleaned]).toEqual([2, 2]);
  });

  it.each([
    ['other arguments', { arguments: { amount: 5_000 } }],
    ['a changed state', { requestState: 'v1.e30.AAAA' }],
    ['a state that is no text', { requestState: 7 }],
  ])('refuse a state with %s', async (_, change) => {
    await using server = make();
    const { requestState } = await ask(server);
    const next = { name: 'pay', arguments: { amount: 5 }, inputResponses: accepted, requestState, ...change };
    expect(await post(server, next)).toMatchObject({ error: { code: -32_602 } });
  });

  it('refuse the state of another caller', async () => {
    await using server = make();
    const { requestState } = await ask(server, 'ada');
    const next = { name: 'pay', arguments: { amount: 5 }, inputResponses: accepted, requestState };
    expect(await post(server, next, 'eve')).toMatchObject({ error: { code: -32_602 } });
    expect(await post(server, next, 'ada')).toMatchObject({ result: { content: [{ text: 'paid 5' }] } });
  });

  it('go on in another process that has the same key, and in none that has another', async () => {
    await using first = make('k'.repeat(32));
    await using second = make('k'.repeat(32));
    await using stranger = make('x'.repeat(32));
    const { requestState } = await ask(first);
    const next = { name: 'pay', arguments: { amount: 5 }, inputResponses: accepted, requestState };
    expect(await post(second, next)).toMatchObject({ result: { content: [{ text: 'paid 5' }] } });
    expect(await post(stranger, next)).toMatchObject({ error: { code: -32_602 } });
  });

  it('are also there for prompts', async () => {
    const prompt = definePrompt({ name: 'tone' }, async (_, context) => {
      const { content } = await context.ask({ message: 'Tone?', schema: z.object({ tone: z.string() }) });
      return `Write in a ${content?.tone} tone`;
    });
    await using server = new MCPServer({ name: 's', version: '1', prompts: [prompt] });
    const client = await connect(server, 'auto', { elicitation: {} }, () => ({
      action: 'accept',
      content: { tone: 'calm' },
    }));
    const { messages } = await client.getPrompt({ name: 'tone' });
    expect(messages[0]).toMatchObject({ content: { text: 'Write in a calm tone' } });
    await client.close();
  });
});
