import { constants as node } from 'node:os';
import {
  abortError,
  closedError,
  detachedBuffer,
  endedError,
  errnoName,
  invalidType,
  invalidValue,
  outOfRange,
  systemError,
  timeoutError,
} from '../../lib/core/errors';

/** The properties of an error that are there, as a program sees them. */
function shape(error: Error): Record<string, unknown> {
  return { ...Object.fromEntries(Object.entries(error)), name: error.name, message: error.message };
}

describe('errnoName', () => {
  // Numbers with two names on Linux: errno.h defines the one as the other.
  test.each([
    ['EAGAIN', node.errno.EWOULDBLOCK],
    ['EOPNOTSUPP', node.errno.ENOTSUP],
    ['EDEADLK', node.errno.EDEADLK],
  ])('prefers %s, the name of the man pages', (name, errno) => {
    expect(errnoName(errno)).toBe(name);
  });

  const twins = new Set<string>(['EWOULDBLOCK', 'ENOTSUP']);
  const all = Object.entries(node.errno).filter(([name]) => !twins.has(name));
  test.each(all)('knows %s as Node does', (name, errno) => {
    expect(errnoName(errno)).toBe(name);
    expect(errnoName(-errno)).toBe(name);
  });

  test('knows what Node has no name for', () => {
    expect(errnoName(-108)).toBe('ESHUTDOWN');
    expect(errnoName(-94)).toBe('ESOCKTNOSUPPORT');
  });

  test.each([
    [-4095, 'E4095'],
    [524, 'E524'],
  ])('passes %i, which has no name, through as %s', (errno, name) => {
    expect(errnoName(errno)).toBe(name);
  });

  test('gives no constant that is no errno', () => {
    const names = Array.from({ length: 200 }, (_, i) => errnoName(i + 1));
    expect(names.filter((name) => /^E(AI|TH)_/.test(name))).toEqual([]);
  });
});

describe('systemError', () => {
  const ECONNREFUSED = -node.errno.ECONNREFUSED;

  test("has the shape and the words of node:net's", () => {
    const error = systemError(ECONNREFUSED, 'connect', { address: '127.0.0.1', port: 1 });
    expect(error).toBeInstanceOf(Error);
    expect(shape(error)).toEqual({
      name: 'Error',
      message: 'connect ECONNREFUSED 127.0.0.1:1',
      errno: ECONNREFUSED,
      code: 'ECONNREFUSED',
      syscall: 'connect',
      address: '127.0.0.1',
      port: 1,
    });
  });

  test('names a path', () => {
    const error = systemError(ECONNREFUSED, 'connect', { path: '/run/bus' });
    expect(shape(error)).toMatchObject({
      message: 'connect ECONNREFUSED /run/bus',
      path: '/run/bus',
    });
    expect(error).not.toHaveProperty('address');
    expect(error).not.toHaveProperty('port');
  });

  test('names port 0, and an address without a port', () => {
    const bound = systemError(-node.errno.EADDRINUSE, 'bind', { address: '::1', port: 0 });
    expect(bound.message).toBe('bind EADDRINUSE ::1:0');
    expect(bound.port).toBe(0);
    const unknown = systemError(-node.errno.ENODEV, 'if_nametoindex', { address: 'eth9' });
    expect(unknown.message).toBe('if_nametoindex ENODEV eth9');
    expect(unknown).not.toHaveProperty('port');
  });

  test('says nothing of a subject that there is not', () => {
    const error = systemError(-node.errno.EPIPE, 'send');
    expect(shape(error)).toEqual({
      name: 'Error',
      message: 'send EPIPE',
      errno: -node.errno.EPIPE,
      code: 'EPIPE',
      syscall: 'send',
    });
  });

  test('passes an errno without a name through as E<number>', () => {
    const error = systemError(-4095, 'setsockopt');
    expect(shape(error)).toMatchObject({
      message: 'setsockopt E4095',
      code: 'E4095',
      errno: -4095,
    });
  });
});

describe("this library's own errors", () => {
  test("an aborted call's is Node's AbortError, with the signal's reason as its cause", () => {
    const reason = new Error('enough');
    const error = abortError(AbortSignal.abort(reason));
    expect(shape(error)).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    expect(error.cause).toBe(reason);
  });

  test("a deadline's is ERR_SOCKET_TIMEOUT and says which call and how long, never ETIMEDOUT", () => {
    expect(shape(timeoutError('recv', 50))).toEqual({
      name: 'Error',
      message: 'recv was not done within 50 ms',
      code: 'ERR_SOCKET_TIMEOUT',
    });
  });

  test("a closed socket's is ERR_SOCKET_CLOSED", () => {
    expect(shape(closedError('send'))).toMatchObject({
      code: 'ERR_SOCKET_CLOSED',
      message: 'send: the socket is closed',
    });
  });

  test("a stream's that ended too early says how far it came", () => {
    expect(shape(endedError(10, 3))).toMatchObject({
      code: 'ERR_STREAM_PREMATURE_CLOSE',
      message: 'The stream ended after 3 of 10 bytes',
    });
  });

  test("a detached buffer's names the argument", () => {
    const error = detachedBuffer('into');
    expect(error).toBeInstanceOf(TypeError);
    expect(shape(error)).toMatchObject({
      code: 'ERR_INVALID_STATE',
      message: 'The memory of "into" is detached',
    });
  });
});

describe('misuse', () => {
  class Thing {
    readonly size = 1;
  }
  const bare: unknown = Object.create(null);

  test.each([
    ['a number', 5, 'type number (5)'],
    ['a string', 'x', "type string ('x')"],
    ['a long string', 'x'.repeat(100), `type string ('${'x'.repeat(24)}...)`],
    ['a bigint', 5n, 'type bigint (5n)'],
    ['a symbol', Symbol('x'), 'type symbol (Symbol(x))'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a function', thrower, 'function thrower'],
    ['an instance', new Thing(), 'an instance of Thing'],
    ['an array', [], 'an instance of Array'],
    ['an object without a maker', bare, '[Object: null prototype] {}'],
  ])('of a wrong type says what was got: %s', (_what, value, got) => {
    const error = invalidType('port', 'of type number', value);
    expect(error).toBeInstanceOf(TypeError);
    expect(shape(error)).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
      message: `The "port" argument must be of type number. Received ${got}`,
    });
  });

  test('of a wrong value names it', () => {
    const error = invalidValue('how', "one of 'read', 'write'", 'up');
    expect(error).toBeInstanceOf(TypeError);
    expect(shape(error)).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      message: `The "how" argument must be one of 'read', 'write'. Received 'up'`,
    });
  });

  test('of a property says so', () => {
    expect(invalidType('options.host', 'x', 1).message).toMatch(/^The "options\.host" property /);
    expect(invalidValue('options.host', 'x', 1).message).toMatch(/^The "options\.host" property /);
  });

  test('of a number out of its range is a RangeError', () => {
    const error = outOfRange('port', '>= 0 and <= 65535', 65536);
    expect(error).toBeInstanceOf(RangeError);
    expect(shape(error)).toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
      message: 'The value of "port" is out of range. It must be >= 0 and <= 65535. Received 65536',
    });
  });
});

function thrower(): void {
  throw new Error('not to be called');
}
