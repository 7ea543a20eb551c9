import { ValidationError } from '../../../core/index.js';
import { encodeJSON } from '../../../core/internal.js';
import type { PutEntry } from '../journal/entry.js';
import { readTransferHeader, type TransferHeader } from './transfer-header.js';

/** An item as an export has it, not checked yet. */
export type TransferItem = Readonly<Record<string, unknown>>;

/** What can be read of an export piece by piece. */
export type TransferPart =
  | { readonly type: 'header'; readonly header: TransferHeader }
  | { readonly type: 'items'; readonly items: readonly TransferItem[] };

/** A line of an export: components with the 9 digits that float32 needs, dates as `{"$date": ISO 8601}`. */
export function encodeLine(entry: PutEntry): string {
  const { namespace, id, timestamp, expiresAt, importance, text, metadata, vector } = entry;
  const line = {
    ...(namespace === '' ? {} : { namespace }),
    id,
    timestamp,
    ...(expiresAt === Number.POSITIVE_INFINITY ? {} : { expiresAt }),
    ...(importance === undefined ? {} : { importance }),
    ...(text === undefined ? {} : { text }),
    ...(metadata === undefined ? {} : { metadata: withDates(metadata) }),
    vector: Array.from(vector, (component) => Number(component.toPrecision(9))),
  };
  return `${encodeJSON(line, `export of '${id}' as NDJSON (the binary format holds all that metadata may hold)`)}\n`;
}

/** Reads lines of {@link encodeLine} behind a header. @throws ValidationError with the number of the line */
export async function* decodeLines(source: AsyncIterable<Buffer>): AsyncGenerator<TransferPart> {
  let number = 0;
  for await (const lines of linesOf(source)) {
    const items: TransferItem[] = [];
    for (const line of lines) {
      number += 1;
      if (number === 1) yield { type: 'header', header: readTransferHeader(line) };
      else if (line.trim() !== '') items.push(parse(line, number));
    }
    if (items.length > 0) yield { type: 'items', items };
  }
  if (number === 0) readTransferHeader('');
}

async function* linesOf(source: AsyncIterable<Buffer>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of source) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield [rest];
}

function parse(line: string, number: number): TransferItem {
  try {
    const item: unknown = JSON.parse(line, reviveDate);
    if (typeof item === 'object' && item !== null && !Array.isArray(item)) return item as TransferItem;
  } catch {
    // Told below: the text of a syntax error quotes the data.
  }
  throw new ValidationError('import', [{ path: [], message: `line ${number} is not a JSON object` }]);
}

function withDates(value: unknown): unknown {
  if (value instanceof Date) return { $date: value };
  if (Array.isArray(value)) return value.map(withDates);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withDates(one)]));
}

function reviveDate(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { $date: date } = value as { $date?: unknown };
  return typeof date === 'string' && Object.keys(value).length === 1 ? new Date(date) : value;
}
