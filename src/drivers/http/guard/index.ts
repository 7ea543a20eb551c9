export { AddressGuard, type AddressGuardOptions } from './address-guard.js';
export { AllowList } from './allow-list.js';
export type { AddressBlock } from './ip-address.js';
