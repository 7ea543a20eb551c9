import type { StoredEvent } from '../../event-transport.js';

/** An entry of a stream as Redis gives it: its id, and fields and values in turn. */
export type RawEntry = readonly [entry: string, fields: readonly string[]];

/** An entry of a log. */
export interface StreamEntry {
  readonly entry: string;
  readonly event: StoredEvent;
  /** The one group that it is for: it was given up and given back. */
  readonly only: string | undefined;
}

/**
 * Reads an entry. One that another program wrote with fields of its own becomes an event with the
 * entry's id and a JSON object of those fields, which is no CloudEvent.
 */
export function readEntry(channel: string, [entry, fields]: RawEntry): StreamEntry {
  let id: string | undefined;
  let key: string | undefined;
  let body: string | undefined;
  let attributes: string | undefined;
  let only: string | undefined;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const value = fields[i + 1] as string;
    switch (fields[i]) {
      case 'id':
        id = value;
        break;
      case 'key':
        key = value;
        break;
      case 'body':
        body = value;
        break;
      case 'attributes':
        attributes = value;
        break;
      case 'only':
        only = value;
        break;
    }
  }
  const time = timeOf(entry);
  if (id === undefined || body === undefined) {
    return { entry, event: { channel, id: entry, body: JSON.stringify(toObject(fields)), time }, only: undefined };
  }
  const event: { -readonly [Field in keyof StoredEvent]: StoredEvent[Field] } = { channel, id, body, time };
  if (key !== undefined) event.key = key;
  if (attributes !== undefined) event.attributes = attributes;
  return { entry, event, only };
}

/** New entries as the script gives them that takes them. */
export interface RawRow {
  /** Entry, id and body of each event. */
  readonly row: readonly string[];
  /** Place in the row, from 1, and attributes from there on. */
  readonly changes: readonly (number | string)[];
  /** Place in the row, from 1, and all fields of an event that is otherwise. */
  readonly others: readonly (number | readonly string[])[];
}

/** {@link readEntry} for each entry of a row. */
export function readRow(channel: string, { row, changes, others }: RawRow): StreamEntry[] {
  const entries: StreamEntry[] = [];
  let attributes = '';
  let change = 0;
  let other = 0;
  for (let at = 0; at + 2 < row.length; at += 3) {
    const entry = row[at] as string;
    const place = at / 3 + 1;
    if (others[other] === place) {
      entries.push(readEntry(channel, [entry, others[other + 1] as readonly string[]]));
      other += 2;
      continue;
    }
    if (changes[change] === place) {
      attributes = changes[change + 1] as string;
      change += 2;
    }
    const event = { channel, id: row[at + 1] as string, body: row[at + 2] as string, attributes, time: timeOf(entry) };
    entries.push({ entry, event, only: undefined });
  }
  return entries;
}

/** When Redis took an entry, in milliseconds since the epoch. */
export function timeOf(entry: string): number {
  return Number.parseInt(entry, 10);
}

/** The entry before which there is no other: what a group has to begin after to begin with `entry`. */
export function before(entry: string): string {
  const [ms = '0', seq = '0'] = entry.split('-');
  if (seq !== '0') return `${ms}-${BigInt(seq) - 1n}`;
  return ms === '0' ? '0-0' : `${BigInt(ms) - 1n}-18446744073709551615`;
}

/** Orders entries of different streams by time. */
export function isEarlier(a: string, b: string): boolean {
  const [aMs = 0, aSeq = 0] = a.split('-').map(Number);
  const [bMs = 0, bSeq = 0] = b.split('-').map(Number);
  return aMs < bMs || (aMs === bMs && aSeq < bSeq);
}

function toObject(fields: readonly string[]): Record<string, string> {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) pairs.push([fields[i] as string, fields[i + 1] as string]);
  return Object.fromEntries(pairs);
}
