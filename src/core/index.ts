export * from './errors/index.js';
export { redact, redactText } from './redact.js';
