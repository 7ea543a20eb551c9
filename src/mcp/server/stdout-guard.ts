import { Writable } from 'node:stream';
import { ConfigurationError } from '../../core/index.js';

let held = false;

/** The process's stdout, taken for one purpose. */
export interface HeldStdout extends Disposable {
  /** The only way to the real stdout. */
  readonly wire: Writable;
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
  const wire = new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, encoding, done) => {
      write(chunk, encoding, done);
    },
  });
  // A broken pipe is reported by the failed write; without a listener it would end the process.
  const onError = (): void => undefined;
  stdout.on('error', onError);
  stdout.write = stderr.write.bind(stderr) as typeof stdout.write;
  return {
    wire,
    [Symbol.dispose]: () => {
      if (!held) return;
      held = false;
      stdout.write = original;
      if (stdout.writableLength === 0) stdout.off('error', onError);
      else write('', () => stdout.off('error', onError));
    },
  };
}
