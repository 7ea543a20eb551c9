import { definePrompt } from '@safla/sdk/mcp';
import { z } from 'zod';
import { embedded, image, text } from './content.js';

const user = <Content>(content: Content) => ({ role: 'user', content }) as const;

/** What the suite's scenarios about prompts and completion ask for. */
export const prompts = [
  definePrompt(
    { name: 'test_simple_prompt', description: 'A simple prompt' },
    () => 'This is a simple prompt for testing.',
  ),
  definePrompt(
    {
      name: 'test_prompt_with_arguments',
      description: 'A prompt with arguments',
      input: z.object({
        arg1: z.string().describe('First test argument'),
        arg2: z.string().describe('Second test argument'),
      }),
      complete: {
        arg1: (typed) => ['test', 'testing', 'hello'].filter((value) => value.startsWith(typed)),
      },
    },
    ({ arg1, arg2 }) => `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`,
  ),
  definePrompt(
    {
      name: 'test_prompt_with_embedded_resource',
      description: 'A prompt with a resource',
      input: z.object({ resourceUri: z.string().describe('URI of the resource to embed') }),
    },
    ({ resourceUri }) => [
      user(embedded(resourceUri, 'Embedded resource content for testing.')),
      user(text('Please process the embedded resource above.')),
    ],
  ),
  definePrompt({ name: 'test_prompt_with_image', description: 'A prompt with an image' }, () => [
    user(image),
    user(text('Please analyze the image above.')),
  ]),
  definePrompt(
    { name: 'test_input_required_result_prompt', description: 'A prompt that asks first' },
    async (_, context) => {
      const schema = z.object({ context: z.string() });
      const message = 'What context should the prompt use?';
      const { content } = await context.ask({ key: 'user_context', message, schema });
      return `Use this context: ${content?.context ?? 'none'}`;
    },
  ),
];
