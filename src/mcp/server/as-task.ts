import { ConfigurationError } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import type { AsTaskOptions, Tool } from '../tools/tool.js';

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
