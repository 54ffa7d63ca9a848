// How the binding refuses arguments: -EINVAL for a wrong type, -EFAULT for memory that is not there, -EBADF for
// a token that is nobody's; always as a value.

import { FACTS } from '../../lib/native/binding';
import { binding } from '../../lib/native/load';

const { shared, scratch } = binding.start(() => undefined);
const { AF_INET, AF_INET6, AF_UNIX, EAFNOSUPPORT, EBADF, EFAULT, EINVAL, ENODEV } =
  binding.constants;
const { IOV_MAX, SOCK_DGRAM, SOL_SOCKET, SO_TYPE } = binding.constants;

let a = -1;
let b = -1;
beforeEach(() => {
  expect(binding.socketpair(AF_UNIX, SOCK_DGRAM, 0)).toBe(0);
  [a, b] = [shared[FACTS], shared[FACTS + 1]];
});
afterEach(() => {
  for (const token of [a, b]) binding.close(token);
});

const SIZE = 16;

describe('memory that is not there is -EFAULT', () => {
  test.each([
    [0, SIZE + 1],
    [1, SIZE],
    [SIZE, 1],
    [SIZE + 1, 0],
    [-1, 1],
    [0, -1],
    [2 ** 32, 1],
    [0, 2 ** 32],
    [1, Number.MAX_SAFE_INTEGER],
    [Number.MAX_SAFE_INTEGER, 1],
  ])('at offset %d, %d bytes of 16', (offset, length) => {
    const memory = new Uint8Array(SIZE);
    binding.send(b, memory, 0, 1, 0);
    expect(binding.send(a, memory, offset, length, 0)).toBe(-EFAULT);
    expect(binding.sendto(a, memory, offset, length, 0, 0)).toBe(-EFAULT);
    expect(binding.recv(a, memory, offset, length, 0)).toBe(-EFAULT);
  });

  test('but all of the memory, and none at its end, are there', () => {
    const memory = new Uint8Array(SIZE);
    expect(binding.send(a, memory, 0, SIZE, 0)).toBe(SIZE);
    expect(binding.send(a, memory, SIZE, 0, 0)).toBe(0);
  });

  test('where the buffer was detached', () => {
    const memory = new Uint8Array(SIZE);
    structuredClone(memory.buffer, { transfer: [memory.buffer] });
    expect(binding.send(a, memory, 0, SIZE, 0)).toBe(-EFAULT);
    expect(binding.recv(a, memory, 0, SIZE, 0)).toBe(-EFAULT);
  });

  test.each([
    ['data', [128 << 10, 1, 0, 0]],
    ['data that begins', [(128 << 10) + 8, 1, 0, 0]],
    ['a name that begins', [0, 1, (128 << 10) + 8, 2]],
    ['data with a length that overflows', [4, -1, 0, 0]],
    ['data at a negative offset', [-1, 1, 0, 0]],
    ['a name', [0, 1, 128 << 10, 16]],
    ['a name with a length that overflows', [0, 1, 4, -1]],
  ])('where a fact tells of %s outside of the slab', (_what, facts) => {
    binding.slabs();
    shared.set(facts, FACTS);
    expect(binding.sendmmsg(a, 1, 0)).toBe(-EFAULT);
  });

  test.each([
    [AF_INET, 4],
    [AF_INET6, 16],
  ])('where an address of family %i does not fit', (family, size) => {
    const text = family === AF_INET ? '127.0.0.1' : '::1';
    const out = new Uint8Array(size);
    for (const offset of [1, -1, 0x7fffffff]) {
      expect(binding.pton(family, text, out, offset)).toBe(-EFAULT);
      expect(binding.ntop(family, out, offset)).toBeUndefined();
    }
    expect(binding.pton(family, text, out.subarray(1), 0)).toBe(-EFAULT);
    expect(binding.pton(family, text, out, 0)).toBe(0);
    expect(binding.ntop(family, out, 0)).toBe(text);
  });
});

describe('what makes no sense is -EINVAL', () => {
  const memory = new Uint8Array(SIZE);
  const wrong = (value: unknown): never => value as never;

  test.each([
    ['a string', 'x'],
    ['undefined', undefined],
    ['a bigint', 1n],
    ['an object', {}],
  ])('%s for a token', (_what, value) => {
    expect(binding.fd(wrong(value))).toBe(-EINVAL);
    expect(binding.close(wrong(value))).toBe(-EINVAL);
    expect(binding.send(wrong(value), memory, 0, 1, 0)).toBe(-EINVAL);
  });

  test.each([
    ['a string', 'x'],
    ['an ArrayBuffer', new ArrayBuffer(8)],
    ['another typed array', new Int32Array(2)],
    ['a DataView', new DataView(new ArrayBuffer(8))],
    ['an array of numbers', [1]],
    ['null', null],
  ])('%s for memory', (_what, value) => {
    expect(binding.send(a, wrong(value), 0, 1, 0)).toBe(-EINVAL);
    expect(binding.recv(a, wrong(value), 0, 1, 0)).toBe(-EINVAL);
    expect(binding.sendmsg(a, wrong([value]), 0, 0)).toBe(-EINVAL);
    expect(binding.recvmsg(a, wrong([value]), 0)).toBe(-EINVAL);
    expect(binding.getsockopt(a, SOL_SOCKET, SO_TYPE, wrong(value))).toBe(-EINVAL);
  });

  test('more pieces than one call may take', () => {
    const pieces = Array.from({ length: IOV_MAX + 1 }, () => memory);
    expect(binding.sendmsg(a, pieces, 0, 0)).toBe(-EINVAL);
    expect(binding.recvmsg(a, pieces, 0)).toBe(-EINVAL);
    expect(binding.sendmsg(a, pieces.slice(1), 0, 0)).toBe(SIZE * IOV_MAX);
  });

  test.each([-1, 129, 0x7fffffff])('an address of %d bytes in a scratch of 128', (length) => {
    expect(scratch).toHaveLength(128);
    expect(binding.bind(a, length)).toBe(-EINVAL);
    expect(binding.connect(a, length)).toBe(-EINVAL);
    expect(binding.sendto(a, memory, 0, 1, 0, length)).toBe(-EINVAL);
    expect(binding.sendmsg(a, [memory], 0, length)).toBe(-EINVAL);
  });

  test.each([
    [0, 1],
    [-1, 1],
    [1, -1],
    [1, 2048 + (4 << 20) + 1],
  ])('%d messages of %d bytes', (max, size) => {
    binding.slabs();
    expect(binding.recvmmsg(a, max, size, 0)).toBe(-EINVAL);
  });

  test.each([0, -1, 65])('a batch of %d', (count) => {
    binding.slabs();
    expect(binding.sendmmsg(a, count, 0)).toBe(-EINVAL);
  });

  test.each([0, 8, 64, -1])('an interest of %d', (interest) => {
    expect(binding.arm(a, interest)).toBe(-EINVAL);
  });

  test.each(['127.0.0.1\0', '127.0.0.1\0.example', '', '127.0.0.1'.padEnd(100, '0')])(
    '%j for an address',
    (text) => {
      expect(binding.pton(AF_INET, text, memory, 0)).toBe(-EINVAL);
    },
  );

  test('another family than those of IP is -EAFNOSUPPORT', () => {
    expect(binding.pton(AF_UNIX, '127.0.0.1', memory, 0)).toBe(-EAFNOSUPPORT);
    expect(binding.ntop(AF_UNIX, memory, 0)).toBeUndefined();
  });

  test.each(['lo\0', '', 'a name that is too long'])('%j is no interface', (name) => {
    expect(binding.ifNameToIndex(name)).toBe(-ENODEV);
  });
});

describe("a token that is nobody's is -EBADF", () => {
  const calls: Readonly<Record<string, (token: number) => number>> = {
    arm: (token) => binding.arm(token, 1),
    disarm: (token) => binding.disarm(token),
    close: (token) => binding.close(token),
    detach: (token) => binding.detach(token),
    duplicate: (token) => binding.duplicate(token),
    fd: (token) => binding.fd(token),
    bind: (token) => binding.bind(token, 16),
    connect: (token) => binding.connect(token, 16),
    connectOutcome: (token) => binding.connectOutcome(token),
    listen: (token) => binding.listen(token, 1),
    shutdown: (token) => binding.shutdown(token, 2),
    accept: (token) => binding.accept(token),
    getsockname: (token) => binding.getsockname(token),
    getpeername: (token) => binding.getpeername(token),
    getsockopt: (token) => binding.getsockopt(token, 1, 1, new Uint8Array(4)),
    setsockopt: (token) => binding.setsockopt(token, 1, 1, new Uint8Array(4)),
    poll: (token) => binding.poll(token, 1),
    send: (token) => binding.send(token, new Uint8Array(1), 0, 1, 0),
    sendto: (token) => binding.sendto(token, new Uint8Array(1), 0, 1, 0, 0),
    sendmsg: (token) => binding.sendmsg(token, [new Uint8Array(1)], 0, 0),
    recv: (token) => binding.recv(token, new Uint8Array(1), 0, 1, 0),
    recvmsg: (token) => binding.recvmsg(token, [new Uint8Array(1)], 0),
    recvmmsg: (token) => binding.recvmmsg(token, 1, 100, 0),
    sendmmsg: (token) => binding.sendmmsg(token, 1, 0),
  };

  test.each(Object.entries(calls))('to %s', (_name, call) => {
    binding.close(a);
    const generation = 1 << 20;
    for (const token of [a, a + generation, b - generation, -1, -0x80000000, 0, 0xfffff]) {
      expect(call(token)).toBe(-EBADF);
    }
    expect(binding.fd(b)).toBeGreaterThan(0);
  });
});
