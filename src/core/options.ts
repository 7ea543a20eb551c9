import { ConfigurationError } from './errors/configuration-error.js';

/** Looks at one option; throws a {@link ConfigurationError} that names `field`. */
export interface OptionCheck {
  (value: unknown, field: string): void;
  /** Set by `is.required`: the option must be there. */
  readonly required?: true;
}

/** The options an owner knows and how each is checked. */
export type OptionChecks<Options> = { readonly [K in keyof Options]-?: OptionCheck };

/**
 * Checks an options object once, where it enters. Unknown names are refused with the nearest known
 * one; absent options are checked only for being required.
 *
 * @param owner What takes the options, as it reads in errors: `APIIntegration`.
 * @throws ConfigurationError
 */
export function checkOptions<Options extends object>(
  owner: string,
  options: Options,
  checks: OptionChecks<Options>,
): void {
  checkObject(options, owner, checks as Record<string, OptionCheck>);
}

/** Checks of single values, named as they read: `is.milliseconds`. */
export const is = {
  milliseconds: ((value, field) => {
    if (typeof value !== 'number' || Number.isNaN(value) || value <= 0)
      fail(field, 'a number of milliseconds above 0', value);
  }) as OptionCheck,
  /** A whole number, 1 or more, or `Infinity`. */
  count: ((value, field) => {
    if (value !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(value) || (value as number) < 1))
      fail(field, 'a whole number, 1 or more', value);
  }) as OptionCheck,
  /** A whole number, 0 or more. */
  countOrZero: ((value, field) => {
    if (!Number.isSafeInteger(value) || (value as number) < 0) fail(field, 'a whole number, 0 or more', value);
  }) as OptionCheck,
  /** A number from 0 to 1. */
  ratio: ((value, field) => {
    if (typeof value !== 'number' || !(value >= 0 && value <= 1)) fail(field, 'a number from 0 to 1', value);
  }) as OptionCheck,
  text: ((value, field) => {
    if (typeof value !== 'string' || value.trim() === '') fail(field, 'a text that is not empty', value);
  }) as OptionCheck,
  flag: ((value, field) => {
    if (typeof value !== 'boolean') fail(field, 'true or false', value);
  }) as OptionCheck,
  function: ((value, field) => {
    if (typeof value !== 'function') fail(field, 'a function', value);
  }) as OptionCheck,
  list: ((value, field) => {
    if (!Array.isArray(value)) fail(field, 'an array', value);
  }) as OptionCheck,
  object: ((value, field) => {
    if (typeof value !== 'object' || value === null) fail(field, 'an object', value);
  }) as OptionCheck,
  anything: (() => undefined) as OptionCheck,
  /** Makes a check refuse an absent or undefined option too. */
  required(check: OptionCheck): OptionCheck {
    return Object.assign((value: unknown, field: string) => check(value, field), { required: true as const });
  },
  /** An absolute URL with one of the schemes, given with the colon: `is.url('http:', 'https:')`. */
  url(...schemes: readonly string[]): OptionCheck {
    return (value, field) => {
      const text = value instanceof URL ? value.href : value;
      if (typeof text !== 'string' || text.trim() === '') return fail(field, `a URL (${schemes.join(' ')})`, value);
      const scheme = URL.canParse(text) ? new URL(text).protocol : undefined;
      if (scheme === undefined || !schemes.includes(scheme)) {
        throw new ConfigurationError(
          `${field} must be an absolute URL (${schemes.join(' ')}), got ${scheme ? `the scheme '${scheme}'` : 'something else'}`,
          { field },
        );
      }
    };
  },
  oneOf(...values: readonly (string | number | boolean)[]): OptionCheck {
    return (value, field) => {
      if (!values.includes(value as string))
        fail(field, `one of ${values.map((v) => JSON.stringify(v)).join(', ')}`, value);
    };
  },
  /** Passes when one of the checks does; reports `expected` otherwise. */
  either(expected: string, ...checks: readonly OptionCheck[]): OptionCheck {
    return (value, field) => {
      const errors = checks.map((check) => failure(check, value, field));
      if (errors.includes(undefined)) return;
      // What is wrong inside an object says more than what it could have been instead.
      const inner = errors.find((error) => error?.field?.startsWith(`${field}.`));
      if (inner) throw inner;
      fail(field, expected, value);
    };
  },
  /** An options object of its own, checked the same way. */
  options<Options>(checks: OptionChecks<Options>): OptionCheck {
    return (value, field) => checkObject(value, field, checks as Record<string, OptionCheck>);
  },
};

function checkObject(options: unknown, owner: string, checks: Record<string, OptionCheck>): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    fail(owner, 'an options object', options);
  const given = options as Record<string, unknown>;
  for (const name of Object.keys(given)) {
    const field = `${owner}.${name}`;
    if (!Object.hasOwn(checks, name))
      throw new ConfigurationError(`${field} is not an option${hint(name, Object.keys(checks))}`, { field });
  }
  for (const [name, check] of Object.entries(checks)) {
    const value = given[name];
    if (value !== undefined || check.required) check(value, `${owner}.${name}`);
  }
}

function failure(check: OptionCheck, value: unknown, field: string): ConfigurationError | undefined {
  try {
    check(value, field);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
}

function fail(field: string, expected: string, value: unknown): never {
  throw new ConfigurationError(`${field} must be ${expected}, got ${kindOf(value)}`, { field });
}

/** The kind of a value, and the value itself only where it cannot be a secret. */
function kindOf(value: unknown): string {
  if (value === undefined || value === null || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  if (value === '') return 'an empty text';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** `; did you mean 'timeoutMs'?` when a known name is near, else the list of known names. */
export function hint(name: string, known: readonly string[]): string {
  const nearest = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (nearest && nearest.distance <= Math.max(2, Math.floor(name.length / 3)))
    return `; did you mean '${nearest.candidate}'?`;
  return known.length > 0 ? `; known: ${known.join(', ')}` : '';
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
