import { setTimeout as sleep } from 'node:timers/promises';
import { defineTool, fromJSONSchema, ToolError } from '@safla/sdk/mcp';
import { z } from 'zod';
import { audio, embedded, image, text } from './content.js';

const plain = (name: string, description: string, handler: Parameters<typeof defineTool>[1]) =>
  defineTool({ name, description }, handler);

/** What the suite's scenarios about content, logging and progress call. */
export const contentTools = [
  plain('test_simple_text', 'A text', () => 'This is a simple text response for testing.'),
  plain('test_image_content', 'An image', () => ({ content: [image] })),
  plain('test_audio_content', 'A sound', () => ({ content: [audio] })),
  plain('test_embedded_resource', 'A resource', () => ({
    content: [embedded('test://embedded-resource', 'This is an embedded resource content.')],
  })),
  plain('test_multiple_content_types', 'A text, an image and a resource', () => ({
    content: [
      text('Multiple content types test:'),
      image,
      embedded('test://mixed-content-resource', '{"test":"data","value":123}', 'application/json'),
    ],
  })),
  plain('test_error_handling', 'Fails', () => {
    throw new ToolError('This tool intentionally returns an error for testing');
  }),
  plain('test_tool_with_logging', 'Logs three times', async (_, context) => {
    await context.log('info', 'Tool execution started');
    await sleep(50);
    await context.log('info', 'Tool processing data');
    await sleep(50);
    await context.log('info', 'Tool execution completed');
    return 'Logged';
  }),
  plain('test_logging_tool', 'Logs once', async (_, context) => {
    await context.log('info', 'Nobody asked for this');
    return 'Logged';
  }),
  plain('test_tool_with_progress', 'Tells its progress', async (_, context) => {
    for (const done of [0, 50, 100]) {
      await context.progress(done, 100, `Completed step ${done} of 100`);
      await sleep(50);
    }
    return 'Done';
  }),
  defineTool(
    {
      name: 'json_schema_2020_12_tool',
      description: 'Tool with JSON Schema 2020-12 features',
      input: fromJSONSchema({
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        $defs: {
          address: {
            $anchor: 'addressDef',
            type: 'object',
            properties: { street: { type: 'string' }, city: { type: 'string' } },
          },
        },
        properties: {
          name: { type: 'string' },
          address: { $ref: '#/$defs/address' },
          contactMethod: { type: 'string', enum: ['phone', 'email'] },
          phone: { type: 'string' },
          email: { type: 'string' },
        },
        allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
        if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { required: ['phone'] },
        else: { required: ['email'] },
        additionalProperties: false,
      }),
    },
    (args) => `Called with ${JSON.stringify(args)}`,
  ),
  defineTool(
    {
      name: 'test_x_mcp_header',
      description: 'Takes an argument that is mirrored in a header',
      input: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }), query: z.string().optional() }),
    },
    ({ region }) => `Region ${region}`,
  ),
];
