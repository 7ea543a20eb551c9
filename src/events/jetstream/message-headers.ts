import type { Msg, MsgHdrs } from '@nats-io/transport-node';
import type { StoredEvent } from '../event-transport.js';

/** What a message says about the event it carries, as header fields. Values are JSON, so that any text fits. */
export interface EventFacts {
  readonly id: string;
  readonly key?: string | undefined;
}

/** What a message says about the dead letter it carries. */
export interface LetterFacts extends EventFacts {
  readonly channel: string;
  /** When the log took the event, in milliseconds since the epoch. */
  readonly time: number;
  readonly group: string;
  /** The group's consumer, by {@link groupToken}: it may have asked for a pattern. */
  readonly token: string;
  readonly reason: string;
  readonly attempts: number;
}

const prefix = 'Safla-';

export function writeFacts(headers: MsgHdrs, facts: EventFacts | LetterFacts): MsgHdrs {
  for (const [name, value] of Object.entries(facts)) {
    if (value !== undefined) headers.set(prefix + name, JSON.stringify(value));
  }
  return headers;
}

/** Gives undefined for what is missing or is not JSON: others may publish to the subject too. */
function readFact(headers: MsgHdrs | undefined, name: keyof LetterFacts): unknown {
  try {
    return JSON.parse(headers?.get(prefix + name) ?? '') as unknown;
  } catch {
    return undefined;
  }
}

/** Reads an event from a message. One that others published without our header gets its place in the log as id. */
export function readEvent(
  message: Pick<Msg, 'data' | 'headers'>,
  place: { readonly channel: string; readonly sequence: number; readonly time: number },
): StoredEvent {
  const id = readFact(message.headers, 'id');
  const key = readFact(message.headers, 'key');
  return {
    channel: place.channel,
    id: typeof id === 'string' ? id : message.headers?.get('Nats-Msg-Id') || `sequence-${place.sequence}`,
    time: place.time,
    body: Buffer.from(message.data).toString('utf8'),
    ...(typeof key === 'string' ? { key } : {}),
  };
}

/** Reads a dead letter; undefined where it is none. */
export function readLetter(message: Pick<Msg, 'headers'>): LetterFacts | undefined {
  const read = (name: keyof LetterFacts): unknown => readFact(message.headers, name);
  const [channel, group, token, id, time] = [read('channel'), read('group'), read('token'), read('id'), read('time')];
  if (![channel, group, token, id].every((text) => typeof text === 'string') || typeof time !== 'number')
    return undefined;
  const key = read('key');
  return {
    channel: channel as string,
    group: group as string,
    token: token as string,
    id: id as string,
    time,
    key: typeof key === 'string' ? key : undefined,
    reason: String(read('reason') ?? ''),
    attempts: Number(read('attempts') ?? 1),
  };
}
