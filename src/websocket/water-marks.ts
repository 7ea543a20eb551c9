/** Bytes in the socket's buffer between which sending stops and goes on again. */
export interface WaterMarks {
  readonly highBytes: number;
  readonly lowBytes: number;
}
