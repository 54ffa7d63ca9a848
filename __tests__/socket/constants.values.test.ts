// constants: the names of this platform's headers, with their numbers.

import { constants as osConstants } from 'node:os';
import { constants } from '../../lib/index';
import { HAS_PYTHON, python } from '../support/machine';
import { needs } from '../support/needs';

const entries = Object.entries(constants) as [string, number][];

test('constants: there are many, all of them numbers, and nobody changes them', () => {
  expect(entries.length).toBeGreaterThan(500);
  expect(entries.filter(([, value]) => !Number.isFinite(value))).toEqual([]);
  expect(Object.isFrozen(constants)).toBe(true);
});

test.each([
  'AF_',
  'SOCK_',
  'IPPROTO_',
  'SOL_',
  'SO_',
  'TCP_',
  'UDP_',
  'IP_',
  'IPV6_',
  'MSG_',
  'SHUT_',
  'POLL',
  'ETH_P_',
  'PACKET_',
  'NETLINK_',
  'VMADDR_',
  'E',
])('constants: %s… are there', (prefix) => {
  expect(entries.filter(([name]) => name.startsWith(prefix)).length).toBeGreaterThan(2);
});

test("constants: the errnos are those of Node's os module", () => {
  const shared = Object.entries(osConstants.errno).filter(([name]) => name in constants);
  expect(shared.length).toBeGreaterThan(60);
  expect(shared.filter(([name, value]) => constants[name as 'EPERM'] !== value)).toEqual([]);
});

needs('python3', HAS_PYTHON)("constants: they are those of Python's socket module", () => {
  const theirs = JSON.parse(
    python(
      [
        'import json, socket',
        'print(json.dumps({n: int(v) for n, v in vars(socket).items()',
        '  if n.isupper() and isinstance(v, int) and not isinstance(v, bool)}))',
      ].join('\n'),
    ),
  ) as Record<string, number>;
  const shared = Object.keys(theirs).filter((name) => name in constants);
  expect(shared.length).toBeGreaterThan(150);
  // Python's numbers may be unsigned where the header's type is signed (MSG_CMSG_COMPAT …).
  const different = shared.filter(
    (name) => (constants[name as 'AF_INET'] | 0) !== (theirs[name] | 0),
  );
  expect(different).toEqual([]);
});
