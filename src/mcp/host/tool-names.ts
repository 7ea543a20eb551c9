import { ConfigurationError, NotFoundError } from '../../core/index.js';
import { hint } from '../../core/internal.js';

/** Between a server's name and a tool's: allowed in tool names everywhere, rare inside of them. */
const separator = '__';

/**
 * The names of many servers' tools in one list: `server__tool`, with what tool names may not contain
 * replaced by `_`. With one server, tools keep their own names, and the long form works too.
 */
export class ToolNames {
  readonly #servers: ReadonlyMap<string, string>;

  /** @throws ConfigurationError when two servers would have the same prefix */
  constructor(servers: readonly string[]) {
    const prefixes = new Map<string, string>();
    for (const server of servers) {
      const prefix = server.replaceAll(/[^A-Za-z0-9_-]/g, '_');
      const other = prefixes.get(prefix);
      if (other !== undefined)
        throw new ConfigurationError(
          `The MCP servers '${other}' and '${server}' would both be '${prefix}'; rename one`,
          {
            field: `servers.${server}`,
          },
        );
      prefixes.set(prefix, server);
    }
    this.#servers = prefixes;
  }

  /** The name a server's tool is listed by. */
  listed(server: string, tool: string): string {
    if (this.#servers.size === 1) return tool;
    for (const [prefix, name] of this.#servers) if (name === server) return `${prefix}${separator}${tool}`;
    return tool;
  }

  /**
   * The server and its own name of a listed tool. The longest prefix wins.
   *
   * @throws NotFoundError
   */
  find(listed: string): { readonly server: string; readonly tool: string } {
    const matches = [...this.#servers].filter(([prefix]) => listed.startsWith(prefix + separator));
    const [longest] = matches.sort(([a], [b]) => b.length - a.length);
    if (longest) return { server: longest[1], tool: listed.slice(longest[0].length + separator.length) };
    const [only] = this.#servers.values();
    if (only !== undefined && this.#servers.size === 1) return { server: only, tool: listed };
    const [prefix = listed] = listed.split(separator);
    throw new NotFoundError(
      `No MCP server of this host has a tool '${listed}': names are server${separator}tool${hint(prefix, [...this.#servers.keys()])}`,
    );
  }
}
