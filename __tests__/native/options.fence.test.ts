// getsockopt writes into the memory that it was given, and nowhere else, whatever the kernel takes the length for.

import { binding } from '../../lib/native/load';

binding.start(() => undefined);
const C = binding.constants;

const GUARD = 0xa5;
const AROUND = 4096;

/** `size` bytes in the middle of others, which must stay as they are. */
function guarded(size: number): { value: Uint8Array; intact(): boolean } {
  const memory = new Uint8Array(AROUND + size + AROUND).fill(GUARD);
  return {
    value: memory.subarray(AROUND, AROUND + size).fill(0),
    intact: () =>
      memory.subarray(0, AROUND).every((byte) => byte === GUARD) &&
      memory.subarray(AROUND + size).every((byte) => byte === GUARD),
  };
}

let token = -1;
beforeEach(() => {
  token = binding.open(C.AF_INET, C.SOCK_DGRAM, 0);
  expect(token).toBeGreaterThanOrEqual(0);
});
afterEach(() => {
  binding.close(token);
});

const RET = [6, 0, 0, 0, 255, 255, 255, 255];
const program = (count: number): Uint8Array =>
  Uint8Array.from(Array.from({ length: count }, () => RET).flat());

describe('SO_GET_FILTER, which counts in instructions', () => {
  beforeEach(() => {
    expect(binding.setProgram(token, C.SOL_SOCKET, C.SO_ATTACH_FILTER, program(100))).toBe(0);
  });

  test.each([1, 8, 100, 256, 799])('refuses %d bytes for a filter of 800', (size) => {
    const { value, intact } = guarded(size);
    // Below one instruction the kernel only tells how many there are.
    const expected = size < 8 ? 800 : -C.EINVAL;
    expect(binding.getsockopt(token, C.SOL_SOCKET, C.SO_GET_FILTER, value)).toBe(expected);
    expect(intact()).toBe(true);
  });

  test.each([800, 801, 4096])('gives it in %d bytes, and its length in bytes', (size) => {
    const { value, intact } = guarded(size);
    expect(binding.getsockopt(token, C.SOL_SOCKET, C.SO_GET_FILTER, value)).toBe(800);
    expect([...value.subarray(792, 800)]).toEqual(RET);
    expect(value.subarray(800).every((byte) => byte === 0)).toBe(true);
    expect(intact()).toBe(true);
  });
});

describe('options that believe a count in their input', () => {
  const GROUP = [239, 1, 2, 249];

  beforeEach(() => {
    const membership = Uint8Array.from([...GROUP, 127, 0, 0, 1]);
    expect(binding.setsockopt(token, C.IPPROTO_IP, C.IP_ADD_MEMBERSHIP, membership)).toBe(0);
    // struct ip_msfilter with eight senders.
    const filter = new Uint8Array(16 + 32);
    filter.set([...GROUP, 127, 0, 0, 1]);
    new Uint32Array(filter.buffer, 8, 2).set([C.MCAST_INCLUDE, 8]);
    filter.set(
      Array.from({ length: 32 }, (_, i) => (i % 4 === 3 ? i : 10)),
      16,
    );
    expect(binding.setsockopt(token, C.IPPROTO_IP, C.IP_MSFILTER, filter)).toBe(0);
  });

  test('IP_MSFILTER', () => {
    const { value, intact } = guarded(16);
    value.set([...GROUP, 127, 0, 0, 1]);
    value[12] = 100;
    expect(binding.getsockopt(token, C.IPPROTO_IP, C.IP_MSFILTER, value)).toBe(-C.EFAULT);
    expect(intact()).toBe(true);
  });

  test('IP_MSFILTER with room', () => {
    const { value, intact } = guarded(48);
    value.set([...GROUP, 127, 0, 0, 1]);
    value[12] = 8;
    expect(binding.getsockopt(token, C.IPPROTO_IP, C.IP_MSFILTER, value)).toBe(48);
    expect(intact()).toBe(true);
  });

  test('MCAST_MSFILTER', () => {
    const { value, intact } = guarded(144);
    value[0] = 1;
    value[8] = C.AF_INET;
    value.set(GROUP, 12);
    value[140] = 100;
    expect(binding.getsockopt(token, C.IPPROTO_IP, C.MCAST_MSFILTER, value)).toBe(-C.EFAULT);
    expect(intact()).toBe(true);
  });
});

describe('options that write where their value points to', () => {
  test.each([
    ['TCP_ZEROCOPY_RECEIVE', 0, 64],
    ['TCP_ZEROCOPY_RECEIVE', 24, 64],
    ['TCP_ZEROCOPY_RECEIVE', 40, 64],
    ['TCP_ZEROCOPY_RECEIVE', 0, 1],
    ['MPTCP_FULL_INFO', 24, 64],
    ['MPTCP_FULL_INFO', 32, 64],
  ] as const)('%s: an address at %d of %d bytes is -EFAULT', (name, at, size) => {
    const stream = binding.open(C.AF_INET, C.SOCK_STREAM, 0);
    const level = name === 'MPTCP_FULL_INFO' ? C.SOL_MPTCP : C.IPPROTO_TCP;
    const value = new Uint8Array(size);
    expect(binding.getsockopt(stream, level, C[name], value)).not.toBe(-C.EFAULT);
    value[at] = 0x10;
    expect(binding.getsockopt(stream, level, C[name], value)).toBe(-C.EFAULT);
    binding.close(stream);
  });
});

describe('what the kernel has beyond the memory is told, not written', () => {
  test('NETLINK_LIST_MEMBERSHIPS', () => {
    const netlink = binding.open(C.AF_NETLINK, C.SOCK_RAW, C.NETLINK_ROUTE);
    const group = Uint8Array.from([5, 0, 0, 0]);
    binding.setsockopt(netlink, C.SOL_NETLINK, C.NETLINK_ADD_MEMBERSHIP, group);
    const { value, intact } = guarded(2);
    const result = binding.getsockopt(netlink, C.SOL_NETLINK, C.NETLINK_LIST_MEMBERSHIPS, value);
    expect(result).toBeGreaterThanOrEqual(4);
    expect(intact()).toBe(true);
    binding.close(netlink);
  });

  test('no memory at all', () => {
    const none = new Uint8Array(0);
    expect(binding.getsockopt(token, C.SOL_SOCKET, C.SO_GET_FILTER, none)).toBe(0);
    expect(binding.getsockopt(token, C.SOL_SOCKET, C.SO_TYPE, none)).toBe(0);
  });

  test('more than an option can have is -EINVAL', () => {
    const much = new Uint8Array((1 << 20) + 1);
    expect(binding.getsockopt(token, C.SOL_SOCKET, C.SO_TYPE, much)).toBe(-C.EINVAL);
    expect(binding.setsockopt(token, C.SOL_SOCKET, C.SO_REUSEADDR, much)).toBe(-C.EINVAL);
  });
});

describe('setProgram', () => {
  const set = (...args: unknown[]): number =>
    (binding.setProgram as (...given: unknown[]) => number)(...args);

  test.each([
    ['no instructions', program(0), -C.EINVAL],
    ['half an instruction', new Uint8Array(12), -C.EINVAL],
    ['more than 4096', program(4097), -C.EINVAL],
    ['8192, whose count would not fit once cut', program(65_536), -C.EINVAL],
    ['nonsense', new Uint8Array(8), -C.EINVAL],
    ['4096', program(4096), 0],
  ])('%s', (_what, instructions, expected) => {
    expect(set(token, C.SOL_SOCKET, C.SO_ATTACH_FILTER, instructions)).toBe(expected);
  });

  test('wrong arguments', () => {
    expect(set(token, C.SOL_SOCKET, C.SO_ATTACH_FILTER, 'ret')).toBe(-C.EINVAL);
    expect(set(token, C.SOL_SOCKET, C.SO_ATTACH_FILTER)).toBe(-C.EINVAL);
    expect(set(-1, C.SOL_SOCKET, C.SO_ATTACH_FILTER, program(1))).toBe(-C.EBADF);
  });
});
