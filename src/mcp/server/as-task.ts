import { ConfigurationError } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import type { Tool } from '../tools/tool.js';

/** Settings of {@link asTask}. */
export interface AsTaskOptions {
  /**
   * The tool is not run for clients that know no tasks: they get the protocol's missing-capability
   * error. Otherwise such clients wait for the answer as for that of any tool.
   *
   * @default false
   */
  readonly required?: boolean;
  /**
   * When the client gets the handle. `when told`: once the handler calls `context.background()`; until
   * then the call is like any other, may ask questions, and may answer without becoming a task.
   *
   * @default 'at once'
   */
  readonly starts?: 'at once' | 'when told';
}

/**
 * Lets calls of a tool outlive their request: clients that know the extension
 * `io.modelcontextprotocol/tasks` get a handle, and ask for the answer later. A question of the
 * handler is then answered by `tasks/update` while the handler waits; it does not run again.
 *
 * @returns a new tool; the given one stays as it is
 * @throws ConfigurationError
 * @example tools: [asTask(transcode), ...apiTools(api).map((tool) => asTask(tool))]
 */
export function asTask(tool: Tool, options: AsTaskOptions = {}): Tool {
  if (typeof tool?.handler !== 'function')
    throw new ConfigurationError('asTask: tool must be a tool, as defineTool makes it', { field: 'tool' });
  checkOptions<AsTaskOptions>(`asTask('${tool.name}')`, options, {
    required: is.flag,
    starts: is.oneOf('at once', 'when told'),
  });
  const { required = false, starts = 'at once' } = options;
  return Object.freeze({ ...tool, task: Object.freeze({ required, starts }) });
}

declare module '../tools/tool.js' {
  interface Tool {
    /** Set by `asTask`: its calls may outlive their request. */
    readonly task?: Required<AsTaskOptions>;
  }
  interface ToolContext {
    /**
     * Gives the client its handle now, for a tool made by `asTask` that starts `when told`; the handler
     * runs on. Questions asked before go out as the answer of the call, later ones through the task.
     *
     * @returns whether the call outlives its request; false, and without effect, where it is no task
     */
    background(): boolean;
  }
}
