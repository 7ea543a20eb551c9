/** A parameter of a tool that clients repeat as a header, so that routers need not read bodies. */
export interface ParamHeader {
  /** Where it is in the arguments. */
  readonly path: readonly string[];
  readonly header: string;
}

type JSONSchema = Readonly<Record<string, unknown>>;

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const types: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean']);
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const wrapped = /^=\?base64\?(.*)\?=$/s;
const found: WeakMap<JSONSchema, readonly ParamHeader[]> = new WeakMap();

/**
 * The parameters with an `x-mcp-header` (MCP 2026-07-28, SEP-2243, "Custom Headers"): texts, integers
 * and flags that are reached by names of properties alone. Others are not for headers, and left out.
 */
export function paramHeaders(schema: JSONSchema): readonly ParamHeader[] {
  let declared = found.get(schema);
  if (!declared) {
    declared = collect(schema, []);
    found.set(schema, declared);
  }
  return declared;
}

/**
 * Holds the headers of a `tools/call` against its body, for a header that lies would route a call past
 * the rules of a router.
 *
 * @returns the refusal (400, `HeaderMismatch`), or undefined when they agree
 */
export function refuseParamHeaders(
  declared: readonly ParamHeader[],
  body: unknown,
  headers: Headers,
): Response | undefined {
  const { id = null, params } = Object(body) as { id?: unknown; params?: { arguments?: unknown } };
  for (const { path, header } of declared) {
    const value = path.reduce<unknown>((node, key) => own(node, key), params?.arguments);
    // What is no such value is for the tool's own check of its arguments.
    if (!['string', 'number', 'boolean'].includes(typeof value)) continue;
    const sent = headers.get(`mcp-param-${header}`);
    const problem =
      sent === null ? 'is missing' : agrees(decodeHeader(sent), value) ? undefined : `differs from ${path.join('.')}`;
    if (problem === undefined) continue;
    const message = `Header mismatch: Mcp-Param-${header} ${problem}`;
    return Response.json({ jsonrpc: '2.0', id, error: { code: headerMismatch, message } }, { status: 400 });
  }
  return undefined;
}

/** A header's value, out of its Base64 wrapping where it has one; undefined when that is broken. */
export function decodeHeader(value: string): string | undefined {
  const [, inner] = wrapped.exec(value) ?? [];
  if (inner === undefined) return value;
  if (!base64.test(inner)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(inner, 'base64'));
  } catch {
    return undefined;
  }
}

function agrees(sent: string | undefined, value: unknown): boolean {
  if (sent === undefined) return false;
  // `1.0` and `1` are the same number in JSON.
  if (typeof value === 'number') return /^-?\d+(\.\d+)?$/.test(sent) && Number(sent) === value;
  return sent === String(value);
}

function collect({ properties }: JSONSchema, path: readonly string[]): ParamHeader[] {
  return Object.entries(Object(properties) as Readonly<Record<string, unknown>>).flatMap(([key, child]) => {
    if (typeof child !== 'object' || child === null) return [];
    const { 'x-mcp-header': header, type } = child as JSONSchema;
    const here = [...path, key];
    const own = typeof header === 'string' && token.test(header) && types.has(type) ? [{ path: here, header }] : [];
    return [...own, ...collect(child as JSONSchema, here)];
  });
}

function own(node: unknown, key: string): unknown {
  return typeof node === 'object' && node !== null && Object.hasOwn(node, key)
    ? (node as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

/** MCP's code for headers that disagree with the body. */
const headerMismatch = -32_020;
