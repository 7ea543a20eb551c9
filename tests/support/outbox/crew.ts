import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CrashSettings } from './crash-settings.js';

/** Programs that do the same work side by side; one that is killed is followed by another. */
export class Crew implements AsyncDisposable {
  readonly #script: string;
  readonly #settings: CrashSettings;
  readonly #members: Set<ChildProcess> = new Set();
  readonly #failures: string[] = [];

  constructor(name: 'writer' | 'relay', size: number, settings: CrashSettings) {
    this.#script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
    this.#settings = settings;
    for (let i = 0; i < size; i++) this.#hire();
  }

  /** Members that have not ended. */
  get working(): number {
    return this.#members.size;
  }

  /** What members that ended by themselves complained about. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** Ends the oldest member as a crash would; false when there is none. */
  async killOne(): Promise<boolean> {
    const [oldest] = this.#members;
    if (!oldest) return false;
    this.#hire();
    await this.#kill(oldest);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#members].map((member) => this.#kill(member)));
  }

  #hire(): void {
    const args = ['--import', 'tsx', this.#script, JSON.stringify(this.#settings)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#members.add(child);
    let complaint = '';
    child.stderr.on('data', (chunk) => {
      complaint += chunk;
    });
    child.once('close', (code, signal) => {
      this.#members.delete(child);
      if (signal !== 'SIGKILL' && code !== 0) this.#failures.push(`ended with ${code ?? signal}: ${complaint}`);
    });
  }

  async #kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }
}
