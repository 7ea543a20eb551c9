import { randomUUID } from 'node:crypto';
import { ValidationError } from '../core/index.js';
import { correlationIdHere, encodeJSON, hint } from '../core/internal.js';
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

/** {@link EventDraft} whose id and key may be given as undefined. */
export type GivenDraft = Pick<EventDraft, 'channel' | 'data'> & {
  readonly id?: string | undefined;
  readonly key?: string | undefined;
};

/** A draft that was checked, its data as JSON: later changes to the data do not reach it. */
export interface EncodedDraft {
  readonly channel: string;
  readonly id: string;
  readonly key: string | undefined;
  readonly data: string;
}

const maxNameLength = 255;

const draftFields: ReadonlySet<string> = new Set(['channel', 'data', 'id', 'key']);
const publishFields: ReadonlySet<string> = new Set(['id', 'key', 'signal', 'timeoutMs']);

/** A misspelt `id` would store an event twice without a word. @throws ValidationError */
export function assertPublishOptions(options: unknown): void {
  assertFields(options, 'publish', 'options', publishFields);
}

/** @throws ValidationError */
export function assertDrafts(drafts: unknown): void {
  if (!Array.isArray(drafts)) {
    throw new ValidationError('Events', [{ path: [], message: 'must be a list of { channel, data, id?, key? }' }]);
  }
  for (const [index, draft] of drafts.entries()) assertFields(draft, 'Events', index, draftFields);
}

function assertFields(value: unknown, subject: string, at: PropertyKey, known: ReadonlySet<string>): void {
  if (typeof value !== 'object' || value === null) {
    throw new ValidationError(subject, [{ path: [at], message: `must be an object with ${[...known].join(', ')}` }]);
  }
  for (const name in value) {
    if (known.has(name)) continue;
    const message = `is not known${hint(name, [...known])}`;
    throw new ValidationError(subject, [{ path: [at, name], message }]);
  }
}

/** @throws ValidationError */
export function encodeDraft({ channel, data, id = randomUUID(), key }: GivenDraft): EncodedDraft {
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

/** The active trace as headers; empty without one. */
export type TraceHeaders = Readonly<Record<string, string>>;

/**
 * Puts a draft into a CloudEvents envelope, in the structured mode: one JSON text.
 *
 * @throws ValidationError when it is longer than `maxPayloadBytes`
 */
export function toOutgoing(draft: EncodedDraft, settings: EnvelopeSettings, trace: TraceHeaders): OutgoingEvent {
  const { channel, id, key, data } = draft;
  const attributes = attributesOf(channel, settings.sourceJSON, trace).slice(1, -1);
  const partition = key === undefined ? '' : `"partitionkey":${JSON.stringify(key)},`;
  const body = `{${attributes},"id":${JSON.stringify(id)},${partition}"data":${data}}`;
  assertPayloadFits(body, settings.maxPayloadBytes, `Event on '${channel}'`);
  return key === undefined ? { channel, id, body } : { channel, id, key, body };
}

/**
 * {@link toOutgoing} in the binary mode: the attributes beside the data.
 *
 * @throws ValidationError as {@link toOutgoing}
 */
export function toBinary(draft: EncodedDraft, settings: EnvelopeSettings, trace: TraceHeaders): OutgoingEvent {
  const { channel, id, key, data: body } = draft;
  const attributes = attributesOf(channel, settings.sourceJSON, trace);
  assertPayloadFits(attributes + body, settings.maxPayloadBytes, `Event on '${channel}'`);
  return key === undefined ? { channel, id, body, attributes } : { channel, id, key, body, attributes };
}

const last: { ms: number; channel: string; source: string; attributes: string } = {
  ms: Number.NaN,
  channel: '',
  source: '',
  attributes: '',
};

/** As a JSON object. Many events share a channel and a millisecond, and with that all of it. */
function attributesOf(channel: string, source: string, { traceparent, tracestate }: TraceHeaders): string {
  const correlationid = correlationIdHere();
  const ms = Date.now();
  if (ms !== last.ms || channel !== last.channel || source !== last.source) {
    last.attributes = `{"specversion":"1.0","source":${source},"type":${JSON.stringify(channel)},"time":"${new Date(ms).toISOString()}","datacontenttype":"application/json"}`;
    last.ms = ms;
    last.channel = channel;
    last.source = source;
  }
  if (correlationid === undefined && traceparent === undefined) return last.attributes;
  const more = JSON.stringify({ correlationid, traceparent, tracestate });
  return `${last.attributes.slice(0, -1)},${more.slice(1)}`;
}

function assertName(value: unknown, field: string, subject: string): void {
  if (typeof value === 'string' && value !== '' && value.length <= maxNameLength) return;
  throw new ValidationError(subject, [
    { path: [field], message: `must be a text of 1 to ${maxNameLength} characters` },
  ]);
}
