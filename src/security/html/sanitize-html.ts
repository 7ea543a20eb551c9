import { createRequire } from 'node:module';
import { toUSVString } from 'node:util';
import type sanitizer from 'sanitize-html';
import { ValidationError } from '../../core/index.js';
import { type FullSanitizePolicy, fullPolicy, type SanitizePolicy } from './sanitize-policy.js';

/** Thrown out of the parser, whose time grows with the square of the depth. */
class TooDeep extends Error {}

/** How often what was cleaned is cleaned again until nothing changes. One is what HTML takes as a rule. */
const maxRounds = 4;

let loaded: typeof sanitizer | undefined;

/**
 * The HTML with nothing in it but what the policy names, by sanitize-html. Cleaning the result again changes
 * nothing. The time grows with the length alone: what is nested deeper than `maxDepth`, or does not settle, comes
 * back as text. For HTML that is put between tags; not for attributes, scripts, styles or URLs.
 *
 * @throws ValidationError for what is no text, or longer than `maxLength`; ConfigurationError for an unsafe policy
 * @example sanitizeHTML('<p onclick="x()">Hi <script>y()</script></p>') // <p>Hi </p>
 */
export function sanitizeHTML(html: string, policy: SanitizePolicy = {}): string {
  const full = fullPolicy(policy);
  const problem =
    typeof html !== 'string'
      ? 'must be a text'
      : html.length > full.maxLength
        ? `must have at most ${full.maxLength} characters`
        : undefined;
  if (problem) throw new ValidationError('HTML', [{ path: [], message: problem }]);
  // Browsers take them out or replace them, each in its own places.
  const text = toUSVString(html).replaceAll('\0', '');
  try {
    let before = text;
    for (let round = 0; round < maxRounds; round++) {
      const after = clean(before, full);
      if (after === before) return after;
      before = after;
    }
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error;
  }
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function clean(html: string, policy: FullSanitizePolicy): string {
  // Synchronous, as its caller: an import would not be.
  loaded ??= createRequire(import.meta.url)('sanitize-html') as typeof sanitizer;
  let depth = 0;
  return loaded(html, {
    allowedTags: [...policy.tags],
    allowedAttributes: Object.fromEntries(Object.entries(policy.attributes).map(([tag, names]) => [tag, [...names]])),
    allowedSchemes: [...policy.schemes],
    allowedSchemesByTag: {},
    allowedSchemesAppliedToAttributes: ['href', 'src', 'cite', 'poster', 'background', 'longdesc', 'srcset'],
    allowProtocolRelative: false,
    disallowedTagsMode: 'discard',
    nonTextTags: ['script', 'style', 'textarea', 'option', 'xmp', 'noscript', 'iframe', 'noembed', 'noframes', 'title'],
    enforceHtmlBoundary: false,
    parseStyleAttributes: false,
    onOpenTag() {
      depth += 1;
      if (depth > policy.maxDepth) throw new TooDeep();
    },
    onCloseTag() {
      depth -= 1;
    },
  });
}
