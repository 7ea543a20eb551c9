import { NotFoundError } from '../../../core/index.js';
import { foldersWith } from '../launch/binaries.js';
import type { ServiceResolver } from '../resolver.js';
import { launchPostgres } from './launch-postgres.js';

/** Where distributions and Homebrew keep the server's programs, of which PATH has none or only links. */
const usualFolders = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/usr/libexec/postgresql*',
  '/opt/homebrew/opt/postgresql@*/bin',
  '/usr/local/opt/postgresql@*/bin',
];

/** The programs of the system: on PATH, or where it keeps them. */
export function systemPostgres(folders: readonly string[] = usualFolders): ServiceResolver {
  return {
    kind: 'system',
    real: true,
    way: 'initdb and postgres on PATH or in /usr/lib/postgresql',
    async resolve(context) {
      const [binaries] = await foldersWith(['postgres', 'initdb'], context.environment.PATH, folders);
      if (binaries === undefined) throw new NotFoundError('not found');
      return await launchPostgres('system', binaries, context);
    },
  };
}
