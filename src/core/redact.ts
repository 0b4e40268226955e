/**
 * Keeps credentials out of logs, errors, reports and graphs.
 */

/** What stands in place of a credential. */
export const REDACTED = '***';

/** `user:password@` of a URI: up to the last `@` before the path. */
const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#]*@/gi;
/** The same where the colon of the scheme was forgotten. */
const WITHOUT_COLON = /\b([a-z][a-z0-9+.-]*\/\/)[^\s/?#:@]*:[^\s@]*@/gi;
/** The same where all of it is encoded, as in a parameter of another URI. */
const ENCODED_USER_INFO = /\b([a-z][a-z0-9+.-]*(?::\/\/|%3a%2f%2f))[^\s/?#&]*%40/gi;
/** The same where the password holds a `/`, `?` or `#` that ought to be encoded and isn't. */
const ODD_USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#:@]*:(?!\d+(?:[/?#]|$))[^\s]*@/gi;
const SECRET_WORD = 'password|passwd|secret|token|api[-_]?key|access[-_]?key|credentials?';
/** `?token=abc`, `password=abc`, `"apiKey": "abc"`. */
const ASSIGNMENT = new RegExp(
  `(\\b[\\w.-]*(?:${SECRET_WORD})["']?\\s*[=:]\\s*["']?)[^\\s&"',;]+`,
  'gi',
);
/** `Bearer abc`, `Basic abc`. Words of ordinary text are shorter, or hold no digit and no `=`. */
const AUTHORIZATION = /\b(Bearer|Basic)\s+(?=[\w.~+/=-]*[\d=])[\w.~+/=-]{8,}/gi;
const SECRET_KEY = new RegExp(`^[\\w.-]*(?:${SECRET_WORD}|authorization|cookie)$`, 'i');

/**
 * The text without anything that looks like a credential.
 *
 * @example
 * redact('https://ann:secret@host/mlflow?token=abc'); // 'https://***@host/mlflow?token=***'
 */
export function redact(text: string): string {
  return text
    .replace(ODD_USER_INFO, `$1${REDACTED}@`)
    .replace(WITHOUT_COLON, `$1${REDACTED}@`)
    .replace(USER_INFO, `$1${REDACTED}@`)
    .replace(ENCODED_USER_INFO, `$1${REDACTED}%40`)
    .replace(ASSIGNMENT, `$1${REDACTED}`)
    .replace(AUTHORIZATION, `$1 ${REDACTED}`);
}

/** Removes credentials from texts, however deep they stand, and whole values under telling keys. */
export type Redactor = <T>(value: T) => T;

/**
 * A redactor that knows some secrets by heart, beside what looks like one.
 *
 * @param secrets - texts that must not appear; those under 8 characters are passed over, because
 *   replacing every `mlflow` in a log would hide more than a password
 */
export function redactor(secrets: readonly string[]): Redactor {
  const known = [...new Set(secrets.filter((secret) => secret.length >= 8))]
    // The longest first: one may be part of another.
    .sort((a, b) => b.length - a.length);
  const clean = (text: string): string =>
    known.reduce((rest, secret) => rest.replaceAll(secret, REDACTED), redact(text));
  return (value) => cleanDeep(value, clean, 0) as typeof value;
}

/** The values of those environment variables whose names say that they are secret. */
export function secretsOf(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && SECRET_KEY.test(name) ? [value] : [],
  );
}

/** Deeper than anything that is logged; what refers to itself ends here too. */
const MAX_DEPTH = 12;

function cleanDeep(value: unknown, clean: (text: string) => string, depth: number): unknown {
  if (typeof value === 'string') return clean(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.map((each) => cleanDeep(each, clean, depth + 1));
  if (value instanceof Error) return cleanDeep(plainError(value), clean, depth);
  if (value instanceof Date || value instanceof URL) return clean(value.toString());
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      SECRET_KEY.test(key) && typeof each === 'string'
        ? REDACTED
        : cleanDeep(each, clean, depth + 1),
    ]),
  );
}

/** An error as plain data, as pino would write it; its stack names its causes' stacks too. */
function plainError(error: Error): object {
  const { name, message, stack, cause, ...rest } = error;
  return { type: name, message, stack, ...(cause === undefined ? {} : { cause }), ...rest };
}
