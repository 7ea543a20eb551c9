import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { AccessDeniedError } from '../../../core/index.js';
import { type AddressBlock, addressBytes, isInBlock } from './ip-address.js';
import { isPublicAddress } from './public-address.js';

/** Settings of an {@link AddressGuard}. */
export interface AddressGuardOptions {
  /** Address blocks that are open beside the public ones. */
  readonly blocks?: readonly AddressBlock[];
  /** Hosts that were named themselves: local names and addresses, open whatever they are or resolve to. */
  readonly localHosts?: ReadonlySet<string>;
  /** Resolves names. @default the system's resolver */
  readonly lookup?: typeof systemLookup;
}

/** Ends of names that mean a host of the own network (RFC 6761, 6762, 7686, 8375, ICANN's `.internal`) or are used so. */
const localEnding =
  /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|private|corp|home|lan|home\.arpa|onion|test|invalid)$/;

/**
 * Keeps a connection to a URL from data inside the public Internet: it refuses addresses and names that
 * are private, local or a cloud's own, and looks at what a name resolves to in the connector itself, so
 * the address that was checked is the one that is connected to, however fast DNS changes.
 */
export class AddressGuard {
  readonly #blocks: readonly AddressBlock[];
  readonly #localHosts: ReadonlySet<string>;
  readonly #resolve: typeof systemLookup;

  constructor(options: AddressGuardOptions = {}) {
    this.#blocks = options.blocks ?? [];
    this.#localHosts = options.localHosts ?? new Set();
    this.#resolve = options.lookup ?? systemLookup;
  }

  /**
   * Looks at the host as it is written, before anything is resolved. `URL` has already turned decimal,
   * octal, hexadecimal and short forms, full-width digits and escapes into the usual one.
   *
   * @throws AccessDeniedError for an address that is not open, and a name that is local by its form
   */
  check({ hostname }: URL): void {
    const host = hostOf(hostname);
    if (this.#localHosts.has(host)) return;
    const bytes = addressBytes(host);
    if (bytes ? !this.#isOpen(bytes) : isLocalName(host)) throw refusal(host);
  }

  /**
   * For the `lookup` option of a socket: resolves a name and refuses it when any of its addresses is
   * not open. The socket connects to what this gave.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.#resolve(hostname, { ...(options as LookupOptions), all: true }, (error, found) => {
      if (error) return callback(error, [], undefined);
      const addresses = found as LookupAddress[];
      const isLocal = this.#localHosts.has(hostOf(hostname));
      if (!isLocal && !addresses.every(({ address }) => this.#isOpen(addressBytes(address)))) {
        return callback(refusal(hostOf(hostname)), [], undefined);
      }
      if (options.all) return callback(null, addresses);
      const [first] = addresses;
      return callback(null, first?.address ?? '', first?.family);
    });
  };

  #isOpen(bytes: readonly number[] | undefined): boolean {
    if (!bytes) return false;
    return isPublicAddress(bytes) || this.#blocks.some((block) => isInBlock(bytes, block));
  }
}

/** A host without brackets and the dots of a fully qualified name, in lower case. */
export function hostOf(hostname: string): string {
  return hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.+$/, '')
    .toLowerCase();
}

/** True for names that only mean something in the own network: those without a dot, and the endings reserved for it. */
export function isLocalName(host: string): boolean {
  return !host.includes('.') || localEnding.test(host);
}

function refusal(host: string): AccessDeniedError {
  return new AccessDeniedError(
    `The host '${host.slice(0, 100)}' is, or resolves to, an address that is not public; name it in security.allow if it is meant`,
  );
}
