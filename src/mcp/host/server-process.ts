import type { ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { ConnectionError, type Logger } from '../../core/index.js';
import { lazy } from '../../core/internal.js';
import type { StdioServerConfig } from '../config/mcp-config.js';
import { SecretMask } from './secret-mask.js';
import { StderrTail } from './stderr-tail.js';

const loadChildProcess = lazy(() => import('node:child_process'));

/** How the child ended: `exited with code 1`, `was ended by SIGKILL`. */
type Ending = string;

/** Windows has no process groups; there the child alone is ended. */
const hasGroups = process.platform !== 'win32';

/** How long an ended process's output is waited for. */
const lastWordsMs = 250;

/**
 * A server's process, started without a shell and with only the given environment. It leads a
 * process group of its own, so that ending it ends what it started as well.
 */
export class ServerProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: StderrTail;
  /** The program and its arguments as messages may show them. */
  readonly shown: string;
  /** Resolves when the process has ended and what it printed was read. */
  readonly ended: Promise<Ending>;
  #ending: Ending | undefined;
  #stopped = false;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;

  private constructor(child: ChildProcessByStdio<Writable, Readable, Readable>, stderr: StderrTail, shown: string) {
    this.#child = child;
    this.stdin = child.stdin;
    this.stdout = child.stdout;
    this.stderr = stderr;
    this.shown = shown;
    // Writing to a process that has ended is noticed by its end.
    child.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        const ending = signal ? `was ended by ${signal}` : `exited with code ${code}`;
        this.#ending = ending;
        this.#signalGroup('SIGKILL');
        // What it said last may still be in its pipes, which something outside of its group may hold open.
        const timer = setTimeout(resolve, lastWordsMs, ending);
        child.once('close', () => {
          clearTimeout(timer);
          resolve(ending);
        });
      });
    });
  }

  /**
   * Starts the program and resolves once the system has.
   *
   * @throws ConnectionError when there is no such program, directory, or permission
   */
  static async start(
    name: string,
    config: StdioServerConfig,
    inherited: Readonly<Record<string, string>>,
    logger: Logger,
  ): Promise<ServerProcess> {
    const { command, args = [], env = {}, cwd } = config;
    const { spawn } = await loadChildProcess();
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      shell: false,
      detached: hasGroups,
      windowsHide: true,
      env: { ...inherited, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    const mask = new SecretMask(config);
    const shown = config.shown ?? mask.of([command, ...args].join(' '));
    const started = new ServerProcess(child, new StderrTail(child.stderr, name, mask, logger), shown);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error: NodeJS.ErrnoException) => reject(cannotStart(name, config, mask, error)));
    });
    return started;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** How it ended; undefined while it runs. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** How it ended and what it printed last: `exited with code 1; it printed last: ...`. Read it after `ended`. */
  get epitaph(): string {
    const words = this.stderr.text;
    return `${this.#ending ?? 'was lost'}${words === '' ? ', printing nothing on stderr' : `; it printed last: ${words}`}`;
  }

  /** True when it ended without having been told to. */
  get died(): boolean {
    return this.#ending !== undefined && !this.#stopped;
  }

  /**
   * Ends the process politely, then firmly: its stdin is closed; after 40 % of the time it gets
   * SIGTERM, after 80 % SIGKILL. What is left of its group is killed. Resolves when it has ended.
   */
  async stop(withinMs: number): Promise<void> {
    if (this.#ending !== undefined) return;
    this.#stopped = true;
    this.stdin.end();
    const timers = [
      setTimeout(() => this.#signalGroup('SIGTERM'), withinMs * 0.4),
      setTimeout(() => this.#signalGroup('SIGKILL'), withinMs * 0.8),
    ];
    await this.ended;
    for (const timer of timers) clearTimeout(timer);
  }

  #signalGroup(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      if (hasGroups) process.kill(-pid, signal);
      else this.#child.kill(signal);
    } catch {
      // Nobody of the group is left.
    }
  }
}

function cannotStart(
  name: string,
  config: StdioServerConfig,
  mask: SecretMask,
  error: NodeJS.ErrnoException,
): ConnectionError {
  const command = mask.of(config.command);
  const cwd = config.cwd === undefined ? undefined : mask.of(config.cwd);
  const noDirectory = config.cwd !== undefined && !existsSync(config.cwd);
  const hint = /\s/.test(config.command) && (config.args ?? []).length === 0 ? '; arguments go into `args`' : '';
  const reasons: Record<string, string> = {
    ENOENT: noDirectory ? `there is no directory '${cwd}'` : `there is no program '${command}'${hint}`,
    EACCES: `running '${command}' is not allowed`,
  };
  const reason = reasons[error.code ?? ''] ?? `'${command}' did not start (${error.code})`;
  return new ConnectionError(`MCP server '${name}' cannot be started: ${reason}`, {
    systemCode: error.code,
    cause: error,
  });
}
