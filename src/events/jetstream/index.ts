/**
 * Events in NATS JetStream, over the optional peers `@nats-io/transport-node` and `@nats-io/jetstream`.
 *
 * @module
 */
export type { JetStreamOptions } from './jetstream-options.js';
export { type JetStreamTransport, jetstream } from './jetstream-transport.js';
