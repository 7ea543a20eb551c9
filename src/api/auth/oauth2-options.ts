import { ConfigurationError } from '../../core/index.js';
import { is, type OptionCheck, type OptionChecks } from '../../core/internal.js';

/** OAuth 2.0 client credentials (RFC 6749 section 4.4): a token is fetched on first use and kept until shortly before it expires. */
export interface OAuth2ClientCredentials {
  readonly type: 'oauth2';
  /** The token endpoint, `http:` or `https:`. It is trusted like the base URL. */
  readonly tokenURL: string | URL;
  readonly clientId: string;
  readonly clientSecret: string;
  /** @default none: the server chooses */
  readonly scopes?: readonly string[];
  /** More fields of the request, such as `audience` or `resource` (RFC 8707). @default none */
  readonly params?: Readonly<Record<string, string>>;
  /** Where id and secret go: the Basic scheme, or the body (RFC 6749 section 2.3.1). @default 'basic' */
  readonly clientAuth?: 'basic' | 'body';
  /** A token is renewed this long before it expires, at the most after half of its life, in milliseconds. @default 60000 */
  readonly leewayMs?: number;
}

const texts: OptionCheck = (value, field) => {
  is.list(value, field);
  for (const [index, text] of (value as readonly unknown[]).entries()) is.text(text, `${field}[${index}]`);
};

const fields: OptionCheck = (value, field) => {
  is.object(value, field);
  for (const [name, text] of Object.entries(value as object)) {
    if (name === 'grant_type') throw new ConfigurationError(`${field}.grant_type is client_credentials`, { field });
    is.text(text, `${field}.${name}`);
  }
};

/** The line break from the end of a secret file would be part of the secret. */
const secret: OptionCheck = (value, field) => {
  is.text(value, field);
  if (String(value).trim() !== value)
    throw new ConfigurationError(`${field} must not begin or end with white space`, { field });
};

export const oauth2Checks: OptionChecks<OAuth2ClientCredentials> = {
  type: is.required(is.oneOf('oauth2')),
  tokenURL: is.required(is.url('http:', 'https:')),
  clientId: is.required(is.text),
  clientSecret: is.required(secret),
  scopes: texts,
  params: fields,
  clientAuth: is.oneOf('basic', 'body'),
  leewayMs: is.countOrZero,
};
