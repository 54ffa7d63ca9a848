// A test of what not every machine can do. Where it cannot, the test is skipped and the end of its
// name says why, which scripts/jest-reporter.js prints:
//
//   const raw = needs('CAP_NET_RAW', canOpenRawSockets());
//   raw('raw: an echo to 127.0.0.1 comes back', async () => { … });

type Body = (() => void) | (() => Promise<void>);

export function needs(
  what: string,
  met: boolean,
): (name: string, body: Body, timeout?: number) => void {
  return (name, body, timeout) => {
    if (met) test(name, body, timeout);
    else test.skip(`${name} (skipped: needs ${what})`, body, timeout);
  };
}
