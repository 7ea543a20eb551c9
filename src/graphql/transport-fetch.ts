import { exchangeByTransport, type HTTPAnswer, type HTTPTransport } from '../drivers/http/index.js';
import { isJSON, jsonText } from './json-answer.js';

/** An answer that was read to its end, as far as graphql-request uses a `Response`. */
class FetchedText {
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

  async text(): Promise<string> {
    return jsonText(this.#answer.body);
  }
}

/** Header fields, as far as graphql-request uses `Headers`. */
class FetchedHeaders {
  readonly #fields: HTTPAnswer['headers'];

  constructor(fields: HTTPAnswer['headers']) {
    this.#fields = fields;
  }

  /** graphql-request knows two names of JSON: all others become one of them. */
  get(name: string): string | null {
    const key = name.toLowerCase();
    const value = this.#fields[key];
    return key === 'content-type' && isJSON(value) ? 'application/json' : (value ?? null);
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
