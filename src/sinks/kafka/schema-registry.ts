/**
 * Finds the schema to write with: the registered one where it fits, and ours otherwise.
 */

import { messageOf, PipelineError } from '../../core/errors.js';
import { metadataChangeProposal } from './mcp-schema.js';
import type { RegistryOptions } from './options.js';
import { registryClient, type RegistryClient } from './registry-client.js';
import { unfitness, type AvroCodec, type RegisteredSchema } from './wire-format.js';

export interface RegistryPlace {
  readonly options: RegistryOptions;
  readonly topic: string;
  readonly signal: AbortSignal;
  readonly hide: (text: string) => string;
}

/** What is there before anything is registered. */
export type Lookup =
  | { readonly kind: 'registered'; readonly schema: RegisteredSchema }
  /** There is none, or none that takes our messages: why. */
  | { readonly kind: 'unfit'; readonly why: string; readonly id?: number }
  /** The registry does not tell: DataHub's own answers no such question. */
  | { readonly kind: 'untold' };

/**
 * The schema to write with. It is registered where the subject has none that fits, if the options
 * allow that; the subject's compatibility is neither judged nor set.
 *
 * @throws PipelineError `REGISTRY_UNREACHABLE`, `REGISTRY_TLS`, `REGISTRY_FORBIDDEN`,
 *   `REGISTRY_SCHEMA_MISSING`, `REGISTRY_SCHEMA_REFUSED`, `REGISTRY_FAILED`
 */
export async function schemaToWriteWith(place: RegistryPlace): Promise<RegisteredSchema> {
  return withClient(place, async (client) => {
    const found = await lookUp(client, place);
    if (found.kind === 'registered') return found.schema;
    if (!place.options.autoRegister) throw mustBeRegistered(found, place);
    const { id } = await client.registry
      .register(JSON.parse(JSON.stringify(metadataChangeProposal)) as never, {
        subject: subjectOf(place),
      })
      .catch((error: unknown) => {
        throw refused(error, found, client, place);
      });
    if (!Number.isInteger(id)) throw notARegistry(place);
    // DataHub's own registry gives the id of what it has, whatever it was sent: so what is behind
    // the id is asked for, and not taken from the client's memory.
    client.registry.cache.clear();
    const schema = { id, codec: await codecOf(id, client, place) };
    const why = unfit(schema.codec);
    if (why !== undefined) throw mustBeRegistered({ kind: 'unfit', why }, place);
    return schema;
  });
}

/**
 * Looks whether there would be a schema to write with. Registers nothing.
 *
 * @returns what was found, in words
 * @throws like `schemaToWriteWith`, except for what only registering shows where the registry does
 *   not say beforehand whether it would take a schema
 */
export async function checkSchema(place: RegistryPlace): Promise<string> {
  return withClient(place, async (client) => {
    const found = await lookUp(client, place);
    if (found.kind === 'registered') return `schema ${found.schema.id} of ${subjectOf(place)}`;
    if (!place.options.autoRegister) throw mustBeRegistered(found, place);
    const hasOther = found.kind === 'unfit' && found.id !== undefined;
    if (hasOther && (await isCompatible(client, place)) === false) {
      throw refusal('it is not compatible with the schemas before it', found, place);
    }
    return found.kind === 'untold'
      ? 'a registry that gives its schema only to those who register'
      : `${found.why}, so that the schema will be registered`;
  });
}

/** Whether ours could follow the schema that is there; undefined where the registry does not say. */
async function isCompatible(
  client: RegistryClient,
  place: RegistryPlace,
): Promise<boolean | undefined> {
  // The library declares the endpoint, and has no method for it.
  const { api } = client.registry as unknown as { readonly api: CompatibilityApi };
  try {
    const answer = await api.Subject.compatible({
      subject: subjectOf(place),
      body: { schema: JSON.stringify(metadataChangeProposal) },
    });
    const said = (answer.data() as { readonly is_compatible?: unknown }).is_compatible;
    return typeof said === 'boolean' ? said : undefined;
  } catch {
    return undefined; // a run that registers finds out, and says what is wrong
  }
}

interface CompatibilityApi {
  readonly Subject: {
    compatible(request: {
      readonly subject: string;
      readonly body: { readonly schema: string };
    }): Promise<{ data(): unknown }>;
  };
}

async function withClient<T>(
  place: RegistryPlace,
  use: (client: RegistryClient) => Promise<T>,
): Promise<T> {
  const client = await registryClient(place.options, place.signal);
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

async function lookUp(client: RegistryClient, place: RegistryPlace): Promise<Lookup> {
  const subject = subjectOf(place);
  let id: unknown;
  try {
    id = await client.registry.getLatestSchemaId(subject);
  } catch (error) {
    const status = statusOf(error, client);
    if (status === 404) return { kind: 'unfit', why: `${subject} has no schema yet` };
    if (status === 405 || status === 501) return { kind: 'untold' };
    throw registryFailure(error, client, place);
  }
  if (typeof id !== 'number') throw notARegistry(place);
  const codec = await codecOf(id, client, place);
  const why = unfit(codec);
  if (why === undefined) return { kind: 'registered', schema: { id, codec } };
  return { kind: 'unfit', id, why: `schema ${id} of ${subject} does not fit (${why})` };
}

async function codecOf(
  id: number,
  client: RegistryClient,
  place: RegistryPlace,
): Promise<AvroCodec> {
  try {
    // Of a schema that is not Avro only the name is looked at, and found to be another one.
    return (await client.registry.getSchema(id)) as unknown as AvroCodec;
  } catch (error) {
    throw registryFailure(error, client, place);
  }
}

function unfit(codec: AvroCodec): string | undefined {
  if (codec.name !== metadataChangeProposal.name) {
    return `it is not ${metadataChangeProposal.name}`;
  }
  return unfitness(codec);
}

function subjectOf({ options, topic }: RegistryPlace): string {
  return options.subject ?? `${topic}-value`;
}

/** The registry as it may be shown. */
export function registryAddress(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`.replace(/\/+$/, '');
}

/** The status of an answer; undefined where none came, which the library also calls 400. */
function statusOf(error: unknown, client: RegistryClient): number | undefined {
  if (client.connectionError() !== undefined || !(error instanceof Error)) return undefined;
  if (!('status' in error) || typeof error.status !== 'number') return undefined;
  return /- (Error, status 400: )?(Timeout \(|.*aborted)/.test(error.message)
    ? undefined
    : error.status;
}

function mustBeRegistered(
  found: Exclude<Lookup, { kind: 'registered' }>,
  place: RegistryPlace,
): PipelineError {
  const why =
    found.kind === 'untold' ? 'it does not tell which schema it has' : `there ${found.why}`;
  return failure(
    place,
    'REGISTRY_SCHEMA_MISSING',
    `has no schema to write with: ${why}. Set "registry.autoRegister" to true, or register ` +
      `${metadataChangeProposal.name} for ${subjectOf(place)}`,
  );
}

function refused(
  error: unknown,
  found: Exclude<Lookup, { kind: 'registered' }>,
  client: RegistryClient,
  place: RegistryPlace,
): PipelineError {
  const status = statusOf(error, client);
  if (status !== 404 && status !== 409 && status !== 422) {
    return registryFailure(error, client, place);
  }
  const said = place.hide(messageOf(error));
  if (status === 404) {
    return failure(
      place,
      'REGISTRY_FAILED',
      `does not know ${subjectOf(place)} and takes no schema for it (${said}): check the path of ` +
        '"registry.url", and "topic"',
    );
  }
  return refusal(said, found, place);
}

function refusal(
  why: string,
  found: Exclude<Lookup, { kind: 'registered' }>,
  place: RegistryPlace,
): PipelineError {
  const before = found.kind === 'unfit' ? `; ${found.why}` : '';
  return failure(
    place,
    'REGISTRY_SCHEMA_REFUSED',
    `refuses the schema of ${metadataChangeProposal.name} for ${subjectOf(place)} ` +
      `(${why})${before}: is another application's topic meant?`,
  );
}

function registryFailure(
  error: unknown,
  client: RegistryClient,
  place: RegistryPlace,
): PipelineError {
  if (error instanceof PipelineError) return error;
  const status = statusOf(error, client);
  if (status === undefined) return unreachable(error, client, place);
  const said = place.hide(messageOf(error));
  if (status === 401 || status === 403) {
    return failure(
      place,
      'REGISTRY_FORBIDDEN',
      `answers ${status}: check "registry.username", "registry.password" or "registry.token", and ` +
        `what they may do (${said})`,
    );
  }
  const text = status === 404 ? 'check the path of "registry.url"' : 'its log says why';
  return failure(
    place,
    'REGISTRY_FAILED',
    `answers ${status} (${said}): ${text}`,
    status >= 500 || status === 429,
  );
}

function unreachable(error: unknown, client: RegistryClient, place: RegistryPlace): PipelineError {
  const cause = client.connectionError();
  const code = cause?.code ?? '';
  if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|SSL|EPROTO/.test(code)) {
    return failure(
      place,
      'REGISTRY_TLS',
      `can't be trusted or does not speak TLS (${code}): check http or https, and name its ` +
        'authority with "registry.tls.caFile"',
    );
  }
  if (cause === undefined && !(error instanceof Error && 'status' in error)) {
    return failure(
      place,
      'REGISTRY_FAILED',
      `gives a schema that can't be read: ${place.hide(messageOf(error))}`,
    );
  }
  const why = cause === undefined ? `no answer in ${place.options.timeoutMs} ms` : cause.message;
  return failure(
    place,
    'REGISTRY_UNREACHABLE',
    `can't be reached (${place.hide(why)}): is it up, and are host and port right?`,
    true,
  );
}

function notARegistry(place: RegistryPlace): PipelineError {
  return failure(
    place,
    'REGISTRY_FAILED',
    'answers, but not as a schema registry does: check the path of "registry.url"; DataHub\'s own ' +
      'is at /schema-registry/api/ of its service',
  );
}

function failure(
  { options, hide }: RegistryPlace,
  code: string,
  text: string,
  retryable = false,
): PipelineError {
  return new PipelineError(hide(`schema registry ${registryAddress(options.url)} ${text}`), {
    code,
    category: 'unavailable',
    retryable,
  });
}
