const batchRows = 1_000;

/** Rows in batches of 1,000. Of rows with the same id the last one stays. */
export function batchesOf<Row extends { readonly id: string }>(rows: readonly Row[]): Row[][] {
  const latest = [...new Map(rows.map((row) => [row.id, row])).values()];
  return Array.from({ length: Math.ceil(latest.length / batchRows) }, (_, place) =>
    latest.slice(place * batchRows, (place + 1) * batchRows),
  );
}
