import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root: string = fileURLToPath(new URL('../../', import.meta.url));

/** Examples that start servers, or need a server's program. */
export const needServices = [
  'agent-fleet.ts',
  'events-jetstream.ts',
  'events-on-redis.ts',
  'services-for-tests.ts',
  'shared-quota.ts',
  'test-your-service.ts',
] as const;

/** What a finished example left behind. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Processes of its group that were still there when it ended. */
  readonly left: readonly number[];
}

/** Where and how an example runs, beside its arguments. */
export interface Setting {
  /** @default the root */
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** A file descriptor for its output, or `closed` for a reader that leaves at once. @default read */
  readonly output?: number | 'closed' | 'read';
}

/** Runs an example from the root in a process group of its own, without colours. */
export function runExample(file: string, ...args: readonly string[]): Promise<Outcome> {
  return runExampleIn({}, file, ...args);
}

/** {@link runExample} elsewhere. */
export function runExampleIn(
  { cwd = root, env = {}, output = 'read' }: Setting,
  file: string,
  ...args: readonly string[]
): Promise<Outcome> {
  const { INIT_CWD, ...inherited } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), join(root, file), ...args], {
      cwd,
      detached: true,
      env: { ...inherited, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'), NO_COLOR: '1', ...env },
      stdio: ['ignore', typeof output === 'number' ? output : 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk;
      if (output === 'closed') child.stdout?.destroy();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr, left: processesOf(child.pid ?? 0) }));
  });
}

/** The living processes of a group, by /proc; empty where there is no /proc. */
function processesOf(group: number): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => groupOf(pid) === group);
  } catch {
    return [];
  }
}

function groupOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : Number(pgrp);
  } catch {
    return undefined;
  }
}
