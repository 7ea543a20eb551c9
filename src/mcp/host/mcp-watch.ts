import {
  type CallOptions,
  CallScope,
  type Closeable,
  ClosedError,
  ConfigurationError,
  ConnectionError,
  detach,
  quietClock,
  TimeoutError,
} from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import { fullJitter } from '../../resilience/backoff.js';
import type { MCPChange, MCPWatchFilter, OpenFeed } from './change-feed.js';

/** Settings of a watch. */
export interface MCPWatchOptions extends CallOptions {
  /** Gets the changes in place of `for await`. What it throws is logged and changes nothing. */
  readonly onChange?: (change: MCPChange) => void;
  /** Ends the watch, also later. */
  readonly signal?: AbortSignal;
  /** Longest time for the first subscription, in milliseconds. @default that of calls */
  readonly timeoutMs?: number;
}

/** How a {@link MCPWatch} subscribes. */
export interface WatchSource {
  readonly name: string;
  open(tell: (change: MCPChange) => void, options: CallOptions): Promise<OpenFeed>;
  /** Whether a connection that was lost may come back. */
  returns(error: unknown): boolean;
  onListenerError(error: unknown): void;
}

/** How long one attempt to subscribe again may take, and the longest pause between two. */
const againMs = 30_000;
const longestPauseMs = 10_000;

/**
 * Tells what changes on a server. A change that is not taken yet is kept once, however often it
 * happens. After a lost connection it subscribes again, and tells all it watches as changed: nobody
 * knows what happened meanwhile. Made by `watch`; close it after use.
 *
 * @example
 * await using watch = await host.watch('notes', { resources: ['notes://today'] });
 * for await (const change of watch) if (change.kind === 'resource') show(await host.readResource('notes', change.uri));
 */
export class MCPWatch implements AsyncIterable<MCPChange>, Closeable {
  readonly #source: WatchSource;
  readonly #filter: MCPWatchFilter;
  readonly #onChange: MCPWatchOptions['onChange'];
  readonly #waiting: Map<string, MCPChange> = new Map();
  /** Ends with the watch. */
  readonly #life: CallScope;
  #over: { readonly error?: unknown } | undefined;
  #wake: () => void = () => undefined;
  #kept: Promise<void> = Promise.resolve();

  private constructor(source: WatchSource, filter: MCPWatchFilter, options: MCPWatchOptions) {
    this.#source = source;
    this.#filter = filter;
    this.#onChange = options.onChange;
    const { signal } = options;
    this.#life = new CallScope(`the watch of ${source.name}`, { clock: quietClock, ...(signal ? { signal } : {}) });
  }

  /** @internal */
  static async open(source: WatchSource, filter: MCPWatchFilter, options: MCPWatchOptions): Promise<MCPWatch> {
    checkWatch(filter, options);
    const watch = new MCPWatch(source, filter, options);
    const { signal, timeoutMs } = options;
    const limits = { ...(signal ? { signal } : {}), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    const feed = await source.open(watch.#tell, limits);
    watch.#life.onCancel((reason) => watch.#end(reason instanceof ClosedError ? {} : { error: reason }));
    watch.#kept = detach(() => watch.#keep(feed));
    return watch;
  }

  /**
   * The changes, each to one loop. It ends when the watch is closed.
   *
   * @throws the signal's reason; why the server tells nothing any more
   */
  async *[Symbol.asyncIterator](): AsyncIterator<MCPChange, void> {
    for (;;) {
      for (const [key, change] of this.#waiting) {
        this.#waiting.delete(key);
        yield change;
      }
      if (this.#over && 'error' in this.#over) throw this.#over.error;
      if (this.#over) return;
      if (this.#waiting.size === 0)
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  async close(): Promise<void> {
    this.#life.cancel(new ClosedError(`The watch of ${this.#source.name}`));
    await this.#kept;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #tell = (change: MCPChange): void => {
    if (this.#over) return;
    if (!this.#onChange) {
      this.#waiting.set(change.kind === 'resource' ? `resource ${change.uri}` : change.list, change);
      this.#wake();
      return;
    }
    try {
      this.#onChange(change);
    } catch (error) {
      this.#source.onListenerError(error);
    }
  };

  async #keep(first: OpenFeed): Promise<void> {
    let feed: OpenFeed | undefined = first;
    try {
      while (feed && !this.#life.cancelled) {
        await this.#life.run(() => feed?.ended).catch(() => undefined);
        await withoutWaiting(feed.close());
        feed = this.#life.cancelled ? undefined : await this.#again();
      }
    } catch (error) {
      this.#end({ error });
    } finally {
      this.#life[Symbol.dispose]();
    }
  }

  /** @returns undefined when the watch has ended meanwhile */
  async #again(): Promise<OpenFeed | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#life.sleep(fullJitter(attempt, longestPauseMs, { baseDelayMs: 100 }));
        const feed = await this.#source.open(this.#tell, { signal: this.#life.signal, timeoutMs: againMs });
        for (const uri of this.#filter.resources ?? []) this.#tell({ kind: 'resource', uri });
        for (const list of this.#filter.lists ?? []) this.#tell({ kind: 'list', list });
        return feed;
      } catch (error) {
        if (this.#life.cancelled) return undefined;
        const passes = error instanceof ConnectionError || error instanceof TimeoutError;
        if (!passes || !this.#source.returns(error)) throw error;
      }
    }
  }

  #end(over: { readonly error?: unknown }): void {
    this.#over ??= over;
    this.#wake();
  }
}

/** Unsubscribing from a server that is gone may take as long as it likes. */
async function withoutWaiting(closing: Promise<void>): Promise<void> {
  using scope = new CallScope('unsubscribing', { clock: quietClock, timeoutMs: 1_000 });
  await scope.run(() => closing).catch(() => undefined);
}

function checkWatch(filter: MCPWatchFilter, options: MCPWatchOptions): void {
  checkOptions<MCPWatchFilter>('watch', filter, { resources: is.list, lists: is.list });
  checkOptions<MCPWatchOptions>('watch', options, {
    onChange: is.function,
    signal: is.anything,
    timeoutMs: is.milliseconds,
  });
  const { resources = [], lists = [] } = filter;
  if (resources.length + lists.length === 0)
    throw new ConfigurationError('watch: name the resources or lists to watch', { field: 'resources' });
  for (const [index, uri] of resources.entries()) is.text(uri, `watch.resources.${index}`);
  for (const [index, list] of lists.entries()) is.oneOf('tools', 'resources', 'prompts')(list, `watch.lists.${index}`);
}
