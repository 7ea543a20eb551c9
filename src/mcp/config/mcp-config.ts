/** What both kinds of server entries have. */
export interface CommonServerConfig {
  /** The tools to offer, by the server's own names; `*` for all. @default all */
  readonly tools?: readonly string[];
  /** Left out when true. @default false */
  readonly disabled?: boolean;
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

/** A server that is reached over Streamable HTTP. */
export interface HTTPServerConfig extends CommonServerConfig {
  readonly type: 'http';
  readonly url: string;
  /** Sent with every request to `url`'s origin. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One server of an {@link MCPConfig}. */
export type ServerConfig = StdioServerConfig | HTTPServerConfig;

/** The servers of a host, by name. */
export interface MCPConfig {
  readonly servers: Readonly<Record<string, ServerConfig>>;
}
