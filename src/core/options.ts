/**
 * Validation of options, with messages that say where, what is wrong, and what is allowed.
 */

import { z } from 'zod';
import { didYouMean } from './did-you-mean.js';
import { PipelineError } from './errors.js';
import { LOST_KEY, type Path, type Schema, unwrap, placeOfLostKey } from './option-schema.js';

/**
 * Validates a component's options and fills in the defaults. Schemas are strict objects, so that a
 * mistyped key is refused instead of being ignored. Values of texts are never repeated in a
 * message: they may be secrets.
 *
 * @param component - the name that the user wrote, for the message: `fileSink`
 * @throws PipelineError `INVALID_OPTIONS` (usage)
 *
 * @example
 * const schema = z.strictObject({ path: z.string().describe('The file to write') });
 * parseOptions('fileSink', schema, { pth: 'out.json' });
 * // PipelineError: fileSink: unknown option "pth", did you mean "path"? Allowed: path
 */
export function parseOptions<T>(component: string, schema: z.ZodType<T>, options: unknown): T {
  const result = schema.safeParse(options);
  if (!result.success) {
    const problems = explain(result.error.issues, schema, options, []);
    throw invalid(component, problems, result.error);
  }
  const lost = placeOfLostKey(schema, options);
  if (lost === undefined) return result.data;
  const problem = `${nameOf(lost)} can't have "${LOST_KEY}", which is JavaScript's own: take it out`;
  throw invalid(component, [problem]);
}

function invalid(component: string, problems: readonly string[], cause?: unknown): PipelineError {
  const text = problems.length === 1 ? ` ${problems.join('')}` : `\n  - ${problems.join('\n  - ')}`;
  const code = 'INVALID_OPTIONS';
  return new PipelineError(`${component}:${text}`, { code, category: 'usage', cause });
}

function explain(
  issues: readonly z.core.$ZodIssue[],
  root: Schema,
  options: unknown,
  base: Path,
): string[] {
  const texts: string[] = [];
  // A mistyped key explains the required one that is missing for it, and so comes first.
  const ordered = [...issues].sort((a, b) => rank(a) - rank(b));
  for (const issue of ordered) {
    const path = [...base, ...issue.path];
    const schema = schemaAt(root, issue.path);
    if (issue.code === 'unrecognized_keys') {
      texts.push(...issue.keys.map((key) => unknownKey(key, path, schema)));
    } else if (issue.code === 'invalid_union') {
      texts.push(...explainUnion(issue, schema, options, path));
    } else {
      texts.push(`${nameOf(path)} ${requirement(issue, valueAt(options, path))}`);
    }
  }
  return texts;
}

function rank(issue: z.core.$ZodIssue): number {
  return issue.code === 'unrecognized_keys' ? 0 : 1;
}

function unknownKey(key: string, path: Path, schema: Schema | undefined): string {
  const allowed = keysOf(schema);
  const where = path.length === 0 ? '' : ` in ${nameOf(path)}`;
  const suggestion = didYouMean(key, allowed);
  const hint = suggestion === undefined ? '.' : `, did you mean "${suggestion}"?`;
  const list =
    allowed.length === 0 ? 'No option is allowed here' : `Allowed: ${allowed.join(', ')}`;
  return `unknown option "${key}"${where}${hint} ${list}`;
}

/** Goes into the one branch whose outer shape fits; where none does, names what all would take. */
function explainUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  schema: Schema | undefined,
  options: unknown,
  path: Path,
): string[] {
  const branches = schema instanceof z.ZodUnion ? schema.options : [];
  for (const [index, inner] of issue.errors.entries()) {
    const branch = branches[index];
    const reachedInside = inner.some(
      (each) => each.path.length > 0 || each.code === 'unrecognized_keys',
    );
    if (branch !== undefined && reachedInside) return explain(inner, branch, options, path);
  }
  const wanted = issue.errors.flat().map((inner) => expected(inner));
  const given = valueAt(options, path);
  return [`${nameOf(path)} must be ${[...new Set(wanted)].join(' or ')}, not ${describe(given)}`];
}

/** The end of a sentence that starts with the option's name. */
function requirement(issue: z.core.$ZodIssue, given: unknown): string {
  if (issue.code === 'custom') return issue.message;
  if (issue.code === 'invalid_type' && given === undefined) {
    return `is required and must be ${expected(issue)}`;
  }
  return `must be ${expected(issue)}, not ${describe(given)}${meantValue(issue, given)}`;
}

/** Only ever names what is allowed, so that a secret in the wrong place is not repeated. */
function meantValue(issue: z.core.$ZodIssue, given: unknown): string {
  if (issue.code !== 'invalid_value' || typeof given !== 'string') return '';
  const meant = didYouMean(
    given,
    issue.values.filter((value) => typeof value === 'string'),
  );
  return meant === undefined ? '' : `, did you mean "${meant}"?`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  map: 'a Map',
  set: 'a Set',
  function: 'a function',
};

const FORMAT_NAMES: Readonly<Record<string, string>> = {
  url: 'a URL, such as https://host/path',
  email: 'an e-mail address',
};

function expected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPE_NAMES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return oneOf(issue.values.map((value) => JSON.stringify(value)));
    case 'too_small':
      return bound('at least', issue.origin, issue.minimum, issue.inclusive);
    case 'too_big':
      return bound('at most', issue.origin, issue.maximum, issue.inclusive);
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_format':
      if ('prefix' in issue) return `a text that begins with ${String(issue.prefix)}`;
      return (
        FORMAT_NAMES[issue.format] ??
        (issue.pattern === undefined ? `a valid ${issue.format}` : `a text like ${issue.pattern}`)
      );
    case 'custom':
    case 'invalid_element':
    case 'invalid_key':
    case 'invalid_union':
    case 'unrecognized_keys':
      return `other than that (${issue.message})`;
  }
}

function oneOf(values: readonly string[]): string {
  return values.length > 3 ? `one of ${values.join(', ')}` : values.join(' or ');
}

function bound(
  word: 'at least' | 'at most',
  origin: string,
  limit: number | bigint,
  inclusive = true,
): string {
  if (origin === 'string' && limit === 1) return 'a text that is not empty';
  if (origin === 'array' && limit === 1) return 'a list with at least one entry';
  const unit = origin === 'string' ? ' characters long' : origin === 'array' ? ' entries long' : '';
  if (inclusive) return `${word} ${limit}${unit}`;
  return `${word === 'at least' ? 'more than' : 'less than'} ${limit}${unit}`;
}

/** What was given, without repeating a text: it may be a password. */
function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  switch (typeof value) {
    case 'string':
      return value === '' ? 'an empty text' : 'the text given';
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'undefined':
      return 'nothing';
    case 'function':
      return 'a function';
    case 'symbol':
    case 'object':
      break;
  }
  return 'an object';
}

function nameOf(path: Path): string {
  if (path.length === 0) return 'the options';
  let name = '';
  for (const key of path) {
    if (typeof key === 'number') name += `[${key}]`;
    else name += name === '' ? String(key) : `.${String(key)}`;
  }
  return `"${name}"`;
}

function valueAt(options: unknown, path: Path): unknown {
  let value = options;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function keysOf(schema: Schema | undefined): readonly string[] {
  const bare = schema === undefined ? undefined : unwrap(schema);
  // Of a union, zod gives the problems of the one branch that nearly fits as if there were no other.
  if (bare instanceof z.ZodUnion) return bare.options.flatMap((branch) => keysOf(branch));
  return bare instanceof z.ZodObject ? Object.keys(bare.shape) : [];
}

function schemaAt(root: Schema, path: Path): Schema | undefined {
  let schema: Schema | undefined = unwrap(root);
  for (const key of path) {
    if (schema instanceof z.ZodObject) {
      schema = (schema.shape as Record<string, Schema>)[String(key)];
    } else if (schema instanceof z.ZodArray) schema = schema.element;
    else if (schema instanceof z.ZodRecord) schema = schema.valueType;
    else return undefined;
    if (schema === undefined) return undefined;
    schema = unwrap(schema);
  }
  return schema;
}
