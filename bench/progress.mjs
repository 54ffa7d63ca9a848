// One line that is written over while a suite runs; on a pipe, one line per suite.

/** @param {string} title */
export function progress(title) {
  const { stderr } = process;
  if (!stderr.isTTY) stderr.write(`${title}\n`);
  return {
    /** @param {string} text */
    show(text) {
      if (stderr.isTTY) stderr.write(`\r\x1b[K${title}: ${text}`.slice(0, stderr.columns ?? 120));
    },
    clear() {
      if (stderr.isTTY) stderr.write('\r\x1b[K');
    },
  };
}
