import type { CallOptions } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import type { ToolAnswer, ToolCallOptions, ToolInfo } from '../host/types.js';
import { checkSource } from './check-source.js';
import { defineTool } from './define-tool.js';
import type { Tool, ToolSchema } from './tool.js';

/** What {@link upstreamTools} needs of an `MCPHost` or an `MCPClient`. */
export interface UpstreamSource {
  listTools(options?: CallOptions): Promise<readonly ToolInfo[]>;
  callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options: ToolCallOptions,
  ): Promise<Omit<ToolAnswer, 'text'>>;
}

/** Settings of {@link upstreamTools}. */
export interface UpstreamToolsOptions extends CallOptions {
  /** Begins the tools' names: `files` makes `files_read`. @default the names as the host lists them */
  readonly name?: string;
  /** Which of the tools to offer. What a server says of itself is a hint and no protection. @default all */
  readonly filter?: (tool: ToolInfo) => boolean;
}

/**
 * The tools of other MCP servers, to offer as one's own: the list as it is now, with the schemas,
 * progress and answers of the servers behind. Arguments are checked there. Cancelling a call cancels it there too.
 *
 * @throws what `listTools` throws
 * @example const gateway = new MCPServer({ name: 'gateway', version: '1.0.0', tools: [await upstreamTools(host)] });
 */
export async function upstreamTools(upstream: UpstreamSource, options: UpstreamToolsOptions = {}): Promise<Tool[]> {
  checkSource('upstreamTools', upstream, ['listTools', 'callTool'], 'an MCPHost or an MCPClient');
  checkOptions<UpstreamToolsOptions>('upstreamTools', options, {
    name: is.text,
    filter: is.function,
    signal: is.anything,
    timeoutMs: is.anything,
  });
  const { name, filter = () => true, ...limits } = options;
  const taken = new Set<string>();
  const offered = (await upstream.listTools(limits)).filter(filter);
  return offered.map((info) => upstreamTool(upstream, info, free(name ? `${name}_${info.name}` : info.name, taken)));
}

function upstreamTool(upstream: UpstreamSource, info: ToolInfo, name: string): Tool {
  const { title, description = '', annotations, inputSchema, outputSchema } = info;
  return defineTool(
    {
      name,
      ...(title?.trim() ? { title } : {}),
      description: description.trim() || title?.trim() || info.name,
      input: passed(inputSchema),
      ...(outputSchema ? { output: passed(outputSchema) } : {}),
      ...(annotations ? { annotations } : {}),
    },
    async (args, context) => {
      const answer = await upstream.callTool(info.name, args, {
        signal: context.signal,
        onProgress: (now) => void context.progress(now.progress, now.total, now.message),
      });
      const { content, structuredContent, isError } = answer;
      return { content, isError, ...(structuredContent === undefined ? {} : { structuredContent }) };
    },
  );
}

/** Shows the schema of a server behind, which checks by it. */
function passed(schema: Readonly<Record<string, unknown>>): ToolSchema<Readonly<Record<string, unknown>>> {
  return {
    '~standard': {
      version: 1,
      vendor: 'safla',
      jsonSchema: { input: () => ({ ...schema }), output: () => ({ ...schema }) },
      validate: (value) => ({ value: value as Readonly<Record<string, unknown>> }),
    },
  };
}

/** Older servers name tools with any characters; two that read the same are numbered. */
function free(wanted: string, taken: Set<string>): string {
  const base = wanted.replaceAll(/[^A-Za-z0-9_.-]/g, '_').slice(0, 124) || 'tool';
  let name = base;
  for (let count = 2; taken.has(name); count++) name = `${base}_${count}`;
  taken.add(name);
  return name;
}
