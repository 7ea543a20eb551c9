export { requestCancel } from './cancel-request.js';
export type {
  ConnectionSettings,
  DriverClient,
  DriverNotification,
  DriverQuery,
  DriverResult,
  PostgresPool,
  TypeParsers,
} from './client.js';
export { closePool } from './close-pool.js';
export { copyIn, type LookupRow } from './copy-in.js';
export { openCursor } from './cursor.js';
export { migrateFolder } from './migrate-folder.js';
export { openClient, openPool } from './open.js';
export { type EmbeddedDatabase, openEmbedded } from './pglite.js';
export { ownSender, type SendQuery, sendByConfig } from './send-query.js';
export { typeParsers } from './type-parsers.js';
