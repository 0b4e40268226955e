/**
 * A proposal as it stands in a file, checked.
 */

import { CONTENT_TYPE, type Aspect, type Proposal } from './proposal.js';

/** Why a value of the file is not sent on. */
export class UnusableError extends Error {
  constructor(
    readonly code: 'MALFORMED_PROPOSAL' | 'UNSUPPORTED_PROPOSAL',
    message: string,
  ) {
    super(message);
    this.name = 'UnusableError';
  }
}

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * A proposal as our file sink and DataHub's write it: with the aspect as `{"json": {…}}`, or as
 * `{"contentType": "application/json", "value": "<JSON as text>"}`. Of a PATCH the type is
 * `application/json-patch+json`; DataHub's file sink leaves it out and writes `{"json": …}` there, too.
 * Its system metadata are left out: those of the run that sends it take their place.
 *
 * @throws UnusableError
 */
export function readProposal(value: unknown): Proposal {
  const json = object(value, 'it');
  if ('proposedSnapshot' in json) {
    throw unsupported(
      'it is a metadata change event (proposedSnapshot), which holds several aspects in an older ' +
        'form: DataHub itself can write it anew as proposals',
    );
  }
  if (set(json['entityKeyAspect']) !== undefined) {
    throw unsupported('it names its entity by a key (entityKeyAspect) instead of a URN');
  }
  const changeType = json['changeType'] ?? 'UPSERT';
  if (changeType !== 'UPSERT' && changeType !== 'PATCH') {
    throw unsupported(`its changeType is ${shown(changeType)}: only UPSERT and PATCH are sent on`);
  }
  return {
    entityType: text(json, 'entityType'),
    entityUrn: text(json, 'entityUrn'),
    changeType,
    aspectName: text(json, 'aspectName'),
    aspect: readAspect(json['aspect'], changeType),
    ...readHeaders(json['headers']),
  };
}

/** What a value of the file is and which, as far as it can be told. */
export function identityOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { entityUrn, aspectName } = value as JsonObject;
  if (typeof entityUrn !== 'string') return undefined;
  return typeof aspectName === 'string' ? `${entityUrn} ${aspectName}` : entityUrn;
}

type ChangeType = Proposal['changeType'];

function readAspect(value: unknown, changeType: ChangeType): Aspect {
  const json = object(value, 'its aspect');
  if ('json' in json) return aspect(json['json'], changeType);
  const { contentType, value: content } = json;
  if (typeof contentType !== 'string' || typeof content !== 'string') {
    throw malformed('its aspect has neither "json" nor "contentType" and "value"');
  }
  // A patch that DataHub's own file source has read before is called plain JSON.
  if (contentType !== CONTENT_TYPE[changeType] && contentType !== CONTENT_TYPE.UPSERT) {
    throw unsupported(
      `its aspect is of the type ${shown(contentType)}: ${CONTENT_TYPE.UPSERT} is sent on, and of a ` +
        `PATCH ${CONTENT_TYPE.PATCH}`,
    );
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch {
    throw malformed('the value of its aspect is not JSON');
  }
  return aspect(parsed, changeType);
}

function readHeaders(value: unknown): Pick<Proposal, 'headers'> {
  if (set(value) === undefined) return {};
  const headers = object(value, 'its headers');
  for (const [name, each] of Object.entries(headers)) {
    if (typeof each !== 'string') {
      throw malformed(`its header ${name} is ${kindOf(each)} instead of a text`);
    }
  }
  return { headers: headers as Readonly<Record<string, string>> };
}

/** A patch may be a bare list of operations. */
function aspect(value: unknown, changeType: ChangeType): Aspect {
  if (changeType === 'PATCH' && Array.isArray(value)) return value as unknown as Aspect;
  return object(value, 'the content of its aspect') as Aspect;
}

function object(value: unknown, name: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw malformed(`${name} is ${kindOf(value)} instead of an object`);
}

function text(json: JsonObject, name: string): string {
  const value = json[name];
  if (typeof value === 'string' && value !== '') return value;
  throw malformed(`its ${name} is ${value === '' ? 'empty' : kindOf(value)} instead of a text`);
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

function set(value: unknown): unknown {
  return value === null ? undefined : value;
}

function shown(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length > 100 ? `${json.slice(0, 100)}…` : json;
}

function malformed(message: string): UnusableError {
  return new UnusableError('MALFORMED_PROPOSAL', message);
}

function unsupported(message: string): UnusableError {
  return new UnusableError('UNSUPPORTED_PROPOSAL', message);
}
