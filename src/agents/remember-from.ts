import { ConfigurationError, type StandardSchemaV1, type ValidationIssue } from '../core/index.js';
import { checkOptions, is } from '../core/internal.js';
import type { AgentMemory } from './agent-memory.js';
import type { EventSubscription, IncomingEvent, TaskEventSource } from './event-source.js';

/** Settings of {@link rememberFrom}. */
export interface RememberOptions {
  /** Where updates come from. @default 'safla.memory.update' */
  readonly channel?: string;
  /** Processes with the same group share the updates: right for one common memory. Give each its own for memories of their own. @default 'memory' */
  readonly group?: string;
  /** Where a group that is new on the channel begins. @default 'start' */
  readonly from?: 'new' | 'start';
  /** Updates at the same time; above 1, two updates of one id may change places. @default 1 */
  readonly concurrency?: number;
  /** Longest time for one update, in milliseconds. @default 30000 */
  readonly timeoutMs?: number;
}

/** What an update says: what to store under `id`, by a vector or a text, or that `id` is to be forgotten. */
export type MemoryUpdate =
  | { readonly id: string; readonly vector: readonly number[]; readonly metadata?: object }
  | { readonly id: string; readonly text: string; readonly metadata?: object }
  | { readonly id: string; readonly deleted: true };

const updateSchema: StandardSchemaV1<unknown, MemoryUpdate> = {
  '~standard': {
    version: 1,
    vendor: '@safla/sdk',
    validate(value) {
      const issues = updateIssues(value);
      return issues.length > 0 ? { issues } : { value: value as MemoryUpdate };
    },
  },
};

/**
 * Keeps a vector memory up to date with the events of a channel: stores and deletes what they say. An event
 * is acknowledged when the memory has it; one that the memory refuses comes again and is a dead letter in the
 * end. Storing twice under one id leaves one, so a repeated event does no harm.
 *
 * @example await using updates = await rememberFrom(events, memory, { channel: 'safla.memory.update' });
 */
export async function rememberFrom(
  events: TaskEventSource,
  memory: Pick<AgentMemory, 'store' | 'delete'>,
  options: RememberOptions = {},
): Promise<EventSubscription> {
  if (typeof events?.consume !== 'function') {
    throw new ConfigurationError('rememberFrom needs an EventStream, or something with its consume', {
      field: 'events',
    });
  }
  if (typeof memory?.store !== 'function' || typeof memory.delete !== 'function') {
    throw new ConfigurationError('rememberFrom needs a vector memory, something with store and delete', {
      field: 'memory',
    });
  }
  checkOptions<RememberOptions>('rememberFrom', options, {
    channel: is.text,
    group: is.text,
    from: is.oneOf('new', 'start'),
    concurrency: is.count,
    timeoutMs: is.milliseconds,
  });
  const {
    channel = 'safla.memory.update',
    group = 'memory',
    from = 'start',
    concurrency = 1,
    timeoutMs = 30_000,
  } = options;
  const settings = { group, from, concurrency, prefetch: 64, timeoutMs, schema: updateSchema };
  return events.consume(channel, settings, async ({ data }: IncomingEvent) => {
    const update = data as MemoryUpdate;
    if ('deleted' in update) await memory.delete(update.id);
    else await memory.store(update.id, 'text' in update ? update.text : [...update.vector], update.metadata);
  });
}

function updateIssues(value: unknown): ValidationIssue[] {
  if (typeof value !== 'object' || value === null) return [{ path: [], message: 'must be an object' }];
  const { id, text, vector, deleted, metadata } = value as Record<string, unknown>;
  const issues: ValidationIssue[] = [];
  if (typeof id !== 'string' || id === '') issues.push({ path: ['id'], message: 'must be a text that is not empty' });
  const kinds = [typeof text === 'string', Array.isArray(vector), deleted === true].filter(Boolean).length;
  if (kinds !== 1) issues.push({ path: [], message: 'must have one of text, vector (numbers) and deleted (true)' });
  if (Array.isArray(vector) && !vector.every(Number.isFinite)) {
    issues.push({ path: ['vector'], message: 'must be finite numbers' });
  }
  if (metadata !== undefined && (typeof metadata !== 'object' || metadata === null)) {
    issues.push({ path: ['metadata'], message: 'must be an object' });
  }
  return issues;
}
