import { exchangeByTransport, type HTTPAnswer, type HTTPRequest, type HTTPTransport } from '../drivers/http/index.js';

const byteOrderMark = '\uFEFF';

/** An answer that was read to its end, in the shape of a `Response` as far as graphql-request uses one. */
export class FetchedText {
  readonly #answer: HTTPAnswer;
  /** Looks like `Headers`. */
  readonly headers: { readonly get: (name: string) => string | null; readonly fields: HTTPAnswer['headers'] };

  constructor(answer: HTTPAnswer) {
    this.#answer = answer;
    const { headers: fields } = answer;
    this.headers = { fields, get: (name) => fields[name.toLowerCase()] ?? null };
  }

  get status(): number {
    return this.#answer.status;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  /** The content as UTF-8, which JSON has to be (RFC 8259 section 8.1). */
  get content(): string {
    const { body } = this.#answer;
    const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
    return text.startsWith(byteOrderMark) ? text.slice(1) : text;
  }

  async text(): Promise<string> {
    return this.content;
  }
}

/** Sends one request by a transport. */
export async function fetchText(transport: HTTPTransport, request: HTTPRequest): Promise<FetchedText> {
  return new FetchedText(await exchangeByTransport(transport, request));
}

/** A transport in the place of `fetch`, for a client that brings headers, body and signal in its own form. */
export function transportFetch(transport: HTTPTransport, maxResponseBytes: number | undefined): typeof fetch {
  const send = (url: URL | string, { method = 'GET', headers, body, signal }: RequestInit): Promise<FetchedText> =>
    fetchText(transport, {
      method,
      url: String(url),
      headers: Object.fromEntries(headers as Headers),
      body: typeof body === 'string' ? body : undefined,
      signal: signal ?? undefined,
      maxResponseBytes,
    });
  return send as unknown as typeof fetch;
}
