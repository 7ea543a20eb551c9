import { HTTPError } from '../../drivers/http/index.js';
import type { PreparedRequest } from '../prepared-request.js';
import type { Credentials } from './credentials.js';

/**
 * The request with another credential, when the server refused its own with 401 and there is another; else
 * undefined. A stream that was read cannot be sent again, and a credential the caller gave is not ours to replace.
 */
export async function withNewCredential(
  request: PreparedRequest,
  error: unknown,
  credentials: Credentials | undefined,
): Promise<PreparedRequest | undefined> {
  const { auth, headers, body, scope } = request;
  if (!(error instanceof HTTPError) || error.status !== 401 || !auth || !body.replayable) return undefined;
  if (headers[auth.name] !== auth.value) return undefined;
  const fresh = await credentials?.replacement(auth, scope);
  if (!fresh) return undefined;
  const { [auth.name]: _, ...others } = headers;
  return { ...request, auth: fresh, authName: fresh.name, headers: { ...others, [fresh.name]: fresh.value } };
}
