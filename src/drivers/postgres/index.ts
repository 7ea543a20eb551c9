export { requestCancel } from './cancel-request.js';
export type {
  ConnectionSettings,
  DriverClient,
  DriverNotification,
  DriverQuery,
  DriverResult,
  PoolSettings,
  PostgresPool,
  TypeParsers,
} from './client.js';
export { openClient, openPool } from './open.js';
export { type EmbeddedDatabase, type EmbeddedOptions, openEmbedded } from './pglite.js';
export { type Int8Mode, typeParsers } from './type-parsers.js';
