// A Markdown document as the tests of the docs see it: its fenced code blocks and its links.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export const ROOT = join(__dirname, '../..');

export interface Block {
  /** Where it is, as a compiler names it: 'docs/guide.md:12'. */
  place: string;
  /** 'js', 'ts', 'sh', 'text' … */
  language: string;
  code: string;
  /** What the program prints: the `text` block that follows it with no prose in between. */
  output?: string;
}

export interface Document {
  path: string;
  text: string;
  blocks: readonly Block[];
  /** What fragments (blocks that import nothing) may take for granted: the first `<!-- given … -->`. */
  given: string;
}

export function readDocument(path: string): Document {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const given = /^<!-- given\n([^]*?)^-->$/m.exec(text)?.[1] ?? '';
  return { path, text, blocks: blocksOf(path, text), given };
}

function blocksOf(path: string, text: string): Block[] {
  const blocks: Block[] = [];
  let end = 0;
  for (const match of text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)) {
    const [whole, language, code] = match;
    const before = blocks.at(-1);
    if (language === 'text' && before !== undefined && text.slice(end, match.index).trim() === '') {
      before.output = code;
    } else {
      const line = text.slice(0, match.index).split('\n').length + 1;
      blocks.push({ place: `${path}:${line}`, language, code });
    }
    end = match.index + whole.length;
  }
  return blocks;
}

/** Links of the document that lead to a file or a heading which is not there. */
export function brokenLinks({ path, text }: Document): string[] {
  const prose = text.replace(/^```[^]*?^```$/gm, '');
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]);
  return links.filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(path, link));
}

function leadsSomewhere(from: string, link: string): boolean {
  const [file, ...anchors] = link.split('#');
  const target = file === '' ? from : relative(ROOT, join(ROOT, dirname(from), file));
  if (!existsSync(join(ROOT, target))) return false;
  return anchors.every((anchor) => anchorsOf(target).includes(anchor));
}

/** As GitHub makes them of headings. */
function anchorsOf(path: string): string[] {
  const text = readFileSync(join(ROOT, path), 'utf8').replace(/^```[^]*?^```$/gm, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}
