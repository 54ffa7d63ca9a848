// OpenSSH's server, through ssh2 on a socket of ours.

import { createHash, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { userInfo } from 'node:os';
import { Client, type SFTPWrapper } from 'ssh2';
import { connect } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { needs } from '../support/needs';
import { find, folder, serves } from './support/programs';

const path = find('sshd');
const keygen = find('ssh-keygen');
const here = path !== undefined && keygen !== undefined;
const real = needs('sshd and ssh-keygen', here);

const data = folder();
const at = serves(here ? path : undefined, (port) => {
  for (const key of ['host', 'user'])
    execFileSync(keygen!, ['-q', '-t', 'ed25519', '-N', '', '-f', join(data, key)]);
  writeFileSync(join(data, 'authorized'), readFileSync(join(data, 'user.pub')));
  // Debian's sshd wants its folder for privilege separation, which its service would make.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const config = `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${data}/host\nPidFile none\n
    AuthorizedKeysFile ${data}/authorized\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n
    PermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n`;
  writeFileSync(join(data, 'config'), config);
  return ['-D', '-e', '-f', join(data, 'config')];
});

// Behind the above: the server's pipes are sockets too.
leavesNoSockets();

async function enter(): Promise<Client> {
  const stream = await connect({ host: '127.0.0.1', port: at.port });
  const client = new Client();
  const ready = once(client, 'ready');
  client.connect({
    sock: stream.toDuplex({ allowHalfOpen: false }),
    username: userInfo().username,
    privateKey: readFileSync(join(data, 'user')),
  });
  await ready;
  return client;
}

async function leave(client: Client): Promise<void> {
  const closed = once(client, 'close');
  client.end();
  await closed;
}

real('openssh: a command, its output and its exit code', async () => {
  const client = await enter();
  const outcome = await new Promise<[string, number]>((resolve, reject) => {
    client.exec('cat; echo done; exit 7', (error, channel) => {
      if (error !== undefined) return reject(error);
      let output = '';
      channel.on('data', (chunk: Buffer) => (output += chunk.toString()));
      channel.on('close', (code: number) => resolve([output, code]));
      channel.end('through the pipe\n');
    });
  });
  expect(outcome).toEqual(['through the pipe\ndone\n', 7]);
  await leave(client);
});

real(
  'openssh: sftp of a large file, there and back',
  async () => {
    const client = await enter();
    const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
      client.sftp((error, made) => (error === undefined ? resolve(made) : reject(error)));
    });
    const bytes = randomBytes(48 << 20);
    const files = ['here', 'there', 'back'].map((name) => join(data, name));
    writeFileSync(files[0], bytes);
    await new Promise<void>((resolve, reject) => {
      sftp.fastPut(files[0], files[1], (error) => (error ? reject(error) : resolve()));
    });
    await new Promise<void>((resolve, reject) => {
      sftp.fastGet(files[1], files[2], (error) => (error ? reject(error) : resolve()));
    });
    const digest = (data_: Buffer): string => createHash('sha256').update(data_).digest('hex');
    expect(digest(readFileSync(files[2]))).toBe(digest(bytes));
    await leave(client);
  },
  120_000,
);
