import type { Awaitable } from '../../core/index.js';
import { runTool } from '../tools/run-tool.js';
import type { Tool, ToolContext, ToolResult } from '../tools/tool.js';
import { assertSendable, isToolResult, toToolResult } from '../tools/tool-result.js';
import { assertWellFormed } from './assert-well-formed.js';

/**
 * `runTool`, and the look at what comes out, at once where nothing has to be waited for: each promise
 * of a call costs as much as a check of its arguments.
 */
export function executeTool(tool: Tool, args: unknown, context: ToolContext, maxBytes: number): Awaitable<ToolResult> {
  const generally = (): Promise<ToolResult> =>
    runTool(tool, args, context, maxBytes).then((result) => checked(tool, result, maxBytes));
  // What is checked on the way out, or is wrong on the way in, takes the general way.
  if (tool.output) return generally();
  if (!tool.input) return answer(tool, tool.handler(args ?? {}, context), maxBytes);
  const accepted = tool.input['~standard'].validate(args ?? {});
  if (accepted instanceof Promise || accepted.issues) return generally();
  return answer(tool, tool.handler(accepted.value, context), maxBytes);
}

/** Refuses what a client could not read, or not take. */
export function checked({ name }: Tool, result: ToolResult, maxBytes: number): ToolResult {
  assertWellFormed(result);
  assertSendable(`Tool '${name}'`, result, maxBytes);
  return result;
}

function answer(tool: Tool, returned: unknown, maxBytes: number): Awaitable<ToolResult> {
  if (!isThenable(returned)) return toAnswer(tool, returned, maxBytes);
  return returned.then((value) => toAnswer(tool, value, maxBytes)) as Promise<ToolResult>;
}

function toAnswer(tool: Tool, returned: unknown, maxBytes: number): ToolResult {
  const result = toToolResult(tool, returned, maxBytes);
  const [block] = result.content;
  // A value and the text written from it: no character of either takes more than six bytes.
  const fits = block?.type === 'text' && block.text.length * 12 + 1_000 <= maxBytes;
  return fits && !isToolResult(returned) ? result : checked(tool, result, maxBytes);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
