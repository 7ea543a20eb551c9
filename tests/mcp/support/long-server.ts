import { asTask, defineTool, MCPServer, type MCPServerOptions, ToolError } from '@safla/sdk/mcp';
import { z } from 'zod';

/** What became of the call of `wait` that was begun last. */
export interface Waiting {
  begun: boolean;
  aborted: boolean;
  /** Lets it answer. */
  open: () => void;
}

/** A server all of whose calls become tasks that are asked for every 25 ms. */
export function longServer(waiting?: Waiting, options: Partial<MCPServerOptions> = {}): MCPServer {
  const text = z.object({ text: z.string() });
  const tools = [
    defineTool({ name: 'echo', description: 'Says it', input: text, output: text }, async ({ text }, context) => {
      for (const step of [1, 2]) {
        await context.progress(step, 2, `step ${step}`);
        await new Promise((resolve) => setTimeout(resolve, 80));
      }
      return { text };
    }),
    defineTool({ name: 'refuse', description: 'Fails for the model to read' }, () => {
      throw new ToolError('not today');
    }),
    defineTool({ name: 'roots', description: 'Fails by protocol' }, async (_, context) => context.roots()),
    defineTool({ name: 'ask', description: 'Asks' }, async (_, context) => {
      const { content } = await context.ask({ message: 'How many?', schema: z.object({ n: z.number() }) });
      const reply = await context.sample({
        messages: [{ role: 'user', content: { type: 'text', text: `Say ${content?.n}` } }],
        maxTokens: 5,
      });
      return `${content?.n}: ${JSON.stringify(reply.content)}`;
    }),
    defineTool({ name: 'wait', description: 'Waits' }, async (_, context) => {
      if (waiting) waiting.begun = true;
      context.signal.addEventListener('abort', () => {
        if (waiting) waiting.aborted = true;
      });
      await new Promise<void>((resolve) => {
        if (waiting) waiting.open = resolve;
      });
      return 'through';
    }),
    defineTool({ name: 'exit', description: 'Ends the process' }, async () => {
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 100);
      await new Promise(() => undefined);
    }),
  ].map((tool) => asTask(tool));
  return new MCPServer({
    name: 'long',
    version: '1.0.0',
    tools,
    limiter: false,
    tasks: { pollIntervalMs: 25 },
    ...options,
  });
}
