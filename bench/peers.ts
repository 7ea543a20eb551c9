import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The installed version of a peer: figures mean nothing without it. */
export function peerVersion(name: string): string {
  let folder = require.resolve.paths(name) ?? [];
  for (const path of folder) {
    try {
      return (JSON.parse(readFileSync(`${path}/${name}/package.json`, 'utf8')) as { version: string }).version;
    } catch {
      folder = folder.slice(1);
    }
  }
  return 'not installed';
}
