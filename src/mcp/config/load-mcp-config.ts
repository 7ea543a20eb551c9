import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Awaitable, ConfigurationError } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import type { Problem } from './expand-variables.js';
import type { MCPConfig } from './mcp-config.js';
import { parseConfigText } from './parse-config-text.js';
import { ServersReader } from './read-servers.js';

/** Where {@link loadMCPConfig} gets the values of variables from. */
export interface LoadMCPConfigOptions {
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Values of `${input:id}`, or a function that asks for one. @default none */
  readonly inputs?: Readonly<Record<string, string>> | ((id: string) => Awaitable<string | undefined>);
}

/** A config is written by hand; a megabyte is something else. */
const maxBytes = 1024 * 1024;

/**
 * Reads the MCP servers of a host from YAML, JSON or JSON with comments, in the shapes that are in
 * use: a map under `servers` (VS Code) or `mcpServers` (Claude, Cursor, Copilot). `${NAME}`,
 * `${NAME:-default}`, `${env:NAME}` and `${input:id}` are replaced in values, once, after parsing,
 * never in names; `$${` stands for `${`. Everything that is wrong is in one error, which names file
 * and key and never shows a value.
 *
 * @param source A path, a file URL, or the text itself: a string with a line break, or one that starts with `{`.
 * @throws ConfigurationError
 * @example const host = new MCPHost(await loadMCPConfig('mcp.yaml'));
 */
export async function loadMCPConfig(source: string | URL, options: LoadMCPConfigOptions = {}): Promise<MCPConfig> {
  checkOptions<LoadMCPConfigOptions>('loadMCPConfig', options, {
    env: is.object,
    inputs: is.either('an object or a function', is.object, is.function),
  });
  const isText = typeof source === 'string' && (source.includes('\n') || source.trimStart().startsWith('{'));
  const file = isText ? 'MCP config' : typeof source === 'string' ? source : pathOf(source);
  const text = isText ? source : await readText(file);
  const { inputs = {}, env = process.env } = options;
  const input =
    typeof inputs === 'function' ? inputs : (id: string) => (Object.hasOwn(inputs, id) ? inputs[id] : undefined);
  const reader = new ServersReader({ env, input });
  const servers = await reader.read(await parseConfigText(text.replace(/^\uFEFF/, ''), file));
  if (reader.problems.length > 0) throw refuse(file, reader.problems);
  return { servers };
}

function pathOf(source: unknown): string {
  const wrong = 'loadMCPConfig: source must be a path, a file URL, or the text of a config';
  if (!(source instanceof URL)) throw new ConfigurationError(`${wrong}, got ${typeof source}`, { field: 'source' });
  try {
    return fileURLToPath(source);
  } catch (cause) {
    throw new ConfigurationError(`${wrong}, got a URL of ${source.protocol}`, { field: 'source', cause });
  }
}

async function readText(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a directory, not a file',
      EACCES: 'reading it is not allowed',
    };
    throw new ConfigurationError(`${file}: ${reasons[error.code ?? ''] ?? 'it cannot be read'}`, { cause: error });
  });
  if (bytes.byteLength > maxBytes) throw new ConfigurationError(`${file}: is larger than ${maxBytes} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ConfigurationError(`${file}: is not UTF-8 text`, { cause: error });
  }
}

function refuse(file: string, problems: readonly Problem[]): ConfigurationError {
  const lines = problems.map(({ path, text }) => (path === '' ? `it ${text}` : `${path} ${text}`));
  const field = problems[0]?.path;
  return new ConfigurationError(`${file}: ${lines.join('; ')}`, field ? { field } : {});
}
