import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MongoMemoryReplSet } from 'mongodb-memory-server-core';
import { MissingDependencyError, NotFoundError } from '../../../core/index.js';
import { importOptional, lazy } from '../../../core/internal.js';
import { foldersWith, programFile } from '../launch/binaries.js';
import { temporaryFolder } from '../launch/folders.js';
import type { ResolverContext, ServiceResolver } from '../resolver.js';
import { RunningService, type TestService } from '../test-service.js';
import { mongoVersion, openMongoNamespace } from './mongo-admin.js';

const launcher = 'mongodb-memory-server-core';
const loadLauncher = lazy(() =>
  importOptional(launcher, "TestContainer's MongoDB", () => import('mongodb-memory-server-core')),
);

/** Homebrew is not always on the PATH of an editor's test runner. */
const usualFolders = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];
/** The first download is over a hundred megabytes. */
const downloadMs = 300_000;

/** The `mongod` of the system, as a replica set of one member, started by `mongodb-memory-server-core`. */
export function systemMongo(folders: readonly string[] = usualFolders): ServiceResolver {
  return {
    kind: 'system',
    real: true,
    way: `mongod on PATH, started by ${launcher}`,
    async resolve(context) {
      const [folder] = await foldersWith(['mongod'], context.environment.PATH, folders);
      if (folder === undefined) throw new NotFoundError('not found');
      const file = join(folder, programFile('mongod'));
      const { stdout } = await promisify(execFile)(file, ['--version'], { timeout: 10_000 });
      const version = /^\s*db version v?(\d+\.\d+\.\d+)/im.exec(stdout)?.[1];
      return await launch(context, 'system', file, {
        systemBinary: file,
        ...(version === undefined ? {} : { version }),
      });
    },
  };
}

/** The `mongod` that `mongodb-memory-server-core` downloads and keeps. */
export const downloadedMongo: ServiceResolver = {
  kind: 'package',
  real: true,
  way: `npm package ${launcher}, which downloads mongod`,
  resolve: (context) => launch(context, 'package', launcher, {}),
};

/** The launcher ends its `mongod` when this process dies; the watchdog does too, and removes the files. */
async function launch(
  { scope, config, watchdog }: ResolverContext,
  kind: 'system' | 'package',
  origin: string,
  binary: { readonly systemBinary?: string; readonly version?: string },
): Promise<TestService> {
  const { MongoMemoryReplSet: ReplicaSet } = await loadLauncher().catch((error: unknown) => {
    throw error instanceof MissingDependencyError ? new NotFoundError(`${launcher} is not installed`) : error;
  });
  const folder = await temporaryFolder(tmpdir(), {}, watchdog);
  const args = Object.entries(config).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const starting = ReplicaSet.create({
    binary,
    // A group of its own: Ctrl-C in a terminal reaches the tests and not the server.
    replSet: { count: 1, ip: '127.0.0.1', args, spawn: { cwd: folder.path, detached: true } },
    instanceOpts: [{ dbPath: folder.path, launchTimeout: kind === 'package' ? downloadMs : 30_000 }],
  });
  const end = async (server: Awaited<typeof starting>): Promise<void> => {
    const pid = pidOf(server);
    await server.stop({ doCleanup: true, force: true });
    await folder.remove();
    if (pid !== undefined) watchdog.releaseProcess(pid);
  };
  try {
    const server = await scope.run(() => starting);
    const pid = pidOf(server);
    if (pid !== undefined) watchdog.guardProcess(pid, 'SIGKILL');
    const url = server.getUri();
    return new RunningService({
      name: 'mongodb',
      kind,
      origin,
      version: await mongoVersion(url),
      url,
      openNamespace: openMongoNamespace,
      release: () => end(server),
    });
  } catch (error) {
    // A start that nobody waits for must not leave a server behind.
    starting.then(end, () => folder.remove()).catch(() => undefined);
    throw error;
  }
}

/** Of the one member. */
function pidOf({ servers }: MongoMemoryReplSet): number | undefined {
  return servers[0]?.instanceInfo?.instance.mongodProcess?.pid;
}
