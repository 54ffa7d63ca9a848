// Another revision of this repository, built in a temporary worktree, with this tree's servers in it: the same
// programs over the other library.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** @param {string} revision */
export function buildBase(revision) {
  const directory = mkdtempSync(join(tmpdir(), 'eagain-base-'));
  const tree = join(directory, 'tree');
  const git = (...args) =>
    execFileSync('git', ['-C', root, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  const remove = () => {
    try {
      git('worktree', 'remove', '--force', tree);
    } catch {
      // it was never added
    }
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    git('worktree', 'add', '--detach', tree, revision);
    if (existsSync(join(root, 'node_modules')))
      symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    else execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: tree, stdio: 'inherit' });
    execFileSync('npm', ['run', 'build'], { cwd: tree, stdio: ['ignore', 'ignore', 'inherit'] });
    rmSync(join(tree, 'bench'), { recursive: true, force: true });
    cpSync(join(root, 'bench', 'servers'), join(tree, 'bench', 'servers'), { recursive: true });
  } catch (error) {
    remove();
    throw error;
  }
  return { tree, remove };
}
