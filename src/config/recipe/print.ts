/**
 * Writes the `pipeline.config.ts` that a recipe is translated into.
 */

import {
  Call,
  Derived,
  Reference,
  type Option,
  type Translation,
  type Variable,
} from './option.js';
import { variableFor, withoutSecrets } from './secret-names.js';

/** A configuration as text, and what its reader has to know. */
export interface WrittenConfig {
  readonly text: string;
  /** Variables that were not in the recipe, for secrets that stood there in clear. */
  readonly newVariables: readonly string[];
  /** Places in the recipe of what has no meaning here. */
  readonly unused: readonly string[];
}

/** As `.prettierrc` of this project has it. */
const WIDTH = 100;

const ENV = `
/** As in the recipe: a variable that is not set ends the run. */
function env(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(\`the variable \${name} is not set\`);
  return value;
}
`;

/** @param name - of the recipe, for the comment at the top */
export function printConfig(translation: Translation, name: string): WrittenConfig {
  const { source, operators, sinks, state, unused } = translation;
  const printer = new Printer();
  const entries = [
    `  source: ${printer.option(source, [], 2)},`,
    `  operators: ${printer.list(operators, [], 2, true)},`,
    `  sinks: ${printer.list(sinks, [], 2)},`,
    ...(state === undefined ? [] : [`  state: ${printer.option(state, ['state'], 2)},`]),
  ];
  const imports = [...printer.factories, 'definePipeline'].sort((a, b) => a.localeCompare(b, 'en'));
  const newVariables = [...printer.newVariables];
  const text = [
    '/**',
    ` * Written from ${name.replaceAll('*/', '* /')} by \`mlflow-datahub migrate\`.`,
    ...note('Set these variables: the recipe has their values in clear text', newVariables),
    ...note('Without a meaning here, and left out', unused),
    ' */',
    '',
    `import {\n${imports.map((each) => `  ${each},\n`).join('')}} from 'mlflow-datahub';`,
    ...(printer.usesEnv ? [ENV.trimEnd()] : []),
    '',
    'export default definePipeline({',
    ...entries,
    '});',
    '',
  ].join('\n');
  return { text, newVariables, unused };
}

function note(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  return [' *', ` * ${title}:`, ...items.map((item) => ` * - ${item.replaceAll('*/', '* /')}`)];
}

class Printer {
  readonly factories = new Set<string>();
  readonly newVariables = new Set<string>();
  usesEnv = false;

  /**
   * @param path - from the factory on
   * @param indent - of the line that it begins in
   */
  option(option: Option, path: readonly string[], indent: number): string {
    if (typeof option === 'string' || option instanceof Reference) {
      return this.#text(option, path);
    }
    if (option instanceof Derived) {
      const { of, code, name } = option;
      const whole = name === undefined ? path : [...path.slice(0, -1), name];
      return `${this.#text(of, whole)}${code}`;
    }
    if (option instanceof Call) {
      this.factories.add(option.factory);
      const { argument } = option;
      const inner = argument === undefined ? '' : this.option(argument, [option.factory], indent);
      return `${option.factory}(${inner})`;
    }
    if (typeof option !== 'object') return String(option);
    if (Array.isArray(option)) return this.list(option as readonly Option[], path, indent);
    const entries = Object.entries(option).flatMap(([key, value]) =>
      value === undefined
        ? []
        : [`${keyText(key)}: ${this.option(value, [...path, key], indent + 2)}`],
    );
    return wrapped('{', entries, '}', indent, ' ');
  }

  list(
    items: readonly Option[],
    path: readonly string[],
    indent: number,
    eachItsLine = false,
  ): string {
    const texts = items.map((item) => this.option(item, path, indent + 2));
    return wrapped('[', texts, ']', indent, '', eachItsLine);
  }

  #text(text: string | Reference, path: readonly string[]): string {
    const kept = withoutSecrets(text, path);
    if (kept === undefined) {
      const name = variableFor(path);
      this.newVariables.add(name);
      return this.#variable({ name });
    }
    if (typeof kept === 'string') return quoted(kept);
    const [only, ...others] = kept.parts;
    if (typeof only === 'object' && others.length === 0) return this.#variable(only);
    const parts = kept.parts.map((part) =>
      typeof part === 'string'
        ? part.replace(/[\\`]|\$\{/g, '\\$&')
        : `\${${this.#variable(part)}}`,
    );
    return `\`${parts.join('')}\``;
  }

  #variable({ name, fallback, orEmpty }: Variable): string {
    if (fallback === undefined) {
      this.usesEnv = true;
      return `env('${name}')`;
    }
    // An empty text is no address and no token.
    if (fallback === '' && orEmpty === true) return `(process.env['${name}'] || undefined)`;
    const operator = orEmpty === true ? '||' : '??';
    return `(process.env['${name}'] ${operator} ${quoted(fallback)})`;
  }
}

function wrapped(
  open: string,
  items: readonly string[],
  close: string,
  indent: number,
  padding: string,
  eachItsLine = false,
): string {
  const line = `${open}${padding}${items.join(', ')}${padding}${close}`;
  if (items.length === 0) return open + close;
  // Room for the key before it, about.
  if (!eachItsLine && indent + line.length < WIDTH - 30 && !line.includes('\n')) return line;
  const blanks = ' '.repeat(indent);
  return `${open}\n${items.map((item) => `${blanks}  ${item},\n`).join('')}${blanks}${close}`;
}

function keyText(key: string): string {
  // Not the prototype of the object.
  if (key === '__proto__') return "['__proto__']";
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key);
}

function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`;
}
