import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigurationError } from '../../core/index.js';

/**
 * Takes a folder for this process: two engines on one folder would destroy it. The mark of a process that
 * is gone does not count. The returned function gives the folder free.
 *
 * @throws ConfigurationError when a process that lives has it
 */
export async function lockFolder(path: string): Promise<() => Promise<void>> {
  const mark = `${path}.lock`;
  await mkdir(dirname(path), { recursive: true });
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await writeFile(mark, String(process.pid), { flag: 'wx' });
      return () => rm(mark, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const holder = Number(await readFile(mark, 'utf8').catch(() => ''));
      if (isAlive(holder)) {
        throw new ConfigurationError(
          `The folder ${path} is open in process ${holder}; one process can have it at a time`,
          {
            field: 'url',
          },
        );
      }
      await rm(mark, { force: true });
    }
  }
  throw new ConfigurationError(`The folder ${path} is wanted by several processes at once`, { field: 'url' });
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
