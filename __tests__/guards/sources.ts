// The sources of lib/ and addon/ as text, and what each file imports or includes.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export const ROOT = join(__dirname, '../..');

/** Path below `folder` (with slashes) → text, of all files whose name ends like this. */
export function sourcesOf(folder: string, ending: RegExp): Map<string, string> {
  const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return new Map(
    files.map((file) => [file.slice(join(ROOT, folder).length + 1), readFileSync(file, 'utf8')]),
  );
}

export interface Import {
  /** As written; undefined where the program computes it. */
  readonly module: string | undefined;
  /** Of types alone: nothing of it is there at run time. */
  readonly type: boolean;
  /** Within a function, so that it is loaded when that is called. */
  readonly lazy: boolean;
}

/** Everything that a TypeScript file takes from others: import, export … from, require, import(). */
export function importsOf(path: string, text: string): Import[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const visit = (node: ts.Node, lazy: boolean): void => {
    if (ts.isImportDeclaration(node)) {
      found.push({ module: literal(node.moduleSpecifier), type: isOfTypes(node), lazy });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      found.push({ module: literal(node.moduleSpecifier), type: exportsTypes(node), lazy });
    } else if (ts.isExternalModuleReference(node)) {
      found.push({ module: literal(node.expression), type: false, lazy });
    } else if (ts.isImportTypeNode(node)) {
      const { argument } = node;
      const name = ts.isLiteralTypeNode(argument) ? literal(argument.literal) : undefined;
      found.push({ module: name, type: true, lazy });
    } else if (ts.isCallExpression(node) && loads(node.expression)) {
      found.push({ module: literal(node.arguments[0]), type: false, lazy });
    }
    const within = lazy || ts.isFunctionLike(node);
    ts.forEachChild(node, (child) => {
      visit(child, within);
    });
  };
  visit(file, false);
  return found;
}

function literal(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}

function loads(callee: ts.Node): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  return ts.isIdentifier(callee) && callee.text === 'require';
}

function isOfTypes({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = importClause;
  if (name !== undefined || namedBindings === undefined) return false;
  return ts.isNamedImports(namedBindings) && allOfTypes(namedBindings.elements);
}

function exportsTypes({ isTypeOnly, exportClause }: ts.ExportDeclaration): boolean {
  if (isTypeOnly) return true;
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) return false;
  return allOfTypes(exportClause.elements);
}

function allOfTypes(elements: readonly (ts.ImportSpecifier | ts.ExportSpecifier)[]): boolean {
  return elements.length > 0 && elements.every(({ isTypeOnly }) => isTypeOnly);
}

/** What a C++ file includes: `<sys/socket.h>`, `"addon/sys/socket.h"`. */
export function includesOf(text: string): string[] {
  return [...text.matchAll(/^\s*#\s*include\s*(<[^>]+>|"[^"]+"|\S+)/gm)].map(([, what]) => what);
}
