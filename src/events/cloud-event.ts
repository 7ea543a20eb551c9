/**
 * A CloudEvents 1.0 event in its JSON format (github.com/cloudevents/spec, v1.0.2), with the extensions
 * for distributed tracing, partitioning and correlation. Other extensions are kept as they come.
 */
export interface CloudEvent {
  readonly specversion: '1.0';
  /** Unique within `source`. */
  readonly id: string;
  /** Where it comes from, a URI reference. */
  readonly source: string;
  /** What happened; {@link EventStream} uses the channel. */
  readonly type: string;
  /** When it happened, RFC 3339. */
  readonly time?: string;
  readonly subject?: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  /** The key whose events keep their order. */
  readonly partitionkey?: string;
  /** W3C Trace Context of the publisher. */
  readonly traceparent?: string;
  readonly tracestate?: string;
  /** Ties this event to the work that published it. */
  readonly correlationid?: string;
  readonly data?: unknown;
  readonly [extension: string]: unknown;
}

/** A message as it was found in a log: one of ours or of another CloudEvents producer, or something else. */
export interface ParsedMessage {
  /** Undefined when the message is not a CloudEvent. */
  readonly envelope: CloudEvent | undefined;
  /** The event's data; without an envelope the JSON value, or the text where it is not JSON. */
  readonly data: unknown;
}

const optionalTexts = [
  'time',
  'subject',
  'datacontenttype',
  'dataschema',
  'partitionkey',
  'traceparent',
  'tracestate',
  'correlationid',
] as const;
/** RFC 3339, section 5.6. */
const timestamp = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Reads a message in CloudEvents' JSON format. Anything else is given back as it is; nothing throws. */
export function parseMessage(text: string): ParsedMessage {
  const value = parseJSON(text);
  if (!isCloudEvent(value)) return { envelope: undefined, data: value };
  return { envelope: value, data: dataOf(value) };
}

/** The attributes of a CloudEvent whose id and data stand beside them. */
export type CloudEventAttributes = Pick<CloudEvent, 'specversion' | 'source' | 'type' | 'time' | 'correlationid'>;

const lastRead: { text: string; attributes: CloudEventAttributes | undefined } = { text: '', attributes: undefined };

/** Reads attributes that stand apart from id and data. Undefined for what is not that; nothing throws. */
export function parseAttributes(text: string): CloudEventAttributes | undefined {
  // Events of one publisher and millisecond have the same.
  if (text !== lastRead.text) {
    const value = parseJSON(text);
    const event: unknown = typeof value === 'object' && value !== null ? { ...value, id: '-' } : undefined;
    lastRead.attributes = isCloudEvent(event) ? (value as CloudEventAttributes) : undefined;
    lastRead.text = text;
  }
  return lastRead.attributes;
}

/** The value of a JSON text; what is not JSON is given back as it is. */
export function parseJSON(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isCloudEvent(value: unknown): value is CloudEvent {
  if (typeof value !== 'object' || value === null) return false;
  const event = value as Record<string, unknown>;
  if (event.specversion !== '1.0') return false;
  if (![event.id, event.source, event.type].every((text) => typeof text === 'string' && text !== '')) return false;
  // `null` and absence mean the same in the JSON format, section 2.2.
  if (!optionalTexts.every((name) => typeof (event[name] ?? '') === 'string')) return false;
  return event.time === undefined || event.time === null || isTimestamp(event.time as string);
}

function isTimestamp(text: string): boolean {
  return timestamp.test(text) && !Number.isNaN(Date.parse(text));
}

/** Binary data stands in `data_base64` (JSON format, section 3.1). */
function dataOf(event: CloudEvent): unknown {
  const { data_base64: encoded } = event;
  return event.data === undefined && typeof encoded === 'string' ? Buffer.from(encoded, 'base64') : event.data;
}
