import { ConfigurationError, UnsupportedError } from '../core/index.js';
import { checkOptions } from '../core/internal.js';
import type { DatabaseEngine } from './database-engine.js';
import type { DocumentEngine } from './document-engine.js';
import { PostgresDatabase } from './postgres/postgres-database.js';
import { type PostgresSettings, settingChecks } from './postgres/postgres-options.js';

/** Where a database is, and the settings of its engine. */
export interface DatabaseIntegrationOptions extends PostgresSettings {
  /** `memory:`, `file:./folder`, `postgres://...`. The scheme names the engine. */
  readonly url: string | URL;
}

/** The engine that the URL's scheme names. @throws ConfigurationError */
export function openEngine(options: DatabaseIntegrationOptions): DatabaseEngine {
  checkOptions('DatabaseIntegration', options, { ...settingChecks, url: isText });
  return new PostgresDatabase(options);
}

/** MongoDB for the guide's methods. @throws UnsupportedError while no MongoDB engine is built in */
export async function openMongoDB(_url: string, _database: string): Promise<DocumentEngine> {
  throw new UnsupportedError('MongoDB is not built in yet; use memory:, file: or postgres://');
}

function isText(value: unknown, field: string): void {
  if (typeof value === 'string' || value instanceof URL) return;
  throw new ConfigurationError(`${field} must be a URL`, { field });
}
