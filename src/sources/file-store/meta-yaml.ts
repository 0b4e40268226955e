/**
 * `meta.yaml`, as MLflow's Python writes it.
 */

import type * as Yaml from 'yaml';
import { BrokenFile } from './broken-file.js';

export type Meta = Readonly<Record<string, unknown>>;
export type MetaParser = (text: string) => Meta;

/** Line breaks to Python's YAML 1.1, and none to 1.2. It indents what comes behind one. */
const OLD_LINE_BREAK = /([\u0085\u2028\u2029]) +/g;

/**
 * A parser whose library is loaded now. Scalars stay texts, but for a plain `null`: which of them are
 * numbers, the readers of the entities know better than a schema. To Python a plain `12345e67` is a
 * text (a digest, say), to YAML 1.2 it is a number.
 *
 * @returns a function that throws a `BrokenFile` for what is no mapping, is cut off, or has tags that
 *   mean something to one program only
 */
export async function loadMetaParser(): Promise<MetaParser> {
  const { parseDocument } = await import('yaml');
  return (text) => parseMeta(parseDocument, text);
}

function parseMeta(parseDocument: typeof Yaml.parseDocument, text: string): Meta {
  const document = parseDocument(text.replace(OLD_LINE_BREAK, '$1'), {
    schema: 'failsafe',
    customTags: ['null'],
    // Of a key that comes twice the last one counts, as in Python.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) throw new BrokenFile(problem.message, text);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new BrokenFile(error instanceof Error ? error.message : String(error), text);
  }
  if (value === null) throw new BrokenFile('it is empty', text);
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new BrokenFile('it is no mapping of keys to values', text);
  }
  return value as Meta;
}
