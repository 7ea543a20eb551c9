import type { Embedding } from '../embedding.js';
import type { ItemDraft } from '../local/item-draft.js';
import type { SqlResultRow } from './sql-database.js';
import { readVectorText } from './vector-text.js';

/** A row as it goes into the table, beside its namespace and its time to live. */
export interface VectorRow {
  readonly id: string;
  readonly vector: string;
  readonly metadata: unknown;
  readonly content: string | null;
  readonly importance: number | null;
}

/** @param json the metadata, null for none */
export function toRow({ id, text, importance }: ItemDraft, json: string | null, vector: string): VectorRow {
  const metadata = json === null ? null : (JSON.parse(json) as unknown);
  return { id, vector, metadata, content: text ?? null, importance: importance ?? null };
}

/** What {@link toEmbedding} reads. */
export const rowColumns = `id, embedding::text as vector, metadata, content, importance,
  extract(epoch from stored_at)::float8 * 1000 as stored`;

export function toEmbedding(row: SqlResultRow): Embedding {
  const embedding: Embedding = {
    id: row.id as string,
    vector: readVectorText(row.vector as string),
    timestamp: Math.round(row.stored as number),
  };
  if (row.metadata !== null) embedding.metadata = row.metadata as Record<string, unknown>;
  if (row.content !== null) embedding.text = row.content as string;
  if (row.importance !== null) embedding.importance = row.importance as number;
  return embedding;
}
