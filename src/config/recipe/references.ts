/**
 * Variables in the texts of a recipe, as DataHub's own loader reads them.
 */

import { Reference, type Text, type Variable } from './option.js';

export type Env = Readonly<Record<string, string | undefined>>;

/** Thrown with what is wrong; whoever knows the place puts it in front. */
export class BadReference extends Error {}

const TOKEN =
  /\\\$|\$\{([A-Za-z_]\w*)(?:(:?-)((?:[^{}]|\{[^{}]*\})*))?\}|\$([A-Za-z_]\w*)|\$\{[^}]*\}?/g;

/**
 * A text with its references apart. As in DataHub, `$NAME` without braces counts where the text
 * begins with it, or has a `${NAME}` beside it.
 *
 * @throws BadReference for what is not known between the braces
 */
export function parseReferences(text: string): Text {
  const braced = /\$\{.+\}/.test(text);
  if (!braced && !text.startsWith('$')) return text;
  const parts: (string | Variable)[] = [];
  let literal = '';
  let end = 0;
  const add = (variable: Variable): void => {
    if (literal !== '') parts.push(literal);
    literal = '';
    parts.push(variable);
  };
  for (const match of text.matchAll(TOKEN)) {
    const [all, name, operator, fallback = '', bare] = match;
    literal += text.slice(end, match.index);
    end = match.index + all.length;
    if (all === '\\$') literal += '$';
    else if (name !== undefined) {
      // DataHub's loader makes no difference between the two operators.
      add(operator === undefined ? { name } : { name, fallback, orEmpty: true });
    } else if (bare !== undefined) {
      // DataHub leaves such a text as it is where the variable is not set.
      add(braced ? { name: bare } : { name: bare, fallback: all });
    } else {
      throw new BadReference(
        'has a reference that is not understood: ${NAME}, ${NAME:-text}, ${NAME-text} and $NAME are',
      );
    }
  }
  literal += text.slice(end);
  if (parts.length === 0) return literal;
  return new Reference(literal === '' ? parts : [...parts, literal]);
}

/** @throws BadReference for a variable that is not set */
export function expand(text: Text, env: Env): string {
  if (typeof text === 'string') return text;
  return text.parts.map((part) => (typeof part === 'string' ? part : valueOf(part, env))).join('');
}

function valueOf({ name, fallback, orEmpty }: Variable, env: Env): string {
  const value = env[name];
  if (value !== undefined && !(orEmpty === true && value === '')) return value;
  if (fallback !== undefined) return fallback;
  throw new BadReference(`the variable ${name} is not set`);
}
