/** What all kinds of server entries have. */
export interface CommonServerConfig {
  /** The tools to offer, by the server's own names; `*` for all. @default all */
  readonly tools?: readonly string[];
  /** Left out when true. @default false */
  readonly disabled?: boolean;
  /** Longest time for one call, in milliseconds, unless the call says otherwise. @default the host's `callTimeoutMs` */
  readonly timeout?: number;
  /** Values that messages and logs mask, as `loadMCPConfig` sets them: what variables stood for. @default none */
  readonly secrets?: readonly string[];
}

/** A server that is started as a child process and spoken to over its stdin and stdout. */
export interface StdioServerConfig extends CommonServerConfig {
  readonly type?: 'stdio';
  /** The program, found by PATH. No shell is involved: no quoting, no globs. */
  readonly command: string;
  readonly args?: readonly string[];
  /** Added to the few variables every server gets (PATH, HOME and the like). */
  readonly env?: Readonly<Record<string, string>>;
  /** @default the host's own working directory */
  readonly cwd?: string;
  /** The command line with variables as the file has them: what messages show. @default command and args, masked */
  readonly shown?: string;
}

/** A server that is reached over HTTP. */
export interface HTTPServerConfig extends CommonServerConfig {
  /** `http` is Streamable HTTP; `sse` the transport of the protocol of 2024-11-05, which it replaced. @default 'http' */
  readonly type?: 'http' | 'sse';
  readonly url: string;
  /** Sent with every request to `url`'s origin. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** True for a server that is reached over HTTP: `type` may be left out when there is a `url`. */
export function isHTTP(config: ServerConfig): config is HTTPServerConfig {
  return config.type === 'http' || config.type === 'sse' || (config.type === undefined && 'url' in config);
}

/** One server of an {@link MCPConfig}. */
export type ServerConfig = StdioServerConfig | HTTPServerConfig;

/** The servers of a host, by name. */
export interface MCPConfig {
  readonly servers: Readonly<Record<string, ServerConfig>>;
  /** Keys of the file that mean something to another host and nothing here: `servers.web.oauth`. @default none */
  readonly ignored?: readonly string[];
}
