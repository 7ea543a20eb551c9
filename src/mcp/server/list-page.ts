import { invalidParams, type RPCParams, type ServerSDK } from '../sdk/server-sdk.js';
import type { Entry, Kind } from './registry.js';

/** One answer of a list, with the cursor of the next one where there is more. */
export interface ListPage<Description> {
  readonly items: readonly Description[];
  readonly next: { readonly nextCursor?: string };
}

/**
 * The part of a list that a request asks for. Cursors hold the place, in the order of adding, of the
 * last thing that was shown: what was added or removed in between shifts nothing, so that no page
 * shows a thing twice or leaves one out that was there all the time.
 *
 * @throws ProtocolError (-32602) for a cursor that this list never gave
 */
export function listPage<Description>(
  sdk: ServerSDK,
  kind: Kind,
  entries: ReadonlyMap<string, Entry<unknown, Description>>,
  params: Partial<RPCParams> | undefined,
  pageSize: number,
): ListPage<Description> {
  const { cursor } = params ?? {};
  if (cursor === undefined && entries.size <= pageSize) return { items: descriptions(entries.values()), next: {} };
  const after = cursor === undefined ? 0 : placeOf(sdk, kind, cursor);
  const rest = Array.from(entries.values()).filter(({ place }) => place > after);
  const page = rest.slice(0, pageSize);
  const last = page.at(-1);
  const more = last && rest.length > page.length;
  return { items: descriptions(page), next: more ? { nextCursor: toCursor(kind, last.place) } : {} };
}

function descriptions<Description>(entries: Iterable<Entry<unknown, Description>>): Description[] {
  return Array.from(entries, ({ description }) => description);
}

function toCursor(kind: Kind, place: number): string {
  return Buffer.from(`${kind}:${place}`).toString('base64url');
}

function placeOf(sdk: ServerSDK, kind: Kind, cursor: unknown): number {
  if (typeof cursor === 'string') {
    const place = Number(/:([1-9]\d{0,14})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1]);
    // Only the one way of writing a cursor is taken.
    if (toCursor(kind, place) === cursor) return place;
  }
  throw new sdk.ProtocolError(invalidParams, 'Invalid cursor: give the nextCursor of the list before, or none');
}
