/** One direction of a stream, pushed piece by piece. What it gives is in parts, to be put one after the other. */
export interface Stage {
  push(piece: Uint8Array): Promise<readonly Uint8Array[]> | readonly Uint8Array[];
  end(): Promise<readonly Uint8Array[]> | readonly Uint8Array[];
  /** Forgets keys and plaintext. */
  wipe(): void;
}
