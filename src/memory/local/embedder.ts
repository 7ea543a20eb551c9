import { type Awaitable, ProtocolError } from '../../core/index.js';
import type { VectorInput } from './vector-input.js';

/**
 * Turns texts into vectors, one for each text in the same order, all of one dimension.
 *
 * @example const embed: Embed = async (texts, { signal }) => (await openai.embeddings.create({ model, input: [...texts] }, { signal })).data.map((d) => d.embedding);
 */
export type Embed = (
  texts: readonly string[],
  options: { readonly signal: AbortSignal },
) => Awaitable<readonly VectorInput[]>;

/**
 * Calls `embed` and checks that it answered each text.
 *
 * @throws ProtocolError
 */
export async function embedTexts(
  embed: Embed,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const vectors: unknown = await embed(texts, { signal });
  if (Array.isArray(vectors) && vectors.length === texts.length) return vectors;
  const got = Array.isArray(vectors) ? `${vectors.length} vectors` : 'no array';
  throw new ProtocolError(`embed was given ${texts.length} texts and gave ${got}; it must give one vector for each`);
}
