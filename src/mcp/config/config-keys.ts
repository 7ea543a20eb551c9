const common = ['type', 'tools', 'disabled', 'timeout'];

/** What stands at the top of a file. */
export const topKeys: readonly string[] = ['servers', 'mcpServers', 'inputs', '$schema'];
export const stdioKeys: readonly string[] = [...common, 'command', 'args', 'env', 'envFile', 'cwd'];
export const httpKeys: readonly string[] = [...common, 'url', 'headers'];

/** The values of `type`, as the hosts write them. */
export const stdioTypes: readonly string[] = ['stdio', 'local'];
export const httpTypes: readonly string[] = ['http', 'streamable-http', 'streamableHttp'];
export const sseTypes: readonly string[] = ['sse'];

/**
 * Keys of other hosts that are no mistake and mean nothing here: how they sign in, what they ask their
 * user about, how they show, sandbox and debug a server.
 */
export const foreignKeys: readonly string[] = [
  // VS Code
  'dev',
  'gallery',
  'version',
  'sandbox',
  'sandboxEnabled',
  // Claude Code
  'alwaysLoad',
  'headersHelper',
  'oauth',
  // Cursor, Cline and Windsurf
  'alwaysAllow',
  'auth',
  'autoApprove',
  'disabledTools',
  'description',
  'icon',
  'name',
];
