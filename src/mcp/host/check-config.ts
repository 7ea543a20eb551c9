import { ConfigurationError } from '../../core/index.js';
import { checkOptions, is, type OptionCheck } from '../../core/internal.js';
import { type HTTPServerConfig, isHTTP, type MCPConfig, type StdioServerConfig } from '../config/mcp-config.js';

/** Checks a config that was written in code; `loadMCPConfig` has checked its own with file and key. */
export function checkConfig(config: MCPConfig): void {
  checkOptions<MCPConfig>('MCPConfig', config, { servers: is.required(is.object), ignored: is.list });
  const servers = Object.entries(config.servers);
  if (servers.length === 0) throw new ConfigurationError('MCPConfig.servers names no server', { field: 'servers' });
  for (const [name, server] of servers) {
    const owner = `MCPConfig.servers.${name}`;
    is.object(server, owner);
    if (isHTTP(server)) checkOptions<HTTPServerConfig>(owner, server, httpChecks);
    else checkOptions<StdioServerConfig>(owner, server, stdioChecks);
  }
}

/** The system ends texts at a NUL, so none can hold one. */
const systemText: OptionCheck = (value, field) => {
  if (typeof value !== 'string' || value.includes('\0')) fail(field, 'a text without NUL characters');
};

const name: OptionCheck = (value, field) => {
  is.text(value, field);
  systemText(value, field);
};

const textsOf =
  (item: OptionCheck): OptionCheck =>
  (value, field) => {
    is.list(value, field);
    for (const [index, text] of (value as unknown[]).entries()) item(text, `${field}.${index}`);
  };

const environment: OptionCheck = (value, field) => {
  is.object(value, field);
  for (const [key, text] of Object.entries(value as object)) {
    if (key === '' || /[=\0]/.test(key)) fail(`${field}.${key}`, "a name without '=' and NUL characters");
    systemText(text, `${field}.${key}`);
  }
};

const headers: OptionCheck = (value, field) => {
  is.object(value, field);
  for (const [key, text] of Object.entries(value as object)) {
    if (typeof text !== 'string') fail(`${field}.${key}`, 'a text');
    try {
      new Headers([[key, text]]);
    } catch {
      fail(`${field}.${key}`, 'an HTTP header: a name of token characters, a value of one Latin-1 line');
    }
  }
};

/** The value is not shown: it may be a secret. */
function fail(field: string, expected: string): never {
  throw new ConfigurationError(`${field} must be ${expected}`, { field });
}

const common = { tools: textsOf(is.text), disabled: is.flag, timeout: is.milliseconds, secrets: textsOf(systemText) };

const httpChecks: Parameters<typeof checkOptions<HTTPServerConfig>>[2] = {
  ...common,
  type: is.oneOf('http', 'sse'),
  url: is.required(is.url('http:', 'https:')),
  headers,
};

const stdioChecks: Parameters<typeof checkOptions<StdioServerConfig>>[2] = {
  ...common,
  type: is.oneOf('stdio'),
  command: is.required(name),
  args: textsOf(systemText),
  env: environment,
  cwd: name,
  shown: is.text,
};
