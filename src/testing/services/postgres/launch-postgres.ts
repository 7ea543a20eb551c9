import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ConnectionError, ProtocolError } from '../../../core/index.js';
import { programFile } from '../launch/binaries.js';
import { cacheFolder, runParent, temporaryFolder } from '../launch/folders.js';
import { type Identity, isReachable, unprivileged } from '../launch/identity.js';
import { launchService } from '../launch/launch-service.js';
import type { ResolverContext } from '../resolver.js';
import type { ServiceKind, TestService } from '../test-service.js';
import { openPostgresNamespace } from './postgres-namespace.js';
import { postgresTemplate } from './postgres-template.js';
import { serverVersion } from './server-version.js';

/** Nothing of a test server must survive a power cut, so nothing waits for the disk. */
const settings = {
  // Loopback only, no Unix socket, no shared memory outside the data directory: nothing to leave behind.
  dynamic_shared_memory_type: 'mmap',
  fsync: 'off',
  full_page_writes: 'off',
  listen_addresses: '127.0.0.1',
  synchronous_commit: 'off',
  unix_socket_directories: '',
} as const;

/**
 * Starts a PostgreSQL server from the folder that holds `initdb` and `postgres`, on a copy of the
 * cached template.
 *
 * @throws ConnectionError when the binaries do not run, with the end of their log
 */
export async function launchPostgres(
  kind: ServiceKind,
  binaries: string,
  context: ResolverContext,
): Promise<TestService> {
  const { scope, watchdog } = context;
  const identity = unprivileged();
  await assertUsable(binaries, identity);
  const cachePath = await cacheFolder(context.cachePath);
  const version = await binaryVersion(binaries);
  const template = await postgresTemplate({ binaries, version, cachePath, identity, scope, watchdog });
  const folder = await temporaryFolder(await runParent(identity, cachePath), identity, watchdog);
  const data = join(folder.path, 'data');
  const url = (port: number): string => `postgres://postgres:${template.password}@127.0.0.1:${port}/postgres`;
  return await launchService(
    {
      name: 'postgres',
      kind,
      origin: binaries,
      prepare: () => template.copyTo(data),
      command: (port) => ({
        file: join(binaries, programFile('postgres')),
        args: [
          '-D',
          data,
          ...Object.entries({ ...settings, ...context.config, port }).flatMap(([name, value]) => [
            '-c',
            `${name}=${value}`,
          ]),
        ],
        folder: folder.path,
        identity,
        // Fast shutdown rolls back and closes; immediate shutdown takes the helpers along.
        signals: { polite: 'SIGINT', immediate: 'SIGQUIT' },
      }),
      probe: async (port, pid) => ((await isReady(data, pid)) ? await serverVersion(url(port)) : undefined),
      url,
      openNamespace: openPostgresNamespace,
      clean: folder.remove,
    },
    context,
  );
}

async function assertUsable(binaries: string, identity: Identity): Promise<void> {
  if (identity.uid === undefined || (await isReachable(join(binaries, programFile('postgres'))))) return;
  throw new ConnectionError(
    `${binaries} cannot be read by other users, and PostgreSQL does not run as root; run the tests as a user, or open the folder`,
  );
}

/** `postgres (PostgreSQL) 18.4` and what distributions write behind it. */
async function binaryVersion(binaries: string): Promise<string> {
  const { stdout } = await promisify(execFile)(join(binaries, programFile('postgres')), ['--version'], {
    timeout: 10_000,
  });
  const version = /\(PostgreSQL\) (\S+)/.exec(stdout)?.[1];
  if (version === undefined) throw new ProtocolError(`${binaries}/postgres --version says: ${stdout.slice(0, 80)}`);
  return version;
}

/**
 * True when the server of `pid` says in `postmaster.pid` that it is ready ("Database File Layout" in
 * the PostgreSQL manual). Without this, a stranger that took the port could answer for it.
 */
async function isReady(data: string, pid: number): Promise<boolean> {
  const lines = await readFile(join(data, 'postmaster.pid'), 'utf8').then(
    (text) => text.split('\n'),
    () => [],
  );
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
}
