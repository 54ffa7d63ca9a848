// Where the programs of the docs are compiled and run: an empty folder of a user's, with this package installed
// under its own name. Types come from dist/, and so does the library.

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT, type Block, type Document } from './document';

const COMPILER_OPTIONS = {
  target: 'ES2022',
  lib: ['ES2022', 'ESNext.Disposable'],
  module: 'node20',
  types: ['node'],
  strict: true,
  noImplicitAny: false, // the programs in JavaScript annotate nothing
  allowJs: true,
  checkJs: true,
  outDir: 'out',
  rootDir: '.',
};

// ms after which a program that does not end is killed; the compiler alone takes seconds.
export const PATIENCE = 120_000;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export class Workshop {
  readonly directory = mkdtempSync(join(tmpdir(), 'eagain-docs-'));
  private readonly files = new Map<Block, string>();

  constructor() {
    const modules = join(this.directory, 'node_modules');
    mkdirSync(join(modules, '@types'), { recursive: true });
    symlinkSync(ROOT, join(modules, 'eagain'));
    for (const name of ['rxjs', '@types/node']) {
      symlinkSync(dirname(require.resolve(`${name}/package.json`)), join(modules, name));
    }
  }

  /** Compiles all code of a document; the compiler's complaints, none if all is well. */
  async compile(document: Document): Promise<string> {
    const programs = document.blocks.filter(({ language }) => /^[jt]s$/.test(language));
    if (programs.length === 0) return '';
    for (const block of programs) this.writeDown(block, document.given);
    const include = programs.map((block) => this.files.get(block));
    const config = { compilerOptions: COMPILER_OPTIONS, files: include };
    writeFileSync(join(this.directory, 'tsconfig.json'), JSON.stringify(config));
    const { stdout } = await this.node([
      require.resolve('typescript/bin/tsc'),
      '--pretty',
      'false',
    ]);
    return stdout.trim();
  }

  private writeDown(block: Block, given: string): void {
    const file = `${block.place.replace(/[/:]/g, '.')}.m${block.language}`;
    const standsAlone = /^import /m.test(block.code);
    const code = standsAlone ? block.code : `${given}\n{\n${block.code}\n}\n`;
    writeFileSync(join(this.directory, file), code);
    this.files.set(block, file);
  }

  /** The compiled program of a block. */
  program(block: Block): string {
    const file = this.files.get(block);
    if (file === undefined) throw new Error(`${block.place} was not compiled`);
    return join(this.directory, 'out', file.replace(/ts$/, 'js'));
  }

  /** Runs a block to its end. */
  run(block: Block, ...args: string[]): Promise<Ended> {
    return this.node([this.program(block), ...args]);
  }

  private node(args: readonly string[]): Promise<Ended> {
    return new Promise((resolve, reject) => {
      const options = { cwd: this.directory, timeout: PATIENCE };
      const child = execFile(process.execPath, args, options, (_error, stdout, stderr) => {
        // One that was killed has said nothing: the compiler, for one, complains of nothing then.
        if (child.signalCode !== null) reject(new Error(`${args[0]}: ${child.signalCode}`));
        else resolve({ code: child.exitCode, stdout, stderr });
      });
    });
  }

  /** Starts a block that goes on until it is killed. */
  start(block: Block, env: NodeJS.ProcessEnv = {}): ChildProcess {
    return spawn(process.execPath, [this.program(block)], {
      cwd: this.directory,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
