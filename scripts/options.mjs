// Writes the tables of docs/options.md out of lib/socket/options/: each option's name, the type of its value, its
// constants, what can be done with it, and its docstring. What stands outside of the markers is written by hand.
// Run after a change of an option:  node scripts/options.mjs        --check only compares
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'lib/socket/options');
const page = join(root, 'docs/options.md');
const MARK = /<!-- options:begin -->[^]*<!-- options:end -->/;

/** The sections, in the order of lib/socket/options/tables.ts. */
const TITLES = {
  SOCKET_LEVEL: 'SOL_SOCKET: every socket',
  UNIX: 'Unix sockets',
  TCP: 'TCP',
  TCP_REPAIR: 'TCP: repair',
  UDP: 'UDP and UDP-Lite',
  IP: 'IPv4 and IPv6',
  MULTICAST: 'Multicast',
  IPV4: 'IPv4',
  IPV6: 'IPv6',
  ICMP: 'ICMP',
  PACKET: 'Packet sockets',
  NETLINK: 'Netlink',
  VSOCK: 'VSOCK',
};
const ACCESS = {
  option: 'get, set',
  program: 'get, set',
  getter: 'get',
  setter: 'set',
  programSetter: 'set',
};

const parse = (file) =>
  ts.createSourceFile(
    file,
    readFileSync(join(folder, file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
    ts.ScriptKind.TS,
  );

/** name → {type, text} of the interface `…Options` in a file. */
function members(source) {
  const found = new Map();
  for (const node of source.statements) {
    if (!ts.isInterfaceDeclaration(node) || !/Options$/.test(node.name.text)) continue;
    for (const member of node.members) {
      const text = ts
        .getJSDocCommentsAndTags(member)
        .map((doc) => (typeof doc.comment === 'string' ? doc.comment : ''))
        .join(' ');
      const type = member.type.getText(source).replace(/^(ReadOnly|SetOnly)<(.*)>$/s, '$2');
      found.set(member.name.text, { type: type.replace(/\s+/g, ' '), text });
    }
  }
  return found;
}

/** The calls that make the rows of an initializer: [maker, level, name]. */
function rowsIn(node) {
  const rows = [];
  const visit = (inner) => {
    if (
      ts.isCallExpression(inner) &&
      ts.isIdentifier(inner.expression) &&
      inner.expression.text in ACCESS
    ) {
      const [level, name] = inner.arguments;
      rows.push({ maker: inner.expression.text, level: level.text, name: name.text });
      return;
    }
    ts.forEachChild(inner, visit);
  };
  visit(node);
  return rows;
}

/** Every exported table of a file. */
function tables(source) {
  const found = [];
  for (const node of source.statements) {
    if (!ts.isVariableStatement(node)) continue;
    const [declaration] = node.declarationList.declarations;
    if (!(declaration.name.text in TITLES)) continue;
    const options = declaration.initializer.properties.map((property) => ({
      key: property.name.text,
      rows: rowsIn(property.initializer),
    }));
    found.push({ name: declaration.name.text, options });
  }
  return found;
}

const escape = (text) => text.replaceAll('|', '\\|').replace(/\s+/g, ' ').trim();

function line({ key, rows }, docs) {
  const { type, text } = docs.get(key);
  const constants = [...new Set(rows.map(({ name }) => `\`${name}\``))].join('<br>');
  const accesses = [...new Set(rows.map(({ maker }) => ACCESS[maker]))];
  return `| \`${key}\` | \`${escape(type)}\` | ${constants} | ${accesses.join('; ')} | ${escape(text)} |`;
}

function render() {
  const sections = new Map();
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
    const source = parse(file);
    const docs = members(source);
    for (const { name, options } of tables(source)) {
      const lines = options.map((option) => line(option, docs));
      sections.set(
        name,
        `### ${TITLES[name]}\n\n| option | value | constants | | |\n|---|---|---|---|---|\n${lines.join('\n')}\n`,
      );
    }
  }
  const missing = Object.keys(TITLES).filter((name) => !sections.has(name));
  if (missing.length > 0) throw new Error(`no table ${missing.join(', ')}`);
  return Object.keys(TITLES)
    .map((name) => sections.get(name))
    .join('\n');
}

const before = readFileSync(page, 'utf8');
if (!MARK.test(before)) throw new Error('docs/options.md has no place for the tables');
const after = before.replace(
  MARK,
  () => `<!-- options:begin -->\n\n${render()}\n<!-- options:end -->`,
);
if (process.argv.includes('--check')) {
  if (after !== before) {
    console.error('docs/options.md is stale: node scripts/options.mjs');
    process.exitCode = 1;
  }
} else if (after !== before) writeFileSync(page, after);
