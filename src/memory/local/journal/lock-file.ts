import { readFileSync } from 'node:fs';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { MemoryStorageError, storageFailure } from '../../memory-storage-error.js';

/** Who holds a lock. The start time tells a process from a later one with the same id. */
interface Holder {
  readonly host: string;
  readonly pid: number;
  /** Clock ticks after boot, from /proc; null where there is none. */
  readonly startedAt: string | null;
}

/** A lock that is held until it is released or its process ends. */
export interface FolderLock {
  release(): Promise<void>;
}

let counter = 0;

/**
 * Makes this process the one writer of a folder. A lock whose process has ended is taken over; one from
 * another host is not, since nobody here can tell whether it still runs.
 *
 * @throws MemoryStorageError `locked`
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, 'lock');
  counter += 1;
  const draft = join(folder, `lock.${process.pid}.${counter}.tmp`);
  try {
    await writeFile(draft, JSON.stringify(self()));
    for (let attempt = 0; attempt < 5; attempt++) {
      if (await linked(draft, path)) return { release: () => rm(path, { force: true }) };
      const holder = await holderOf(path);
      if (holder && isAlive(holder)) throw locked(folder, holder);
      if (holder) await removeStale(path, draft);
    }
    throw new MemoryStorageError('locked', `${folder} is being opened by another process; try again`);
  } catch (error) {
    throw storageFailure('Cannot lock', folder, error);
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

/** Linking makes the lock with its content in one step, or not at all. */
async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** One process at a time may remove a stale lock, after looking again: it could be fresh by now. */
async function removeStale(path: string, draft: string): Promise<void> {
  const guard = `${path}.takeover`;
  if (!(await linked(draft, guard))) {
    const other = await holderOf(guard);
    if (other && !isAlive(other)) await rm(guard, { force: true });
    await new Promise((resolve) => setTimeout(resolve, 5));
    return;
  }
  try {
    const holder = await holderOf(path);
    if (holder && !isAlive(holder)) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof SyntaxError) {
      throw new MemoryStorageError('locked', `${path} is not a lock of ours; remove it if no process uses the folder`);
    }
    throw error;
  }
}

function self(): Holder {
  return { host: hostname(), pid: process.pid, startedAt: startOf(process.pid) };
}

function isAlive({ host, pid, startedAt }: Holder): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startOf(pid);
  return startedAt === null || now === null || now === startedAt;
}

/** Field 22 of /proc/<pid>/stat; the name in field 2 may hold spaces and brackets. A zombie has ended. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'ended' : (fields[19] ?? null);
  } catch {
    return null;
  }
}

function locked(folder: string, { host, pid }: Holder): MemoryStorageError {
  const where = host === hostname() ? `process ${pid}` : `process ${pid} on host ${host}`;
  const remedy = host === hostname() ? '' : `; if that host is gone, remove ${join(folder, 'lock')}`;
  return new MemoryStorageError('locked', `${folder} is open for writing in ${where}${remedy}`);
}
