export { AddressGuard, type AddressGuardOptions } from './address-guard.js';
export { AllowList } from './allow-list.js';
