/** A row with its values as JSON can carry them: big integers as text, bytes as base64. */
export function databaseRow(row: object): object {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, carried(value)]));
}

function carried(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(carried);
  // An infinite timestamp is no date.
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? String(value) : value.toISOString();
  return value;
}
