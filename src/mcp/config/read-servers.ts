import { isAbsolute, resolve } from 'node:path';
import { type Awaitable, SaflaError } from '../../core/index.js';
import { hint } from '../../core/internal.js';
import { foreignKeys, httpKeys, httpTypes, sseTypes, stdioKeys, stdioTypes, topKeys } from './config-keys.js';
import { readEnvFile } from './env-file.js';
import { expandVariables, type Problem, type VariableSources } from './expand-variables.js';
import { type InputDefinition, inputDefinitions } from './input-definition.js';
import type { ServerConfig } from './mcp-config.js';

type Node = Readonly<Record<string, unknown>>;

/** What a {@link ServersReader} reads with. */
export interface ReaderSources extends Pick<VariableSources, 'env' | 'predefined'> {
  readonly input: (id: string, definition: InputDefinition | undefined) => Awaitable<string | undefined>;
  /** Where relative files are looked up. */
  readonly workspace: string;
  /** True where a whole number has one form only, so that none is lost by reading it: JSON. */
  readonly allowsNumbers: boolean;
}

/**
 * Turns a parsed config into servers with variables expanded. Everything that is wrong is collected;
 * the result is only of use when there are no problems.
 */
export class ServersReader {
  readonly problems: Problem[] = [];
  /** Keys that have no meaning here. */
  readonly ignored: string[] = [];
  readonly #sources: ReaderSources;
  readonly #variables: VariableSources;
  #inputs: ReadonlyMap<string, InputDefinition> = new Map();
  /** What was asked for: each input once, however often it is used. */
  readonly #answers: Map<string, Awaitable<string | undefined>> = new Map();
  /** What the variables of the server that is being read stood for. */
  #secrets: string[] = [];

  constructor(sources: ReaderSources) {
    this.#sources = sources;
    this.#variables = {
      env: sources.env,
      predefined: sources.predefined,
      onSecret: (value) => this.#secrets.push(value),
      input: async (id) => {
        const definition = this.#inputs.get(id);
        const fallback = definition?.default;
        if (!this.#answers.has(id)) this.#answers.set(id, sources.input(id, definition));
        return (await this.#answers.get(id)) ?? (typeof fallback === 'string' ? fallback : undefined);
      },
    };
  }

  async read(root: unknown): Promise<Record<string, ServerConfig>> {
    const top = this.#object(root, '');
    this.#onlyKeys(top, '', topKeys);
    const [key, ...others] = ['servers', 'mcpServers'].filter((name) => top[name] !== undefined);
    if (!key || others.length > 0) {
      this.#report('', `must have exactly one of 'servers' and 'mcpServers'`);
      return {};
    }
    this.#inputs = inputDefinitions(top.inputs);
    const entries: [string, ServerConfig][] = [];
    for (const [name, node] of Object.entries(this.#object(top[key], key))) {
      const server = await this.#server(node, `${key}.${name}`);
      if (server) entries.push([name, server]);
    }
    return Object.fromEntries(entries);
  }

  async #server(value: unknown, path: string): Promise<ServerConfig | undefined> {
    const node = this.#object(value, path);
    // What is left out may lack its variables.
    if (node.disabled === true) return undefined;
    if (node.command !== undefined && node.url !== undefined) {
      this.#report(path, "has a 'command', which starts a server, and a 'url', which reaches one: keep one of them");
      return undefined;
    }
    this.#secrets = [];
    const { type = node.url === undefined ? 'stdio' : 'http' } = node;
    if (stdioTypes.includes(type as string)) return this.#stdio(node, path);
    if (httpTypes.includes(type as string)) return this.#http(node, path, 'http');
    if (sseTypes.includes(type as string)) return this.#http(node, path, 'sse');
    this.#report(`${path}.type`, `must be 'stdio', 'http' or 'sse'`);
    return undefined;
  }

  async #stdio(node: Node, path: string): Promise<ServerConfig> {
    this.#onlyKeys(node, path, stdioKeys, foreignKeys);
    const command = await this.#text(node.command, `${path}.command`);
    const args = await this.#texts(node.args, `${path}.args`);
    return {
      type: 'stdio',
      command: command ?? '',
      args,
      env: {
        ...(await this.#envFile(node.envFile, `${path}.envFile`)),
        ...(await this.#textMap(node.env, `${path}.env`)),
      },
      ...(node.cwd === undefined ? {} : { cwd: (await this.#text(node.cwd, `${path}.cwd`)) ?? '' }),
      ...this.#common(node, path),
      shown: [node.command, ...(Array.isArray(node.args) ? node.args : [])].join(' '),
    };
  }

  async #http(node: Node, path: string, type: 'http' | 'sse'): Promise<ServerConfig> {
    this.#onlyKeys(node, path, httpKeys, foreignKeys);
    const url = await this.#text(node.url, `${path}.url`);
    const scheme = url !== undefined && URL.canParse(url) ? new URL(url).protocol : undefined;
    if (url && scheme !== 'http:' && scheme !== 'https:') this.#report(`${path}.url`, 'must be an http or https URL');
    const headers = await this.#textMap(node.headers, `${path}.headers`);
    return { type, url: url ?? '', headers, ...this.#common(node, path) };
  }

  /** Variables of a file; those under `env` come before them. All of them count as secrets. */
  async #envFile(value: unknown, path: string): Promise<Record<string, string>> {
    if (value === undefined) return {};
    const file = await this.#text(value, path);
    if (!file) return {};
    try {
      const variables = await readEnvFile(isAbsolute(file) ? file : resolve(this.#sources.workspace, file));
      this.#secrets.push(...Object.values(variables));
      return variables;
    } catch (error) {
      // The path may hold what a variable stood for.
      const reason = SaflaError.is(error) ? error.message.replace(/^.*: /s, '') : 'it cannot be read';
      this.#report(path, `names a file that is of no use: ${reason}`);
      return {};
    }
  }

  #common(node: Node, path: string): Pick<ServerConfig, 'tools' | 'disabled' | 'timeout' | 'secrets'> {
    const { tools, disabled, timeout } = node;
    if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0))
      this.#report(`${path}.timeout`, 'must be a number of milliseconds above 0');
    if (tools !== undefined && !(Array.isArray(tools) && tools.every((name) => typeof name === 'string')))
      this.#report(`${path}.tools`, 'must be a list of tool names');
    if (disabled !== undefined && typeof disabled !== 'boolean')
      this.#report(`${path}.disabled`, 'must be true or false');
    return {
      ...(tools === undefined ? {} : { tools: tools as string[] }),
      ...(disabled === undefined ? {} : { disabled: disabled as boolean }),
      ...(timeout === undefined ? {} : { timeout: timeout as number }),
      ...(this.#secrets.length === 0 ? {} : { secrets: this.#secrets }),
    };
  }

  async #text(value: unknown, path: string): Promise<string | undefined> {
    if (value === undefined) this.#report(path, 'is missing');
    else if (typeof value === 'number' || typeof value === 'boolean')
      this.#report(path, 'must be a text: put it in quotes');
    else if (typeof value !== 'string') this.#report(path, 'must be a text');
    else if (value === '' && !/\.(?:env|headers|args)\./.test(path)) this.#report(path, 'must not be empty');
    else return expandVariables(value, path, this.#variables, this.problems);
    return undefined;
  }

  async #texts(value: unknown, path: string): Promise<string[]> {
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.#report(path, 'must be a list');
      return [];
    }
    const texts: string[] = [];
    for (const [index, item] of value.entries()) texts.push((await this.#text(item, `${path}.${index}`)) ?? '');
    return texts;
  }

  async #textMap(value: unknown, path: string): Promise<Record<string, string>> {
    if (value === undefined || value === null) return {};
    const entries: [string, string][] = [];
    const { allowsNumbers } = this.#sources;
    for (const [key, item] of Object.entries(this.#object(value, path))) {
      // As VS Code writes "not set".
      if (item === null && allowsNumbers) continue;
      const text = allowsNumbers && Number.isSafeInteger(item) ? String(item) : item;
      entries.push([key, (await this.#text(text, `${path}.${key}`)) ?? '']);
    }
    return Object.fromEntries(entries);
  }

  #object(value: unknown, path: string): Node {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Node;
    this.#report(path, 'must be a mapping of names to values');
    return {};
  }

  #onlyKeys(node: Node, path: string, known: readonly string[], foreign: readonly string[] = []): void {
    for (const key of Object.keys(node)) {
      const place = path === '' ? key : `${path}.${key}`;
      if (known.includes(key)) continue;
      if (foreign.includes(key)) this.ignored.push(place);
      else this.#report(place, `is not known${hint(key, known)}`);
    }
  }

  #report(path: string, text: string): void {
    this.problems.push({ path, text });
  }
}
