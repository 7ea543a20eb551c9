/** The part of the paths `P` behind the key `K`. */
type Rest<P, K> = P extends `${infer Head}.${infer Tail}`
  ? Head extends '*'
    ? Tail
    : Head extends `${K & (string | number)}`
      ? Tail
      : never
  : never;

type SealedMember<V, P, K> = P extends '*' | `${K & (string | number)}` ? string | Extract<V, undefined> : never;

type SealedAt<V, P, K> = [SealedMember<V, P, K>] extends [never]
  ? [Rest<P, K>] extends [never]
    ? V
    : SealedFields<V, Rest<P, K>>
  : SealedMember<V, P, K>;

/** An object after `sealFields`: a text at each of the paths, the rest as it was. */
export type SealedFields<T, P> = T extends readonly (infer V)[]
  ? SealedAt<V, P, number>[]
  : T extends object
    ? { [K in keyof T]: SealedAt<T[K], P, K> }
    : T;
