import { type AddressBlock, type AddressBytes, addressBlock, isInBlock } from './ip-address.js';

/**
 * What of IPv4 is not a public host: the IANA special-purpose registry (RFC 6890), multicast, the
 * reserved class, and the one address by which Azure's hosts reach their platform, which lies in
 * public space.
 */
const notPublicIPv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/** The part of IPv6 that is given out (RFC 4291 section 2.4), and what in it is not a public host or hides an IPv4 address. */
const globalIPv6 = '2000::/3';
const notPublicIPv6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** Translated to IPv4 on networks without it (RFC 6052): as public as the address inside. */
const nat64 = '64:ff9b::/96';

let known: ReturnType<typeof readBlocks> | undefined;

/** True for an address that any host of the Internet can have: not private, local, multicast, reserved or a platform's own. */
export function isPublicAddress(bytes: AddressBytes): boolean {
  known ??= readBlocks();
  const within = (blocks: readonly AddressBlock[]): boolean => blocks.some((block) => isInBlock(bytes, block));
  if (bytes.length === 4) return !within(known.notPublicIPv4);
  if (within(known.nat64)) return isPublicAddress(bytes.slice(12));
  return within(known.globalIPv6) && !within(known.notPublicIPv6);
}

function readBlocks() {
  const read = (texts: readonly string[]): AddressBlock[] => texts.flatMap((text) => addressBlock(text) ?? []);
  return {
    notPublicIPv4: read(notPublicIPv4),
    notPublicIPv6: read(notPublicIPv6),
    globalIPv6: read([globalIPv6]),
    nat64: read([nat64]),
  };
}
