import type { StandardSchemaV1 } from '../../core/index.js';
import type { Tool, ToolContext, ToolResult, ToolSchema } from './tool.js';
import { ToolError } from './tool-error.js';
import { isToolResult, toToolResult } from './tool-result.js';

/** How many problems with the arguments are told at once. */
const maxIssues = 20;

/**
 * Checks the arguments, runs the handler, checks and converts what it returned.
 *
 * @throws ToolError listing what is wrong with the arguments; whatever the handler throws
 */
export async function runTool(tool: Tool, args: unknown, context: ToolContext, maxBytes: number): Promise<ToolResult> {
  const accepted = await acceptArguments(`tool '${tool.name}'`, tool.input, args);
  const returned = await tool.handler(accepted, context);
  const answer = tool.output ? await acceptAnswer(tool.output, returned) : returned;
  return toToolResult(tool, answer, maxBytes);
}

/** @throws ToolError that lists each problem with its path, so that a model can mend its call */
export async function acceptArguments(
  subject: string,
  schema: ToolSchema | undefined,
  args: unknown,
): Promise<unknown> {
  if (!schema) return args ?? {};
  const result = await schema['~standard'].validate(args ?? {});
  if (!result.issues) return result.value;
  throw new ToolError(`Invalid arguments for ${subject}:\n${list(result.issues)}`);
}

/** The caller cannot mend an answer that breaks the tool's own promise: the details go to the log only. */
async function acceptAnswer(schema: NonNullable<Tool['output']>, returned: unknown): Promise<unknown> {
  const finished = isToolResult(returned) ? returned : undefined;
  if (finished?.isError) return finished;
  const checked = await schema['~standard'].validate(finished ? finished.structuredContent : returned);
  if (checked.issues)
    throw new TypeError(`The answer does not match the tool's output schema:\n${list(checked.issues)}`);
  return finished ? { ...finished, structuredContent: checked.value } : checked.value;
}

function list(issues: readonly StandardSchemaV1.Issue[]): string {
  const lines = issues.slice(0, maxIssues).map(({ path, message }) => {
    const at = (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return `- ${at ? `${at}: ` : ''}${message}`;
  });
  if (issues.length > maxIssues) lines.push(`- and ${issues.length - maxIssues} more`);
  return lines.join('\n');
}
