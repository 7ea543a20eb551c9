import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TestContainer } from '@safla/sdk/testing';
import { afterAll } from 'vitest';

/**
 * The guide's own framework class on the SDK's `TestContainer`: its suites register here and run, against a
 * server that wants the key of the guide, a real PostgreSQL and the example server.
 */
const services = await TestContainer.start({ postgres: { kinds: ['environment', 'system', 'package'] } });
const api = createServer((request, response) => {
  const known = request.headers.authorization === 'Bearer test-key';
  response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' }).end('{"ok":true}');
});
await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
process.env.API_BASE_URL = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
process.env.SEED_POSTGRES_URL = services.postgres.url;

await import('./blocks/integration-test-framework.js');

afterAll(async () => {
  api.close().closeAllConnections();
  await services.stop();
});
