/**
 * Where a `WebSocketIntegration` is. `idle`: not connected and not trying to be; `connecting`: an attempt
 * runs; `open`: messages flow; `backoff`: waits for the next attempt; `closing`, `closed`: `close` was called.
 */
export type WebSocketState = 'idle' | 'connecting' | 'open' | 'backoff' | 'closing' | 'closed';
