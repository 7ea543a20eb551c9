import { is, type OptionChecks } from '../../core/internal.js';
import type { WireLimits } from './exchange.js';

/** What every transport of ours can be told. */
export interface TransportOptions {
  /** Longest answer in bytes, counted after decompression. @default 10485760 (10 MiB) */
  readonly maxResponseBytes?: number;
  /** For opening a connection, TLS included, in milliseconds. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** Longest silence while waiting for headers or between two parts of a body, in milliseconds. @default 300000 */
  readonly idleTimeoutMs?: number;
  /** Connections kept per origin; more requests wait for one. @default 128 */
  readonly maxConnections?: number;
}

export const transportChecks: OptionChecks<TransportOptions> = {
  maxResponseBytes: is.count,
  connectTimeoutMs: is.milliseconds,
  idleTimeoutMs: is.milliseconds,
  maxConnections: is.count,
};

/** @default of `maxResponseBytes` wherever it can be set. */
export const defaultMaxResponseBytes: number = 10 * 1024 * 1024;

export function limitsOf(options: TransportOptions): WireLimits & { readonly maxConnections: number } {
  return {
    maxResponseBytes: options.maxResponseBytes ?? defaultMaxResponseBytes,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 300_000,
    maxConnections: options.maxConnections ?? 128,
  };
}
