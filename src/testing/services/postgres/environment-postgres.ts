import { ConfigurationError, ConnectionError, NotFoundError } from '../../../core/index.js';
import type { ServiceResolver } from '../resolver.js';
import { RunningService } from '../test-service.js';
import { openPostgresNamespace } from './postgres-namespace.js';
import { PostgresWire } from './postgres-wire.js';

const variables = ['POSTGRES_URL', 'DATABASE_URL'] as const;

/** A server that runs already and that the environment names. */
export const environmentPostgres: ServiceResolver = {
  kind: 'environment',
  real: true,
  way: variables.join(' or '),
  async resolve({ environment, config, scope }) {
    const origin = variables.find((name) => /^postgres(?:ql)?:\/\//.test(environment[name] ?? ''));
    const url = origin && environment[origin];
    // DATABASE_URL may well name another kind of database; POSTGRES_URL may not.
    if (!url && environment.POSTGRES_URL)
      throw new ConfigurationError('POSTGRES_URL is set, but not to a postgres:// URL');
    if (!url) throw new NotFoundError('not set to a postgres:// URL');
    if (Object.keys(config).length > 0) throw new NotFoundError('a server from the environment cannot be configured');
    const version = await scope.run(() => readVersion(url, origin));
    return new RunningService({
      name: 'postgres',
      kind: 'environment',
      origin,
      version,
      url,
      openNamespace: openPostgresNamespace,
    });
  },
};

async function readVersion(url: string, origin: string): Promise<string> {
  try {
    await using wire = await PostgresWire.connect(url);
    return wire.version;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectionError(`${origin} is set, but: ${reason}`, { cause });
  }
}
