/** What an agent needs of a vector memory: `LocalVectorMemory`, `PostgresVectorMemory` and any `VectorMemoryProvider` fit. */
export interface AgentMemory {
  /** @param content a vector, or a text where the memory embeds */
  store(id: string, content: string | number[], metadata?: object): Promise<unknown>;
  search(query: string | number[], limit?: number): Promise<readonly RememberedItem[]>;
  delete(id: string): Promise<unknown>;
}

/** A hit of {@link AgentMemory.search}. */
export interface RememberedItem {
  readonly id: string;
  readonly metadata?: object | undefined;
  /** Between the query and the item. */
  readonly similarity?: number | undefined;
  readonly text?: string | undefined;
}
