import { exchangeByTransport, type HTTPAnswer, type HTTPTransport } from '../drivers/http/index.js';

const json = 'application/json';
const jsonType = /^(?:application|text)\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;
const byteOrderMark = '\uFEFF';

/** Header fields, as far as graphql-request uses `Headers`. */
export class FetchedHeaders {
  /** By lower-case name. */
  readonly fields: HTTPAnswer['headers'];

  constructor(fields: HTTPAnswer['headers']) {
    this.fields = fields;
  }

  /** Any JSON counts, and so does an answer that does not say what it is: graphql-request knows two names of it. */
  get isJSON(): boolean {
    return jsonType.test(this.fields['content-type'] ?? json);
  }

  get(name: string): string | null {
    const key = name.toLowerCase();
    return key === 'content-type' && this.isJSON ? json : (this.fields[key] ?? null);
  }
}

/** An answer that was read to its end, as far as graphql-request uses a `Response`. */
export class FetchedText {
  readonly headers: FetchedHeaders;
  readonly #answer: HTTPAnswer;

  constructor(answer: HTTPAnswer) {
    this.#answer = answer;
    this.headers = new FetchedHeaders(answer.headers);
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

/** A transport in the place of `fetch`, for a client that brings headers, body and signal in its own form. */
export function transportFetch(transport: HTTPTransport, maxResponseBytes: number | undefined): typeof fetch {
  const send = async (
    url: URL | string,
    { method = 'GET', headers, body, signal }: RequestInit,
  ): Promise<FetchedText> => {
    const answer = await exchangeByTransport(transport, {
      method,
      url: String(url),
      headers: Object.fromEntries(headers as Headers),
      body: typeof body === 'string' ? body : undefined,
      signal: signal ?? undefined,
      maxResponseBytes,
    });
    return new FetchedText(answer);
  };
  return send as unknown as typeof fetch;
}
