import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** The version of an installed package, also of one that does not export its manifest. */
export function version(name: string): string {
  const require = createRequire(import.meta.url);
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return (JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')) as { version: string }).version;
    } catch {
      // It is in another folder.
    }
  }
  return '';
}
