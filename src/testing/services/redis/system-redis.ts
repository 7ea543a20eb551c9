import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NotFoundError } from '../../../core/index.js';
import { foldersWith, programFile } from '../launch/binaries.js';
import { temporaryFolder } from '../launch/folders.js';
import { launchService } from '../launch/launch-service.js';
import type { ResolverContext, ServiceResolver } from '../resolver.js';
import type { TestService } from '../test-service.js';
import { redisInfo } from './redis-info.js';
import { openRedisNamespace } from './redis-namespace.js';

const programs = ['redis-server', 'valkey-server'] as const;

/** Homebrew is not always on the PATH of an editor's test runner. */
const usualFolders = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];

/** The `redis-server` or `valkey-server` of the system. */
export function systemRedis(folders: readonly string[] = usualFolders): ServiceResolver {
  return {
    kind: 'system',
    real: true,
    way: 'redis-server or valkey-server on PATH',
    async resolve(context) {
      for (const program of programs) {
        const [folder] = await foldersWith([program], context.environment.PATH, folders);
        if (folder !== undefined) return await launchRedis(join(folder, programFile(program)), context);
      }
      throw new NotFoundError('not found');
    },
  };
}

async function launchRedis(file: string, context: ResolverContext): Promise<TestService> {
  const folder = await temporaryFolder(tmpdir(), {}, context.watchdog);
  const password = randomBytes(18).toString('hex');
  const url = (port: number): string => `redis://:${password}@127.0.0.1:${port}`;
  return await launchService(
    {
      name: 'redis',
      kind: 'system',
      origin: file,
      async command(port) {
        const settings = {
          save: '""',
          appendonly: 'no',
          ...context.config,
          port,
          bind: '127.0.0.1',
          dir: JSON.stringify(folder.path),
          requirepass: password,
        };
        // A file, because everybody can read the arguments of a process.
        const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`);
        await writeFile(join(folder.path, 'redis.conf'), lines.join(''), { mode: 0o600 });
        return { file, args: ['redis.conf'], folder: folder.path };
      },
      async probe(port, pid) {
        const info = await redisInfo(url(port)).catch(() => undefined);
        return info?.pid === pid ? info.version : undefined;
      },
      url,
      openNamespace: openRedisNamespace,
      clean: folder.remove,
    },
    context,
  );
}
