import type { DriverClient } from '../../drivers/postgres/index.js';

interface Known {
  /** Undefined until the text came a second time. */
  name: string | undefined;
}

/**
 * Which statements are prepared on which connection. A text is prepared when a connection meets it for
 * the second time; beyond `limit` texts per connection the one unused for longest is closed on the server.
 */
export class PreparedStatements {
  readonly #limit: number;
  readonly #known: WeakMap<DriverClient, Map<string, Known>> = new WeakMap();
  #names = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The name to send a text under; undefined to send it unprepared. */
  nameOf(client: DriverClient, text: string): string | undefined {
    if (this.#limit === 0 || !client.connection) return undefined;
    const known = this.#of(client);
    const met = known.get(text);
    if (!met) {
      if (known.size >= this.#limit) this.#evict(client, known);
      known.set(text, { name: undefined });
      return undefined;
    }
    // A Map keeps the order of insertion: what was used last goes to its end, from when there is something to lose.
    if (known.size >= this.#limit) {
      known.delete(text);
      known.set(text, met);
    }
    met.name ??= `safla_${++this.#names}`;
    return met.name;
  }

  /** Unprepares a text that failed: its plan may belong to a table that has changed since. */
  forget(client: DriverClient, text: string): void {
    const known = this.#of(client);
    const met = known.get(text);
    if (met?.name === undefined) return;
    known.delete(text);
    close(client, met.name);
  }

  #of(client: DriverClient): Map<string, Known> {
    let known = this.#known.get(client);
    if (!known) {
      known = new Map();
      this.#known.set(client, known);
    }
    return known;
  }

  #evict(client: DriverClient, known: Map<string, Known>): void {
    const [text, oldest] = known.entries().next().value ?? [];
    if (text === undefined) return;
    known.delete(text);
    if (oldest?.name !== undefined) close(client, oldest.name);
  }
}

/** The message goes out with the next statement; a name that does not exist there is not an error. */
function close(client: DriverClient, name: string): void {
  const { connection } = client;
  if (!connection) return;
  if (connection.parsedStatements[name] === undefined) return;
  delete connection.parsedStatements[name];
  connection.close({ type: 'S', name });
}
