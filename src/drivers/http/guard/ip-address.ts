import { isIP } from 'node:net';

/** The bytes of an IP address: 4 or 16. An IPv4 address mapped into IPv6 (RFC 4291 section 2.5.5.2) is IPv4. */
export type AddressBytes = readonly number[];

/** Undefined for what is no address, and for one with a zone, which is never global (RFC 4007 section 6). */
export function addressBytes(text: string): AddressBytes | undefined {
  const family = isIP(text);
  if (family === 0 || text.includes('%')) return undefined;
  return family === 4 ? text.split('.').map(Number) : unmapped(bytesOfIPv6(text));
}

/** Addresses that begin with the same `bits` bits. */
export interface AddressBlock {
  readonly bytes: AddressBytes;
  readonly bits: number;
}

/** Reads `10.0.0.0/8` (RFC 4632) or a single address; undefined for anything else. */
export function addressBlock(text: string): AddressBlock | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const bytes = addressBytes(address);
  if (!bytes || rest.length > 0) return undefined;
  // The length of a block of mapped addresses counts the bits in front too.
  const front = isIP(address) === 6 && bytes.length === 4 ? 96 : 0;
  const bits = length === undefined ? bytes.length * 8 : /^\d{1,3}$/.test(length) ? Number(length) - front : -1;
  return bits >= 0 && bits <= bytes.length * 8 ? { bytes, bits } : undefined;
}

export function isInBlock(bytes: AddressBytes, block: AddressBlock): boolean {
  if (bytes.length !== block.bytes.length) return false;
  for (let index = 0; index * 8 < block.bits; index++) {
    const mask = 0xff << Math.max(0, 8 - (block.bits - index * 8));
    if (((bytes[index] ?? 0) ^ (block.bytes[index] ?? 0)) & mask & 0xff) return false;
  }
  return true;
}

function bytesOfIPv6(text: string): number[] {
  const [head = '', tail] = text.split('::');
  const front = bytesOfGroups(head);
  if (tail === undefined) return front;
  const back = bytesOfGroups(tail);
  return [...front, ...new Array<number>(16 - front.length - back.length).fill(0), ...back];
}

function bytesOfGroups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function unmapped(bytes: AddressBytes): AddressBytes {
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? bytes.slice(12) : bytes;
}
