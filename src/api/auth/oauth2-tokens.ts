import type { CallOptions } from '../../core/index.js';
import { checkOptions } from '../../core/internal.js';
import { type HTTPTransport, readBody, undiciTransport } from '../../drivers/http/index.js';
import { Coalescer, type Policy, policy } from '../../resilience/index.js';
import { type AuthHeader, toHeader } from './auth-header.js';
import { OAuth2Error } from './oauth2-error.js';
import { type OAuth2ClientCredentials, oauth2Checks } from './oauth2-options.js';

interface Token {
  readonly header: AuthHeader;
  /** By `performance.now()`: when to fetch another. */
  readonly renewAt: number;
}

const maxTokenBytes = 65_536;

/** Fetches and keeps the token of a client. Callers at the same time share one request. */
export class OAuth2Tokens {
  readonly #options: OAuth2ClientCredentials;
  readonly #transport: HTTPTransport;
  readonly #ownsTransport: boolean;
  readonly #policy: Policy;
  readonly #fetching: Coalescer<Token> = new Coalescer();
  #token: Token | undefined;

  /** @throws ConfigurationError that names the option */
  constructor(options: OAuth2ClientCredentials, field: string, transport?: HTTPTransport) {
    checkOptions(field, options, oauth2Checks);
    this.#options = { ...options, tokenURL: new URL(options.tokenURL) };
    this.#transport = transport ?? undiciTransport({ maxResponseBytes: maxTokenBytes });
    this.#ownsTransport = transport === undefined;
    // Asking for a token twice does no harm.
    this.#policy = policy({ timeoutMs: 30_000, attemptTimeoutMs: 10_000, breaker: false });
  }

  /** @throws OAuth2Error ConnectionError TimeoutError, or the signal's reason */
  async current(options: CallOptions): Promise<AuthHeader> {
    const token = this.#token;
    if (token && performance.now() < token.renewAt) return token.header;
    return (await this.#fresh(options)).header;
  }

  /** Another token in the place of a refused one; whoever comes later gets the same. */
  async replacement(refused: AuthHeader, options: CallOptions): Promise<AuthHeader> {
    if (this.#token?.header.value === refused.value) this.#token = undefined;
    return this.current(options);
  }

  async close(): Promise<void> {
    this.#token = undefined;
    if (this.#ownsTransport) await this.#transport.close();
  }

  #fresh(options: CallOptions): Promise<Token> {
    return this.#fetching.run(
      'token',
      async (signal) => {
        const token = await this.#policy.execute((attempt) => this.#request(attempt.signal), { signal });
        this.#token = token;
        return token;
      },
      options,
    );
  }

  async #request(signal: AbortSignal): Promise<Token> {
    const { tokenURL, clientId, clientSecret, scopes, params, clientAuth = 'basic' } = this.#options;
    const url = new URL(tokenURL);
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...params });
    if (scopes && scopes.length > 0) form.set('scope', scopes.join(' '));
    const headers: Record<string, string> = {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    };
    if (clientAuth === 'basic') headers.authorization = basicOf(clientId, clientSecret);
    else {
      form.set('client_id', clientId);
      form.set('client_secret', clientSecret);
    }
    const sentAt = performance.now();
    const body = form.toString();
    const answer = await this.#transport.send({
      method: 'POST',
      url: url.href,
      headers,
      body,
      signal,
      maxResponseBytes: maxTokenBytes,
      mayFollow: () => false,
    });
    return this.#tokenOf(`POST ${url.origin}${url.pathname}`, answer.status, await readBody(answer.body), sentAt);
  }

  #tokenOf(subject: string, status: number, body: Uint8Array, sentAt: number): Token {
    const data = parsed(body);
    if (status < 200 || status > 299) {
      const reason = reasonOf(data.error);
      throw new OAuth2Error(subject, status, reason, `gave no token: ${reason ?? `it answered ${status}`}`);
    }
    const { access_token: token, token_type: type = 'Bearer', expires_in: lifetime } = data;
    if (typeof token !== 'string' || token === '' || /\s/.test(token) || /[^\x20-\x7e]/.test(token))
      throw new OAuth2Error(subject, status, undefined, 'gave an answer without a usable access_token');
    if (typeof type !== 'string' || type.toLowerCase() !== 'bearer')
      throw new OAuth2Error(subject, status, undefined, 'gave a token that is not a bearer token');
    const lifetimeMs = lifetimeOf(lifetime);
    const leewayMs = Math.min(this.#options.leewayMs ?? 60_000, lifetimeMs / 2);
    return { header: toHeader(token, `the token of ${subject}`), renewAt: sentAt + lifetimeMs - leewayMs };
  }
}

/** RFC 6749 section 2.3.1: both are form-encoded first, so that they may hold any character. */
function basicOf(id: string, secret: string): string {
  const encoded = (text: string): string => new URLSearchParams({ _: text }).toString().slice('_='.length);
  return `Basic ${Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString('base64')}`;
}

function parsed(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const data: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    return typeof data === 'object' && data !== null ? { ...data } : {};
  } catch {
    return {};
  }
}

/** One of the words the standard and its extensions use; anything else could hold what must not be shown. */
function reasonOf(error: unknown): string | undefined {
  return typeof error === 'string' && /^[a-z_]{3,40}$/.test(error) ? error : undefined;
}

/** Seconds, by some servers as a text. Without a lifetime a token lasts until it is refused. */
function lifetimeOf(seconds: unknown): number {
  const value = typeof seconds === 'number' || typeof seconds === 'string' ? Number(seconds) : Number.NaN;
  return value >= 0 ? value * 1_000 : Number.POSITIVE_INFINITY;
}
