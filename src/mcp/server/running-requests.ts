import type { SessionTransport } from '../sdk/server-sdk.js';

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly requestId?: string | number };
}

/**
 * The ids of requests that came by this transport and were not answered or cancelled yet. They run on
 * when their connection is cut. To be called once the transport is connected.
 */
export function watchRequests(transport: SessionTransport): ReadonlySet<string | number> {
  const running = new Set<string | number>();
  const { onmessage } = transport;
  const send = transport.send.bind(transport);
  transport.onmessage = (message, ...more: unknown[]) => {
    const { id, method, params } = message as Message;
    if (method !== undefined && id !== undefined) running.add(id);
    if (method === 'notifications/cancelled' && params?.requestId !== undefined) running.delete(params.requestId);
    (onmessage as ((message: unknown, ...more: unknown[]) => void) | undefined)?.call(transport, message, ...more);
  };
  transport.send = (message, ...more: unknown[]) => {
    const { id, method } = message as Message;
    if (method === undefined && id !== undefined) running.delete(id);
    return (send as (message: unknown, ...more: unknown[]) => Promise<void>)(message, ...more);
  };
  return running;
}
