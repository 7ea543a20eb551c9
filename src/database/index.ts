export type { MongoClientLike, MongoDocument } from '../drivers/mongodb/index.js';
export type { PostgresPool } from '../drivers/postgres/index.js';
export type { DatabaseCapabilities } from './capabilities.js';
export type { DatabaseEngine, DatabaseRow, RowId } from './database-engine.js';
export { DatabaseIntegration } from './database-integration.js';
export type { DocumentEngine } from './document-engine.js';
export * from './errors/index.js';
export type { BulkOperation } from './mongodb/bulk-operation.js';
export type { ChangeEvent, ChangePosition, ChangeStream, ChangeStreamOptions } from './mongodb/change-stream.js';
export type { ConditionParts } from './mongodb/condition.js';
export { Condition } from './mongodb/condition.js';
export type { MongoCapabilities } from './mongodb/mongo-capabilities.js';
export { MongoCollection } from './mongodb/mongo-collection.js';
export type {
  MongoBulkOptions,
  MongoCollectionOptions,
  MongoIndexOptions,
  MongoModifyOptions,
  MongoUpdateOptions,
  Stored,
} from './mongodb/mongo-collection-options.js';
export { MongoDatabase, type MongoMetrics } from './mongodb/mongo-database.js';
export type { FieldFilter, MongoFields, MongoFilter, MongoPath, MongoUpdate } from './mongodb/mongo-filter.js';
export type { MongoMigration, MongoMigrationTools } from './mongodb/mongo-migration.js';
export type { MongoDatabaseOptions, MongoSettings } from './mongodb/mongo-options.js';
export type {
  MongoBulkResult,
  MongoDeleteResult,
  MongoInsertManyResult,
  MongoInsertResult,
  MongoUpdateResult,
} from './mongodb/mongo-results.js';
export { MongoTransaction } from './mongodb/mongo-transaction.js';
export { PushedValues, type PushOptions, push } from './mongodb/push.js';
export type { MongoFindOptions } from './mongodb/read-options.js';
export type { MongoTransactionOptions } from './mongodb/run-mongo-transaction.js';
export { type Where, where } from './mongodb/where.js';
export type { DatabaseIntegrationOptions } from './open-engine.js';
export type { BulkInsertOptions, BulkInsertResult, BulkRows, ConflictUpdate } from './postgres/bulk-insert.js';
export type { PoolMetrics } from './postgres/connection-pool.js';
export type { ChannelListenOptions, ChannelSubscription, Notification } from './postgres/listener.js';
export type { Migration, MigrationResult, MigrationSource } from './postgres/migration.js';
export { PostgresDatabase, type PostgresMetrics } from './postgres/postgres-database.js';
export type { PostgresDatabaseOptions, PostgresSettings, PostgresTlsOptions } from './postgres/postgres-options.js';
export type { TransactionLine } from './postgres/postgres-transaction.js';
export { PostgresTransaction } from './postgres/postgres-transaction.js';
export type { LimitedRows, ReadOptions } from './postgres/read-limited.js';
export type { RowStream, RowStreamOptions } from './postgres/row-stream.js';
export type { TransactionOptions } from './postgres/run-transaction.js';
export type { CheckedSqlTag, QueryOptions, SqlRow, SqlRows, SqlTag } from './postgres/sql-tag.js';
export type { RowValues } from './sql/json-row.js';
export { type SqlArrayItem, type SqlBuilder, type SqlParts, sql } from './sql/sql.js';
export type { SqlPiece } from './sql/sql-fragment.js';
export { SqlFragment, type SqlParameter, type SqlValue } from './sql/sql-fragment.js';
export type { TableName } from './sql/table-name.js';
