import { ProtocolError } from '../../core/index.js';

/**
 * GET of JSON that follows no redirect and stops reading at `maxBytes`.
 *
 * @throws ProtocolError; what `fetch` throws
 */
export async function fetchKeySet(url: string, signal: AbortSignal, maxBytes: number): Promise<unknown> {
  const response = await fetch(url, { signal, redirect: 'manual', headers: { accept: 'application/json' } });
  const subject = 'the keys of the issuer';
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new ProtocolError(`${subject}: the answer has status ${response.status}`, { retryable: true });
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the rest.
    if (bytes > maxBytes) throw new ProtocolError(`${subject}: the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new ProtocolError(`${subject}: the answer is not JSON`);
  }
}
