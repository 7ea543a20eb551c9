import { detach } from '../../core/index.js';
import { type Connection, type Era, loadStdioSDK, type Transport } from '../sdk/server-sdk.js';
import { StdioWire } from './stdio-wire.js';
import { holdStdout } from './stdout-guard.js';

/** What serves a kind of client until it is closed. */
export interface Lane {
  /** Lets answers that are on their way out be written, for no longer than the time. */
  drain?(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Serves the client at the other end of stdin and stdout, `over` what passes its messages on. `onEnd`
 * is called once, when that client closes its end or `close` is called; stdout is free again by then.
 */
export async function openStdioLane(
  connect: (about: { readonly era: Era }) => Connection,
  over: (wire: Transport) => Transport,
  onerror: (error: Error) => void,
  onEnd: () => void,
): Promise<Lane> {
  const sdk = await loadStdioSDK();
  const stdout = holdStdout();
  const transport = over(new StdioWire(process.stdin, stdout.wire));
  const handle = detach(() => sdk.serveStdio(connect, { transport, onerror }));
  const closed = transport.onclose;
  transport.onclose = () => {
    closed?.();
    stdout[Symbol.dispose]();
    onEnd();
  };
  return handle;
}
