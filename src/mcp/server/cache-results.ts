import type { Middleware } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import type { ToolResult } from '../tools/tool.js';
import type { ToolCall } from './tool-calls.js';

/** Settings of {@link cacheResults}. */
export interface CacheResultsOptions {
  /** How long an answer is used, in milliseconds. */
  readonly ttlMs: number;
  /** Names of tools to cache. @default those that say `readOnlyHint` */
  readonly tools?: readonly string[];
  /** Answers of one caller are not shown to another. `shared` tells that all callers get the same. @default 'caller' */
  readonly scope?: 'caller' | 'shared';
  /** The answer that was not used for longest makes room. @default 1000 */
  readonly maxEntries?: number;
  /** Answers longer than this many characters of JSON are not kept. @default 65536 */
  readonly maxEntryLength?: number;
}

interface Kept {
  readonly result: ToolResult;
  readonly until: number;
}

/**
 * A layer for `use` that answers repeated calls of read-only tools out of memory: same tool, same
 * arguments (in the same order), same caller. Failures are not kept. Scopes are asked for before layers,
 * so a caller without them gets nothing out of it.
 *
 * @throws ConfigurationError
 * @example new MCPServer({ name: 'shop', version: '1.0.0', tools, use: [cacheResults({ ttlMs: 60_000 })] });
 */
export function cacheResults(options: CacheResultsOptions): Middleware<ToolCall, ToolResult> {
  checkOptions<CacheResultsOptions>('cacheResults', options, {
    ttlMs: is.required(is.milliseconds),
    tools: is.list,
    scope: is.oneOf('caller', 'shared'),
    maxEntries: is.count,
    maxEntryLength: is.count,
  });
  const { ttlMs, tools, scope = 'caller', maxEntries = 1_000, maxEntryLength = 65_536 } = options;
  /** Least recently used first. */
  const kept = new Map<string, Kept>();
  return async (call, next) => {
    const { tool, arguments: args, principal } = call;
    if (!(tools ? tools.includes(tool.name) : tool.annotations?.readOnlyHint)) return next();
    const key = JSON.stringify([tool.name, args, scope === 'caller' ? (principal?.id ?? null) : null]);
    const found = kept.get(key);
    kept.delete(key);
    if (found && found.until > performance.now()) {
      kept.set(key, found);
      return found.result;
    }
    const result = await next();
    if (!result.isError && key.length + JSON.stringify(result).length <= maxEntryLength) {
      kept.set(key, { result, until: performance.now() + ttlMs });
      for (const oldest of kept.keys()) {
        if (kept.size <= maxEntries) break;
        kept.delete(oldest);
      }
    }
    return result;
  };
}
