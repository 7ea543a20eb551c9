import { ConfigurationError } from '../../core/index.js';
import { hint } from '../../core/internal.js';

/** Where a URL leads: to a server, or to a database inside this process. */
export type PostgresTarget =
  | { readonly engine: 'memory' }
  | { readonly engine: 'file'; readonly path: string }
  | { readonly engine: 'server'; readonly address: ServerAddress };

/** What a `postgres://` URL says. Holds the password: never print it. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly tls: UrlTls;
  readonly options: string | undefined;
  readonly applicationName: string | undefined;
  readonly connectTimeoutMs: number | undefined;
}

/** `verify` checks the server's certificate; `unverified` (`sslmode=no-verify`) only encrypts. */
export type UrlTls = { readonly mode: 'off' | 'verify' | 'unverified'; readonly rootCertificatePath?: string };

const schemes = ['memory:', 'file:', 'postgres:', 'postgresql:'];
const parameters = ['application_name', 'connect_timeout', 'host', 'options', 'sslmode', 'sslrootcert'];
const tlsModes: Readonly<Record<string, UrlTls['mode']>> = {
  disable: 'off',
  require: 'verify',
  'verify-ca': 'verify',
  'verify-full': 'verify',
  'no-verify': 'unverified',
};

/** @throws ConfigurationError which never holds the URL */
export function parsePostgresURL(given: string | URL, field: string): PostgresTarget {
  const text = String(given);
  if (text === 'memory:' || text === 'memory://') return { engine: 'memory' };
  if (text.startsWith('file:')) return { engine: 'file', path: filePath(text, field) };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !schemes.includes(url.protocol)) {
    const got = url ? `the scheme '${url.protocol}'` : 'something else';
    throw wrong(
      field,
      `must be memory:, file:./path or postgres://host/database with user and password before the host, got ${got}`,
    );
  }
  if (url.protocol === 'memory:') throw wrong(field, 'is memory: and nothing more');
  return { engine: 'server', address: serverAddress(url, field) };
}

function serverAddress(url: URL, field: string): ServerAddress {
  for (const name of url.searchParams.keys()) {
    if (!parameters.includes(name)) throw wrong(field, `has the unknown parameter '${name}'${hint(name, parameters)}`);
  }
  const given = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const part = (text: string, name: string): string | undefined => decoded(text, `${field} (${name})`) || undefined;
  const host = given('host') ?? part(url.hostname.replace(/^\[(.+)]$/, '$1'), 'host') ?? 'localhost';
  return {
    host,
    port: url.port === '' ? 5432 : Number(url.port),
    user: part(url.username, 'user'),
    password: part(url.password, 'password'),
    database: part(url.pathname.slice(1), 'database'),
    tls: tlsOf(given('sslmode'), given('sslrootcert'), field),
    options: given('options'),
    applicationName: given('application_name'),
    connectTimeoutMs: seconds(given('connect_timeout'), field),
  };
}

function tlsOf(mode: string | undefined, rootCertificatePath: string | undefined, field: string): UrlTls {
  const chosen = mode === undefined ? (rootCertificatePath ? 'verify' : 'off') : tlsModes[mode];
  if (chosen === undefined) {
    throw wrong(field, `has an sslmode that is none of ${Object.keys(tlsModes).join(', ')}`);
  }
  return rootCertificatePath === undefined ? { mode: chosen } : { mode: chosen, rootCertificatePath };
}

function seconds(text: string | undefined, field: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,6}$/.test(text)) throw wrong(field, 'has a connect_timeout that is not a whole number of seconds');
  return text === '0' ? undefined : Number(text) * 1_000;
}

/** `file:./data`, `file:/srv/data` and `file:///srv/data`. */
function filePath(text: string, field: string): string {
  const path = decoded(text.slice('file:'.length).replace(/^\/\/(?=\/)/, ''), field);
  if (path === '' || path.startsWith('//')) throw wrong(field, 'must name a folder: file:./data or file:///srv/data');
  return path;
}

function decoded(text: string, field: string): string {
  try {
    const value = decodeURIComponent(text);
    if (!value.includes('\0')) return value;
  } catch {
    // Falls through to the refusal, which does not repeat what was given.
  }
  throw wrong(field, 'is not percent-encoded correctly');
}

function wrong(field: string, problem: string): ConfigurationError {
  return new ConfigurationError(`${field} ${problem}`, { field });
}
