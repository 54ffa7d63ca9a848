// A path of four network namespaces: a – one – two – b. The last link is narrow.

import { Namespace } from '../../support/namespaces';

/** The MTU of the last link; the others' is 1500. */
export const NARROW = 1280;

export interface Path extends Disposable {
  readonly a: Namespace;
  readonly b: Namespace;
}

/** What is at the other end of a's link, the second router, and b. */
export const HOPS = {
  IPv4: ['10.81.1.2', '10.81.2.2', '10.81.3.2'],
  IPv6: ['fd81:1::2', 'fd81:2::2', 'fd81:3::2'],
} as const;

export function makePath(): Path {
  const all = Array.from({ length: 4 }, () => new Namespace());
  const dispose = (): void => all.forEach((each) => each[Symbol.dispose]());
  try {
    connect(all);
  } catch (error) {
    dispose();
    throw error;
  }
  return { a: all[0], b: all[3], [Symbol.dispose]: dispose };
}

function connect(all: readonly Namespace[]): void {
  const [a, one, two, b] = all;
  for (const [i, namespace] of all.slice(0, -1).entries()) {
    const net = i + 1;
    namespace.link(
      all[i + 1],
      ['right', `10.81.${net}.1/24`, `fd81:${net}::1/64`],
      ['left', `10.81.${net}.2/24`, `fd81:${net}::2/64`],
    );
  }
  for (const router of [one, two])
    router.sysctl('net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
  // Routers say only so much a second (icmp(7)).
  for (const each of all) each.sysctl('net.ipv4.icmp_ratelimit=0', 'net.ipv6.icmp.ratelimit=0');
  a.ip('route', 'add', 'default', 'via', '10.81.1.2');
  a.ip('route', 'add', 'default', 'via', 'fd81:1::2');
  one.ip('route', 'add', '10.81.3.0/24', 'via', '10.81.2.2');
  one.ip('route', 'add', 'fd81:3::/64', 'via', 'fd81:2::2');
  two.ip('route', 'add', '10.81.1.0/24', 'via', '10.81.2.1');
  two.ip('route', 'add', 'fd81:1::/64', 'via', 'fd81:2::1');
  b.ip('route', 'add', 'default', 'via', '10.81.3.1');
  b.ip('route', 'add', 'default', 'via', 'fd81:3::1');
  two.ip('link', 'set', 'right', 'mtu', String(NARROW));
  b.ip('link', 'set', 'left', 'mtu', String(NARROW));
}
