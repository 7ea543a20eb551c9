import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { NotFoundError } from '../../../core/index.js';
import type { ServiceResolver } from '../resolver.js';
import { RunningService } from '../test-service.js';

/**
 * PostgreSQL compiled to WebAssembly, for `PostgresDatabase` and `DatabaseIntegration` alone: `memory:` is no
 * address that other clients know. Each of them that opens it has an empty database of its own.
 *
 * @param findVersion gives the installed version of `@electric-sql/pglite`, undefined when there is none
 */
export function pglitePostgres(findVersion: () => Promise<string | undefined> = installedVersion): ServiceResolver {
  return {
    kind: 'pglite',
    real: false,
    way: 'npm package @electric-sql/pglite',
    async resolve({ config }) {
      if (Object.keys(config).length > 0) throw new NotFoundError('PGlite cannot be configured');
      const version = await findVersion();
      if (version === undefined) throw new NotFoundError('not installed');
      return new RunningService({
        name: 'postgres',
        kind: 'pglite',
        origin: '@electric-sql/pglite',
        version: `(PGlite ${version})`,
        url: 'memory:',
        async openNamespace(url) {
          // Who opens it has a database of its own already, which goes when it is closed.
          const drop = async (): Promise<void> => undefined;
          return { name: 'public', url, drop, [Symbol.asyncDispose]: drop };
        },
      });
    },
  };
}

/** Looks from this package and from the host's folder. Its package.json is not exported, so it is read beside the code. */
async function installedVersion(): Promise<string | undefined> {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      const folders = createRequire(from).resolve.paths('@electric-sql/pglite') ?? [];
      for (const folder of folders) {
        const text = await readFile(join(folder, '@electric-sql', 'pglite', 'package.json'), 'utf8').catch(
          () => undefined,
        );
        if (text !== undefined) return (JSON.parse(text) as { version: string }).version;
      }
    } catch {
      // Not installed there.
    }
  }
  return undefined;
}
