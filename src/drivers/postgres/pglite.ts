import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { PGlite, PGliteOptions } from '@electric-sql/pglite';
import type { PoolConfig } from 'pg';
import { importOptional, lazy } from '../../core/internal.js';
import type { DriverNotification, PostgresPool, TypeParsers } from './client.js';
import { loadDriver } from './driver.js';
import { lockFolder } from './folder-lock.js';
import { PGliteImage } from './pglite-image.js';

/** Where a database inside this process is kept, and how it starts. */
export interface EmbeddedOptions {
  /** A folder; undefined keeps it in memory. */
  readonly path?: string | undefined;
  readonly extensions: readonly 'vector'[];
  readonly cachePath: string | false | undefined;
  readonly types: TypeParsers;
}

/** A database inside this process behind the interface of a pool with one connection. */
export interface EmbeddedDatabase {
  readonly pool: PostgresPool;
  /** Tells `handler` about notifications of every channel that is listened to. The returned function stops that. */
  onNotification(handler: (message: DriverNotification) => void): () => void;
  close(): Promise<void>;
}

const neededBy = 'memory: and file: databases';

const loadPGlite = lazy(() => importOptional('@electric-sql/pglite', neededBy, () => import('@electric-sql/pglite')));

const loadAdapter = lazy(() =>
  importOptional('@electric-sql/pglite', neededBy, () => import('@electric-sql/pglite/node-postgres')),
);

const loadVector = lazy(() =>
  importOptional(
    '@electric-sql/pglite-pgvector',
    "extensions: ['vector']",
    () => import('@electric-sql/pglite-pgvector'),
  ),
);

/**
 * Starts PostgreSQL inside this process.
 *
 * @throws MissingDependencyError ConfigurationError when another process has the folder
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const [pg, { createPgConfig }] = await Promise.all([loadDriver(), loadAdapter()]);
  const unlock = options.path === undefined ? async () => undefined : await lockFolder(options.path);
  try {
    const engine = await startEngine(options);
    // The adapter has one connection, whose session must not end between callers.
    const config = {
      ...createPgConfig(engine),
      types: options.types,
      max: 1,
      idleTimeoutMillis: 0,
      allowExitOnIdle: true,
    };
    const pool = new pg.Pool(config as unknown as PoolConfig);
    return {
      pool,
      onNotification: (handler) => engine.onNotification((channel, payload) => handler({ channel, payload })),
      async close() {
        try {
          await pool.end();
          await engine.close();
        } finally {
          await unlock();
        }
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function startEngine(options: EmbeddedOptions): Promise<PGlite> {
  const { PGlite } = await loadPGlite();
  const extensions: NonNullable<PGliteOptions['extensions']> = {};
  if (options.extensions.includes('vector')) extensions.vector = (await loadVector()).vector;
  const image = new PGliteImage(options.cachePath, options.extensions);
  const create = async (more: PGliteOptions): Promise<PGlite> => await PGlite.create({ extensions, ...more });
  const { path } = options;
  if (path === undefined) return await startEmpty(create, image, {});
  if (!existsSync(path)) {
    // A folder that was not filled to the end must not look like a database.
    const unfinished = `${path}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    const engine = await startEmpty(create, image, { dataDir: unfinished });
    await engine.close();
    await rename(unfinished, path);
  }
  return await create({ dataDir: path });
}

/** From the image where there is one; else from nothing, and an image is kept for the next time. */
async function startEmpty(
  create: (options: PGliteOptions) => Promise<PGlite>,
  image: PGliteImage,
  options: PGliteOptions,
): Promise<PGlite> {
  const found = await image.load();
  if (found) {
    try {
      return await create({ ...options, loadDataDir: found });
    } catch {
      await image.discard();
      if (options.dataDir !== undefined) await rm(options.dataDir, { recursive: true, force: true });
    }
  }
  const engine = await create(options);
  await image.store(await engine.dumpDataDir('gzip'));
  return engine;
}
