// systemd's notify protocol (sd_notify(3)): what systemd-notify sends comes to a socket of ours, with its credentials
// and its descriptors; what a client of ours sends, to a receiver in Python, which knows nothing of this library.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { bind, connect, type Control, type OutgoingControl } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { HAS_PYTHON } from '../support/machine';
import { abstractName } from '../support/names';
import { needs } from '../support/needs';
import { find, folder, start } from './support/programs';

const notify = find('systemd-notify');
const withNotify = needs('systemd-notify', notify !== undefined);
const withPython = needs('Python 3', HAS_PYTHON);

// Python starts in seconds where it is a shim of several.
jest.setTimeout(60_000);
leavesNoSockets();
const data = folder();

type Kind<K extends Control['kind']> = Extract<Control, { kind: K }>;

function partOf<K extends Control['kind']>(control: readonly Control[], kind: K): Kind<K> {
  return control.find((part): part is Kind<K> => part.kind === kind)!;
}

/** An address as NOTIFY_SOCKET has it: '@' for the NUL of an abstract one. */
const places = { 'a path': () => join(data, 'notify'), 'an abstract name': abstractName };

for (const [what, place] of Object.entries(places)) {
  withNotify(`notify: systemd-notify to ${what}, and its barrier`, async () => {
    const path = place();
    await using socket = await bind({ path, options: { passCredentials: true } });
    socket.takeDescriptors();
    const env = { ...process.env, NOTIFY_SOCKET: path.replace('\0', '@') };
    const program = start(notify!, ['--ready', '--status=well', 'X_OURS=1'], { env });
    const ended = once(program.process, 'exit');
    const first = await socket.receive({ timeout: 10_000 });
    expect(first.data.toString().trim().split('\n').sort()).toEqual([
      'READY=1',
      'STATUS=well',
      'X_OURS=1',
    ]);
    // It speaks for who has started it, where it may: as root, in that one's name.
    const { pid, uid } = partOf(first.control, 'credentials');
    expect([process.pid, program.process.pid]).toContain(pid);
    expect(uid).toBe(process.getuid!());
    // Then it waits until everybody has closed this descriptor.
    const barrier = await socket.receive({ timeout: 10_000 });
    expect(barrier.data.toString()).toBe('BARRIER=1');
    const { fds } = partOf(barrier.control, 'rights');
    expect(fds).toHaveLength(1);
    expect(program.process.exitCode).toBeNull();
    fds[0].close();
    expect(await ended).toEqual([0, null]);
  });
}

withNotify(
  'notify: descriptors that nobody has asked for are closed, and end the barrier',
  async () => {
    const path = join(data, 'closed');
    await using socket = await bind({ path });
    const env = { ...process.env, NOTIFY_SOCKET: path };
    const program = start(notify!, ['--ready'], { env });
    const ended = once(program.process, 'exit');
    await socket.receive({ timeout: 10_000 });
    const barrier = await socket.receive({ timeout: 10_000 });
    expect([barrier.data.toString(), barrier.controlTruncated]).toEqual(['BARRIER=1', true]);
    // Long before its own limit of 5 s is over, which it would end with 1.
    expect(await ended).toEqual([0, null]);
  },
);

// Binds, says so, and prints each message with its sender and what is in the files that came with it.
const RECEIVER = `
import array, json, os, socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind(sys.argv[1].replace('@', chr(0)))
print('bound', flush=True)
while True:
    data, parts, flags, _ = s.recvmsg(4096, 4096)
    message = {'data': data.decode(), 'files': []}
    for level, kind, value in parts:
        if kind == socket.SCM_CREDENTIALS:
            message['sender'] = struct.unpack('3i', value)
        if kind == socket.SCM_RIGHTS:
            for fd in array.array('i', value[:len(value) - len(value) % 4]):
                message['files'].append(os.pread(fd, 100, 0).decode())
                os.close(fd)
    print(json.dumps(message), flush=True)
    if 'STOPPING=1' in message['data']:
        break
`;

/** sd_pid_notify_with_fds(3): one message, to where the environment says. */
async function sdNotify(to: string, state: string, control: OutgoingControl[] = []): Promise<void> {
  await using socket = await connect({ type: 'dgram', path: to.replace(/^@/, '\0') });
  await socket.send(state, undefined, { control });
}

for (const [what, place] of Object.entries(places)) {
  withPython(
    `notify: our client to Python at ${what}, with descriptors and credentials`,
    async () => {
      const path = place().replace('notify', 'python').replace('\0', '@');
      const child = spawn('python3', ['-c', RECEIVER, path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const closed = once(child, 'close');
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      await Promise.race([once(child.stdout, 'data'), closed]);
      const file = join(data, 'stored');
      const fd = openSync(file, 'w+');
      writeSync(fd, 'kept');
      const { pid } = process;
      const [uid, gid] = [process.getuid!(), process.getgid!()];
      await sdNotify(path, 'READY=1\nSTATUS=up');
      await sdNotify(path, 'FDSTORE=1\nFDNAME=file', [{ kind: 'rights', fds: [fd, fd] }]);
      await sdNotify(path, 'STOPPING=1', [{ kind: 'credentials', pid, uid, gid }]);
      await closed;
      closeSync(fd);
      const [bound, ...messages] = output.trim().split('\n');
      const sender = [pid, uid, gid];
      expect(bound).toBe('bound');
      expect(messages.map((line) => JSON.parse(line) as unknown)).toEqual([
        { data: 'READY=1\nSTATUS=up', files: [], sender },
        { data: 'FDSTORE=1\nFDNAME=file', files: ['kept', 'kept'], sender },
        { data: 'STOPPING=1', files: [], sender },
      ]);
    },
  );
}
