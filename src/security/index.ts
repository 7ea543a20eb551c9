export type { RedisArgument, RedisClient } from '../drivers/redis/index.js';
export {
  type AccessCondition,
  AccessPolicy,
  type AccessPolicyOptions,
  type AccessRole,
  type AccessRule,
  type AccessSubject,
} from './access/access-policy.js';
export type { AuditBreak, AuditVerification } from './audit/audit-chain.js';
export { AuditError } from './audit/audit-error.js';
export { AuditLog, type AuditLogOptions, type AuditVerifyOptions } from './audit/audit-log.js';
export type { AuditAnchor, AuditEvent, AuditRecord, AuditSink } from './audit/audit-record.js';
export { FileAuditSink } from './audit/file-audit-sink.js';
export { MemoryAuditSink } from './audit/memory-audit-sink.js';
export { sanitizeHTML } from './html/sanitize-html.js';
export type { SanitizePolicy } from './html/sanitize-policy.js';
export { MemoryLimiter, type MemoryLimiterOptions } from './limits/memory-limiter.js';
export type {
  LimitConsumeOptions,
  RateLimiter,
  RateLimitResult,
  RateLimitSource,
  RateQuota,
  RateQuotas,
} from './limits/rate-limit.js';
export { RedisLimiter, type RedisLimiterOptions } from './limits/redis-limiter.js';
export { parse } from './parse.js';
export type { Argon2Options } from './passwords/argon2-scheme.js';
export {
  type Calibration,
  type PasswordCheck,
  PasswordHasher,
  type PasswordHasherOptions,
} from './passwords/password-hasher.js';
export type { PepperOptions } from './passwords/pepper.js';
export {
  SecurityIntegration,
  type SecurityIntegrationOptions,
  type SecurityShortOptions,
} from './security-integration.js';
export { type TokenAlgorithm, tokenAlgorithms } from './tokens/algorithms.js';
export type { TokenClaims } from './tokens/claims.js';
export { type JSONWebKeySet, KeyRing, type TokenKeys } from './tokens/key-ring.js';
export { MemoryTokenStore, type MemoryTokenStoreOptions } from './tokens/memory-token-store.js';
export { RedisTokenStore, type RedisTokenStoreOptions } from './tokens/redis-token-store.js';
export { type KeySetSource, RemoteKeySet, type RemoteKeySetOptions } from './tokens/remote-key-set.js';
export { TokenError, type TokenFault } from './tokens/token-error.js';
export { type KeyMaterial, type KeyState, TokenKey, type TokenKeyOptions } from './tokens/token-key.js';
export {
  type IssuedTokens,
  type IssueOptions,
  type RefreshableTokens,
  type RefreshOptions,
  TokenService,
  type VerifiedToken,
  type VerifyOptions,
} from './tokens/token-service.js';
export type { TokenServiceOptions } from './tokens/token-service-options.js';
export type { FamilyMember, Rotation, TokenStore } from './tokens/token-store.js';
