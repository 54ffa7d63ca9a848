import { integer, port, record, text, wait, type Wait } from '../../lib/core/validate';
import { thrown } from '../support/outcomes';

const TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

describe('integer', () => {
  test.each([0, -0x80000000, 0x7fffffff])('takes %i', (value) => {
    expect(integer('x', value)).toBe(value);
  });

  test.each([1.5, NaN, Infinity, 2 ** 31, -(2 ** 31) - 1])('refuses %d', (value) => {
    expect(thrown(() => integer('x', value))).toMatchObject(RANGE);
  });

  test.each(['1', 1n, null, undefined, {}, [1], new Number(1)])('refuses %p', (value) => {
    expect(thrown(() => integer('x', value))).toMatchObject(TYPE);
  });
});

describe('port', () => {
  test.each([0, 65535])('takes %i', (value) => {
    expect(port('port', value)).toBe(value);
  });

  test.each([-1, 65536, 80.5])('refuses %d', (value) => {
    expect(thrown(() => port('port', value))).toMatchObject(RANGE);
  });
});

test('text refuses what is no string, with its name', () => {
  expect(text('host', '')).toBe('');
  const error = thrown(() => text('options.host', new String('x')));
  expect(error).toMatchObject(TYPE);
  expect(error.message).toContain('"options.host"');
});

test('record refuses what is no object', () => {
  const given = {};
  expect(record('options', given)).toBe(given);
  expect(thrown(() => record('options', null as never))).toMatchObject(TYPE);
  expect(thrown(() => record('options', 'x' as never))).toMatchObject(TYPE);
});

describe('wait', () => {
  const { signal } = new AbortController();

  test.each([
    [{ timeout: 0 }],
    [{ timeout: Infinity }],
    [{ signal, timeout: 0.5 }],
    [{ signal, timeout: undefined }],
  ] as [Wait][])('takes %j', (options) => {
    const { signal: taken, timeout } = wait(options)!;
    expect(taken === options.signal && timeout === options.timeout).toBe(true);
  });

  test.each([[undefined], [{}], [{ signal: undefined, timeout: undefined }]])(
    '%j is none',
    (options) => {
      expect(wait(options)).toBeUndefined();
    },
  );

  test('looks once: what it has checked is what it gives', () => {
    let looks = 0;
    const options = {
      get timeout(): number {
        return looks++ === 0 ? 5 : -5;
      },
    };
    expect(wait(options)).toMatchObject({ timeout: 5 });
  });

  test('a signal that cannot be left again is none', () => {
    const clinging = { aborted: false, addEventListener: () => undefined };
    expect(thrown(() => wait({ signal: clinging as never }))).toMatchObject(TYPE);
  });

  test.each([[null], ['soon'], [5]])('refuses %p', (options) => {
    expect(thrown(() => wait(options as never))).toMatchObject(TYPE);
  });

  test.each([[null], [{}], ['x'], [new AbortController()], [{ aborted: false }]])(
    'refuses %p as a signal',
    (given) => {
      const error = thrown(() => wait({ signal: given as never }));
      expect(error).toMatchObject(TYPE);
      expect(error.message).toContain('"options.signal"');
    },
  );

  test.each([[-1], [NaN], [-Infinity]])('refuses a timeout of %d', (timeout) => {
    expect(thrown(() => wait({ timeout }))).toMatchObject(RANGE);
  });

  test.each([['5'], [null], [5n]])('refuses %p as a timeout', (timeout) => {
    expect(thrown(() => wait({ timeout: timeout as never }))).toMatchObject(TYPE);
  });
});
