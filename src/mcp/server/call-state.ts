import { createHash, randomBytes } from 'node:crypto';
import { invalidParams, type RequestContext, type ServerSDK, type StateCodec } from '../sdk/server-sdk.js';
import { principalOf } from './call-context.js';
import type { WireQuestion } from './pending-questions.js';

/** The answer of a call that asks first (2026-07-28, "Multi Round-Trip Requests"). */
export interface InputRequired {
  readonly resultType: 'input_required';
  readonly inputRequests: Readonly<Record<string, WireQuestion>>;
  readonly requestState: string;
}

/** What identifies a call over its rounds: another tool or other arguments are another call. */
export interface CallIdentity {
  readonly method: string;
  readonly name: string;
  readonly arguments: unknown;
}

interface Carried {
  readonly call: string;
  readonly answers: Readonly<Record<string, unknown>>;
}

/** How long a user may take for one question. */
const ttlSeconds = 3_600;

/**
 * What a call with questions carries from round to round: the answers so far. The client holds it, so
 * that any process can go on; it is signed (HMAC-SHA-256), bound to the caller, the tool and its
 * arguments, and not secret from the client, who gave the answers.
 */
export class CallState {
  readonly #sdk: ServerSDK;
  readonly #codec: StateCodec;

  constructor(sdk: ServerSDK, key: string | Uint8Array = randomBytes(32)) {
    this.#sdk = sdk;
    const bind = (context: RequestContext): string => principalOf(context)?.id ?? '';
    this.#codec = sdk.createRequestStateCodec({ key, ttlSeconds, bind });
  }

  /** The answers that a request with a state brings, of this round and of earlier ones. Rejects for a state that is not of this call. */
  async answers(
    request: RequestContext,
    state: unknown,
    identity: () => CallIdentity,
  ): Promise<Readonly<Record<string, unknown>>> {
    const { inputResponses } = request.mcpReq;
    const carried = typeof state === 'string' ? await this.#open(state, request) : undefined;
    if (carried?.call !== digest(identity())) {
      throw new this.#sdk.ProtocolError(invalidParams, 'Invalid or expired requestState', {
        reason: 'invalid_request_state',
      });
    }
    return { ...carried.answers, ...inputResponses };
  }

  async inputRequired(
    request: RequestContext,
    identity: CallIdentity,
    open: ReadonlyMap<string, WireQuestion>,
    answers: Readonly<Record<string, unknown>>,
  ): Promise<InputRequired> {
    const carried: Carried = { call: digest(identity), answers };
    const requestState = await this.#codec.mint(carried, request);
    return { resultType: 'input_required', inputRequests: Object.fromEntries(open), requestState };
  }

  async #open(state: string, request: RequestContext): Promise<Carried | undefined> {
    try {
      return (await this.#codec.verify(state, request)) as Carried;
    } catch {
      // Forged, expired or somebody else's: the client is told no more than that.
      return undefined;
    }
  }
}

function digest({ method, name, arguments: args }: CallIdentity): string {
  return createHash('sha256')
    .update(JSON.stringify([method, name, args]))
    .digest('base64url');
}
