import type { Awaitable, StandardSchemaV1 } from '../../core/index.js';
import type { Tool, ToolContext, ToolResult, ToolSchema } from './tool.js';
import { ToolError } from './tool-error.js';
import { isToolResult, toToolResult } from './tool-result.js';
import { whenReady } from './when-ready.js';

/** How many problems with the arguments are told at once. */
const maxIssues = 20;

/**
 * Checks the arguments, runs the handler, checks and converts what it returned; at once where nothing
 * has to be waited for.
 *
 * @throws ToolError listing what is wrong with the arguments; whatever the handler throws
 */
export function runTool(tool: Tool, args: unknown, context: ToolContext, maxBytes: number): Awaitable<ToolResult> {
  const accepted = acceptArguments(`tool '${tool.name}'`, tool.input, args);
  const returned = whenReady(accepted, (taken) => tool.handler(taken, context));
  return whenReady(returned, (value) => toAnswer(tool, value, maxBytes));
}

/** @throws ToolError that lists each problem with its path, so that a model can mend its call */
export function acceptArguments(subject: string, schema: ToolSchema | undefined, args: unknown): unknown {
  if (!schema) return args ?? {};
  return whenReady(schema['~standard'].validate(args ?? {}), (result) => {
    if (!result.issues) return result.value;
    throw new ToolError(`Invalid arguments for ${subject}:\n${list(result.issues)}`);
  });
}

function toAnswer(tool: Tool, returned: unknown, maxBytes: number): Awaitable<ToolResult> {
  if (!tool.output) return toToolResult(tool, returned, maxBytes);
  return whenReady(acceptAnswer(tool.output, returned), (value) => toToolResult(tool, value, maxBytes));
}

/** The caller cannot mend an answer that breaks the tool's own promise: the details go to the log only. */
function acceptAnswer(schema: NonNullable<Tool['output']>, returned: unknown): unknown {
  const finished = isToolResult(returned) ? returned : undefined;
  if (finished?.isError) return finished;
  return whenReady(schema['~standard'].validate(finished ? finished.structuredContent : returned), (checked) => {
    if (checked.issues)
      throw new TypeError(`The answer does not match the tool's output schema:\n${list(checked.issues)}`);
    return finished ? { ...finished, structuredContent: checked.value } : checked.value;
  });
}

function list(issues: readonly StandardSchemaV1.Issue[]): string {
  const lines = issues.slice(0, maxIssues).map(({ path, message }) => {
    const at = (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return `- ${at ? `${at}: ` : ''}${message}`;
  });
  if (issues.length > maxIssues) lines.push(`- and ${issues.length - maxIssues} more`);
  return lines.join('\n');
}
