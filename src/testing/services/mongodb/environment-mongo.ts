import { ConfigurationError, ConnectionError, NotFoundError, SaflaError } from '../../../core/index.js';
import { describeError } from '../../../core/internal.js';
import type { ServiceResolver } from '../resolver.js';
import { RunningService } from '../test-service.js';
import { mongoVersion, openMongoNamespace } from './mongo-admin.js';

/** A server that runs already and that the environment names. */
export const environmentMongo: ServiceResolver = {
  kind: 'environment',
  real: true,
  way: 'MONGODB_URL',
  async resolve({ environment, config, scope }) {
    const url = environment.MONGODB_URL;
    if (!url) throw new NotFoundError('not set');
    if (!/^mongodb(?:\+srv)?:\/\//.test(url) || !URL.canParse(url)) {
      throw new ConfigurationError('MONGODB_URL is set, but not to a mongodb:// URL of one host');
    }
    if (Object.keys(config).length > 0) throw new NotFoundError('a server from the environment cannot be configured');
    const version = await scope
      .run(() => mongoVersion(url))
      .catch((cause: unknown) => {
        throw new ConnectionError(
          `MONGODB_URL is set, but: ${describeError(cause)}`,
          SaflaError.is(cause) ? { cause } : {},
        );
      });
    return new RunningService({
      name: 'mongodb',
      kind: 'environment',
      origin: 'MONGODB_URL',
      version,
      url,
      openNamespace: openMongoNamespace,
    });
  },
};
