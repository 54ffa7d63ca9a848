// inet and interfaces against Python's socket module.

import { execFileSync } from 'node:child_process';
import { inet, interfaces } from '../../lib/index';
import { thrown } from '../support/outcomes';

function python(expression: string): unknown {
  const program = `import json, socket\nprint(json.dumps(${expression}))`;
  return JSON.parse(execFileSync('python3', ['-c', program], { encoding: 'utf8' }));
}

test.each([
  ['IPv4', 'AF_INET', '127.0.0.1'],
  ['IPv4', 'AF_INET', '255.1.20.3'],
  ['IPv6', 'AF_INET6', '::1'],
  ['IPv6', 'AF_INET6', 'fe80::1:2'],
  ['IPv6', 'AF_INET6', '::ffff:1.2.3.4'],
] as const)('inet: %s %s %s to bytes and back', (family, name, text) => {
  const bytes = inet.pton(family, text);
  expect([...bytes!]).toEqual(
    python(`list(socket.inet_pton(socket.${name}, ${JSON.stringify(text)}))`),
  );
  expect(inet.ntop(family, bytes!)).toBe(text);
});

test('inet: byte order is the network’s', () => {
  expect([inet.htons(0x1234), inet.ntohs(0x1234)]).toEqual(
    python('[socket.htons(0x1234), socket.ntohs(0x1234)]'),
  );
  expect([inet.htonl(0x12345678), inet.ntohl(0xff000000)]).toEqual(
    python('[socket.htonl(0x12345678), socket.ntohl(0xff000000)]'),
  );
});

test('inet: the checksum of RFC 1071, of one piece or of many', () => {
  // The RFC's own example, in section 3: the sum is ddf2.
  const example = Buffer.from('0001f203f4f5f6f7', 'hex');
  expect(inet.checksum(example)).toBe(0xffff - 0xddf2);
  for (let cut = 0; cut <= example.length; cut++)
    expect(inet.checksum([example.subarray(0, cut), example.subarray(cut)])).toBe(0x220d);
  // A header as ping(8) sends it.
  const header = Buffer.from('450000540000400040010000 0a000001 0a000002'.replace(/ /g, ''), 'hex');
  header.writeUInt16BE(inet.checksum(header), 10);
  expect(header.readUInt16BE(10)).toBe(0x26a7);
  expect(inet.checksum(header)).toBe(0);
  expect(inet.checksum([])).toBe(0xffff);
  expect(inet.checksum(Buffer.from([0x12]))).toBe(0xffff - 0x1200);
  // More than 32 bits hold.
  expect(inet.checksum(Buffer.alloc(1 << 18, 0xff))).toBe(0);
  for (const bad of ['x', null, [new Uint8Array(2), 'x'], new Uint16Array(2)])
    expect(thrown(() => inet.checksum(bad as never))).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
      message: expect.stringMatching(/"data(\[1\])?"/) as string,
    });
});

test('inet: what does not fit is refused', () => {
  expect(thrown(() => inet.htons(65536))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  expect(thrown(() => inet.ntop('IPv4', new Uint8Array(5)))).toBeInstanceOf(Error);
  expect(thrown(() => inet.pton('IPv5' as never, '1.2.3.4'))).toMatchObject({
    code: 'ERR_INVALID_ARG_VALUE',
  });
});

test('interfaces: names and indices are the kernel’s, and the list has them all', () => {
  const theirs = python('socket.if_nameindex()') as [index: number, name: string][];
  expect(
    interfaces
      .list()
      .map(({ index, name }) => [index, name])
      .sort(),
  ).toEqual(theirs.sort());
  for (const [index, name] of theirs) {
    expect(interfaces.nameToIndex(name)).toBe(index);
    expect(interfaces.indexToName(index)).toBe(name);
  }
  const lo = interfaces.list().find(({ name }) => name === 'lo')!;
  expect(lo).toMatchObject({ loopback: true, up: true, mtu: 65536 });
  expect(lo.addresses).toContainEqual(
    expect.objectContaining({ family: 'IPv4', address: '127.0.0.1', prefixLength: 8 }),
  );
});
