import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CallScope, ConnectionError } from '../../../core/index.js';
import type { Identity } from './identity.js';
import type { Watchdog } from './watchdog.js';

/** How a program is started and ended. */
export interface ServerCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** Its working folder; its output goes to the file `log` there. */
  readonly folder: string;
  /** @default the caller's own */
  readonly identity?: Identity;
  /** Beside the few variables that every server gets. @default none */
  readonly environment?: Readonly<Record<string, string>>;
  /** @default SIGTERM, then SIGKILL */
  readonly signals?: StopSignals;
}

/** What ends a program: politely, and then at once but still by itself. SIGKILL follows when both fail. */
export interface StopSignals {
  readonly polite: NodeJS.Signals;
  readonly immediate: NodeJS.Signals;
}

const usualSignals: StopSignals = { polite: 'SIGTERM', immediate: 'SIGKILL' };

/** How long each stop signal may take before the next one, in milliseconds. */
const patienceMs = 5_000;

/**
 * A program that we started: it leads its own process group, so Ctrl-C in a terminal reaches the
 * tests and not the server, and it is guarded by the watchdog until it is gone.
 */
export class ServerProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #command: ServerCommand;
  readonly #signals: StopSignals;
  readonly #exited: Promise<void>;

  private constructor(child: ChildProcess, pid: number, command: ServerCommand, watchdog: Watchdog) {
    this.#child = child;
    this.pid = pid;
    this.#command = command;
    this.#signals = command.signals ?? usualSignals;
    watchdog.guardProcess(pid, this.#signals.immediate);
    child.on('error', () => undefined);
    this.#exited = new Promise((resolve) => {
      child.once('exit', () => {
        watchdog.releaseProcess(pid);
        resolve();
      });
    });
    child.unref();
  }

  /** @throws ConnectionError when the program cannot be started at all */
  static async start(command: ServerCommand, watchdog: Watchdog): Promise<ServerProcess> {
    const log = await open(join(command.folder, 'log'), 'w');
    try {
      const child = spawn(command.file, command.args, {
        ...command.identity,
        cwd: command.folder,
        detached: true,
        // Servers get no credentials of the host process, and speak English so that logs can be read.
        env: {
          LC_ALL: 'C',
          PATH: process.env.PATH,
          SystemRoot: process.env.SystemRoot,
          TZ: 'UTC',
          ...command.environment,
        },
        stdio: ['ignore', log.fd, log.fd],
      });
      if (child.pid === undefined) {
        const [error] = (await once(child, 'error')) as [NodeJS.ErrnoException];
        throw new ConnectionError(`${command.file} cannot be run: ${error.message}`, {
          systemCode: error.code,
          cause: error,
        });
      }
      return new ServerProcess(child, child.pid, command, watchdog);
    } finally {
      await log.close();
    }
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * Asks `probe` until it gives a value.
   *
   * @throws ConnectionError with the end of the log when the program ends first; the scope's reason when that ends
   */
  async ready<T>(probe: () => Promise<T | undefined>, scope: CallScope): Promise<T> {
    for (;;) {
      scope.throwIfCancelled();
      if (!this.running) throw await this.#ended();
      const answer = await scope.run(probe);
      if (answer !== undefined) return answer;
      await scope.sleep(15);
    }
  }

  /** Waits for a program that does its work and ends. @throws ConnectionError when it ends with a failure */
  async finished(scope: CallScope): Promise<void> {
    this.#child.ref();
    await scope.run(() => this.#exited);
    if (this.#child.exitCode !== 0) throw await this.#ended();
  }

  /** Ends the program: settles when it is gone, at the latest after two deadlines and SIGKILL. */
  async stop(): Promise<void> {
    const { polite, immediate } = this.#signals;
    this.#child.ref();
    for (const signal of [polite, immediate]) {
      if (!this.running) break;
      this.#child.kill(signal);
      await this.#exitedWithin(patienceMs);
    }
    killGroup(this.pid);
    await this.#exited;
  }

  async #exitedWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([this.#exited, deadline]);
    clearTimeout(timer);
  }

  async #ended(): Promise<ConnectionError> {
    const { exitCode, signalCode } = this.#child;
    const log = await readFile(join(this.#command.folder, 'log'), 'utf8').catch(() => '');
    const tail = log.trim().split('\n').slice(-10).join('\n');
    return new ConnectionError(`${this.#command.file} ended with ${signalCode ?? `code ${exitCode}`}:\n${tail}`);
  }
}

/** Ends what is left of a group. The group is gone in the usual case, which is no error. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: nothing left.
  }
}
