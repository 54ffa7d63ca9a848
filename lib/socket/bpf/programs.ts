// Programs that are asked for again and again. What is kept comes whole.
//
// They read the network header by SKF_NET_OFF and the Ethernet protocol by SKF_AD_PROTOCOL, so they do the same on
// raw packet sockets, where a packet begins with its link header, and on datagram ones, where it does not.

import { invalidType } from '../../core/errors';
import { integer, port as checkPort, record } from '../../core/validate';
import { byName, constants as C, ETHERNET_PROTOCOLS, IP_PROTOCOLS } from '../constants';
import { assemble, type Line } from './assembler';
import type { Program } from './instruction';

const WHOLE = 0xffffffff;
const PROTOCOL = C.SKF_AD_OFF + C.SKF_AD_PROTOCOL;
const CPU = C.SKF_AD_OFF + C.SKF_AD_CPU;
const RANDOM = C.SKF_AD_OFF + C.SKF_AD_RANDOM;
const NETWORK = C.SKF_NET_OFF;

const ENDS: readonly Line[] = ['drop:', ['ret', 0], 'keep:', ['ret', WHOLE]];

/** Keeps every packet. */
export const keepAll = (): Program => assemble([['ret', WHOLE]]);

/** Drops every packet: until a better filter is attached, nothing comes in. */
export const dropAll = (): Program => assemble([['ret', 0]]);

/** Packet sockets: keeps the packets of one Ethernet protocol, an `ETH_P_` number or 'ip', 'arp', 'ipv6' … */
export function etherType(protocol: number | string): Program {
  const number = byName('protocol', protocol, ETHERNET_PROTOCOLS);
  return assemble([
    ['ld', PROTOCOL],
    ['jeq', integer('protocol', number, 0, 0xffff), 'keep', 'drop'],
    ...ENDS,
  ]);
}

/** Packet sockets: keeps the IPv4 and IPv6 packets of one protocol, a number or 'udp', 'tcp', 'icmp' … */
export function ipProtocol(protocol: number | string): Program {
  const number = integer('protocol', byName('protocol', protocol, IP_PROTOCOLS), 0, 255);
  return assemble([
    ['ld', PROTOCOL],
    ['jeq', C.ETH_P_IP, '', 'other'],
    ['ldb', NETWORK + 9],
    ['jeq', number, 'keep', 'drop'],
    'other:',
    ['jeq', C.ETH_P_IPV6, '', 'drop'],
    ['ldb', NETWORK + 6],
    ['jeq', number, 'keep', 'drop'],
    ...ENDS,
  ]);
}

/** Which packets of a port `bpf.port` keeps. */
export interface PortMatch {
  /** UDP and TCP alike unless told. */
  protocol?: 'udp' | 'tcp' | undefined;
  /** Which of a packet's two ports: either unless told. */
  side?: 'source' | 'destination' | undefined;
}

/**
 * Packet sockets: keeps the UDP and TCP packets from or to a port, over IPv4 and IPv6. Fragments but the first have
 * no ports, and are dropped; so is IPv6 with extension headers.
 */
export function port(number: number, match: PortMatch = {}): Program {
  checkPort('number', number);
  const { protocol, side } = record('match', match);
  for (const [name, given, known] of [
    ['match.protocol', protocol, ['udp', 'tcp']],
    ['match.side', side, ['source', 'destination']],
  ] as const) {
    if (given !== undefined && !(known as readonly string[]).includes(given)) {
      throw invalidType(name, `one of '${known.join("', '")}'`, given);
    }
  }
  const transports: Line[] = [];
  if (protocol !== 'tcp') transports.push(['jeq', C.IPPROTO_UDP, 'found']);
  if (protocol !== 'udp') transports.push(['jeq', C.IPPROTO_TCP, 'found']);
  const ports: Line[] = [];
  if (side !== 'destination') ports.push(['ldhx', NETWORK], ['jeq', number, 'keep']);
  if (side !== 'source') ports.push(['ldhx', NETWORK + 2], ['jeq', number, 'keep']);
  return assemble([
    ['ld', PROTOCOL],
    ['jeq', C.ETH_P_IP, '', 'six'],
    ['ldh', NETWORK + 6],
    ['jset', 0x1fff, 'drop'], // the fragment's offset
    ['ldb', NETWORK],
    ['and', 0xf], // the header's length, in words
    ['lsh', 2],
    ['tax'],
    ['ldb', NETWORK + 9],
    ['ja', 'transport'],
    'six:',
    ['jeq', C.ETH_P_IPV6, '', 'drop'],
    ['ldxi', 40],
    ['ldb', NETWORK + 6],
    'transport:',
    ...transports,
    ['ja', 'drop'],
    'found:',
    ...ports,
    ...ENDS,
  ]);
}

/** `attachReusePortFilter`: the socket whose place in the group is the CPU's number, modulo `sockets`. */
export function reusePortByCpu(sockets: number): Program {
  return assemble([['ld', CPU], ['mod', integer('sockets', sockets, 1)], ['reta']]);
}

/** `attachReusePortFilter`: any of the group's `sockets`. */
export function reusePortAtRandom(sockets: number): Program {
  return assemble([['ld', RANDOM], ['mod', integer('sockets', sockets, 1)], ['reta']]);
}
