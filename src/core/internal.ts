/** What the SDK's own modules share and hosts do not need. Not an entry point. */
export { correlationIdHere, enterScope } from './context.js';
export { nameError } from './errors/safla-error.js';
export { importOptional, lazy } from './imports.js';
export { encodeJSON } from './json.js';
export { drainShare } from './lifecycle.js';
export { checkOptions, hint, is, type OptionCheck, type OptionChecks } from './options.js';
export { describeError, isSecretKey } from './redact.js';
export { activeHealth, type LastExchange, passiveHealth } from './remote-health.js';
export { isSchema } from './schema.js';
