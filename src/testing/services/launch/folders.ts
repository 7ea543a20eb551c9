import { randomBytes } from 'node:crypto';
import { chown, lstat, mkdir, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError } from '../../../core/index.js';
import { type Identity, isReachable } from './identity.js';
import type { Watchdog } from './watchdog.js';

/** A folder that exists until `remove`, or until this process dies. */
export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * The folder that keeps prepared files between runs: `configured`, else the system's place for
 * caches, else one in the temporary folder. It may be deleted at any time.
 *
 * @throws ConfigurationError when the only possible folder is open to somebody else
 */
export async function cacheFolder(configured?: string): Promise<string> {
  try {
    const preferred = configured ?? join(userCache(), 'safla-sdk');
    await mkdir(preferred, { recursive: true });
    return preferred;
  } catch (error) {
    if (configured !== undefined) {
      throw new ConfigurationError(`cachePath cannot be created: ${configured}`, { field: 'cachePath', cause: error });
    }
    return await sharedCache();
  }
}

/** Makes a folder with a random name that belongs to `owner` alone, guarded before it exists. */
export async function temporaryFolder(parent: string, owner: Identity, watchdog: Watchdog): Promise<TemporaryFolder> {
  const path = join(parent, `safla-${randomBytes(8).toString('hex')}`);
  watchdog.guardFolder(path);
  await mkdir(path, { mode: 0o700 });
  if (owner.uid !== undefined && owner.gid !== undefined) await chown(path, owner.uid, owner.gid);
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
      watchdog.releaseFolder(path);
    },
  };
}

/** Where a server's files go while it runs: the temporary folder, unless `owner` cannot get there. */
export async function runParent(owner: Identity, cachePath: string): Promise<string> {
  return owner.uid === undefined || (await isReachable(tmpdir())) ? tmpdir() : cachePath;
}

function userCache(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (process.platform === 'win32') return LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local');
  // Root's home is closed to the unprivileged user that reads the cache.
  if (process.getuid?.() === 0) return '/var/cache';
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  return XDG_CACHE_HOME ? XDG_CACHE_HOME : join(homedir(), '.cache');
}

/** The name is predictable and the parent is everybody's: a folder that somebody else prepared is refused. */
async function sharedCache(): Promise<string> {
  const uid = process.getuid?.() ?? -1;
  const path = join(tmpdir(), `safla-sdk-${uid}`);
  await mkdir(path, { mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(path);
  const ours = found.isDirectory() && (uid === -1 || (found.uid === uid && (found.mode & 0o022) === 0));
  if (ours) return path;
  throw new ConfigurationError(`${path} is not yours alone; set cachePath to a folder that is`, {
    field: 'cachePath',
  });
}
