// IP addresses inside the structures of options: bare ones, and those in a sockaddr_storage.

import { invalidType, invalidValue } from '../../core/errors';
import { binding } from '../../native/load';
import { constants as C } from '../constants';
import { encodeAddress } from '../sockaddr';
import { reactor } from '../../core/runtime';

/** The bytes of an IP literal, 4 or 16 of them. */
export function literalBytes(value: unknown, family: 'IPv4' | 'IPv6', name: string): Buffer {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
  const bytes = Buffer.alloc(family === 'IPv4' ? 4 : 16);
  const domain = family === 'IPv4' ? C.AF_INET : C.AF_INET6;
  if (binding.pton(domain, value, bytes, 0) >= 0) return bytes;
  throw invalidValue(name, `an ${family} literal`, value);
}

export function literalOf(bytes: Uint8Array, family: 'IPv4' | 'IPv6'): string {
  return binding.ntop(family === 'IPv4' ? C.AF_INET : C.AF_INET6, bytes, 0) ?? '';
}

/** A literal's family. Whether it is one is found out when it is encoded. */
export function familyOf(value: unknown, name: string): 'IPv4' | 'IPv6' {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
  return value.includes(':') ? 'IPv6' : 'IPv4';
}

/** A struct sockaddr_storage with this IP literal and no port. */
export function addressBytes(value: unknown, name: string): Buffer {
  const family = familyOf(value, name);
  literalBytes(value, family, name);
  const bytes = Buffer.alloc(binding.layout['sockaddr_storage']);
  const domain = family === 'IPv4' ? C.AF_INET : C.AF_INET6;
  const length = encodeAddress({ family, address: value as string, port: 0 }, domain, name);
  bytes.set(reactor.memory.scratch.subarray(0, length));
  return bytes;
}
