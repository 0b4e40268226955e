/**
 * The Kafka sink as a URI, for the command line.
 */

import { didYouMean } from '../../core/did-you-mean.js';
import { PipelineError } from '../../core/errors.js';
import type { Sink } from '../../stream/contracts.js';
import { kafkaSink } from './kafka-sink.js';
import { DEFAULT_TOPIC, type KafkaSinkOptions } from './options.js';

/** Whether a URI means this sink. */
export function isKafkaUri(uri: string): boolean {
  return /^kafka(\+ssl)?:\/\//i.test(uri);
}

/**
 * The sink that a URI means:
 *
 *     kafka://[user:password@]host[:9092],host2[:9092][/Topic]?registry=http://host:8081
 *
 * `kafka+ssl://` is the same over TLS. The topic is DataHub's own unless it is given. With a user,
 * it signs in by SASL PLAIN, or as `sasl=` says. Further parameters are the options of their names:
 * see `URI_PARAMETERS`. User, password and the values of parameters are percent-encoded where they
 * hold `@`, `/`, `&`, `#`, `+` or `%`; the registry's address may hold a user and a password too.
 *
 * @throws PipelineError `INVALID_URI` (usage), which never repeats the URI's credentials;
 *   `INVALID_OPTIONS` and `KAFKA_CODEC_MISSING` (usage), as `kafkaSink`
 *
 * @example
 * kafkaSinkFromUri('kafka://broker:9092?registry=http://gms:8080/schema-registry/api');
 */
export function kafkaSinkFromUri(uri: string): Sink {
  return kafkaSink(kafkaOptionsFromUri(uri));
}

const DEFAULT_PORT = 9092;
const URI =
  /^kafka(?<ssl>\+ssl)?:\/\/(?:(?<user>.*)@)?(?<hosts>[^/?#@]*)(?:\/(?<topic>[^/?#]*))?\/?$/i;

type Write = (options: Draft, value: string, name: string) => void;

interface Draft {
  tls: { caFile?: string; certFile?: string; keyFile?: string; serverName?: string };
  registry: Record<string, unknown> & { tls?: { caFile?: string } };
  rest: Record<string, unknown>;
  sasl?: string;
}

/** The parameters that a URI may have, beside what stands before the question mark. */
export const URI_PARAMETERS: Readonly<Record<string, Write>> = {
  registry: (draft, value) => {
    Object.assign(draft.registry, registryOf(value));
  },
  registryCa: (draft, value) => {
    draft.registry.tls = { caFile: value };
  },
  autoRegister: (draft, value, name) => {
    draft.registry['autoRegister'] = truth(value, name);
  },
  sasl: (draft, value) => {
    draft.sasl = value.toLowerCase();
  },
  ca: (draft, value) => {
    draft.tls.caFile = value;
  },
  cert: (draft, value) => {
    draft.tls.certFile = value;
  },
  key: (draft, value) => {
    draft.tls.keyFile = value;
  },
  serverName: (draft, value) => {
    draft.tls.serverName = value;
  },
  compression: (draft, value) => {
    draft.rest['compression'] = value.toLowerCase();
  },
  clientId: (draft, value) => {
    draft.rest['clientId'] = value;
  },
  onError: (draft, value) => {
    draft.rest['onError'] = value.toLowerCase();
  },
  maxMessageBytes: wholeNumber,
  maxBatchBytes: wholeNumber,
  maxBatchCount: wholeNumber,
  deliveryTimeoutMs: wholeNumber,
  requestTimeoutMs: wholeNumber,
  connectionTimeoutMs: wholeNumber,
};

const ALLOWED = ` Allowed: ${Object.keys(URI_PARAMETERS).join(', ')}`;
const MUST_BE_PARAMETERS =
  'behind the ? must stand name=value&name=value, and a ? in a password is written %3F.';

/** What a URI says, as the options of `kafkaSink`. */
export function kafkaOptionsFromUri(uri: string): KafkaSinkOptions {
  const question = uri.indexOf('?');
  const start = question < 0 ? uri : uri.slice(0, question);
  const parts = URI.exec(start)?.groups;
  if (parts === undefined) throw invalid(`it must look like ${SHAPE}`);
  const draft: Draft = { tls: {}, registry: {}, rest: {} };
  for (const [name, value] of parameters(question < 0 ? '' : uri.slice(question + 1))) {
    const write = Object.hasOwn(URI_PARAMETERS, name) ? URI_PARAMETERS[name] : undefined;
    if (write === undefined) throw unknownParameter(name);
    write(draft, value, name);
  }
  if (draft.registry['url'] === undefined) {
    throw invalid(`it needs the schema registry, as in ${SHAPE}`);
  }
  if (parts['ssl'] === undefined && Object.keys(draft.tls).length > 0) {
    throw invalid('ca, cert, key and serverName are for kafka+ssl://');
  }
  const topic = decode(parts['topic'] ?? '');
  return {
    brokers: hostsOf(parts['hosts'] ?? ''),
    topic: topic === '' ? DEFAULT_TOPIC : topic,
    registry: draft.registry,
    ...(parts['ssl'] === undefined
      ? {}
      : { tls: Object.keys(draft.tls).length > 0 ? draft.tls : true }),
    ...saslOf(parts['user'], draft.sasl),
    ...draft.rest,
  } as KafkaSinkOptions;
}

const SHAPE = 'kafka://host:9092,host2:9092/Topic?registry=http://host:8081';

function hostsOf(text: string): string[] {
  if (text === '') throw invalid(`it names no broker: ${SHAPE}`);
  return text.split(',').map((host) => (/:\d+$/.test(host) ? host : `${host}:${DEFAULT_PORT}`));
}

function saslOf(userInfo: string | undefined, mechanism: string | undefined): object {
  if (userInfo === undefined) {
    if (mechanism !== undefined)
      throw invalid('sasl needs a user and a password: kafka://user:password@host');
    return {};
  }
  const colon = userInfo.indexOf(':');
  if (colon < 0) throw invalid('the user has no password: kafka://user:password@host');
  return {
    sasl: {
      mechanism: mechanism ?? 'plain',
      username: decode(userInfo.slice(0, colon)),
      password: decode(userInfo.slice(colon + 1)),
    },
  };
}

function registryOf(value: string): object {
  if (!URL.canParse(value)) throw invalid('registry must be an address: http://host:8081');
  const url = new URL(value);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  return {
    url: url.href.replace(/\/$/, ''),
    ...(username === '' ? {} : { username: decode(username), password: decode(password) }),
  };
}

/** Not `URLSearchParams`: to it a plus is a space, and passwords hold pluses. */
function parameters(query: string): [string, string][] {
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      // It may be a piece of a password that ought to be encoded: nothing of it is repeated.
      if (equals < 0) throw invalid(`${MUST_BE_PARAMETERS}${ALLOWED}`);
      return [decode(part.slice(0, equals)), decode(part.slice(equals + 1))];
    });
}

function wholeNumber(draft: Draft, value: string, name: string): void {
  if (!/^\d+$/.test(value)) throw invalid(`${name} must be a whole number`);
  draft.rest[name] = Number(value);
}

function truth(value: string, name: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw invalid(`${name} must be true or false`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('a % in it is not followed by two hexadecimal digits: write it as %25');
  }
}

function unknownParameter(name: string): PipelineError {
  if (!/^\w{1,32}$/.test(name)) return invalid(`${MUST_BE_PARAMETERS}${ALLOWED}`);
  const suggestion = didYouMean(name, Object.keys(URI_PARAMETERS));
  const hint = suggestion === undefined ? '.' : `, did you mean "${suggestion}"?`;
  return invalid(`unknown parameter "${name}"${hint}${ALLOWED}`);
}

/** Says what is wrong without the URI itself, which may hold a password. */
function invalid(problem: string): PipelineError {
  return new PipelineError(`the URI of the Kafka sink: ${problem}`, {
    code: 'INVALID_URI',
    category: 'usage',
  });
}
