/**
 * The part of a `pg` pool that a host passes in. Structural, so that no declaration needs `@types/pg`
 * and any major of `pg` with these methods fits.
 */
export interface PostgresPool {
  connect(): Promise<object>;
  end(): Promise<void>;
  on?(event: 'error', listener: (error: Error) => void): unknown;
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** One statement as the driver takes it. Values are in their text form already. */
export interface DriverQuery {
  readonly text: string;
  readonly values: readonly (string | Uint8Array | null)[];
  /** Makes it a prepared statement of that name. */
  readonly name?: string | undefined;
  /** Only on a client that was not made with parsers of its own. */
  readonly types?: TypeParsers;
  /** The extended protocol carries one statement per call, with or without values. Absent, a text may hold several. */
  readonly queryMode?: 'extended';
}

/** What the driver answers. */
export interface DriverResult {
  readonly command: string | null;
  readonly rowCount: number | null;
  readonly rows: Record<string, unknown>[];
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
}

/** How the text of a column becomes a value, by the type's OID. */
export interface TypeParsers {
  getTypeParser(oid: number, format?: string): (text: string) => unknown;
}

/** The connection below a client, for what the public interface of `pg` does not reach. */
export interface DriverConnection {
  readonly parsedStatements: Record<string, string | undefined>;
  readonly stream: { destroy(): void };
  close(message: { readonly type: 'S'; readonly name: string }): void;
}

/** A server's message on a channel that is listened to. */
export interface DriverNotification {
  readonly channel: string;
  readonly payload?: string | undefined;
}

/** A client of `pg` that a pool gave out, or one of its own. */
export interface DriverClient {
  query(query: DriverQuery, done: (error: Error | null | undefined, result: DriverResult) => void): void;
  query<T extends { submit(connection: never): void }>(submittable: T): T;
  on(event: 'error' | 'end', listener: (error?: Error) => void): unknown;
  on(event: 'notification', listener: (message: DriverNotification) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
  /** Back to the pool; with `true` or an error the connection is ended instead. */
  release(broken?: Error | boolean): void;
  connect(): Promise<unknown>;
  end(): Promise<void>;
  /** `I` idle, `T` in a transaction, `E` in a failed one. Undefined before pg 8.23. */
  getTransactionStatus?(): string | null;
  readonly connection?: DriverConnection;
  readonly host?: string;
  readonly port?: number;
  readonly ssl?: unknown;
  readonly processID?: number | null;
  readonly secretKey?: number | null;
}

/** How to reach a server, in the words of `pg`. Made from a URL; holds the password. */
export interface ConnectionSettings {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly database?: string | undefined;
  readonly ssl?: boolean | Readonly<Record<string, unknown>> | undefined;
  readonly options?: string | undefined;
  readonly application_name?: string | undefined;
  readonly statement_timeout?: number | undefined;
  readonly lock_timeout?: number | undefined;
  readonly idle_in_transaction_session_timeout?: number | undefined;
  readonly connectionTimeoutMillis?: number | undefined;
}

/** Sizes of a pool, in the words of `pg`. */
export interface PoolSettings extends ConnectionSettings {
  readonly types: TypeParsers;
  readonly max: number;
  readonly idleTimeoutMillis: number;
  readonly allowExitOnIdle: boolean;
}
