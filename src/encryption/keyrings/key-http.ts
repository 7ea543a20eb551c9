import { ConnectionError, ProtocolError, SaflaError } from '../../core/index.js';
import { codeOf, withoutPayload } from '../../drivers/without-payload.js';

/**
 * What we use of an HTTP client; an `APIIntegration` fits. A status of 400 or more must reject with `status`, and
 * with the content as `data`.
 */
export interface KeyServiceClient {
  request(
    path: string,
    options: {
      readonly method: 'POST';
      readonly body: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly signal?: AbortSignal;
    },
  ): Promise<{ readonly data: unknown }>;
}

/** The status of a refused request; undefined where no answer came. */
export function statusOf(error: unknown): number | undefined {
  const { status } = (typeof error === 'object' && error !== null ? error : {}) as { readonly status?: unknown };
  return typeof status === 'number' ? status : undefined;
}

/** A failure to ask a key service. Its answer may hold keys, so nothing of it is kept. */
export function serviceFailure(service: string, error: unknown): unknown {
  if (SaflaError.is(error) || (error instanceof Error && error.name === 'AbortError')) return error;
  const status = statusOf(error);
  const reason = status === undefined ? `no answer${codeOf(error) ? ` (${codeOf(error)})` : ''}` : `status ${status}`;
  const cause = error instanceof Error ? withoutPayload(error, () => reason) : undefined;
  return new ConnectionError(`${service} could not be asked: ${reason}`, cause === undefined ? {} : { cause });
}

/** An answer that the client decoded, or left as text or bytes. @throws ProtocolError, which does not show it */
export function jsonOf(data: unknown, service: string): unknown {
  const text = data instanceof Uint8Array ? Buffer.from(data).toString('utf8') : data;
  if (typeof text !== 'string') return data;
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtocolError(`${service} gave an answer that is not JSON`);
  }
}

/** A text member of an answer. @throws ProtocolError, which does not show the answer */
export function textMember(answer: unknown, name: string, service: string): string {
  const value = typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>)[name] : undefined;
  if (typeof value !== 'string') throw new ProtocolError(`${service} gave an answer without ${name}`);
  return value;
}

/** 32 bytes from base64, as key services give them. @throws ProtocolError */
export function keyFromBase64(text: string, service: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 32) throw new ProtocolError(`${service} gave a data key that is not 32 bytes`);
  return bytes;
}
