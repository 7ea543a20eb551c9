import type { ContentBlock, ToolResult } from '../tools/tool.js';

/** What each kind of block must hold, by the MCP specification (`ContentBlock`). */
const members: Readonly<Record<ContentBlock['type'], readonly string[]>> = {
  text: ['text'],
  image: ['data', 'mimeType'],
  audio: ['data', 'mimeType'],
  resource_link: ['uri', 'name'],
  resource: [],
};

/**
 * Refuses an answer that a handler or a layer built by itself and a client could not read.
 *
 * @throws TypeError that names the member; it is the server's fault, so clients get a reference only
 */
export function assertWellFormed({ content }: ToolResult): void {
  if (!Array.isArray(content)) throw new TypeError('The answer of the tool has no content[]');
  for (let index = 0; index < content.length; index++) {
    const block = content[index] as Readonly<Record<string, unknown>> | null;
    const needed = block && members[block.type as ContentBlock['type']];
    if (!needed) throw new TypeError(`content[${index}] of the tool's answer is of no known type`);
    const missing = needed.find((name) => typeof block[name] !== 'string') ?? missingResource(block);
    if (missing) throw new TypeError(`content[${index}].${missing} of the tool's answer must be a text`);
  }
}

function missingResource({ type, resource }: Readonly<Record<string, unknown>>): string | undefined {
  if (type !== 'resource') return undefined;
  const { uri, text, blob } = Object(resource) as Readonly<Record<string, unknown>>;
  if (typeof uri !== 'string') return 'resource.uri';
  return typeof text === 'string' || typeof blob === 'string' ? undefined : 'resource.text';
}
