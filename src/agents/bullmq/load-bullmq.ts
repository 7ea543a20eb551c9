import { importOptional, lazy } from '../../core/internal.js';

const load = lazy(() => import('bullmq'));

/** @throws MissingDependencyError with the command that installs it */
export function loadBullMQ(neededBy: string): Promise<typeof import('bullmq')> {
  return importOptional('bullmq', neededBy, load);
}
