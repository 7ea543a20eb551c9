/** Dates of RFC 9110 section 5.6.7: IMF-fixdate, RFC 850, asctime. */
const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:day|sday|nesday|rsday|urday)?,? /;

/**
 * The wait a `Retry-After` field asks for (RFC 9110 section 10.2.3), in milliseconds from `now`;
 * undefined when the field is absent or not understood, 0 for a date that has passed.
 */
export function parseRetryAfter(value: string | undefined, now: number = Date.now()): number | undefined {
  const text = value?.trim();
  if (!text) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  if (!httpDate.test(text)) return undefined;
  // asctime names no zone and would be read as local time.
  const time = Date.parse(/GMT$/.test(text) ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : Math.max(0, time - now);
}
