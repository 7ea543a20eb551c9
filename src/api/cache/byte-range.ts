import type { CacheableAnswer } from './stored-answer.js';

/**
 * The part of a stored answer that `Range` asks for, as 206 (RFC 9110 section 14); undefined when the
 * server has to be asked: for more than one range, other units, and what is out of bounds.
 */
export function partOf({ headers, body }: CacheableAnswer, range: string): CacheableAnswer | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range.trim()) ?? [];
  if (first === '' && last === '') return undefined;
  const size = body.byteLength;
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (from > to) return undefined;
  const { 'content-length': _, ...rest } = headers;
  return {
    status: 206,
    headers: { ...rest, 'content-range': `bytes ${from}-${to}/${size}` },
    body: body.subarray(from, to + 1),
  };
}
