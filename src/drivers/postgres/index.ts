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
export { closePool } from './close-pool.js';
export { type CopyRequest, copyIn, type LookupRow } from './copy-in.js';
export { type DriverCursor, openCursor } from './cursor.js';
export { migrateFolder } from './migrate-folder.js';
export { openClient, openPool } from './open.js';
export { type EmbeddedDatabase, type EmbeddedOptions, openEmbedded } from './pglite.js';
export { ownSender, type SendQuery, sendByConfig } from './send-query.js';
export { type Int8Mode, typeParsers } from './type-parsers.js';
