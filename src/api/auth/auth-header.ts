import { ConfigurationError } from '../../core/index.js';
import { is } from '../../core/internal.js';
import { headerFault } from '../../drivers/http/index.js';

/** How a request proves who it is from. A text is a bearer token (RFC 6750). */
export type Credential =
  | string
  | { readonly type: 'bearer'; readonly token: string }
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  | { readonly type: 'header'; readonly name: string; readonly value: string };

/** The one header a credential becomes. */
export interface AuthHeader {
  /** Lower-case. */
  readonly name: string;
  readonly value: string;
}

/** @throws ConfigurationError that names `field`, never the credential */
export function toHeader(credential: unknown, field: string, expected = 'a token or a credential object'): AuthHeader {
  if (typeof credential === 'string') return bearer(credential, field);
  is.either(expected, is.object)(credential, field);
  const given = credential as Readonly<Record<string, unknown>>;
  switch (given.type) {
    case 'bearer':
      return bearer(given.token, `${field}.token`);
    case 'basic':
      return basic(given.username, given.password, field);
    case 'header':
      return custom(given.name, given.value, field);
  }
  throw new ConfigurationError(`${field}.type must be one of "bearer", "basic", "header", "oauth2"`, {
    field: `${field}.type`,
  });
}

function bearer(token: unknown, field: string): AuthHeader {
  is.text(token, field);
  if (/\s/.test(String(token)))
    throw new ConfigurationError(
      `${field} must be the token alone, without white space (a scheme such as "Bearer" in front, or the line break at the end of a file)`,
      { field },
    );
  return checked('authorization', `Bearer ${token}`, field);
}

function basic(username: unknown, password: unknown, field: string): AuthHeader {
  is.text(username, `${field}.username`);
  if (typeof password !== 'string') is.text(password, `${field}.password`);
  // RFC 7617 section 2: the first colon ends the user's name.
  if (String(username).includes(':'))
    throw new ConfigurationError(`${field}.username must not hold a colon`, { field: `${field}.username` });
  return checked('authorization', `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`, field);
}

function custom(name: unknown, value: unknown, field: string): AuthHeader {
  is.text(name, `${field}.name`);
  is.text(value, `${field}.value`);
  assertHeader(String(name), '', `${field}.name`);
  return checked(String(name), String(value), `${field}.value`);
}

function checked(name: string, value: string, field: string): AuthHeader {
  assertHeader(name, value, field);
  return { name: name.toLowerCase(), value };
}

function assertHeader(name: string, value: string, field: string): void {
  const fault = headerFault(name, value);
  if (fault) throw new ConfigurationError(`${field} ${fault}`, { field });
}
