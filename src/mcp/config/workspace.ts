import { homedir } from 'node:os';
import { basename, dirname, resolve, sep } from 'node:path';

/** Folders that hosts keep their config in, inside of a project. */
const configFolders = new Set(['.vscode', '.cursor', '.claude', '.copilot', '.github']);

/** The project that a config file belongs to: its folder, or the one around `.vscode` and its like. */
export function workspaceOf(file: string | undefined): string {
  if (file === undefined) return process.cwd();
  const folder = dirname(resolve(file));
  return configFolders.has(basename(folder)) ? dirname(folder) : folder;
}

/** The variables that VS Code and Cursor know by themselves. */
export function predefinedVariables(workspace: string): ReadonlyMap<string, string> {
  return new Map([
    ['workspaceFolder', workspace],
    ['workspaceFolderBasename', basename(workspace)],
    ['userHome', homedir()],
    ['cwd', process.cwd()],
    ['pathSeparator', sep],
    ['/', sep],
  ]);
}
