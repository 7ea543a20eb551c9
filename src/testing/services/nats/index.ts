import { randomBytes } from 'node:crypto';
import { dockerWay } from '../docker/docker-way.js';
import type { ServiceRecipe } from '../resolver.js';
import { environmentNats, natsVersion } from './environment-nats.js';
import { openNatsNamespace } from './nats-namespace.js';
import { systemNats } from './system-nats.js';

const file = '/etc/nats-test.conf';

/** How NATS is found, first way first. */
export const natsRecipe: ServiceRecipe = {
  name: 'nats',
  ways: [
    environmentNats,
    systemNats(),
    dockerWay({
      name: 'nats',
      image: 'nats:2',
      port: 4222,
      prepare(config) {
        const password = randomBytes(18).toString('hex');
        const authorization = { user: 'test', password };
        const settings = { ...config, host: '0.0.0.0', port: 4222, authorization, jetstream: { store_dir: '/data' } };
        return {
          file: { path: file, text: JSON.stringify(settings) },
          args: ['--config', file],
          url: (port) => `nats://test:${password}@127.0.0.1:${port}`,
        };
      },
      version: natsVersion,
      openNamespace: openNatsNamespace,
    }),
  ],
  remedy:
    'For NATS run: apt-get install nats-server (Debian, Ubuntu), brew install nats-server (macOS), or set NATS_URL',
};
