/**
 * Which options of a recipe are secrets, and the variables that take their place in a written
 * configuration.
 */

import { redact, secretsOf } from '../../core/redact.js';
import { Reference, type Text } from './option.js';

/** Where other programs have a name for it already. */
const USUAL_NAMES: Readonly<Record<string, string>> = {
  'mlflowSource.uri': 'MLFLOW_TRACKING_URI',
  'mlflowSource.registryUri': 'MLFLOW_REGISTRY_URI',
  'mlflowSource.password': 'MLFLOW_TRACKING_PASSWORD',
  'dataHubRestSink.url': 'DATAHUB_GMS_URL',
  'dataHubRestSink.token': 'DATAHUB_GMS_TOKEN',
};

const PREFIXES: Readonly<Record<string, string>> = {
  mlflowSource: 'MLFLOW',
  dataHubRestSink: 'DATAHUB',
  kafkaSink: 'KAFKA',
};

const SECRET_OPTIONS = new Set(['password', 'token', 'keyPassphrase', 'clientSecret', 'userInfo']);

/** `Bearer ` before a reference gives nothing away. */
const NO_SECRET = /^\s*(Bearer|Basic|Token)?\s*$/i;

/** @param path - from the factory on: `['kafkaSink', 'sasl', 'password']` */
export function variableFor(path: readonly string[]): string {
  const [factory = '', ...options] = path;
  const name = [PREFIXES[factory] ?? 'RECIPE', ...options]
    .join('_')
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/\W+/g, '_');
  return USUAL_NAMES[path.join('.')] ?? name.toUpperCase();
}

/**
 * What may be written of a text: itself; itself without the fallbacks that are secrets; or nothing,
 * where a secret stands in it in clear.
 */
export function withoutSecrets(text: Text, path: readonly string[]): Text | undefined {
  const name = path.at(-1) ?? '';
  const isSecret =
    SECRET_OPTIONS.has(name) ||
    path.at(-2) === 'headers' ||
    secretsOf({ [name]: 'value' }).length > 0;
  const gives = (literal: string): boolean =>
    isSecret ? !NO_SECRET.test(literal) : looksSecret(literal);
  if (typeof text === 'string') return gives(text) ? undefined : text;
  // A blank stands for a variable: no pattern of a credential goes across one.
  const literal = text.parts.map((part) => (typeof part === 'string' ? part : ' ')).join('');
  if (gives(literal)) return undefined;
  return new Reference(
    text.parts.map((part) =>
      // A fallback may be one piece of a URI, such as its password alone.
      typeof part !== 'string' &&
      part.fallback !== undefined &&
      (gives(part.fallback) || followsUser(text, part))
        ? { name: part.name }
        : part,
    ),
  );
}

/** `postgresql://user:${PASSWORD:-text}@host` */
function followsUser({ parts }: Reference, part: Reference['parts'][number]): boolean {
  const index = parts.indexOf(part);
  const before = parts[index - 1];
  const after = parts[index + 1];
  if (typeof before !== 'string') return false;
  return (
    /[?&][\w.-]*(password|passwd|secret|token|key)=$/i.test(before) ||
    (before.endsWith(':') && typeof after === 'string' && after.includes('@'))
  );
}

function looksSecret(text: string): boolean {
  // The user of a database alone is none.
  const plain = text.replace(/^((?:postgres(?:ql)?|mysql|mariadb)[+\w]*:\/\/)[^/?#\s@:]*@/i, '$1');
  return redact(plain) !== plain;
}
