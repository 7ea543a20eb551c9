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

  /** @throws ConfigurationError when one name could be a tool of two servers */
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
      for (const [earlier, name] of prefixes) {
        const [short, long] = earlier.length < prefix.length ? [earlier, prefix] : [prefix, earlier];
        if (!isAmbiguous(short, long)) continue;
        throw new ConfigurationError(
          `A tool of the MCP server '${name}' could have the same name as one of '${server}', because '${long}' goes on after '${short}' with '${separator}'; rename one`,
          { field: `servers.${server}` },
        );
      }
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
   * The server and its own name of a listed tool. With one server, a name with its prefix may be a
   * tool's own as well: then `own` is that one, and only the server knows.
   *
   * @throws NotFoundError
   */
  find(listed: string): { readonly server: string; readonly tool: string; readonly own?: string } {
    const isOnly = this.#servers.size === 1;
    for (const [prefix, server] of this.#servers) {
      if (listed.startsWith(prefix + separator)) {
        const tool = listed.slice(prefix.length + separator.length);
        return { server, tool, ...(isOnly ? { own: listed } : {}) };
      }
      if (isOnly) return { server, tool: listed };
    }
    const [prefix = listed] = listed.split(separator);
    throw new NotFoundError(
      `No MCP server of this host has a tool '${listed}': names are server${separator}tool${hint(prefix, [...this.#servers.keys()])}`,
    );
  }
}

/** True when `short__x` can equal `long__y`: what `long` has more is the separator, or blends into it. */
function isAmbiguous(short: string, long: string): boolean {
  if (!long.startsWith(short)) return false;
  const more = long.slice(short.length);
  return more.startsWith(separator) || more === '_';
}
