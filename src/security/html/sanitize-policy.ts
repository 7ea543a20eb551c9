import { ConfigurationError } from '../../core/index.js';
import { checkOptions, is, type OptionCheck, type OptionChecks } from '../../core/internal.js';

/** What HTML may hold after {@link sanitizeHTML}. */
export interface SanitizePolicy {
  /** Elements that stay. @default text, headings, lists, tables, quotes, code and links */
  readonly tags?: readonly string[];
  /** Attributes that stay, by element; `*` for all. @default `href` and `title` of `a`, and `colspan`, `rowspan` of cells */
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
  /** Schemes that links may have. Relative ones stay. @default ['http', 'https', 'mailto', 'tel'] */
  readonly schemes?: readonly string[];
  /** Longer input is refused, in characters. @default 1048576 */
  readonly maxLength?: number;
  /** Input nested deeper comes back as text, with nothing of it as HTML. @default 100 */
  readonly maxDepth?: number;
}

/** A policy with every setting. */
export type FullSanitizePolicy = Required<SanitizePolicy>;

const cell = ['colspan', 'rowspan'];

const defaults: FullSanitizePolicy = {
  tags: [
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'p', 'br', 'hr', 'div', 'span', 'blockquote', 'pre', 'ul', 'ol', 'li'],
    ...['dl', 'dt', 'dd', 'a', 'b', 'strong', 'i', 'em', 'u', 's', 'del', 'ins', 'small', 'sub', 'sup', 'mark', 'q'],
    ...['abbr', 'cite', 'code', 'kbd', 'samp', 'var', 'table', 'caption', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td'],
  ],
  attributes: { a: ['href', 'title'], th: cell, td: cell },
  schemes: ['http', 'https', 'mailto', 'tel'],
  maxLength: 1_048_576,
  maxDepth: 100,
};

/** Elements that run something, load something, or that browsers and parsers read differently. */
const unsafeTags: ReadonlySet<string> = new Set(
  (
    'script style svg math iframe frame frameset object embed applet param template noscript noembed noframes xmp ' +
    'plaintext textarea title select option base link meta html head body form input button portal slot xml listing'
  ).split(' '),
);
const unsafeSchemes: ReadonlySet<string> = new Set(['javascript', 'data', 'vbscript', 'blob', 'file', 'filesystem']);
const unsafeAttribute = /^(?:on.*|style|srcdoc|formaction|action|ping|xmlns.*|.*:.*|.*\*.*)$/i;

const namesThat =
  (problem: string, isSafe: (name: string) => boolean): OptionCheck =>
  (value, field) => {
    is.list(value, field);
    for (const name of value as unknown[])
      if (typeof name !== 'string' || !isSafe(name))
        throw new ConfigurationError(`${field} ${problem}${typeof name === 'string' ? `: '${name}'` : ''}`, { field });
  };

const attributeNames = namesThat('holds an attribute that cannot be made safe', (name) => !unsafeAttribute.test(name));

const checks: OptionChecks<SanitizePolicy> = {
  tags: namesThat(
    'holds an element that cannot be made safe',
    (name) => /^[a-z][a-z0-9]*$/.test(name) && !unsafeTags.has(name),
  ),
  attributes: (value, field) => {
    is.object(value, field);
    for (const [tag, names] of Object.entries(value as object)) attributeNames(names, `${field}.${tag}`);
  },
  schemes: namesThat(
    'holds a scheme that cannot be made safe',
    (name) => /^[a-z][a-z0-9+.-]*$/.test(name) && !unsafeSchemes.has(name),
  ),
  maxLength: is.count,
  maxDepth: is.count,
};

/** @throws ConfigurationError for what cannot be made safe */
export function fullPolicy(policy: SanitizePolicy): FullSanitizePolicy {
  checkOptions('policy', policy, checks);
  return { ...defaults, ...policy };
}
