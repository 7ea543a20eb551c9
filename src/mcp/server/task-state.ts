import type { Awaitable } from '../../core/index.js';
import type { WireQuestion } from './pending-questions.js';

/** How a task is. The last three are final: `failed` is for errors of the protocol, a tool's own failure completes. */
export type MCPTaskStatus = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';

/** A task as `tasks/get` shows it (MCP extension `io.modelcontextprotocol/tasks`, SEP-2663, `DetailedTask`). */
export interface MCPTaskState {
  readonly taskId: string;
  readonly status: MCPTaskStatus;
  /** How far the work is, as the tool said by `progress`; not of a task that has ended. */
  readonly statusMessage?: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601. */
  readonly lastUpdatedAt: string;
  /** How long after `createdAt` the task can be asked for. */
  readonly ttlMs: number;
  /** How long to wait between two requests. */
  readonly pollIntervalMs: number;
  /** The questions that wait for `tasks/update`, while the task is `input_required`. */
  readonly inputRequests?: Readonly<Record<string, WireQuestion>>;
  /** The tool's answer, when the task is `completed`. */
  readonly result?: unknown;
  /** A JSON-RPC error, when the task is `failed`. */
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** What a {@link MCPTaskStore} keeps. It is JSON. */
export interface MCPTaskRecord {
  /** The id of the principal whose task it is; empty where nobody is asked who calls. */
  readonly owner: string;
  /** Milliseconds since the epoch; later on the record may go. */
  readonly expiresAt: number;
  readonly state: MCPTaskState;
}

/**
 * Keeps states of tasks outside of the process, so that others behind the same address can answer
 * `tasks/get`. A task still runs, is answered and is cancelled in the process that began it.
 */
export interface MCPTaskStore {
  /** Adds the record, or replaces it. A task is not told to its client before its first `set`. */
  set(taskId: string, record: MCPTaskRecord): Awaitable<unknown>;
  get(taskId: string): Awaitable<MCPTaskRecord | undefined>;
  /** Does nothing when there is none. */
  delete(taskId: string): Awaitable<unknown>;
}
