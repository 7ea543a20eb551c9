/**
 * The JSON-RPC message (specification 2.0) that a line holds; undefined when it holds none. The parts of
 * a message are looked at by who takes it.
 */
export function parseRPC(line: string): object | undefined {
  // Trying to parse what cannot be a message would be dear when there is much of it.
  if (!/^\s*\{/.test(line)) return undefined;
  let value: { readonly jsonrpc?: unknown; readonly id?: unknown; readonly method?: unknown };
  try {
    value = JSON.parse(line) as typeof value;
  } catch {
    return undefined;
  }
  if (value.jsonrpc !== '2.0') return undefined;
  const isAnswer = 'result' in value || 'error' in value;
  return isAnswer ? value : typeof value.method === 'string' ? value : undefined;
}
