import { lazy } from '../../core/internal.js';

/** `pg`, loaded once, when a connection is first needed. */
export const loadDriver: () => Promise<typeof import('pg')['default']> = lazy(async () => (await import('pg')).default);
