// What the tour prints: stages with facts and checks, aligned; colours and a moving progress line on a
// terminal alone (NO_COLOR is respected). Knows no sockets.

import type { WriteStream } from 'node:tty';

const LABEL = 12;
const BAR = 28;

/** Thrown by a stage that this machine does not allow: not done, and no failure either. */
export class Skipped extends Error {}

const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

export class Report {
  private readonly colours: boolean;
  private readonly began = performance.now();
  private readonly count = { passed: 0, failed: 0, skipped: 0 };
  private failures = 0;

  constructor(private readonly out: WriteStream) {
    this.colours = out.isTTY && out.hasColors();
  }

  line(text = ''): void {
    this.out.write(`${text}\n`);
  }

  /** Runs one stage. Whatever it throws is shown, and the tour goes on. */
  async stage(
    title: string,
    subtitle: string,
    run: (report: Report) => Promise<void>,
  ): Promise<void> {
    this.failures = 0;
    this.line(`\n${this.paint('bold', title)}  ${subtitle}`);
    try {
      await run(this);
    } catch (error) {
      if (error instanceof Skipped) {
        this.count.skipped++;
        this.line(`  ${this.paint('yellow', '–')} skipped: ${error.message}`);
        return;
      }
      this.check(error instanceof Error ? (error.stack ?? error.message) : String(error), false);
    }
    if (this.failures === 0) this.count.passed++;
    else this.count.failed++;
  }

  fact(label: string, value: string): void {
    this.line(`    ${this.paint('dim', label.padEnd(LABEL))} ${value}`);
  }

  /** Says what holds, or does not. Whether it does. */
  check(what: string, holds: boolean): boolean {
    this.line(`  ${holds ? this.paint('green', '✓') : this.paint('red', '✗')} ${what}`);
    if (!holds) this.failures++;
    return holds;
  }

  /** A line that is drawn again and again on a terminal, and only when it is the last one elsewhere. */
  progress(label: string, share: number, value: string, last: boolean): void {
    if (!this.out.isTTY && !last) return;
    const full = Math.round(share * BAR);
    const bar = this.paint('cyan', '█'.repeat(full)) + this.paint('dim', '░'.repeat(BAR - full));
    const percent = `${Math.floor(share * 100)}`.padStart(3);
    const start = this.out.isTTY ? '\r\x1b[K' : '';
    const end = last ? '\n' : '';
    this.out.write(
      `${start}    ${this.paint('dim', label.padEnd(LABEL))} ${bar} ${percent} %  ${value}${end}`,
    );
  }

  /** The last line. Whether nothing failed. */
  conclude(): boolean {
    const { passed, failed, skipped } = this.count;
    const seconds = ((performance.now() - this.began) / 1000).toFixed(1);
    const parts = [`${passed} of ${passed + failed + skipped} socket types checked out`];
    if (failed > 0) parts.push(`${failed} failed`);
    if (skipped > 0) parts.push(`${skipped} skipped`);
    const colour = failed > 0 ? 'red' : 'green';
    this.line(`\n${this.paint(colour, parts.join(', '))} in ${seconds} s`);
    return failed === 0;
  }

  private paint(colour: keyof typeof COLOURS, text: string): string {
    return this.colours && text !== '' ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
  }
}

/** 1234567 → '1,234,567' */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
