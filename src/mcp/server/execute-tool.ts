import type { Awaitable } from '../../core/index.js';
import { runTool } from '../tools/run-tool.js';
import type { Tool, ToolContext, ToolResult } from '../tools/tool.js';
import { toToolResult } from '../tools/tool-result.js';

/**
 * `runTool`, at once where nothing has to be waited for: each promise of a call costs as much as a
 * check of its arguments.
 */
export function executeTool(tool: Tool, args: unknown, context: ToolContext, maxBytes: number): Awaitable<ToolResult> {
  // What is checked on the way out, or is wrong on the way in, takes the general way.
  if (tool.output) return runTool(tool, args, context, maxBytes);
  if (!tool.input) return answer(tool, tool.handler(args ?? {}, context), maxBytes);
  const checked = tool.input['~standard'].validate(args ?? {});
  if (checked instanceof Promise || checked.issues) return runTool(tool, args, context, maxBytes);
  return answer(tool, tool.handler(checked.value, context), maxBytes);
}

function answer(tool: Tool, returned: unknown, maxBytes: number): Awaitable<ToolResult> {
  if (!isThenable(returned)) return toToolResult(tool, returned, maxBytes);
  return returned.then((value) => toToolResult(tool, value, maxBytes)) as Promise<ToolResult>;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
