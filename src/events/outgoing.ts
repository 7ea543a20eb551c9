import { randomUUID } from 'node:crypto';
import { ValidationError } from '../core/index.js';
import { correlationIdHere, encodeJSON } from '../core/internal.js';
import { assertChannelName } from './channel-name.js';
import type { OutgoingEvent } from './event-transport.js';
import { assertPayloadFits } from './payload-limit.js';

/** What is published, before it has an envelope. */
export interface EventDraft<Data = unknown> {
  readonly channel: string;
  /** Anything JSON can carry without loss. */
  readonly data: Data;
  /** Published again with the same id within the dedupe window, it is stored once. @default a new UUID */
  readonly id?: string;
  /** Events with the same key are handled in order by consumers that ask for it. */
  readonly key?: string;
}

/** A draft that was checked, its data as JSON: later changes to the data do not reach it. */
export interface EncodedDraft {
  readonly channel: string;
  readonly id: string;
  readonly key: string | undefined;
  readonly data: string;
}

const maxNameLength = 255;

/** @throws ValidationError */
export function encodeDraft({ channel, data, id = randomUUID(), key }: EventDraft): EncodedDraft {
  assertChannelName(channel);
  const subject = `Event on '${channel}'`;
  assertName(id, 'id', subject);
  if (key !== undefined) assertName(key, 'key', subject);
  return { channel, id, key, data: encodeJSON(data, subject) };
}

/** What every envelope of one stream has in common. */
export interface EnvelopeSettings {
  /** The `source` as JSON. */
  readonly sourceJSON: string;
  readonly maxPayloadBytes: number;
}

/**
 * Puts a draft into a CloudEvents envelope.
 *
 * @param trace the W3C trace context as headers
 * @throws ValidationError when it is longer than `maxPayloadBytes`
 */
export function toOutgoing(
  { channel, id, key, data }: EncodedDraft,
  settings: EnvelopeSettings,
  trace: Readonly<Record<string, string>>,
): OutgoingEvent {
  const optional = JSON.stringify({
    partitionkey: key,
    correlationid: correlationIdHere(),
    traceparent: trace.traceparent,
    tracestate: trace.tracestate,
  });
  const more = optional === '{}' ? '' : `${optional.slice(1, -1)},`;
  const source = settings.sourceJSON;
  const body = `{"specversion":"1.0","id":${JSON.stringify(id)},"source":${source},"type":${JSON.stringify(channel)},"time":"${now()}","datacontenttype":"application/json",${more}"data":${data}}`;
  assertPayloadFits(body, settings.maxPayloadBytes, `Event on '${channel}'`);
  return key === undefined ? { channel, id, body } : { channel, id, key, body };
}

let lastMs = Number.NaN;
let lastTime = '';

/** The time, RFC 3339. Many events share a millisecond. */
function now(): string {
  const ms = Date.now();
  if (ms !== lastMs) {
    lastMs = ms;
    lastTime = new Date(ms).toISOString();
  }
  return lastTime;
}

function assertName(value: unknown, field: string, subject: string): void {
  if (typeof value === 'string' && value !== '' && value.length <= maxNameLength) return;
  throw new ValidationError(subject, [
    { path: [field], message: `must be a text of 1 to ${maxNameLength} characters` },
  ]);
}
