import { constants } from 'node:fs';
import { access, readdir, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/**
 * The real folders on PATH, then those that match `patterns`, that hold all `programs`. A pattern
 * may hold one `*` within a name; higher versions come first.
 */
export async function foldersWith(
  programs: readonly string[],
  path: string | undefined,
  patterns: readonly string[],
): Promise<string[]> {
  const known = (await Promise.all(patterns.map(expand))).flat();
  const folders = [...(path ?? '').split(delimiter).filter(Boolean), ...known];
  const found = await Promise.all(folders.map((folder) => realFolder(folder, programs)));
  return [...new Set(found.filter((folder) => folder !== undefined))];
}

/** `postgres` as a file name on this system. */
export function programFile(name: string): string {
  return process.platform === 'win32' ? `${name}.exe` : name;
}

/** Where the first program really is: distributions link single programs into PATH, their helpers stay behind. */
async function realFolder(folder: string, programs: readonly string[]): Promise<string | undefined> {
  const [first] = programs;
  if (first === undefined) return undefined;
  try {
    const real = join(await realpath(join(folder, programFile(first))), '..');
    await Promise.all(programs.map((program) => access(join(real, programFile(program)), constants.X_OK)));
    return real;
  } catch {
    return undefined;
  }
}

async function expand(pattern: string): Promise<string[]> {
  const [before = '', after] = pattern.split('*');
  if (after === undefined) return [pattern];
  const cut = before.lastIndexOf('/') + 1;
  const parent = before.slice(0, cut);
  const prefix = before.slice(cut);
  const names = await readdir(parent).catch(() => []);
  return names
    .filter((name) => name.startsWith(prefix))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => `${parent}${name}${after}`);
}
