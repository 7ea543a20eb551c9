import type { Headers, StoredAnswer } from './stored-answer.js';

/** Fields whose values mean the same in either case (RFC 9110 section 12.5, RFC 5646 section 2.1.1). */
const caseless: ReadonlySet<string> = new Set(['accept-charset', 'accept-encoding', 'accept-language']);

/** The fields an answer varies by, with the request's values; undefined for `*`, which matches no other request. */
export function varyOf(answer: Headers, request: Headers): StoredAnswer['vary'] | undefined {
  const fields = (answer.vary ?? '')
    .toLowerCase()
    .split(',')
    .flatMap((field) => field.trim() || []);
  return fields.includes('*') ? undefined : fields.map((field) => [field, normal(field, request[field])] as const);
}

/** RFC 9111 section 4.1. */
export function matches({ vary }: StoredAnswer, request: Headers): boolean {
  return vary.length === 0 || vary.every(([field, value]) => normal(field, request[field]) === value);
}

/** Without what cannot change the meaning: white space around list members, case where there is none. */
function normal(field: string, value: string | undefined): string | undefined {
  const text = value?.trim().replaceAll(/\s*,\s*/g, ',');
  return caseless.has(field) ? text?.toLowerCase() : text;
}
