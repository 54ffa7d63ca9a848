// How calls fail: at once, by throwing, or later, by rejecting.

/** Any of this library's errors. */
export interface Failure extends Error {
  code?: string;
  errno?: number;
  syscall?: string;
  address?: string;
  port?: number;
  path?: string;
  bytesTransferred?: number;
  messagesSent?: number;
  data?: Buffer;
}

/** What `call` throws at once; a promise that rejects is not enough. */
export function thrown(call: () => unknown): Failure {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    return error as Failure;
  }
  if (result instanceof Promise) result.catch(() => undefined);
  throw new Error(`nothing was thrown, but this returned: ${String(result)}`);
}

/** What `promise` rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Failure> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error as Failure;
  }
  throw new Error(`it did not reject, but resolved with: ${String(value)}`);
}
