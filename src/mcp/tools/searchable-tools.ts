import { type Awaitable, withContext } from '../../core/index.js';
import { checkOptions, hint, is } from '../../core/internal.js';
import { describeTool, type ToolDescription } from '../server/describe.js';
import { defineTool } from './define-tool.js';
import { fromJSONSchema } from './from-json-schema.js';
import { runTool } from './run-tool.js';
import type { Tool, ToolContext, ToolResult } from './tool.js';
import { ToolError } from './tool-error.js';
import { ToolIndex } from './tool-index.js';

/** Settings of {@link searchableTools}. */
export interface SearchableToolsOptions {
  /** Begins the names of the search and call tools, so that two sets can stand in one server. @default none */
  readonly name?: string;
}

/** Schemas of this many characters in all are shown in one answer; the best hit's is always. */
const maxSchemas = 32_768;

interface Entry {
  readonly tool: Tool;
  readonly description: ToolDescription;
}

/**
 * Puts any number of tools behind two or three, so that a model's context holds only what it looks for:
 * `search_tools` finds tools by words and shows how to call them, `call_tool` calls those that only
 * read, and `call_writing_tool`, if there are any, those that do not say so. Arguments are checked by
 * the tool's own schema, and its time limit holds. Scopes of the tools are asked for by the call tools, all together.
 *
 * @example tools: [searchableTools([...apiTools(github, { openapi }), ...databaseTools(db)])]
 */
export function searchableTools(
  tools: readonly (Tool | readonly Tool[])[],
  options: SearchableToolsOptions = {},
): Tool[] {
  is.list(tools, 'searchableTools.tools');
  checkOptions('searchableTools', options, { name: is.text });
  const prefix = options.name === undefined ? '' : `${options.name}_`;
  const all = tools.flat().map((tool) => ({ tool, description: describeTool(tool) }));
  const reading = all.filter(({ tool }) => tool.annotations?.readOnlyHint === true);
  const writing = all.filter(({ tool }) => tool.annotations?.readOnlyHint !== true);
  const set = [
    searchTool(`${prefix}search_tools`, all, { reading: `${prefix}call_tool`, writing: `${prefix}call_writing_tool` }),
  ];
  if (reading.length > 0) set.push(callTool(`${prefix}call_tool`, reading, true));
  if (writing.length > 0) set.push(callTool(`${prefix}call_writing_tool`, writing, false));
  return set;
}

function searchTool(name: string, all: readonly Entry[], callBy: { reading: string; writing: string }): Tool {
  const index = new ToolIndex(
    all.map(({ description: { name: own, title, description, inputSchema } }) => ({
      name: own,
      title,
      description,
      arguments: Object.keys((inputSchema.properties as object | undefined) ?? {}),
    })),
  );
  return defineTool(
    {
      name,
      description: `Find among ${all.length} tools by what they do, or by name. Shows each one's arguments and which tool calls it.`,
      input: fromJSONSchema<{ query: string; limit?: number }>({
        type: 'object',
        properties: {
          query: { type: 'string', minLength: 1, maxLength: 500, description: 'Words, or the exact name of a tool' },
          limit: { type: 'integer', minimum: 1, maximum: 50, default: 5 },
        },
        required: ['query'],
        additionalProperties: false,
      }),
      annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    },
    ({ query, limit = 5 }) => {
      const found = index.search(query);
      let shown = 0;
      const hits = found.slice(0, limit).flatMap((position) => {
        const entry = all[position];
        if (!entry) return [];
        const { name: own, description, inputSchema } = entry.description;
        shown += JSON.stringify(inputSchema).length;
        const fits = shown <= maxSchemas || position === found[0];
        const by = entry.tool.annotations?.readOnlyHint === true ? callBy.reading : callBy.writing;
        return [{ name: own, description, callBy: by, inputSchema: fits ? inputSchema : 'search for its exact name' }];
      });
      return { found: found.length, tools: hits };
    },
  );
}

function callTool(name: string, entries: readonly Entry[], readOnly: boolean): Tool {
  const byName = new Map(entries.map(({ tool }) => [tool.name, tool]));
  const scopes = [...new Set(entries.flatMap(({ tool }) => tool.scopes ?? []))];
  return defineTool(
    {
      name,
      description: readOnly
        ? 'Call a tool that only reads, by the name and with the arguments that the search showed'
        : 'Call a tool that changes something, by the name and with the arguments that the search showed',
      input: fromJSONSchema<{ tool: string; arguments?: Record<string, unknown> }>({
        type: 'object',
        properties: { tool: { type: 'string', minLength: 1 }, arguments: { type: 'object' } },
        required: ['tool'],
        additionalProperties: false,
      }),
      annotations: { readOnlyHint: readOnly, openWorldHint: true },
      ...(scopes.length > 0 ? { scopes } : {}),
    },
    ({ tool: wanted, arguments: args }, context) => {
      const tool = byName.get(wanted);
      if (tool) return run(tool, args, context);
      const near = hint(wanted, [...byName.keys()]);
      throw new ToolError(`There is no tool '${wanted}' to call${near.includes('known:') ? '; search for it' : near}`);
    },
  );
}

/** The server checks the size of what comes out. */
function run(tool: Tool, args: unknown, context: ToolContext): Awaitable<ToolResult> {
  const call = (): Awaitable<ToolResult> => runTool(tool, args, context, Number.POSITIVE_INFINITY);
  return tool.timeoutMs === undefined ? call() : withContext({ timeoutMs: tool.timeoutMs }, call);
}
