import { ConfigurationError } from '../../core/index.js';
import type { Tool, ToolSchema } from '../tools/tool.js';
import type { Prompt } from './prompt.js';
import type { Resource } from './resource.js';
import type { ResourceTemplate } from './resource-template.js';

type JSONSchema = Readonly<Record<string, unknown>>;

/** A tool as `tools/list` shows it. */
export interface ToolDescription {
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly inputSchema: JSONSchema;
  readonly outputSchema?: JSONSchema;
  readonly annotations?: Tool['annotations'];
}

/** @throws ConfigurationError when a schema cannot be written as JSON Schema, or `input` is not an object's */
export function describeTool(tool: Tool): ToolDescription {
  const subject = `tool '${tool.name}'`;
  return Object.freeze({
    name: tool.name,
    ...(tool.title === undefined ? {} : { title: tool.title }),
    description: tool.description,
    inputSchema: objectSchema(tool.input, subject),
    ...(tool.output ? { outputSchema: toJSONSchema(tool.output, 'output', subject) } : {}),
    ...(tool.annotations ? { annotations: tool.annotations } : {}),
  });
}

/** A resource as `resources/list` shows it. */
export function describeResource(resource: Resource): Readonly<Record<string, unknown>> {
  const { content: _, cacheHint: _hint, ...description } = resource;
  return Object.freeze(description);
}

/** A template as `resources/templates/list` shows it. */
export function describeTemplate(template: ResourceTemplate): Readonly<Record<string, unknown>> {
  const { content: _, cacheHint: _hint, complete: _complete, ...description } = template;
  return Object.freeze(description);
}

/** A prompt as `prompts/list` shows it. */
export function describePrompt(prompt: Prompt): Readonly<Record<string, unknown>> {
  const { handler: _, complete: _complete, input, ...description } = prompt;
  const schema = objectSchema(input, `prompt '${prompt.name}'`);
  const required = new Set((schema.required as string[] | undefined) ?? []);
  const properties = (schema.properties ?? {}) as Readonly<Record<string, { description?: string }>>;
  const args = Object.entries(properties).map(([name, property]) => ({
    name,
    ...(property.description === undefined ? {} : { description: property.description }),
    required: required.has(name),
  }));
  return Object.freeze({ ...description, ...(args.length > 0 ? { arguments: args } : {}) });
}

function objectSchema(schema: ToolSchema | undefined, subject: string): JSONSchema {
  if (!schema) return { type: 'object' };
  const json = toJSONSchema(schema, 'input', subject);
  if (json.type === undefined || json.type === 'object') return { type: 'object', ...json };
  throw new ConfigurationError(
    `${subject}: input must describe an object, not '${String(json.type)}'; wrap it, for example in z.object({ ... })`,
    { field: `${subject}.input` },
  );
}

function toJSONSchema(schema: ToolSchema, side: 'input' | 'output', subject: string): JSONSchema {
  try {
    return schema['~standard'].jsonSchema[side]({ target: 'draft-2020-12' });
  } catch (error) {
    throw new ConfigurationError(`${subject}: ${side} cannot be written as JSON Schema`, {
      field: `${subject}.${side}`,
      cause: error,
    });
  }
}
