import { fileURLToPath } from 'node:url';
import { type Awaitable, ConfigurationError } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import type { Problem } from './expand-variables.js';
import type { InputDefinition } from './input-definition.js';
import type { MCPConfig } from './mcp-config.js';
import { parseConfigText } from './parse-config-text.js';
import { ServersReader } from './read-servers.js';
import { readText } from './read-text.js';
import { predefinedVariables, workspaceOf } from './workspace.js';

/** Where {@link loadMCPConfig} gets the values of variables from. */
export interface LoadMCPConfigOptions {
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * Values of `${input:id}`, or a function that asks for one and is told what the file says of it. An
   * input without a value takes the `default` of the file. @default none
   */
  readonly inputs?:
    | Readonly<Record<string, string>>
    | ((id: string, definition: InputDefinition | undefined) => Awaitable<string | undefined>);
  /**
   * The folder that `${workspaceFolder}` stands for, and that a relative `envFile` is looked up in.
   *
   * @default the folder of the file, or the one around `.vscode`, `.cursor` and their like
   */
  readonly workspace?: string;
}

/**
 * Reads the MCP servers of a host from YAML, JSON or JSON with comments, in the shapes that are in
 * use: a map under `servers` (VS Code) or `mcpServers` (Claude, Cursor, Copilot). `${NAME}`,
 * `${NAME:-default}`, `${env:NAME}` and `${input:id}` are replaced in values, once, after parsing,
 * never in names; `$${` stands for `${`. Everything that is wrong is in one error, which names file
 * and key and never shows a value. Known keys of other hosts that have no meaning here are in `ignored`.
 *
 * @param source A path, a file URL, or the text itself: a string with a line break, or one that starts with `{`.
 * @throws ConfigurationError
 * @example const host = new MCPHost(await loadMCPConfig('.vscode/mcp.json', { inputs: (id, about) => ask(about?.description ?? id) }));
 */
export async function loadMCPConfig(source: string | URL, options: LoadMCPConfigOptions = {}): Promise<MCPConfig> {
  checkOptions<LoadMCPConfigOptions>('loadMCPConfig', options, {
    env: is.object,
    inputs: is.either('an object or a function', is.object, is.function),
    workspace: is.text,
  });
  const isText = typeof source === 'string' && (source.includes('\n') || source.trimStart().startsWith('{'));
  const path = isText ? undefined : typeof source === 'string' ? source : pathOf(source);
  const file = path ?? 'MCP config';
  const text = path === undefined ? (source as string) : await readText(path);
  const { inputs = {}, env = process.env, workspace = workspaceOf(path) } = options;
  const { value, language } = await parseConfigText(text.replace(/^\uFEFF/, ''), file);
  const reader = new ServersReader({
    env,
    predefined: predefinedVariables(workspace),
    input: (id, definition) => {
      if (typeof inputs === 'function') return inputs(id, definition);
      return Object.hasOwn(inputs, id) ? inputs[id] : undefined;
    },
    workspace,
    allowsNumbers: language === 'JSON',
  });
  const servers = await reader.read(value);
  if (reader.problems.length > 0) throw refuse(file, reader.problems);
  return { servers, ...(reader.ignored.length > 0 ? { ignored: reader.ignored } : {}) };
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

function refuse(file: string, problems: readonly Problem[]): ConfigurationError {
  const lines = problems.map(({ path, text }) => (path === '' ? `it ${text}` : `${path} ${text}`));
  const field = problems[0]?.path;
  return new ConfigurationError(`${file}: ${lines.join('; ')}`, field ? { field } : {});
}
