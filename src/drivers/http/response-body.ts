import { ProtocolError } from '../../core/index.js';
import type { HTTPContent } from './transport.js';

/** Reads a body to its end. */
export async function readBody(body: HTTPContent): Promise<Buffer> {
  if (typeof body.bytes === 'function') {
    const bytes = await body.bytes();
    return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What is read of an answer nobody wants, so that its connection can be used again. */
const discardBytes = 131_072;

/** Reads on without keeping anything; past a limit the connection is given up instead. */
export async function discardBody(body: HTTPContent): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > discardBytes) return;
    }
  } catch {
    // Nobody wants to know.
  }
}

export function tooLarge(subject: string, maxBytes: number): ProtocolError {
  return new ProtocolError(`${subject}: the answer is larger than ${maxBytes} bytes (maxResponseBytes)`);
}
