// @vitest-environment node
/** The types that are published: nothing in them turns the consumer's checks off, and all of them are used in `test/types`. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The files below a directory that end so, with their texts. */
function files(directory: string, end: RegExp): [string, string][] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => end.test(file))
    .sort()
    .map((file) => [file, readFileSync(`${directory}/${file}`, 'utf8')]);
}

/** Everything but comments and text between quotes. */
const codeOf = (source: string) =>
  source.replaceAll(/\/\*[^]*?\*\/|\/\/.*|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g, ' ');

const loose = (source: string) => codeOf(source).match(/\bany\b/g) ?? [];

test('a loose type would be seen', () => {
  expect(loose("/** any */ declare const a: 'any'; // any")).toEqual([]);
  expect(loose('declare function f(a: string): Promise<any>;')).toEqual(['any']);
});

const esm = files(at('dist/esm'), /\.d\.ts$/);

test('no declaration has an `any`', () => {
  expect(esm.length).toBeGreaterThan(0);
  expect(esm.filter(([, text]) => loose(text).length > 0).map(([file]) => file)).toEqual([]);
});

test('both module systems have the same declarations', () => {
  expect(files(at('dist/cjs'), /\.d\.ts$/)).toEqual(esm);
});

test('every declaration that can be imported is used by the type tests', () => {
  const { exports } = JSON.parse(readFileSync(at('package.json'), 'utf8')) as {
    exports: Record<string, string | { types: string } | { import: { types: string } }>;
  };
  const entries = Object.values(exports).flatMap((entry) => {
    if (typeof entry === 'string') {
      return [];
    }
    const { types } = 'import' in entry ? entry.import : entry;
    return [readFileSync(at(types), 'utf8')];
  });
  const names = entries.flatMap((entry) => exported(codeOf(entry)));
  const uses = files(at('test/types'), /\.tsx?$/).map(([, text]) => codeOf(text)).join('\n');
  expect(names).toContain('ChatWebSocket');
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(uses))).toEqual([]);
});

/** The names that a declaration file exports, by a list or where they are declared. */
function exported(source: string): string[] {
  const listed = [...source.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list = '']) =>
    list.split(',').map((item) => item.trim().split(/\s+/).at(-1) ?? ''),
  );
  const declared = [
    ...source.matchAll(/export (?:declare )?(?:class|const|function|interface|type) (\w+)/g),
  ].map(([, name = '']) => name);
  return [...listed, ...declared].filter((name) => name !== '');
}
