import { defineTool, fromJSONSchema, type ToolContext } from '@safla/sdk/mcp';
import { z } from 'zod';

const named = z.object({ name: z.string() });
const confirmed = z.object({ ok: z.boolean() });
const said = (prompt: string, maxTokens: number, key?: string) => ({
  messages: [{ role: 'user', content: { type: 'text', text: prompt } }] as const,
  maxTokens,
  ...(key ? { key } : {}),
});
const plain = (name: string, handler: (context: ToolContext) => Promise<unknown>) =>
  defineTool({ name, description: 'Asks the client' }, (_, context) => handler(context));
const askName = (context: ToolContext) =>
  context.ask({ key: 'user_name', message: 'What is your name?', schema: named });

/** What the suite's scenarios about elicitation, sampling and roots call, in both eras. */
export const questionTools = [
  defineTool(
    { name: 'test_sampling', description: 'Asks the model', input: z.object({ prompt: z.string() }) },
    async ({ prompt }, context) => {
      const { content } = await context.sample(said(prompt, 100));
      return `LLM response: ${JSON.stringify(content)}`;
    },
  ),
  defineTool(
    { name: 'test_elicitation', description: 'Asks the user', input: z.object({ message: z.string() }) },
    async ({ message }, context) => {
      const schema = z.object({
        username: z.string().describe("User's response"),
        email: z.string().describe("User's email address"),
      });
      const { action, content } = await context.ask({ message, schema });
      return `User response: action: ${action}, content: ${JSON.stringify(content ?? {})}`;
    },
  ),
  plain('test_elicitation_sep1034_defaults', async (context) => {
    const schema = z.object({
      name: z.string().default('John Doe'),
      age: z.int().default(30),
      score: z.number().default(95.5),
      status: z.enum(['active', 'inactive', 'pending']).default('active'),
      verified: z.boolean().default(true),
    });
    const { action, content } = await context.ask({ message: 'Please review', schema });
    return `Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`;
  }),
  plain('test_elicitation_sep1330_enums', async (context) => {
    const { action, content } = await context.ask({ message: 'Please choose', schema: enums });
    return `Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`;
  }),
  plain('test_missing_capability', async (context) => (await context.sample(said('Hello', 10))).model),
  plain('test_streaming_elicitation', async (context) => (await askName(context)).action),
  plain('test_input_required_result_elicitation', async (context) => {
    const { content } = await askName(context);
    return `Hello, ${content?.name ?? 'stranger'}!`;
  }),
  plain('test_input_required_result_sampling', async (context) => {
    const { content } = await context.sample(said('What is the capital of France?', 100, 'capital_question'));
    return JSON.stringify(content);
  }),
  plain('test_input_required_result_list_roots', async (context) => {
    const roots = await context.roots({ key: 'client_roots' });
    return `Roots: ${roots.map(({ uri }) => uri).join(', ')}`;
  }),
  plain('test_input_required_result_request_state', async (context) => {
    await context.ask({ key: 'confirm', message: 'Please confirm', schema: confirmed });
    return 'state-ok';
  }),
  plain('test_input_required_result_tampered_state', async (context) => {
    await context.ask({ key: 'confirm', message: 'Please confirm', schema: confirmed });
    return 'state-ok';
  }),
  plain('test_input_required_result_multiple_inputs', async (context) => {
    const [user, greeting, roots] = await Promise.all([
      askName(context),
      context.sample(said('Generate a greeting', 50, 'greeting')),
      context.roots({ key: 'client_roots' }),
    ]);
    return `${JSON.stringify(greeting.content)} ${user.content?.name} ${roots.length}`;
  }),
  plain('test_input_required_result_multi_round', async (context) => {
    const first = await context.ask({ key: 'step1', message: 'Step 1: What is your name?', schema: named });
    const color = z.object({ color: z.string() });
    const second = await context.ask({ key: 'step2', message: 'Step 2: What is your favorite color?', schema: color });
    return `${first.content?.name} likes ${second.content?.color}`;
  }),
  plain('test_input_required_result_capabilities', async (context) => {
    const { elicitation, sampling } = context.client.capabilities;
    const asked: Promise<unknown>[] = [];
    if (elicitation) asked.push(askName(context));
    if (sampling) asked.push(context.sample(said('Generate a greeting', 50, 'greeting')));
    return `Asked ${(await Promise.all(asked)).length}`;
  }),
];

const titled = (values: readonly string[], titles: readonly string[]) =>
  values.map((value, index) => ({ const: value, title: titles[index] }));

const enums = fromJSONSchema({
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: {
      type: 'string',
      oneOf: titled(['value1', 'value2', 'value3'], ['First Option', 'Second Option', 'Third Option']),
    },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: {
      type: 'array',
      items: { anyOf: titled(['value1', 'value2', 'value3'], ['First Choice', 'Second Choice', 'Third Choice']) },
    },
  },
  required: [],
});
