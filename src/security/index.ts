export { type TokenAlgorithm, tokenAlgorithms } from './tokens/algorithms.js';
export type { TokenClaims } from './tokens/claims.js';
export { type JSONWebKeySet, KeyRing, type TokenKeys } from './tokens/key-ring.js';
export { MemoryTokenStore, type MemoryTokenStoreOptions } from './tokens/memory-token-store.js';
export { RedisTokenStore, type RedisTokenStoreOptions } from './tokens/redis-token-store.js';
export { TokenError, type TokenFault } from './tokens/token-error.js';
export { type KeyMaterial, type KeyState, TokenKey, type TokenKeyOptions } from './tokens/token-key.js';
export {
  type IssuedTokens,
  type IssueOptions,
  type RefreshOptions,
  TokenService,
  type VerifiedToken,
  type VerifyOptions,
} from './tokens/token-service.js';
export type { TokenServiceOptions } from './tokens/token-service-options.js';
export type { FamilyMember, Rotation, TokenStore } from './tokens/token-store.js';
