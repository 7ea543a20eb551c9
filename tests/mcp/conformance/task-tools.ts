import { asTask, defineTool, ToolError } from '@safla/sdk/mcp';
import { z } from 'zod';

const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
const confirmation = z.object({ confirm: z.boolean() });

/** What the suite's scenarios about tasks call. */
export const taskTools = [
  defineTool(
    { name: 'greet', description: 'Greets', input: z.object({ name: z.string() }) },
    ({ name }) => `Hello, ${name}!`,
  ),
  asTask(
    defineTool(
      {
        name: 'slow_compute',
        description: 'Takes its time',
        input: z.object({ seconds: z.number(), label: z.string().optional() }),
      },
      async ({ seconds, label }, { signal }) => {
        await wait(seconds * 1_000, signal);
        return `Computed ${label ?? 'nothing'} in ${seconds} s`;
      },
    ),
  ),
  asTask(
    defineTool({ name: 'failing_job', description: 'Fails after a second' }, async (_, { signal }) => {
      await wait(1_000, signal);
      throw new ToolError('The job failed');
    }),
    { required: true },
  ),
  asTask(
    defineTool({ name: 'protocol_error_job', description: 'Asks what the client cannot tell' }, async (_, context) => {
      await context.roots();
    }),
  ),
  asTask(
    defineTool(
      { name: 'confirm_delete', description: 'Asks first', input: z.object({ filename: z.string() }) },
      async ({ filename }, context) => {
        const { content } = await context.ask({ message: `Delete ${filename}?`, schema: confirmation });
        return content?.confirm ? `Deleted ${filename}` : `Kept ${filename}`;
      },
    ),
  ),
  asTask(
    defineTool({ name: 'multi_input', description: 'Asks two things together' }, async (_, context) => {
      const name = context.ask({ message: 'Who?', schema: z.object({ name: z.string() }) });
      const sure = context.ask({ message: 'Sure?', schema: confirmation });
      const [who, { content }] = await Promise.all([name, sure]);
      return `${who.content?.name}: ${content?.confirm}`;
    }),
  ),
  asTask(
    defineTool({ name: 'test_tool_with_task', description: 'Asks, then works on its own' }, async (_, context) => {
      const schema = z.object({ name: z.string() });
      const { content } = await context.ask({ key: 'user_name', message: 'Who?', schema });
      context.background();
      await wait(50, context.signal);
      return `Worked for ${content?.name}`;
    }),
    { required: true, starts: 'when told' },
  ),
];
