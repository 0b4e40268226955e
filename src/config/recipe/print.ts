/**
 * Writes the `pipeline.config.ts` that a recipe is translated into.
 */

import {
  Call,
  Derived,
  Reference,
  type Option,
  type Text,
  type Translation,
  type Variable,
} from './option.js';
import { layOut, textPiece, type Piece } from './layout.js';
import { variableFor, withoutSecrets } from './secret-names.js';

/** A configuration as text, and what its reader has to know. */
export interface WrittenConfig {
  readonly text: string;
  /** Variables that were not in the recipe, for secrets that stood there in clear. */
  readonly newVariables: readonly string[];
  /** Places in the recipe of what has no meaning here. */
  readonly unused: readonly string[];
}

const IMPORTED_FROM = " from 'mlflow-datahub';";

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
    entry('source', printer.option(source, [])),
    entry('operators', printer.list(operators, [])),
    entry('sinks', printer.list(sinks, [])),
    ...(state === undefined ? [] : [entry('state', printer.option(state, ['state']))]),
  ].map((piece) => `  ${layOut(piece, 2, 2, 1)},`);
  const imports = [...printer.factories, 'definePipeline'].sort((a, b) => a.localeCompare(b, 'en'));
  const imported: Piece = {
    kind: 'list',
    brackets: '{}',
    items: imports.map((each) => textPiece(each)),
  };
  const newVariables = [...printer.newVariables];
  const text = [
    '/**',
    ` * Written from ${name.replaceAll('*/', '* /')} by \`mlflow-datahub migrate\`.`,
    ...note('Set these variables: the recipe has their values in clear text', newVariables),
    ...note('Without a meaning here, and left out', unused),
    ' */',
    '',
    `import ${layOut(imported, 0, 'import '.length, IMPORTED_FROM.length)}${IMPORTED_FROM}`,
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

  /** @param path - from the factory on */
  option(option: Option, path: readonly string[]): Piece {
    if (typeof option === 'string' || option instanceof Reference) return this.#text(option, path);
    if (option instanceof Derived) {
      const { of, code, name } = option;
      const whole = name === undefined ? path : [...path.slice(0, -1), name];
      return textPiece(`${this.#expression(of, whole, true)}${code}`);
    }
    if (option instanceof Call) {
      this.factories.add(option.factory);
      const { factory: name, argument } = option;
      return argument === undefined
        ? { kind: 'call', name }
        : { kind: 'call', name, argument: this.option(argument, [name]) };
    }
    if (typeof option !== 'object') return textPiece(String(option));
    if (Array.isArray(option)) return this.list(option as readonly Option[], path);
    const items = Object.entries(option).flatMap(([key, value]) =>
      value === undefined ? [] : [entry(keyText(key), this.option(value, [...path, key]))],
    );
    return { kind: 'list', brackets: '{}', items };
  }

  list(items: readonly Option[], path: readonly string[]): Piece {
    return { kind: 'list', brackets: '[]', items: items.map((item) => this.option(item, path)) };
  }

  #text(text: Text, path: readonly string[]): Piece {
    const expression = this.#expression(text, path);
    return textPiece(expression, !/^(`|env\()/.test(expression));
  }

  /** @param isCalled - whether something of it is called: `(a || b).split(',')` */
  #expression(text: Text, path: readonly string[], isCalled = false): string {
    const kept = withoutSecrets(text, path);
    if (kept === undefined) {
      const name = variableFor(path);
      this.newVariables.add(name);
      return this.#variable({ name });
    }
    if (typeof kept === 'string') return quoted(kept);
    const [only, ...others] = kept.parts;
    if (typeof only === 'object' && others.length === 0) {
      const variable = this.#variable(only);
      return isCalled && only.fallback !== undefined ? `(${variable})` : variable;
    }
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
    if (fallback === '' && orEmpty === true) return `process.env['${name}'] || undefined`;
    const operator = orEmpty === true ? '||' : '??';
    return `process.env['${name}'] ${operator} ${quoted(fallback)}`;
  }
}

function entry(key: string, value: Piece): Piece {
  return { kind: 'entry', key, value };
}

function keyText(key: string): string {
  // Not the prototype of the object.
  if (key === '__proto__') return "['__proto__']";
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key);
}

/** In the quotes that it has fewer of. */
function quoted(text: string): string {
  const count = (mark: string): number => text.split(mark).length;
  const quote = count("'") > count('"') ? '"' : "'";
  const inner = JSON.stringify(text)
    .slice(1, -1)
    .replaceAll('\\"', '"')
    .replaceAll(quote, `\\${quote}`);
  return `${quote}${inner.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}${quote}`;
}
