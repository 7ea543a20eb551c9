export * from './core/index.js';
export * from './resilience/index.js';
