import { hint } from '../../core/internal.js';
import { expandVariables, type Problem, type VariableSources } from './expand-variables.js';
import type { ServerConfig } from './mcp-config.js';

const stdioKeys = ['type', 'command', 'args', 'env', 'cwd', 'tools', 'disabled'];
const httpKeys = ['type', 'url', 'headers', 'tools', 'disabled'];
const stdioTypes = ['stdio', 'local'];
const httpTypes = ['http', 'streamable-http', 'streamableHttp'];
const topKeys = ['servers', 'mcpServers', 'inputs', '$schema'];

type Node = Readonly<Record<string, unknown>>;

/**
 * Turns a parsed config into servers with variables expanded. Everything that is wrong is collected;
 * the result is only of use when there are no problems.
 */
export class ServersReader {
  readonly problems: Problem[] = [];
  readonly #sources: VariableSources;
  /** What the variables of the server that is being read stood for. */
  #secrets: string[] = [];

  constructor(sources: Omit<VariableSources, 'onSecret'>) {
    this.#sources = { ...sources, onSecret: (value) => this.#secrets.push(value) };
  }

  async read(root: unknown): Promise<Record<string, ServerConfig>> {
    const top = this.#object(root, '');
    this.#onlyKeys(top, '', topKeys);
    const [key, ...others] = ['servers', 'mcpServers'].filter((name) => top[name] !== undefined);
    if (!key || others.length > 0) {
      this.#report('', `must have exactly one of 'servers' and 'mcpServers'`);
      return {};
    }
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
    this.#secrets = [];
    const type = node.type ?? (node.url === undefined ? 'stdio' : 'http');
    if (stdioTypes.includes(type as string)) return this.#stdio(node, path);
    if (httpTypes.includes(type as string)) return this.#http(node, path);
    const instead = type === 'sse' ? `; the old SSE transport is not supported, most servers offer 'http' too` : '';
    this.#report(`${path}.type`, `must be 'stdio' or 'http'${instead}`);
    return undefined;
  }

  async #stdio(node: Node, path: string): Promise<ServerConfig> {
    this.#onlyKeys(node, path, stdioKeys);
    const command = await this.#text(node.command, `${path}.command`);
    const args = await this.#texts(node.args, `${path}.args`);
    return {
      type: 'stdio',
      command: command ?? '',
      args,
      env: await this.#textMap(node.env, `${path}.env`),
      ...(node.cwd === undefined ? {} : { cwd: (await this.#text(node.cwd, `${path}.cwd`)) ?? '' }),
      ...this.#common(node, path),
      shown: [node.command, ...(Array.isArray(node.args) ? node.args : [])].join(' '),
    };
  }

  async #http(node: Node, path: string): Promise<ServerConfig> {
    this.#onlyKeys(node, path, httpKeys);
    const url = await this.#text(node.url, `${path}.url`);
    const scheme = url !== undefined && URL.canParse(url) ? new URL(url).protocol : undefined;
    if (url && scheme !== 'http:' && scheme !== 'https:') this.#report(`${path}.url`, 'must be an http or https URL');
    const headers = await this.#textMap(node.headers, `${path}.headers`);
    return { type: 'http', url: url ?? '', headers, ...this.#common(node, path) };
  }

  #common(node: Node, path: string): { tools?: readonly string[]; disabled?: boolean; secrets?: readonly string[] } {
    const { tools, disabled } = node;
    if (tools !== undefined && !(Array.isArray(tools) && tools.every((name) => typeof name === 'string')))
      this.#report(`${path}.tools`, 'must be a list of tool names');
    if (disabled !== undefined && typeof disabled !== 'boolean')
      this.#report(`${path}.disabled`, 'must be true or false');
    return {
      ...(tools === undefined ? {} : { tools: tools as string[] }),
      ...(disabled === undefined ? {} : { disabled: disabled as boolean }),
      ...(this.#secrets.length === 0 ? {} : { secrets: this.#secrets }),
    };
  }

  async #text(value: unknown, path: string): Promise<string | undefined> {
    if (value === undefined) this.#report(path, 'is missing');
    else if (typeof value === 'number' || typeof value === 'boolean')
      this.#report(path, 'must be a text: put it in quotes');
    else if (typeof value !== 'string') this.#report(path, 'must be a text');
    else if (value === '' && !/\.(?:env|headers|args)\./.test(path)) this.#report(path, 'must not be empty');
    else return expandVariables(value, path, this.#sources, this.problems);
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
    for (const [key, item] of Object.entries(this.#object(value, path)))
      entries.push([key, (await this.#text(item, `${path}.${key}`)) ?? '']);
    return Object.fromEntries(entries);
  }

  #object(value: unknown, path: string): Node {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Node;
    this.#report(path, 'must be a mapping of names to values');
    return {};
  }

  #onlyKeys(node: Node, path: string, known: readonly string[]): void {
    for (const key of Object.keys(node))
      if (!known.includes(key)) this.#report(path === '' ? key : `${path}.${key}`, `is not known${hint(key, known)}`);
  }

  #report(path: string, text: string): void {
    this.problems.push({ path, text });
  }
}
