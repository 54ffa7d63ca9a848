// struct tcp_md5sig: the key that signs the segments to and from a peer, or a whole prefix of peers. RFC 2385.

import { outOfRange } from '../../core/errors';
import { integer, record } from '../../core/validate';
import { bytesOf } from '../bytes';
import { constants as C } from '../constants';
import { encodeOnly } from './codec';
import { layout } from './layout';
import { addressBytes } from './addresses';
import { interfaceIndex } from '../sockaddr';

/** A key of TCP's MD5 signatures (RFC 2385), and whose segments it signs. */
export interface Md5Signature {
  /** The peer's address, an IP literal. */
  address: string;
  /** Every peer whose address begins with so many of its bits. */
  prefixLength?: number | undefined;
  /** Peers in the domain of this VRF interface only. */
  interface?: string | number | undefined;
  /** At most 80 bytes; none: the key is removed. */
  key: Uint8Array;
}

const TAIL = layout({ flags: 'u8', prefixLength: 'u8', keyLength: 'u16', interface: 'i32' });

export const md5Signature = encodeOnly<Md5Signature>((value, name) => {
  const { address, prefixLength, interface: device, key } = record(name, value);
  const peer = addressBytes(address, `${name}.address`);
  const secret = bytesOf(key, `${name}.key`);
  if (secret.length > C.TCP_MD5SIG_MAXKEYLEN) {
    throw outOfRange(`${name}.key.byteLength`, `<= ${C.TCP_MD5SIG_MAXKEYLEN}`, secret.length);
  }
  const most = address.includes(':') ? 128 : 32;
  const tail = TAIL.write({
    flags:
      (prefixLength === undefined ? 0 : C.TCP_MD5SIG_FLAG_PREFIX) |
      (device === undefined ? 0 : C.TCP_MD5SIG_FLAG_IFINDEX),
    prefixLength:
      prefixLength === undefined ? 0 : integer(`${name}.prefixLength`, prefixLength, 0, most),
    keyLength: secret.length,
    interface: device === undefined ? 0 : interfaceIndex(device, `${name}.interface`),
  });
  const padding = Buffer.alloc(C.TCP_MD5SIG_MAXKEYLEN - secret.length);
  return Buffer.concat([peer, tail, secret, padding]);
});
