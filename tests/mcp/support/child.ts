import { fileURLToPath } from 'node:url';
import type { StdioServerConfig } from '@safla/sdk/mcp';

/** The arguments of node that run a TypeScript fixture of this folder. */
export function fixture(name: string): string[] {
  return ['--import', 'tsx', fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))];
}

/** A server config that runs a fixture. */
export function fixtureServer(name: string): StdioServerConfig {
  return { command: process.execPath, args: fixture(name) };
}

/** A server config that runs a line of JavaScript. */
export function scriptServer(script: string): StdioServerConfig {
  return { command: process.execPath, args: ['-e', script] };
}

/** True while there is a process of this id. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
