import { EventEmitter } from 'node:events';
import { ConfigurationError } from '../../core/index.js';

let held = false;

/** The process's stdout, taken for one purpose. */
export interface HeldStdout extends Disposable {
  /** The only way to the real stdout. */
  readonly wire: StdoutWire;
}

/** Writes to the real stdout at once; a stream in between would cost a third of a small message. Emits `drain` and `error`. */
class StdoutWire extends EventEmitter {
  readonly #write: (text: string) => boolean;

  constructor(write: (text: string) => boolean) {
    super();
    this.#write = write;
    // A broken pipe is reported by the failed write; without a listener it would end the process.
    this.on('error', () => undefined);
  }

  /** False when the pipe is full: `drain` follows. */
  write(text: string): boolean {
    return this.#write(text);
  }
}

/**
 * Takes `process.stdout` for protocol messages: until disposed, whatever else is written there
 * (`console.log`, a library's banner) goes to stderr, because one stray line breaks a client.
 * Writes that pass Node's stream by, such as `fs.writeSync(1)`, cannot be caught.
 *
 * @throws ConfigurationError when it is taken already
 */
export function holdStdout(): HeldStdout {
  if (held) throw new ConfigurationError('stdio serves one MCP server at a time; close the other one first');
  held = true;
  const { stdout, stderr } = process;
  const original = stdout.write;
  const write = original.bind(stdout);
  const wire = new StdoutWire(write);
  const onError = (error: Error): void => void wire.emit('error', error);
  const onDrain = (): void => void wire.emit('drain');
  stdout.on('error', onError);
  stdout.on('drain', onDrain);
  stdout.write = stderr.write.bind(stderr) as typeof stdout.write;
  return {
    wire,
    [Symbol.dispose]: () => {
      if (!held) return;
      held = false;
      stdout.write = original;
      stdout.off('drain', onDrain);
      if (stdout.writableLength === 0) stdout.off('error', onError);
      else write('', () => stdout.off('error', onError));
    },
  };
}
