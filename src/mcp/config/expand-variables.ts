import type { Awaitable } from '../../core/index.js';

/** Where the values of variables come from. */
export interface VariableSources {
  /** Gets each value that a variable stood for. */
  readonly onSecret: (value: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What a host knows by itself, such as `workspaceFolder`; a variable of the environment comes first. */
  readonly predefined: ReadonlyMap<string, string>;
  readonly input: (id: string) => Awaitable<string | undefined>;
}

/** Something wrong at one place of a config. `path` is `servers.files.env.KEY`. */
export interface Problem {
  readonly path: string;
  readonly text: string;
}

/** `$${` is a literal `${`; an unclosed `${` has no second group. */
const reference = /\$\$\{|\$\{([^}]*)(\})?/g;
const form = /^(?:(env|input):)?([A-Za-z_][\w.-]*|\/)(?::-(.*))?$/s;

/**
 * Replaces `${NAME}`, `${env:NAME}`, `${input:id}`, each with an optional `:-default` for when it is
 * unset or empty, and `$${` by `${`. What comes in is not looked at again. Problems are added to
 * `problems`, so that one error can name all of them.
 */
export async function expandVariables(
  text: string,
  path: string,
  sources: VariableSources,
  problems: Problem[],
): Promise<string> {
  let out = '';
  let end = 0;
  for (const match of text.matchAll(reference)) {
    out += text.slice(end, match.index);
    end = match.index + match[0].length;
    out += match[1] === undefined ? '${' : await resolve(match[1], match[2] !== undefined, path, sources, problems);
  }
  return out + text.slice(end);
}

async function resolve(
  inside: string,
  closed: boolean,
  path: string,
  sources: VariableSources,
  problems: Problem[],
): Promise<string> {
  const report = (text: string): string => {
    problems.push({ path, text });
    return '';
  };
  const [, kind, name, fallback] = form.exec(inside) ?? [];
  if (!closed || name === undefined)
    return report(`has a \${ that is not a variable; write $\${ for the characters themselves`);
  const isInput = kind === 'input';
  const what = isInput ? `the input '${name}'` : `the variable ${name}`;
  let value: unknown;
  try {
    value = await (isInput ? sources.input(name) : ownValue(sources.env, name));
  } catch {
    // What was thrown is left out: it may quote what was typed.
    return report(`needs ${what}, and asking for it failed`);
  }
  if (value !== undefined && typeof value !== 'string') return report(`needs a text for ${what}`);
  if (value !== undefined && (value !== '' || fallback === undefined)) {
    sources.onSecret(value);
    return value;
  }
  const known = kind === undefined ? sources.predefined.get(name) : undefined;
  return known ?? fallback ?? report(`needs ${what}`);
}

function ownValue(env: VariableSources['env'], name: string): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined;
}
