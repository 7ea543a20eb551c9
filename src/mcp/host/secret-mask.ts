import { redactText } from '../../core/index.js';
import { isHTTP, type ServerConfig } from '../config/mcp-config.js';

/** Shorter values (`info`, `8080`) are settings; masking them would only spoil messages. */
const shortestValue = 8;
/** Of values that came out of a variable, hardly any is harmless. */
const shortestSecret = 4;

/** Masks what a server was configured with, and what looks like a credential, in texts about it. */
export class SecretMask {
  /** The length of the longest secret: how much of a text that was cut may be a part of one. */
  readonly longest: number;
  readonly #secrets: readonly string[];

  constructor(config: ServerConfig) {
    const values = isHTTP(config) ? config.headers : config.env;
    const secrets = [
      ...Object.values(values ?? {}).filter((value) => value.length >= shortestValue),
      ...(config.secrets ?? []).filter((value) => value.length >= shortestSecret),
    ];
    // A secret of several lines is met line by line; one that begins like another must go first.
    const lines = secrets.flatMap((value) => value.split('\n').filter((line) => line.trim().length >= shortestValue));
    this.#secrets = [...new Set([...secrets, ...lines])].sort((a, b) => b.length - a.length);
    this.longest = this.#secrets[0]?.length ?? 0;
  }

  readonly of = (text: string): string =>
    redactText(this.#secrets.reduce((masked, secret) => masked.replaceAll(secret, '[redacted]'), text));
}
