// What every server of the bench shares: its arguments, the line that says it can be reached, its memory on request.
//
//   <server> <job> <tcp|unix|seqpacket|udp> <path|-> <form>
//
//   echo   give back every message                     tcp, unix, seqpacket, udp
//   close  close every connection on accept            tcp, unix
//   drain  receive and throw away                      tcp, unix
//   pour   send 64 KiB blocks until the peer goes      tcp, unix
//   count  count messages                              udp
//   burst  send BURST messages on request              udp
import process from 'node:process';

const [job, transport, path = '-', form = 'plain'] = process.argv.slice(2);

/** What this server was asked to be. `path` is undefined for TCP and UDP. */
export const asked = { job, transport, path: path === '-' ? undefined : path, form };

export const HOST = '127.0.0.1';
export const BACKLOG = 4096;
export const BLOCK = new Uint8Array(65536);

/** UDP: messages are MESSAGE bytes, the client's requests REQUEST bytes: a letter and the port to answer to. */
export const MESSAGE = new Uint8Array(64);
export const REQUEST = 3;
export const BURST = 1024;

/** @param {Uint8Array} request */
export const portOf = (request) => request[1] * 256 + request[2];

/** @param {string | number} where the path or the port */
export function ready(where) {
  process.stdout.write(`ready ${where}\n`);
  if (process.env.BENCH_MEMORY) answerMemory();
}

/** Each line on stdin is answered with this process's memory, after a full collection. */
function answerMemory() {
  process.stdin.on('data', () => {
    globalThis.gc?.();
    process.stdout.write(`${JSON.stringify(process.memoryUsage())}\n`);
  });
}

/**
 * Starts the server that was asked for.
 * @param {Record<string, () => unknown>} servers by `job`, or `job form` where there is more than one
 */
export function serve(servers) {
  const make =
    servers[`${asked.job} ${asked.form}`] ??
    (asked.form === 'plain' ? servers[asked.job] : undefined);
  if (!make) throw new Error(`no server for ${asked.job} ${asked.transport} ${asked.form}`);
  Promise.resolve(make()).catch((error) => {
    console.error(error);
    process.exit(1);
  });
}
