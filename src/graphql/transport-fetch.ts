import { flatHeaders, type HTTPTransport, readBody } from '../drivers/http/index.js';

/** An answer read to its end. */
export interface HTTPText {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** `fetch`, as far as graphql-request uses it. */
export type TextFetch = (url: URL | string, init: RequestInit) => Promise<FetchedText>;

/** A transport in the shape of `fetch`. The answer has been read when it resolves. */
export function transportFetch(transport: HTTPTransport, maxResponseBytes: number | undefined): TextFetch {
  return async (url, { method = 'GET', headers, body, signal }) => {
    const answer = await transport.send({
      method,
      url: String(url),
      headers: Object.fromEntries(headers as Headers),
      body: typeof body === 'string' ? body : undefined,
      signal: signal ?? undefined,
      maxResponseBytes,
    });
    const text = (await readBody(answer.body)).toString('utf8');
    return new FetchedText(answer.status, new FlatHeaders(flatHeaders(answer.headers)), text);
  };
}

/** What graphql-request uses of a `Response`. */
export class FetchedText {
  readonly status: number;
  readonly headers: FlatHeaders;
  readonly #text: string;

  constructor(status: number, headers: FlatHeaders, text: string) {
    this.status = status;
    this.headers = headers;
    this.#text = text;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  async text(): Promise<string> {
    return this.#text;
  }

  /** All of it at once. */
  get answer(): HTTPText {
    return { status: this.status, headers: this.headers.fields, text: this.#text };
  }
}

/** What graphql-request uses of `Headers`. */
export class FlatHeaders {
  readonly fields: Readonly<Record<string, string>>;

  constructor(fields: Readonly<Record<string, string>>) {
    this.fields = fields;
  }

  get(name: string): string | null {
    return this.fields[name.toLowerCase()] ?? null;
  }
}
