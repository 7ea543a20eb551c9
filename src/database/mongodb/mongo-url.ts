import { ConfigurationError } from '../../core/index.js';
import { databaseNameProblem } from './names.js';

/** What a MongoDB URL says. `url` holds the password: never print it. */
export interface MongoTarget {
  readonly url: string;
  /** The first host, for messages and spans. */
  readonly host: string;
  readonly port: number | undefined;
  /** The hosts as they are written, for messages. */
  readonly hosts: string;
  readonly database: string;
  /** Names of the URL's options, in lower case: what it says itself is not set again. */
  readonly parameters: ReadonlySet<string>;
}

/** MongoDB's connection string (MongoDB Manual, "Connection String Formats"): several hosts, so no URL for `new URL`. */
const form = /^mongodb(?:\+srv)?:\/\/(?:[^@/?]*@)?(?<hosts>[^/?@\s]+)(?:\/(?<database>[^?]*))?(?:\?(?<query>.*))?$/s;

/** @throws ConfigurationError which never holds the URL */
export function parseMongoURL(given: unknown, database: unknown, owner: string): MongoTarget {
  const field = `${owner}.url`;
  const url = given instanceof URL ? given.href : given;
  if (typeof url !== 'string') throw wrong(field, 'must be a mongodb:// URL');
  const groups = form.exec(url)?.groups;
  if (!groups?.hosts)
    throw wrong(field, 'must be mongodb://host:port/database, with user and password before the host, percent-encoded');
  const hosts = groups.hosts;
  const name = databaseName(
    database ?? decoded(groups.database ?? '', field),
    database === undefined ? field : `${owner}.database`,
  );
  const [, host = hosts, port] = /^(\[[^\]]*]|[^,:]*)(?::(\d+))?/.exec(hosts) ?? [];
  const parameters = new Set((groups.query ?? '').split('&').map((pair) => (pair.split('=')[0] ?? '').toLowerCase()));
  return { url, host, port: port ? Number(port) : undefined, hosts, database: name, parameters };
}

/** @throws ConfigurationError */
export function databaseName(name: unknown, field: string): string {
  if (typeof name !== 'string' || name === '') throw wrong(field, 'must name the database');
  const problem = databaseNameProblem(name);
  if (problem !== undefined) throw wrong(field, `names a database that cannot be: it ${problem}`);
  return name;
}

function decoded(text: string, field: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong(field, 'is not percent-encoded correctly');
  }
}

function wrong(field: string, problem: string): ConfigurationError {
  return new ConfigurationError(`${field} ${problem}`, { field });
}
