import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { watchdogProgram } from './watchdog-program.js';

/** What is removed when this process dies. */
interface Wards {
  readonly processes: Map<number, NodeJS.Signals>;
  readonly folders: Set<string>;
}

/**
 * Cleans up after a test process that cannot: a small detached process holds the other end of a
 * pipe, and when the pipe closes because this process ended in any way (crash, `kill -9`, Ctrl-C,
 * a killed test worker), it ends the guarded processes and removes the guarded folders. No handler
 * is put on `process`, and nothing here keeps this process alive.
 */
export class Watchdog {
  readonly #wards: Wards = { processes: new Map(), folders: new Set() };
  #child: ChildProcess | undefined;

  /** Guards a process that leads its own group: `signal` first, then SIGKILL to the group. */
  guardProcess(pid: number, signal: NodeJS.Signals): void {
    this.#wards.processes.set(pid, signal);
    this.#tell();
  }

  /** Call it before the folder is made, so that no moment is unguarded. */
  guardFolder(path: string): void {
    this.#wards.folders.add(path);
    this.#tell();
  }

  releaseProcess(pid: number): void {
    if (this.#wards.processes.delete(pid)) this.#tell();
  }

  releaseFolder(path: string): void {
    if (this.#wards.folders.delete(path)) this.#tell();
  }

  /** Each line is everything guarded now, so the reader needs the last one only. */
  #tell(): void {
    const { processes, folders } = this.#wards;
    if (processes.size === 0 && folders.size === 0) {
      this.#child?.stdin?.end(`${JSON.stringify({ processes: [], folders: [] })}\n`);
      this.#child = undefined;
      return;
    }
    this.#child ??= startChild();
    this.#child.stdin?.write(`${JSON.stringify({ processes: [...processes], folders: [...folders] })}\n`);
  }
}

function startChild(): ChildProcess {
  // Not our NODE_OPTIONS: a test runner's loader has no business in there.
  const { SystemRoot } = process.env;
  const child = spawn(process.execPath, ['--eval', watchdogProgram], {
    cwd: tmpdir(),
    detached: true,
    env: SystemRoot === undefined ? {} : { SystemRoot },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a watchdog the tests still run; only a crash would leave files behind.
  child.on('error', () => undefined);
  child.stdin?.on('error', () => undefined);
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return child;
}
