/** The key in `_meta` that ties a call to logs and spans on both sides. */
export const correlationKey = 'safla/correlationId';

/** What is accepted from outside: it ends in logs and headers. */
const acceptable = /^[\w.:-]{1,128}$/;

/** The caller's correlation id, when there is one that is fit to be used. */
export function correlationOf(meta: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const id = meta?.[correlationKey];
  return typeof id === 'string' && acceptable.test(id) ? id : undefined;
}
