import { ProtocolError } from '../../core/index.js';

/** One event of `text/event-stream` (WHATWG HTML, section 9.2). */
export interface ServerSentEvent {
  /** @default 'message' */
  readonly event: string;
  /** Lines of data, joined by line breaks. */
  readonly data: string;
  /** The last id the server gave, empty before the first: send it as `Last-Event-ID` to go on from here. */
  readonly id: string;
  /** How long the server wants to be left alone before a new connection, in milliseconds; absent until it said so. */
  readonly retryMs?: number;
}

/** The longest data of one event in characters. */
const longestData = 10_485_760;

/** Reads events out of lines. Comments are skipped; an event that was not ended is left out, as the standard says. */
export async function* serverSentEvents(
  lines: AsyncIterable<string>,
  subject: string,
): AsyncGenerator<ServerSentEvent> {
  let [event, id, data, length]: [string, string, string[], number] = ['', '', [], 0];
  let retryMs: number | undefined;
  for await (const line of lines) {
    if (line === '') {
      if (data.length > 0)
        yield { event: event || 'message', data: data.join('\n'), id, ...(retryMs !== undefined && { retryMs }) };
      [event, data, length] = ['', [], 0];
      continue;
    }
    const [, field = '', value = ''] = /^([^:]*)(?::[ ]?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') event = value;
    else if (field === 'data') {
      length += value.length + 1;
      if (length > longestData)
        throw new ProtocolError(`${subject}: an event is longer than ${longestData} characters`);
      data.push(value);
    } else if (field === 'id' && !value.includes('\0')) id = value;
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) retryMs = Number(value);
  }
}
