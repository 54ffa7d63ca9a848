// Addresses as people write them.

import type { Address } from 'eagain';

export function portOf(address: Address): number {
  if ('port' in address) return address.port;
  throw new TypeError(`A ${address.family} address has no port`);
}

export function show(address: Address): string {
  switch (address.family) {
    case 'IPv4':
      return `${address.address}:${address.port}`;
    case 'IPv6':
      return `[${address.address}]:${address.port}`;
    case 'unix':
      // A leading NUL is an abstract name; tools such as ss(8) write it as '@'.
      return address.path.toString().replace(/^\0/, '@');
    default:
      return JSON.stringify(address);
  }
}
