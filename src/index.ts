export * from './analysis/index.js';
export * from './api/index.js';
export * from './core/index.js';
export * from './events/index.js';
export * from './mcp/index.js';
export * from './memory/index.js';
export * from './resilience/index.js';
