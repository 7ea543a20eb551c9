import { ConfigurationError } from '../../core/index.js';
import { checkOptions, is, isSchema, type OptionCheck } from '../../core/internal.js';
import type { Tool, ToolDefinition, ToolHandler, ToolSchema } from './tool.js';

/** The names the MCP specification allows (2025-11-25, server/tools, "Tool Names"). */
const toolName = /^[A-Za-z0-9_.-]{1,128}$/;

/** Refuses what cannot describe itself as JSON Schema. */
export const schema: OptionCheck = (value, field) => {
  const standard = isSchema(value) ? (value['~standard'] as { jsonSchema?: unknown }) : undefined;
  if (!standard?.jsonSchema) {
    throw new ConfigurationError(
      `${field} must be a schema that can describe itself as JSON Schema (zod 4.2 or newer, or fromJSONSchema)`,
      { field },
    );
  }
};

const checks: Parameters<typeof checkOptions<ToolDefinition<ToolSchema, ToolSchema | undefined>>>[2] = {
  name: is.required((value, field) => {
    if (typeof value !== 'string' || !toolName.test(value)) {
      throw new ConfigurationError(`${field} must be 1 to 128 letters, digits, '_', '-' or '.'`, { field });
    }
  }),
  title: is.text,
  description: is.required(is.text),
  input: schema,
  output: schema,
  annotations: is.object,
  scopes: is.list,
  timeoutMs: is.milliseconds,
};

/**
 * Makes a tool out of a function. Its arguments have the schema's type and were checked by it; what
 * it returns becomes the answer: a text as it is, any other JSON value as text and as
 * `structuredContent`, a finished {@link ToolResult} unchanged. The handler runs in `withContext`:
 * when the client cancels or `timeoutMs` is over, everything of this SDK it awaits is cancelled.
 *
 * Throw {@link ToolError} for what the caller should read. The text of any other error stays on the
 * server.
 *
 * @throws ConfigurationError for a definition that is not usable
 * @example
 * const add = defineTool(
 *   { name: 'add', description: 'Add two numbers', input: z.object({ a: z.number(), b: z.number() }) },
 *   ({ a, b }) => a + b,
 * );
 */
export function defineTool<
  Input extends ToolSchema = ToolSchema<Record<string, unknown>>,
  Output extends ToolSchema | undefined = undefined,
>(definition: ToolDefinition<Input, Output>, handler: ToolHandler<Input, Output>): Tool {
  const owner = typeof definition?.name === 'string' ? `tool '${definition.name.slice(0, 128)}'` : 'defineTool';
  checkOptions<ToolDefinition<ToolSchema, ToolSchema | undefined>>(owner, definition, checks);
  is.function(handler, `${owner}: the handler`);
  return Object.freeze({ ...definition, handler: handler as Tool['handler'] });
}
