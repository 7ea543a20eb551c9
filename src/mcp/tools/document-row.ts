interface DriverValue {
  readonly _bsontype?: unknown;
  toHexString?(): string;
  toString(encoding?: string): string;
}

/** A document with its values as JSON can carry them: ids and dates as text, exact numbers as text where JSON would round them, bytes as base64. */
export function documentRow(value: unknown): unknown {
  if (typeof value === 'bigint') return numberOrText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(documentRow);
  const driver = value as DriverValue;
  switch (driver._bsontype) {
    case undefined:
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, documentRow(member)]));
    case 'ObjectId':
      return driver.toHexString?.();
    case 'Long':
      return numberOrText(BigInt(driver.toString()));
    case 'Int32':
    case 'Double':
      return Number(driver);
    case 'Binary':
      return driver.toString('base64');
    default:
      return String(driver);
  }
}

function numberOrText(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
