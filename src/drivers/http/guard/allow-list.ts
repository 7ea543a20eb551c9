import { isIP } from 'node:net';
import { ConfigurationError } from '../../../core/index.js';
import { AddressGuard, type AddressGuardOptions, hostOf, isLocalName } from './address-guard.js';
import { type AddressBlock, addressBlock } from './ip-address.js';

/** One origin of the list; `*` stands for any host, or any host below a name. */
interface AllowedOrigin {
  readonly protocol: string;
  readonly port: string;
  /** Exact, or the ending after `*`: empty for any host. */
  readonly host: string;
  readonly isPattern: boolean;
}

/**
 * Other origins that URLs from data may name, read from texts: `https://files.example.com`,
 * `https://*.example.com` (any host below it), `https://*` (any host), and blocks of addresses
 * (`10.20.0.0/16`) to which the allowed hosts may resolve although they are not public. Ports are exact.
 * A private address or local name that stands in the list as an origin itself is open too.
 *
 * @throws ConfigurationError that names the entry
 */
export class AllowList {
  /** Checks the addresses of what the list allows. */
  readonly guard: AddressGuard;
  readonly #origins: readonly AllowedOrigin[];

  constructor(entries: readonly unknown[], field: string, options: Pick<AddressGuardOptions, 'lookup'> = {}) {
    const origins: AllowedOrigin[] = [];
    const blocks: AddressBlock[] = [];
    entries.forEach((entry, index) => {
      const name = `${field}[${index}]`;
      const block = typeof entry === 'string' ? addressBlock(entry) : undefined;
      if (block) blocks.push(block);
      else origins.push(originOf(entry, name));
    });
    if (blocks.length > 0 && origins.length === 0) {
      const message = `${field} opens addresses but no origin; name the origins too, such as "https://files.example.com"`;
      throw new ConfigurationError(message, { field });
    }
    const localHosts = new Set(origins.filter(isLocal).map(({ host }) => host));
    this.#origins = origins;
    this.guard = new AddressGuard({ blocks, localHosts, ...options });
  }

  allows({ protocol, hostname, port, username, password }: URL): boolean {
    if (username || password) return false;
    const host = hostOf(hostname);
    return this.#origins.some((one) => one.protocol === protocol && one.port === port && matches(one, host));
  }
}

function matches({ host, isPattern }: AllowedOrigin, asked: string): boolean {
  if (!isPattern) return asked === host;
  // An address is below no name.
  return host === '' || (isIP(asked) === 0 && asked.endsWith(host) && asked.length > host.length);
}

function originOf(entry: unknown, field: string): AllowedOrigin {
  const text = typeof entry === 'string' ? entry : '';
  const [, scheme = '', star = '', rest = ''] = /^(https?:\/\/)(\*\.|\*(?=[:/]|$))?(.*)$/i.exec(text) ?? [];
  const standIn = `${scheme}${star === '*' ? 'any.example' : ''}${rest}`;
  if (scheme === '' || /[*\s]/.test(rest) || !URL.canParse(standIn)) throw unfit(field);
  const { protocol, port, hostname, pathname, search, hash, username, password } = new URL(standIn);
  if (pathname !== '/' || search || hash || username || password) throw unfit(field);
  if (star === '') return { protocol, port, host: hostOf(hostname), isPattern: false };
  return { protocol, port, host: star === '*' ? '' : `.${hostOf(hostname)}`, isPattern: true };
}

function isLocal({ host, isPattern }: AllowedOrigin): boolean {
  return !isPattern && (isIP(host) !== 0 || isLocalName(host));
}

function unfit(field: string): ConfigurationError {
  const expected = 'an origin such as "https://files.example.com", "https://*.example.com" or "https://*"';
  return new ConfigurationError(`${field} must be ${expected}, or addresses such as "10.20.0.0/16"`, { field });
}
