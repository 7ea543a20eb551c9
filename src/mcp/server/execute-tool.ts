import type { Awaitable } from '../../core/index.js';
import { runTool } from '../tools/run-tool.js';
import type { Tool, ToolContext, ToolResult } from '../tools/tool.js';
import { assertSendable } from '../tools/tool-result.js';
import { whenReady } from '../tools/when-ready.js';
import { assertWellFormed } from './assert-well-formed.js';

/** `runTool`, and the look at what comes out. */
export function executeTool(tool: Tool, args: unknown, context: ToolContext, maxBytes: number): Awaitable<ToolResult> {
  return whenReady(runTool(tool, args, context, maxBytes), readable);
}

/** Refuses what a client could not read, or not take, of what layers have made. */
export function checked({ name }: Tool, result: ToolResult, maxBytes: number): ToolResult {
  assertSendable(`Tool '${name}'`, readable(result), maxBytes);
  return result;
}

function readable(result: ToolResult): ToolResult {
  assertWellFormed(result);
  return result;
}
