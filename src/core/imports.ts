import { MissingDependencyError } from './errors/missing-dependency-error.js';

/**
 * A value made at the first call and kept; a failure is not kept, so the next call tries again.
 *
 * @example const driver = lazy(() => import('pg')); const { Pool } = await driver();
 */
export function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

/**
 * Loads an optional package. `load` holds the literal `import('name')`, so that bundlers see it.
 *
 * @throws MissingDependencyError with the install command when the package is not there
 * @example const zod = await importOptional('zod', 'defineTool', async () => { try { return await import('zod'); } catch (e) { throw e; } });
 */
export async function importOptional<T>(name: string, neededBy: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (isNotFound(error, name)) throw new MissingDependencyError(name, neededBy, error);
    throw error;
  }
}

function isNotFound(error: unknown, name: string): boolean {
  if (!(error instanceof Error) || !error.message.includes(name)) return false;
  const { code } = error as { code?: unknown };
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}
