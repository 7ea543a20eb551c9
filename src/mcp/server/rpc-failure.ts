/** An answer of HTTP itself, in the form that MCP clients read. `-32000` is JSON-RPC's free range. */
export function rpcFailure(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
  code: number = -32_000,
): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status, headers });
}
