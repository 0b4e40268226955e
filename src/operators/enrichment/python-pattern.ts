/**
 * Regular expressions of Python, as recipes have them.
 */

/** Of Python's `\w` and `\s`, which know all of Unicode. `_` first: `[\w-z]` is no range in Python. */
const WORD = '_\\p{L}\\p{N}';
const SPACE =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const ESCAPES: Readonly<Record<string, string>> = {
  w: `[${WORD}]`,
  W: `[^${WORD}]`,
  d: '\\p{Nd}',
  D: '\\P{Nd}',
  s: `[${SPACE}]`,
  S: `[^${SPACE}]`,
  b: `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`,
  B: `(?:(?<=[${WORD}])(?=[${WORD}])|(?<![${WORD}])(?![${WORD}]))`,
  A: '^',
  Z: '$',
};
const ESCAPES_IN_CLASS: Readonly<Record<string, string>> = {
  w: WORD,
  d: '\\p{Nd}',
  D: '\\P{Nd}',
  s: SPACE,
  b: '\\x08',
};
/** The same to both. */
const ALIKE = /^(?:[nrtfv]|x[\da-fA-F]{2}|u[\da-fA-F]{4})$/;

const ESCAPE = /\\(?:x[\da-f]{2}|u[\da-f]{4}|[1-9]\d?|[^])/giu;
const TOKEN = new RegExp(
  `(?<escape>${ESCAPE.source})` +
    '|\\[(?<not>\\^?)(?<members>(?:\\]|\\\\[^]|[^\\]\\\\])(?:\\\\[^]|[^\\]\\\\])*)\\]' +
    '|\\(\\?(?<group>P<\\w+>|P=\\w+\\)|[:=!]|<[=!]|[^])' +
    '|\\{(?<least>\\d*)(?:(?<comma>,)(?<most>\\d*))?\\}' +
    '|[^]',
  'giu',
);

/** Python means nothing by it, or what JavaScript has no word for. */
class Foreign extends Error {}

/**
 * What Python's `re.match` means by a pattern: it matches at the start of a text, and need not match
 * to its end. (`$` is the very end here, and to Python also what stands before a last line break.)
 *
 * @returns undefined where it is no pattern to Python, or one that JavaScript can't match
 *
 * @example
 * pythonPattern('(?i).*\\braw\\b')?.test('urn:li:dataset:(urn:li:dataPlatform:s3,Zürich/RAW,PROD)'); // true
 */
export function pythonPattern(text: string): RegExp | undefined {
  const flags = /^\(\?([is]+)\)/.exec(text)?.[1] ?? '';
  const body = flags === '' ? text : text.slice(flags.length + 3);
  const dot = flags.includes('s') ? '[^]' : '[^\\n]';
  try {
    const source = body.replace(TOKEN, (token: string, ...others: readonly unknown[]) =>
      translated(token, others.at(-1) as Groups, dot),
    );
    const known = flags.includes('i') ? 'iu' : 'u';
    // By itself first: `)(` would make sense between the brackets.
    return new RegExp(`^(?:${new RegExp(source, known).source})`, known);
  } catch (error) {
    if (error instanceof Foreign || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

type Groups = Readonly<Record<string, string | undefined>>;

function translated(token: string, groups: Groups, dot: string): string {
  const { escape, members, not = '', group, least, comma, most = '' } = groups;
  if (escape !== undefined) {
    return /^\\[1-9]/.test(escape) ? `(?:${escape})` : escaped(escape.slice(1), ESCAPES);
  }
  if (members !== undefined) return `[${not}${membersOf(members)}]`;
  if (group !== undefined) return groupStart(group);
  if (least !== undefined) {
    if (comma !== undefined) return `{${least === '' ? '0' : least},${most}}`;
    return least === '' ? '\\{\\}' : token;
  }
  if (token === '.') return dot;
  if (token === '[') throw new Foreign();
  // An end without a beginning is itself.
  return /[{}\]]/.test(token) ? `\\${token}` : token;
}

function membersOf(text: string): string {
  const members = text.startsWith(']') ? `\\${text}` : text;
  return members.replace(ESCAPE, (escape) => escaped(escape.slice(1), ESCAPES_IN_CLASS));
}

function escaped(what: string, known: Groups): string {
  const meaning = Object.hasOwn(known, what) ? known[what] : undefined;
  if (meaning !== undefined) return meaning;
  if (ALIKE.test(what)) return `\\${what}`;
  if (what === 'a') return '\\x07';
  // Letters that mean nothing are errors to Python, and numbers are octal in places.
  if (/^[a-z\d]/i.test(what)) throw new Foreign();
  return /^[\^$\\.*+?()[\]{}|/-]$/.test(what) ? literal(what) : what;
}

/** With the flag `u`, `\-` is an error outside of brackets. */
function literal(character: string): string {
  return character === '-' ? '\\x2d' : `\\${character}`;
}

function groupStart(group: string): string {
  if (group.startsWith('P<')) return `(?${group.slice(1)}`;
  if (group.startsWith('P=')) return `\\k<${group.slice(2, -1)}>`;
  if (['<=', '<!', ':', '=', '!'].includes(group)) return `(?${group}`;
  throw new Foreign();
}
