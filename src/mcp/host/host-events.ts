/** What an {@link MCPHost} tells of its servers. */
export interface MCPHostEvents {
  /** A server answers: it was started, started again, or connected to. */
  ready: [{ readonly server: string; readonly restarts: number }];
  /** A server ended by itself, or does not answer. It is started again after `delayMs`. */
  restarting: [{ readonly server: string; readonly delayMs: number; readonly error: Error }];
  /** A server is down and stays so until `connect`. */
  down: [{ readonly server: string; readonly error: Error }];
  /** A server says that it offers other tools now. Of servers over HTTP that are connected to after somebody began to listen. */
  toolsChanged: [{ readonly server: string }];
}
