// The tour's exit code is its word: 0 only if everything checked out. In processes of its own, over dist/.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CAN_OPEN_RAW } from '../support/machine';
import { needs } from '../support/needs';
import { canDropCapabilities, WITHOUT_NET_RAW } from './capabilities';
import { ROOT } from './document';

interface Ended {
  code: number | null;
  stdout: string;
}

const directory = mkdtempSync(join(tmpdir(), 'eagain-tour-test-'));
// Not what examples/ is compiled against: other tests are using that.
const BUILD = [join(ROOT, 'scripts/build.mjs'), '--if-stale', 'examples'];
const TOUR = [join(ROOT, 'dist-examples/tour.js')];

function run(command: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: ROOT, timeout: 60_000, killSignal: 'SIGKILL' as const };
    const child = execFile(command, args, options, (_error, stdout) => {
      resolve({ code: child.exitCode, stdout });
    });
  });
}

/** The tour on a library that `sabotage`, a program with `eagain` in scope, has tampered with. */
function tourOf(sabotage: string): Promise<Ended> {
  const file = join(directory, 'sabotage.cjs');
  const library = JSON.stringify(join(ROOT, 'dist/index.js'));
  writeFileSync(file, `const eagain = require(${library});\n${sabotage}`);
  return run(process.execPath, ['--require', file, ...TOUR]);
}

beforeAll(async () => {
  const { code, stdout } = await run(process.execPath, BUILD);
  if (code !== 0) throw new Error(stdout);
}, 60_000);

afterAll(() => {
  rmSync(directory, { recursive: true });
});

needs('CAP_NET_RAW', CAN_OPEN_RAW)('tour: all four socket types check out', async () => {
  const { code, stdout } = await run(process.execPath, TOUR);
  expect(stdout).toContain('4 of 4 socket types checked out in');
  expect(stdout).not.toMatch(/✗|–|\x1b/); // eslint-disable-line no-control-regex -- no colours in a pipe
  expect(code).toBe(0);
});

needs('setpriv', canDropCapabilities())(
  'tour: without CAP_NET_RAW it says what is missing, and goes on',
  async () => {
    const { code, stdout } = await run('setpriv', [...WITHOUT_NET_RAW, process.execPath, ...TOUR]);
    expect(stdout).toMatch(/skipped: socket EPERM: .* need CAP_NET_RAW.*sudo setcap/);
    expect(stdout).toContain('3 of 4 socket types checked out, 1 skipped in');
    expect(code).toBe(0);
  },
);

test('tour: a record that is lost makes it fail', async () => {
  const { code, stdout } = await tourOf(`
    const { send } = eagain.SeqpacketSocket.prototype;
    eagain.SeqpacketSocket.prototype.send = function (data) {
      return data === '' ? Promise.resolve() : send.call(this, data);
    };`);
  expect(stdout).toContain('✗ every record arrived as it was sent');
  expect(code).toBe(1);
});

test('tour: a byte that is changed on the way makes it fail', async () => {
  const { code, stdout } = await tourOf(`
    const { put } = eagain.StreamSocket.prototype;
    eagain.StreamSocket.prototype.put = function ([first, ...rest], ...callbacks) {
      return put.call(this, [Buffer.from(first).fill(0, 0, 1), ...rest], ...callbacks);
    };`);
  expect(stdout).toContain('✗ the server got the file, byte for byte');
  expect(code).toBe(1);
});

test('tour: a promise that nobody settles makes it fail', async () => {
  const { code, stdout } = await tourOf(`
    eagain.DatagramSocket.prototype.send = () => new Promise(() => {});`);
  expect(stdout).not.toContain('4 of 4');
  expect(code).toBe(1);
});
