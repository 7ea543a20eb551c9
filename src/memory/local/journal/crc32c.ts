/** The reflected Castagnoli polynomial (RFC 3720 appendix B.4). */
const polynomial = 0x82f63b78;

let tables: readonly Uint32Array[] | undefined;

/** CRC-32C of bytes, as iSCSI and ext4 use it. Four bytes a step (slicing-by-4). */
export function crc32c(bytes: Uint8Array): number {
  tables ??= makeTables();
  const [t0, t1, t2, t3] = tables as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  const whole = bytes.length - (bytes.length % 4);
  let crc = -1;
  for (let i = 0; i < whole; i += 4) {
    crc ^=
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    crc =
      (t3[crc & 255] as number) ^
      (t2[(crc >>> 8) & 255] as number) ^
      (t1[(crc >>> 16) & 255] as number) ^
      (t0[crc >>> 24] as number);
  }
  for (let i = whole; i < bytes.length; i++) {
    crc = (t0[(crc ^ (bytes[i] as number)) & 255] as number) ^ (crc >>> 8);
  }
  return (crc ^ -1) >>> 0;
}

function makeTables(): Uint32Array[] {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    return crc;
  });
  const made = [first];
  for (let slice = 1; slice < 4; slice++) {
    const before = made[slice - 1] as Uint32Array;
    made.push(before.map((crc) => (first[crc & 255] as number) ^ (crc >>> 8)));
  }
  return made;
}
