import { readFile } from 'node:fs/promises';
import { ConfigurationError } from '../../core/index.js';

/** A config is written by hand; a megabyte is something else. */
const maxBytes = 1024 * 1024;

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a directory, not a file',
  EACCES: 'reading it is not allowed',
};

/**
 * The text of a file, without a byte order mark.
 *
 * @throws ConfigurationError that says why it cannot be read
 */
export async function readText(file: string): Promise<string> {
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new ConfigurationError(`${file}: ${reasons[cause.code ?? ''] ?? 'it cannot be read'}`, { cause });
  });
  if (bytes.byteLength > maxBytes) throw new ConfigurationError(`${file}: is larger than ${maxBytes} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigurationError(`${file}: is not UTF-8 text`, { cause });
  }
}
