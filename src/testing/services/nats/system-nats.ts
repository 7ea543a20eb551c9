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
import { natsVersion } from './environment-nats.js';
import { openNatsNamespace } from './nats-namespace.js';

/** Debian puts it where only root's PATH leads. */
const usualFolders = ['/usr/sbin', '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];

/** The `nats-server` of the system, with JetStream. */
export function systemNats(folders: readonly string[] = usualFolders): ServiceResolver {
  return {
    kind: 'system',
    real: true,
    way: 'nats-server on PATH',
    async resolve(context) {
      const [folder] = await foldersWith(['nats-server'], context.environment.PATH, folders);
      if (folder === undefined) throw new NotFoundError('not found');
      return await launchNats(join(folder, programFile('nats-server')), context);
    },
  };
}

async function launchNats(file: string, context: ResolverContext): Promise<TestService> {
  const folder = await temporaryFolder(tmpdir(), {}, context.watchdog);
  const password = randomBytes(18).toString('hex');
  const url = (port: number): string => `nats://test:${password}@127.0.0.1:${port}`;
  return await launchService(
    {
      name: 'nats',
      kind: 'system',
      origin: file,
      async command(port) {
        const settings = {
          ...context.config,
          host: '127.0.0.1',
          port,
          authorization: { user: 'test', password },
          jetstream: { store_dir: folder.path },
        };
        // Its configuration language includes JSON. A file, because everybody can read the arguments of a process.
        await writeFile(join(folder.path, 'nats.conf'), JSON.stringify(settings), { mode: 0o600 });
        return { file, args: ['--config', 'nats.conf'], folder: folder.path };
      },
      // Only our server knows the password.
      probe: (port) => natsVersion(url(port)).catch(() => undefined),
      url,
      openNamespace: openNatsNamespace,
      clean: folder.remove,
    },
    context,
  );
}
