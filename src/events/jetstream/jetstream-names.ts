import { createHash } from 'node:crypto';

/** How channels and groups are called at the server. */
export class JetStreamNames {
  /** The stream that keeps the log. */
  readonly log: string;
  readonly dead: string;
  /** Dead letters on their way back to their group. */
  readonly again: string;
  readonly #subject: string;

  constructor({ stream, subject }: { readonly stream: string; readonly subject: string }) {
    this.log = stream;
    this.dead = `${stream}_DEAD`;
    this.again = `${stream}_AGAIN`;
    this.#subject = subject;
  }

  /** The subject of a channel, or of all channels of a pattern: `**` is NATS' `>`. */
  subject(channel: string): string {
    return `${this.#subject}.${channel.replace(/(^|\.)\*\*$/, '$1>')}`;
  }

  /** The channel of a subject of the log. */
  channel(subject: string): string {
    return subject.slice(this.#subject.length + 1);
  }

  deadSubject(channel: string): string {
    return `${this.#subject}-dead.${channel.replace(/(^|\.)\*\*$/, '$1>')}`;
  }

  /** @param token see {@link groupToken} */
  againSubject(token: string): string {
    return `${this.#subject}-again.${token}`;
  }
}

/** The name of a group's consumer on a channel or pattern: any text fits into it, and no two share one. */
export function groupToken(channel: string, group: string): string {
  return createHash('sha256').update(`${channel}\n${group}`).digest('hex').slice(0, 40);
}

/** What an id is remembered by: unique over all channels, and plain ASCII. */
export function messageId(channel: string, id: string): string {
  return createHash('sha256')
    .update(`${channel}\n${JSON.stringify(id)}`)
    .digest('base64url');
}
