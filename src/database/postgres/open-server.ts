import { readFile } from 'node:fs/promises';
import type { checkServerIdentity, PeerCertificate } from 'node:tls';
import { ConfigurationError } from '../../core/index.js';
import { lazy } from '../../core/internal.js';
import {
  type ConnectionSettings,
  closePool,
  type DriverClient,
  openClient,
  openPool,
  ownSender,
  type PostgresPool,
  sendByConfig,
  typeParsers,
} from '../../drivers/postgres/index.js';
import type { OpenedPool } from './connection-pool.js';
import type { PostgresSettings, PostgresTlsOptions } from './postgres-options.js';
import type { ServerAddress } from './postgres-url.js';

const loadTLS = lazy(() => import('node:tls'));

/** `host:port`, which is all of an address that may be shown. */
export function describeAddress({ host, port }: ServerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A pool of connections to a server. */
export async function openServerPool(address: ServerAddress, settings: PostgresSettings): Promise<OpenedPool> {
  const [connection, types, send] = await Promise.all([
    connectionSettings(address, settings),
    typeParsers(settings.int8 ?? 'number'),
    ownSender(),
  ]);
  const pool = await openPool({
    ...connection,
    types,
    max: settings.maxConnections ?? 10,
    idleTimeoutMillis: settings.idleTimeoutMs ?? 30_000,
    allowExitOnIdle: true,
  });
  return { pool, types, adopted: false, send, release: (remainingMs) => closePool(pool, remainingMs) };
}

/** A connection of its own, for listening. */
export async function openServerClient(address: ServerAddress, settings: PostgresSettings): Promise<DriverClient> {
  return await openClient(await connectionSettings(address, settings));
}

/** The pool of a host: used, never closed. */
export async function adoptPool(pool: PostgresPool, settings: PostgresSettings): Promise<OpenedPool> {
  return {
    pool,
    types: await typeParsers(settings.int8 ?? 'number'),
    adopted: true,
    send: sendByConfig,
    release: async () => undefined,
  };
}

async function connectionSettings(address: ServerAddress, settings: PostgresSettings): Promise<ConnectionSettings> {
  const connectTimeoutMs = settings.connectTimeoutMs ?? address.connectTimeoutMs ?? 10_000;
  return {
    host: address.host,
    port: address.port,
    user: address.user,
    password: address.password,
    database: address.database,
    options: serverOptions(address, settings),
    ssl: await tlsOf(address, settings),
    application_name: settings.applicationName ?? address.applicationName ?? '@safla/sdk',
    statement_timeout: limit(settings.statementTimeoutMs, 30_000),
    lock_timeout: limit(settings.lockTimeoutMs, 10_000),
    idle_in_transaction_session_timeout: limit(settings.idleInTransactionTimeoutMs, 60_000),
    // The driver has one limit for making a connection and for waiting for one; ours are two and end earlier.
    connectionTimeoutMillis: Math.max(connectTimeoutMs, settings.acquireTimeoutMs ?? 5_000),
  };
}

/** Settings for every statement of a connection, as on the server's command line. */
function serverOptions({ options }: ServerAddress, { schema }: PostgresSettings): string | undefined {
  return schema === undefined
    ? options
    : `${options === undefined ? '' : `${options} `}-c search_path=${schema},public`;
}

/** 0 is how PostgreSQL says that there is no limit. */
function limit(value: number | false | undefined, fallback: number): number {
  return value === false ? 0 : Math.min(Math.ceil(value ?? fallback), 2 ** 31 - 1);
}

async function tlsOf({ tls }: ServerAddress, settings: PostgresSettings): Promise<ConnectionSettings['ssl']> {
  if (settings.tls === false) return false;
  if (settings.tls === true) return true;
  if (settings.tls) return { ...settings.tls, ...(await namedIdentity(settings.tls)) };
  if (tls.mode === 'off') return false;
  const ca = tls.rootCertificatePath === undefined ? undefined : await certificate(tls.rootCertificatePath);
  return { rejectUnauthorized: tls.mode === 'verify', ...(ca === undefined ? {} : { ca }) };
}

/** The driver puts the host in the place of `servername`; the certificate is checked against what was asked for. */
async function namedIdentity({ servername }: PostgresTlsOptions): Promise<{
  readonly checkServerIdentity?: typeof checkServerIdentity;
}> {
  if (servername === undefined) return {};
  const tls = await loadTLS();
  return { checkServerIdentity: (_, certificate: PeerCertificate) => tls.checkServerIdentity(servername, certificate) };
}

async function certificate(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigurationError(`sslrootcert cannot be read: ${path}`, { field: 'sslrootcert', cause: error });
  }
}
