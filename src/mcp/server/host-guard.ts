import type { ServerSDK } from '../sdk/server-sdk.js';

/** Whose requests are answered; names without scheme and port. */
export interface AllowedHosts {
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
}

/**
 * Refuses requests that a web page could have forged: a foreign `Host` (DNS rebinding) or a foreign
 * `Origin`. A request without `Host`, as a test makes it, is judged by its URL; one without `Origin`
 * does not come from a page. `*` allows all.
 *
 * @returns the refusal (403), or undefined when the request may go on
 */
export function refuseForeign(sdk: ServerSDK, request: Request, allowed: AllowedHosts): Response | undefined {
  const host = request.headers.get('host') ?? new URL(request.url).host;
  const hosts = [...sdk.localhostAllowedHostnames(), ...allowed.hosts];
  const origins = [...hosts, ...allowed.origins];
  const checks = [
    hosts.includes('*') ? undefined : sdk.validateHostHeader(host, hosts),
    origins.includes('*') ? undefined : sdk.validateOriginHeader(request.headers.get('origin'), origins),
  ];
  const failed = checks.find((check) => check?.ok === false);
  if (!failed) return undefined;
  const error = { code: -32000, message: failed.message ?? 'Forbidden' };
  return Response.json({ jsonrpc: '2.0', error, id: null }, { status: 403 });
}
