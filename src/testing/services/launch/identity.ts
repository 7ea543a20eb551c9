import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** The user and group a server runs as; empty for the caller's own. */
export interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

/** `nobody` on every common Linux. `initdb` wants a name for its user, so an unused number would not do. */
const nobody = 65_534;

/** PostgreSQL refuses to run as root, so as root its processes run as an unprivileged user. */
export function unprivileged(): Identity {
  return process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
}

/** True when everybody may enter all folders above `path` and read it. */
export async function isReachable(path: string): Promise<boolean> {
  const target = resolve(path);
  if (((await stat(target)).mode & 0o005) !== 0o005) return false;
  for (let folder = dirname(target); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
