import { createHash, randomBytes } from 'node:crypto';
import { access, chmod, chown, cp, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallScope } from '../../../core/index.js';
import { programFile } from '../launch/binaries.js';
import { temporaryFolder } from '../launch/folders.js';
import type { Identity } from '../launch/identity.js';
import { ServerProcess } from '../launch/server-process.js';
import type { Watchdog } from '../launch/watchdog.js';

/** An initialised data directory, copied for each server because `initdb` takes 10 times as long. */
export interface PostgresTemplate {
  /** Copies it to `target`, which must not exist; the copy belongs to the server's user. */
  copyTo(target: string): Promise<void>;
  /** Of the superuser `postgres`. */
  readonly password: string;
}

/** What a template is made with. */
export interface TemplateSource {
  readonly binaries: string;
  /** `18.4`. */
  readonly version: string;
  readonly cachePath: string;
  readonly identity: Identity;
  readonly scope: CallScope;
  readonly watchdog: Watchdog;
}

/**
 * The cached template of these binaries, made on first use. It appears by one rename, so two
 * processes that make it at once both find a whole one.
 */
export async function postgresTemplate(source: TemplateSource): Promise<PostgresTemplate> {
  const { binaries, version, cachePath, identity } = source;
  // Servers of one version built differently cannot always read each other's files.
  const kind = [binaries, identity.uid ?? process.getuid?.(), ...initdbArguments(version)].join(' ');
  const build = createHash('sha256').update(kind).digest('hex');
  const path = join(cachePath, `postgres-${version}-${build.slice(0, 12)}`);
  const exists = await access(join(path, 'password')).then(
    () => true,
    () => false,
  );
  if (!exists) await makeTemplate(path, source);
  return {
    password: await readFile(join(path, 'password'), 'utf8'),
    copyTo: (target) => copyData(join(path, 'data'), target, source),
  };
}

async function makeTemplate(
  path: string,
  { binaries, version, cachePath, identity, scope, watchdog }: TemplateSource,
): Promise<void> {
  const work = await temporaryFolder(cachePath, identity, watchdog);
  try {
    const password = randomBytes(18).toString('hex');
    await writeFile(join(work.path, 'password'), password, { mode: 0o644 });
    const initdb = await ServerProcess.start(
      {
        file: join(binaries, programFile('initdb')),
        args: initdbArguments(version),
        folder: work.path,
        identity,
        signals: { polite: 'SIGINT', immediate: 'SIGTERM' },
      },
      watchdog,
    );
    try {
      await initdb.finished(scope);
    } finally {
      await initdb.stop();
    }
    // Only the owner of the cache may read the password; the server's user needs the data alone.
    await chmod(join(work.path, 'password'), 0o600);
    await chmod(work.path, 0o755);
    if (identity.uid !== undefined) await chown(work.path, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
    await rename(work.path, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST' && error.code !== 'EPERM') throw error;
    });
  } finally {
    await work.remove();
  }
}

function initdbArguments(version: string): readonly string[] {
  const access = ['-U', 'postgres', '--pwfile=password', '--auth=scram-sha-256'];
  return ['-D', 'data', ...access, '--encoding=UTF8', '--no-sync', '--wal-segsize=1', ...localeArguments(version)];
}

/** Code point order and Unicode case rules, the same on every system, where the version can do that. */
function localeArguments(version: string): readonly string[] {
  if (Number.parseInt(version, 10) >= 17)
    return ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  return process.platform === 'linux' ? ['--locale=C.UTF-8'] : ['--locale=C'];
}

/** As the server's user, so that the copy is its own: `cp` takes 30 ms for what takes Node 300. */
async function copyData(from: string, target: string, { identity, scope, watchdog }: TemplateSource): Promise<void> {
  if (process.platform === 'win32') return await cp(from, target, { recursive: true });
  const folder = join(target, '..');
  await mkdir(folder, { recursive: true });
  const copy = await ServerProcess.start(
    { file: 'cp', args: ['-Rp', from, target], folder, identity, signals: { polite: 'SIGTERM', immediate: 'SIGTERM' } },
    watchdog,
  );
  try {
    await copy.finished(scope);
  } finally {
    await copy.stop();
  }
}
