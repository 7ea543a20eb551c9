import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How a server is started on a port, with its data in a folder. */
export interface ServerPlan {
  readonly file: string;
  readonly args: (port: number, folder: string) => readonly string[];
}

export const natsPlan: ServerPlan = {
  file: 'nats-server',
  args: (port, folder) => ['-js', '-a', '127.0.0.1', '-p', String(port), '-sd', folder],
};

/** Every write is on the disk before it is answered. */
export const redisPlan: ServerPlan = {
  file: 'redis-server',
  args: (port, folder) => {
    const settings = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'yes', appendfsync: 'always' };
    return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  },
};

/** A server that a test may stop, kill and start again on the same port and data. */
export class ServerProgram implements AsyncDisposable {
  readonly port: number;
  readonly #plan: ServerPlan;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  private constructor(plan: ServerPlan, port: number, folder: string) {
    this.#plan = plan;
    this.port = port;
    this.#folder = folder;
  }

  static async start(plan: ServerPlan): Promise<ServerProgram> {
    const server = new ServerProgram(plan, await freePort(), await mkdtemp(join(tmpdir(), 'safla-server-')));
    await server.run();
    return server;
  }

  /** Starts the program, again after `kill`. Resolves when it accepts connections. */
  async run(): Promise<void> {
    const { file, args } = this.#plan;
    const child = spawn(file, args(this.port, this.#folder), { stdio: 'ignore' });
    this.#child = child;
    await once(child, 'spawn');
    while (!(await listens(this.port))) {
      if (child.exitCode !== null) throw new Error(`${file} ended with ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Freezes it for a while: connections stay open and nothing answers. */
  async freeze(ms: number): Promise<void> {
    this.#child?.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.#child?.kill('SIGCONT');
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return address.port;
}
