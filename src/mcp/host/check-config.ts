import { ConfigurationError } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import type { HTTPServerConfig, MCPConfig, StdioServerConfig } from '../config/mcp-config.js';

/** Checks a config that was written in code; `loadMCPConfig` has checked its own with file and key. */
export function checkConfig(config: MCPConfig): void {
  checkOptions<MCPConfig>('MCPConfig', config, { servers: is.required(is.object) });
  const servers = Object.entries(config.servers);
  if (servers.length === 0) throw new ConfigurationError('MCPConfig.servers names no server', { field: 'servers' });
  for (const [name, server] of servers) {
    const owner = `MCPConfig.servers.${name}`;
    if (server.type === 'http')
      checkOptions<HTTPServerConfig>(owner, server, {
        type: is.oneOf('http'),
        url: is.required(is.url('http:', 'https:')),
        headers: is.object,
        tools: is.list,
        disabled: is.flag,
      });
    else
      checkOptions<StdioServerConfig>(owner, server, {
        type: is.oneOf('stdio'),
        command: is.required(is.text),
        args: is.list,
        env: is.object,
        cwd: is.text,
        tools: is.list,
        disabled: is.flag,
        shown: is.text,
      });
  }
}
