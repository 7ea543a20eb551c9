import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, onTestFinished } from 'vitest';

export const nobody = 65_534;

/**
 * Gives the tests of a file a temporary folder of their own, so that what they leave behind shows.
 * It is in /tmp, where an unprivileged server may enter.
 */
export function ownTemporaryFolder(): { readonly path: string } {
  const folder = { path: '' };
  const before = process.env.TMPDIR;
  beforeAll(async () => {
    folder.path = await mkdtemp('/tmp/safla-tests-');
    await chmod(folder.path, 0o1777);
    process.env.TMPDIR = folder.path;
  });
  afterAll(async () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    // A test that failed may have left some, which nobody would find without their folder.
    for (const pid of processesIn(folder.path)) endProcess(pid);
    await rm(folder.path, { recursive: true, force: true });
  });
  return folder;
}

/** Processes whose working folder is `folder` or below: servers, their helpers and watchdogs. */
export function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => workingFolder(pid).startsWith(folder))
    .map(Number);
}

/** Folders and files of servers in `folder`. */
export function leftIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => /^safla-[0-9a-f]{16}$/.test(name));
}

/** Everything that a stopped or dead container must not leave. */
export function remains(folder: string): { processes: number[]; files: string[] } {
  return { processes: processesIn(folder), files: leftIn(folder) };
}

export const nothing = { processes: [], files: [] };

/** A program of `fixtures` that runs, and the first line it printed. */
export async function startFixture(
  name: string,
  options: { readonly services: object; readonly environment: NodeJS.ProcessEnv; readonly uid?: number },
): Promise<{ child: ChildProcess; line: string }> {
  const script = fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
  const { POSTGRES_URL, DATABASE_URL, REDIS_URL, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(options.services)], {
    detached: true,
    env: { ...inherited, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  const [line] = (await Promise.race([
    once(createInterface(child.stdout as NodeJS.ReadableStream), 'line'),
    once(child, 'close').then(([code]) => {
      throw new Error(`${name} ended with ${code} before it said anything: ${errors}`);
    }),
  ])) as [string];
  return { child, line };
}

/** A folder for one test. */
export class ScratchFolder implements Disposable {
  readonly path: string;

  constructor(parent: string) {
    this.path = mkdtempSync(join(parent, 'scratch-'));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ESRCH: it ended by itself.
  }
}

function workingFolder(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}
