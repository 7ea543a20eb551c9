import { type CallOptions, NotFoundError } from '../core/index.js';
import { hint } from '../core/internal.js';

/** Tools that are called by name, such as an `MCPHost` or an `MCPClient`. */
export interface ToolCaller {
  callTool(name: string, args?: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<unknown>;
}

/** A tool that is a function. `signal` ends with the task. */
export type ToolFunction = (
  args: Readonly<Record<string, unknown>>,
  options: { readonly signal: AbortSignal },
) => unknown;

/** What an agent's tools may be given as. */
export type AgentTools = ToolCaller | Readonly<Record<string, ToolFunction>>;

/** Makes functions callable by name; what calls by name already stays as it is. */
export function toolCaller(tools: AgentTools): ToolCaller {
  return isToolCaller(tools) ? tools : new FunctionTools(tools);
}

function isToolCaller(tools: AgentTools): tools is ToolCaller {
  return typeof tools.callTool === 'function';
}

class FunctionTools implements ToolCaller {
  readonly #tools: Readonly<Record<string, ToolFunction>>;

  constructor(tools: Readonly<Record<string, ToolFunction>>) {
    this.#tools = tools;
  }

  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: CallOptions = {},
  ): Promise<unknown> {
    const tool = Object.hasOwn(this.#tools, name) ? this.#tools[name] : undefined;
    if (typeof tool !== 'function')
      throw new NotFoundError(`There is no tool '${name}'${hint(name, Object.keys(this.#tools))}`);
    return tool(args, {
      get signal() {
        return options.signal ?? new AbortController().signal;
      },
    });
  }
}
