/**
 * The options of the Kafka sink.
 */

import { z } from 'zod';
import { onErrorOption } from '../on-error.js';

const file = (what: string): z.ZodString => z.string().min(1).describe(`${what}, a PEM file`);
const milliseconds = (what: string, fallback: number): z.ZodDefault<z.ZodInt> =>
  z.int().min(1).max(86_400_000).default(fallback).describe(`${what}, in milliseconds`);

const tlsSchema = z
  .strictObject({
    caFile: file('The authorities that are trusted instead of the well-known ones').optional(),
    certFile: file("The client's certificate").optional(),
    keyFile: file("The client's private key").optional(),
    keyPassphrase: z.string().optional().describe('What the private key is encrypted with'),
    serverName: z.string().min(1).optional().describe('The name that the certificate must bear'),
    rejectUnauthorized: z
      .boolean()
      .default(true)
      .describe('false accepts any certificate: for trying out only'),
  })
  .refine((tls) => (tls.certFile === undefined) === (tls.keyFile === undefined), {
    error: 'needs certFile and keyFile together',
  });

export type TlsOptions = z.output<typeof tlsSchema>;

const tls = z
  .union([z.boolean(), tlsSchema])
  .default(false)
  .meta({ title: '`true`, `false` or object' })
  .describe(
    'true for TLS with the well-known authorities, or what to trust and to show, in the keys of ' +
      'registry.tls',
  );

const passwordSasl = z.strictObject({
  mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
  username: z.string().min(1),
  password: z.string(),
});

const tokenSasl = z.strictObject({
  mechanism: z.literal('oauthbearer'),
  token: z
    .custom<() => Promise<string> | string>((value) => typeof value === 'function', {
      error: 'must be a function that gives a token',
    })
    .describe('Asked for a token at each new connection'),
});

const clientCredentialsSasl = z.strictObject({
  mechanism: z.literal('oauthbearer'),
  tokenUrl: z.url({ protocol: /^https?$/ }).describe('Where tokens are issued (OAuth 2)'),
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  scope: z.string().min(1).optional(),
});

const registrySchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !/^https?:\/\/[^/]*@/i.test(url), {
      error: 'must hold no password: there are "registry.username" and "registry.password"',
    })
    .describe("The schema registry; DataHub's own is at http://GMS/schema-registry/api"),
  username: z.string().min(1).optional().describe('For basic authentication'),
  password: z.string().optional().describe('For basic authentication'),
  token: z.string().min(1).optional().describe('A bearer token'),
  tls: tlsSchema.optional().describe('What to trust and to show, for an https address'),
  subject: z.string().min(1).optional().describe('Default: the topic with -value'),
  autoRegister: z
    .boolean()
    .default(true)
    .describe('Whether the schema may be registered where the subject has none that fits'),
  timeoutMs: milliseconds('For each request', 10_000),
});

export const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** DataHub's topic for what is proposed. */
export const DEFAULT_TOPIC = 'MetadataChangeProposal_v1';

const BROKER = /^(\[[0-9a-fA-F:]+\]|[^\s:/@,[\]]+):\d{1,5}$/;
const TOPIC = /^[\w.-]{1,249}$/;

export const kafkaSinkSchema = z.strictObject({
  brokers: z
    .array(z.string().refine((text) => BROKER.test(text), { error: 'must be host:port' }))
    .min(1)
    .describe('Where to ask for the cluster first, each host:port'),
  topic: z
    .string()
    .refine((text) => TOPIC.test(text), {
      error: 'must be letters, digits, dots, dashes and underscores',
    })
    .default(DEFAULT_TOPIC)
    .describe('Must exist: it is never created'),
  registry: registrySchema.describe('The schema registry that belongs to the topic'),
  tls,
  sasl: z
    .union([passwordSasl, tokenSasl, clientCredentialsSasl])
    .optional()
    .meta({ title: 'object' })
    .describe(
      'How to sign in: mechanism (plain, scram-sha-256, scram-sha-512) with username and password; ' +
        'or mechanism oauthbearer with token, a function, or with tokenUrl, clientId, ' +
        'clientSecret and perhaps scope',
    ),
  compression: z
    .enum(COMPRESSIONS)
    .default('none')
    .describe('snappy and lz4 need a package beside this one, zstd needs Node 22.15 or a package'),
  maxMessageBytes: z
    .int()
    .min(1_024)
    .optional()
    .describe("What is larger is refused; default: the topic's own limit, which is asked for"),
  maxBatchBytes: z
    .int()
    .min(1_024)
    .default(900_000)
    .describe("At most so much in a request, and never more than the topic's limit"),
  maxBatchCount: z.int().min(1).max(10_000).default(300).describe('At most so many in a request'),
  deliveryTimeoutMs: milliseconds(
    'How long a batch is tried before the run gives up, whatever the brokers are doing',
    120_000,
  ),
  requestTimeoutMs: milliseconds('How long a broker may take for a request', 30_000),
  connectionTimeoutMs: milliseconds('How long a connection may take to be made', 10_000),
  clientId: z.string().min(1).default('mlflow-datahub').describe('What brokers know us by'),
  onError: onErrorOption,
});

export type KafkaSinkOptions = z.input<typeof kafkaSinkSchema>;
/** With the defaults filled in. */
export type KafkaSinkSettings = z.output<typeof kafkaSinkSchema>;
export type SaslOptions = NonNullable<KafkaSinkSettings['sasl']>;
export type RegistryOptions = KafkaSinkSettings['registry'];

/** The texts among the options that must not appear anywhere. */
export function secretsIn({ sasl, registry, tls: transport }: KafkaSinkSettings): string[] {
  const found: (string | undefined)[] = [
    registry.password,
    registry.token,
    registry.tls?.keyPassphrase,
    typeof transport === 'object' ? transport.keyPassphrase : undefined,
  ];
  if (sasl !== undefined && 'password' in sasl) found.push(sasl.password);
  if (sasl !== undefined && 'clientSecret' in sasl) found.push(sasl.clientSecret);
  return found.filter((secret) => secret !== undefined && secret !== '') as string[];
}
