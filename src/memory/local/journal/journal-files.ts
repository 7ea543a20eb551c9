import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { storageFailure } from '../../memory-storage-error.js';
import { encodeHeader, type FileHeader } from './file-header.js';
import { toFrame } from './frame.js';
import { writeWhole } from './log-writer.js';

/** The files of one memory by number. */
export interface JournalFiles {
  /** Generation of the snapshot to begin with; 0 when there is none. */
  readonly snapshot: number;
  /** Generations of the logs that follow it, ascending. */
  readonly logs: readonly number[];
}

export function fileOf(folder: string, kind: FileHeader['kind'], generation: number): string {
  return join(folder, `${String(generation).padStart(8, '0')}.${kind}`);
}

/** Finds the files; makes the folder; removes what a crash left half-made and what a snapshot replaced. */
export async function findFiles(folder: string): Promise<JournalFiles> {
  try {
    await mkdir(folder, { recursive: true });
    const names = await readdir(folder);
    const numbers = (kind: FileHeader['kind']): number[] =>
      names
        .filter((name) => new RegExp(`^\\d{8}\\.${kind}$`).test(name))
        .map((name) => Number.parseInt(name, 10))
        .sort((a, b) => a - b);
    const snapshot = numbers('snapshot').at(-1) ?? 0;
    const left = names.filter((name) => /^\d{8}\.(log|snapshot)\.tmp$/.test(name));
    for (const name of left) await rm(join(folder, name), { force: true });
    await removeBefore(folder, snapshot, names);
    return { snapshot, logs: numbers('log').filter((generation) => generation >= snapshot) };
  } catch (error) {
    throw storageFailure('Cannot open', folder, error);
  }
}

/** Removes files of generations before `generation`. */
export async function removeBefore(folder: string, generation: number, names?: readonly string[]): Promise<void> {
  for (const name of names ?? (await readdir(folder))) {
    if (/^\d{8}\.(log|snapshot)$/.test(name) && Number.parseInt(name, 10) < generation) {
      await rm(join(folder, name), { force: true });
    }
  }
}

/**
 * Writes a file under another name and renames it when all of it is on the disk: it is whole or not
 * there. Gives its length.
 */
export async function writeFile(
  folder: string,
  header: FileHeader,
  frames: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<number> {
  const path = fileOf(folder, header.kind, header.generation);
  const draft = `${path}.tmp`;
  try {
    const handle = await open(draft, 'w', 0o600);
    let bytes = 0;
    try {
      const head = toFrame(encodeHeader(header));
      await writeWhole(handle, head, 0);
      bytes += head.length;
      for await (const payload of frames) {
        const frame = toFrame(payload);
        await writeWhole(handle, frame, bytes);
        bytes += frame.length;
      }
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(draft, path);
    await syncFolder(folder);
    return bytes;
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw storageFailure('Cannot write', path, error);
  }
}

/** Makes a rename last. Systems that cannot open a folder do it themselves. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
