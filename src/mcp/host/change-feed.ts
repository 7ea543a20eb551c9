import { UnsupportedError } from '../../core/index.js';
import type { ListenFilter, RequestOptions, SDKClient } from '../sdk/client-sdk.js';

/** A list of a server. */
export type MCPListKind = 'tools' | 'resources' | 'prompts';

/** What may change on a server and is to be told. */
export interface MCPWatchFilter {
  /** URIs of resources: told when reading them would give something else. */
  readonly resources?: readonly string[];
  /** Lists: told when the server offers more, less or others. */
  readonly lists?: readonly MCPListKind[];
}

/** Something that changed on a server. It says that, and not what: read or list it again. */
export type MCPChange =
  | { readonly kind: 'resource'; readonly uri: string }
  | { readonly kind: 'list'; readonly list: MCPListKind };

/** A subscription on one connection. */
export interface OpenFeed {
  /** Resolves when nothing is told any more. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

interface Listener {
  readonly filter: MCPWatchFilter;
  readonly tell: (change: MCPChange) => void;
  readonly end: () => void;
}

const listMethods: Readonly<Record<MCPListKind, string>> = {
  tools: 'notifications/tools/list_changed',
  resources: 'notifications/resources/list_changed',
  prompts: 'notifications/prompts/list_changed',
};

/** The changes that one connection's server tells of, for both eras of the protocol. */
export class ChangeFeed {
  readonly #client: SDKClient;
  readonly #label: string;
  readonly #listeners: Set<Listener> = new Set();
  /** How many watch each resource: servers before 2026-07-28 know one subscription per URI and connection. */
  readonly #watched: Map<string, number> = new Map();

  constructor(client: SDKClient, label: string) {
    this.#client = client;
    this.#label = label;
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      this.#tell({ kind: 'resource', uri: String(params?.uri) });
    });
    for (const list of ['tools', 'resources', 'prompts'] as const)
      client.setNotificationHandler(listMethods[list], () => this.#tell({ kind: 'list', list }));
  }

  /** True while somebody watches. */
  get isUsed(): boolean {
    return this.#listeners.size > 0;
  }

  /** @throws UnsupportedError when the server does not tell of some of it */
  async open(filter: MCPWatchFilter, tell: Listener['tell'], options: RequestOptions): Promise<OpenFeed> {
    const isModern = this.#client.getProtocolEra() === 'modern';
    this.#assertTold(filter);
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const listener = { filter, tell, end };
    this.#listeners.add(listener);
    try {
      const stop = await (isModern ? this.#listen(filter, options, end) : this.#subscribe(filter, options));
      const close = async (): Promise<void> => {
        if (!this.#listeners.delete(listener)) return;
        end();
        await stop().catch(() => undefined);
      };
      return { ended, close };
    } catch (error) {
      this.#listeners.delete(listener);
      throw error;
    }
  }

  /** The connection has ended, or tells nothing any more. */
  end(): void {
    for (const { end } of this.#listeners) end();
  }

  /** A stream of its own, `subscriptions/listen`. */
  async #listen(filter: MCPWatchFilter, options: RequestOptions, end: () => void): Promise<() => Promise<void>> {
    const { resources = [], lists = [] } = filter;
    const wanted: ListenFilter = {
      ...(resources.length > 0 ? { resourceSubscriptions: resources } : {}),
      ...(lists.includes('tools') ? { toolsListChanged: true } : {}),
      ...(lists.includes('resources') ? { resourcesListChanged: true } : {}),
      ...(lists.includes('prompts') ? { promptsListChanged: true } : {}),
    };
    const stream = await this.#client.listen(wanted, options);
    stream.closed.then(end);
    const missing = Object.keys(wanted).filter((name) => !(name in stream.honoredFilter));
    if (missing.length === 0) return () => stream.close();
    await stream.close();
    throw new UnsupportedError(`${this.#label} does not tell of ${missing.join(', ')}`);
  }

  /** `resources/subscribe`; the lists are told unasked. */
  async #subscribe({ resources = [] }: MCPWatchFilter, options: RequestOptions): Promise<() => Promise<void>> {
    const stop = async (uris: readonly string[]): Promise<void> => {
      for (const uri of uris) {
        const left = (this.#watched.get(uri) ?? 1) - 1;
        if (left > 0) this.#watched.set(uri, left);
        else if (this.#watched.delete(uri)) await this.#client.unsubscribeResource({ uri }, options);
      }
    };
    for (const uri of resources) this.#watched.set(uri, (this.#watched.get(uri) ?? 0) + 1);
    try {
      await Promise.all(resources.map((uri) => this.#client.subscribeResource({ uri }, options)));
    } catch (error) {
      await stop(resources).catch(() => undefined);
      throw error;
    }
    return () => stop(resources);
  }

  #assertTold({ resources = [], lists = [] }: MCPWatchFilter): void {
    const capabilities = (this.#client.getServerCapabilities() ?? {}) as Readonly<
      Record<string, { readonly listChanged?: boolean; readonly subscribe?: boolean } | undefined>
    >;
    const missing = lists.filter((list) => !capabilities[list]?.listChanged).map((list) => `its list of ${list}`);
    if (resources.length > 0 && !capabilities.resources?.subscribe) missing.push('updates of resources');
    if (missing.length > 0) throw new UnsupportedError(`${this.#label} does not tell of ${missing.join(' and ')}`);
  }

  #tell(change: MCPChange): void {
    for (const { filter, tell } of this.#listeners) {
      const isWatched =
        change.kind === 'resource' ? filter.resources?.includes(change.uri) : filter.lists?.includes(change.list);
      if (isWatched) tell(change);
    }
  }
}
