import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * The image of an empty database, kept between runs: starting from it takes a fifth of the time that
 * making one does. It may be deleted at any time, and everything works without it.
 */
export class PGliteImage {
  readonly #path: string | undefined;

  /** @param folder where it is kept; undefined for the system's folder for caches, false to keep none */
  constructor(folder: string | false | undefined, extensions: readonly string[]) {
    const version = installedVersion();
    if (folder === false || version === undefined) return;
    this.#path = join(folder ?? userCache(), `${['pglite', version, ...extensions].join('-')}.tar.gz`);
  }

  /** The image, undefined where there is none that can be read. */
  async load(): Promise<Blob | undefined> {
    if (this.#path === undefined) return undefined;
    try {
      return new Blob([await readFile(this.#path)]);
    } catch {
      return undefined;
    }
  }

  /** Keeps an image whole or not at all. A folder that cannot be written costs time at the next start, nothing else. */
  async store(image: Blob): Promise<void> {
    if (this.#path === undefined) return;
    const temporary = `${this.#path}.${randomUUID()}`;
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      await writeFile(temporary, Buffer.from(await image.arrayBuffer()), { mode: 0o600 });
      await rename(temporary, this.#path);
    } catch {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  /** Removes an image that did not start. */
  async discard(): Promise<void> {
    if (this.#path !== undefined) await rm(this.#path, { force: true }).catch(() => undefined);
  }
}

/** An image belongs to one version of the engine. */
function installedVersion(): string | undefined {
  try {
    const require = createRequire(import.meta.url);
    const entry = require.resolve('@electric-sql/pglite');
    const { version } = require(join(dirname(entry), '..', 'package.json')) as { readonly version?: string };
    return version;
  } catch {
    return undefined;
  }
}

function userCache(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (process.platform === 'win32') return join(LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'safla-sdk');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'safla-sdk');
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'safla-sdk');
}
