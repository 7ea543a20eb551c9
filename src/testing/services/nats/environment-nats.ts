import { ConfigurationError, ConnectionError, NotFoundError } from '../../../core/index.js';
import type { ServiceResolver } from '../resolver.js';
import { RunningService } from '../test-service.js';
import { openNatsNamespace } from './nats-namespace.js';
import { NatsWire } from './nats-wire.js';

/** A server that runs already and that the environment names. */
export const environmentNats: ServiceResolver = {
  kind: 'environment',
  real: true,
  way: 'NATS_URL',
  async resolve({ environment, config, scope }) {
    const url = environment.NATS_URL;
    if (!url) throw new NotFoundError('not set');
    if (!/^(?:nats|tls):\/\//.test(url))
      throw new ConfigurationError('NATS_URL is set, but not to a nats:// or tls:// URL');
    if (Object.keys(config).length > 0) throw new NotFoundError('a server from the environment cannot be configured');
    const version = await scope
      .run(() => natsVersion(url))
      .catch((cause: unknown) => {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new ConnectionError(`NATS_URL is set, but: ${reason}`, { cause });
      });
    return new RunningService({
      name: 'nats',
      kind: 'environment',
      origin: 'NATS_URL',
      version,
      url,
      openNamespace: openNatsNamespace,
    });
  },
};

/** Logs in, and gives the version. */
export async function natsVersion(url: string): Promise<string> {
  await using wire = await NatsWire.connect(url);
  return wire.version;
}
