import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import * as prettier from 'prettier';
import * as rxjs from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig, type LoadedConfig } from '../../../src/config/load-config.js';
import { configOfRecipe, type WrittenConfig } from '../../../src/config/recipe/index.js';
import { translateRecipe } from '../../../src/config/recipe/translate.js';
import type { Translation } from '../../../src/config/recipe/option.js';
import { PipelineError } from '../../../src/core/errors.js';
import * as api from '../../../src/index.js';
import { operatorLabel } from '../../../src/stream/operators.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'recipe-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const MINIMAL = `
source:
  type: mlflow
  config:
    tracking_uri: http://localhost:5000
sink:
  type: file
  config:
    filename: ./out.json
`;

const FULL = `
pipeline_name: mlflow nightly
run_id: a-run
source:
  type: mlflow
  config:
    tracking_uri: "https://\${MLFLOW_HOST:-mlflow.example.com}"
    registry_uri: https://registry.example.com
    username: \${MLFLOW_USER}
    password: \${MLFLOW_PASSWORD}
    env: dev
    model_name_separator: "-"
    base_external_url: https://links.example.com
    materialize_dataset_inputs: yes
    source_mapping_to_platform:
      huggingface: hugging_face
    stateful_ingestion:
      enabled: true
      remove_stale_metadata: true
      fail_safe_threshold: 40.0
transformers:
  - type: simple_add_dataset_tags
    config:
      semantics: PATCH
      tag_urns: ['urn:li:tag:NeedsReview']
  - type: pattern_add_ownership
    config:
      owner_pattern:
        rules:
          ".*raw.*": ['urn:li:corpuser:ada']
      ownership_type: TECHNICAL_OWNER
  - type: simple_add_domain
    config: { domains: ['urn:li:domain:ml'], entity_types: [dataset, chart, mlModelGroup] }
  - type: simple_add_dataset_properties
    config: { properties: { origin: mlflow } }
sink:
  type: datahub-rest
  config:
    server: http://localhost:8080
    token: \${DATAHUB_TOKEN:-}
    timeout_sec: 30
    max_threads: 8
    extra_headers: { X-Team: clear-text-header }
`;

const KAFKA = `
source: { type: mlflow, config: { tracking_uri: "sqlite:///mlflow.db" } }
sink:
  type: datahub-kafka
  config:
    connection:
      bootstrap: "b1:9092, b2:9092"
      schema_registry_url: http://registry:8081
      schema_registry_config:
        basic.auth.credentials.source: USER_INFO
        basic.auth.user.info: me:registry-secret
      producer_config:
        security.protocol: SASL_SSL
        sasl.mechanism: SCRAM-SHA-512
        sasl.username: writer
        sasl.password: kafka-clear-secret
        ssl.ca.location: /etc/ca.pem
        linger.ms: 20
    topic_routes:
      MetadataChangeProposal: Proposals
`;

/** More than ten operators. */
const TRANSFORMERS = fileURLToPath(new URL('../../live/recipes/overwrite.yml', import.meta.url));

const ENV = { MLFLOW_USER: 'ada', MLFLOW_PASSWORD: 'hidden-password' };

describe('a recipe', () => {
  it('is run as it is', async () => {
    const { definition } = await load(MINIMAL);
    expect(definition.source.label).toContain('http://localhost:5000');
    expect(definition.operators.map(operatorLabel)).toEqual([
      'versionGate 1.28.0',
      'buildUrns',
      'mapToProposals',
      'dedup',
    ]);
    expect(definition.sinks.map(({ label }) => label)).toEqual(['file ./out.json']);
    expect(definition.state).toBeUndefined();
  });

  it('has its options, transformers and state', async () => {
    const { definition } = await load(FULL, ENV);
    expect(definition.source.label).toContain('https://mlflow.example.com');
    expect(definition.operators.map(operatorLabel)).toEqual([
      'versionGate 1.28.0',
      'buildUrns',
      'mapToProposals',
      'addTags',
      'addOwners',
      'addDomain',
      'addProperties',
      'patch',
      'dedup',
    ]);
    expect(definition.state).toMatchObject({
      path: 'mlflow-nightly.state',
      staleLimitPercent: 40,
      removeStale: true,
    });
    const { source, operators, sinks, unused } = await translated(FULL, ENV);
    expect(source.argument).toEqual({
      uri: 'https://mlflow.example.com',
      registryUri: 'https://registry.example.com',
      username: 'ada',
      password: 'hidden-password',
    });
    expect(operators.slice(1, 3).map(({ argument }) => argument)).toEqual([
      { modelNameSeparator: '-', env: 'DEV' },
      {
        baseExternalUrl: 'https://links.example.com',
        materializeDatasetInputs: true,
        sourceMappingToPlatform: { huggingface: 'hugging_face' },
      },
    ]);
    expect(operators[5]?.argument).toEqual({
      domain: 'urn:li:domain:ml',
      entityTypes: ['dataset', 'mlModelGroup'],
    });
    expect(operators[7]?.argument).toEqual({ aspects: ['globalTags'], entityTypes: ['dataset'] });
    expect(sinks[0]?.argument).toEqual({
      url: 'http://localhost:8080',
      headers: { 'X-Team': 'clear-text-header' },
      concurrency: 8,
      requestTimeoutMs: 30_000,
    });
    expect(unused).toEqual(['recipe.yml:3:9: run_id']);
  });

  it('delivers to Kafka with its security', async () => {
    const { sinks } = await translated(KAFKA);
    expect(sinks[0]).toMatchObject({
      factory: 'kafkaSink',
      argument: {
        brokers: ['b1:9092', 'b2:9092'],
        topic: 'Proposals',
        registry: { url: 'http://registry:8081', username: 'me', password: 'registry-secret' },
        tls: { caFile: '/etc/ca.pem' },
        sasl: { mechanism: 'scram-sha-512', username: 'writer', password: 'kafka-clear-secret' },
      },
    });
    expect((await load(KAFKA)).definition.sinks).toHaveLength(1);
  });

  it('writes to the console', async () => {
    const text = MINIMAL.replace(/sink:[^]*/, 'sink: { type: console }');
    expect((await translated(text)).sinks[0]?.factory).toBe('stdoutSink');
    expect((await load(text)).definition.sinks).toHaveLength(1);
  });
});

describe('is refused, with its place:', () => {
  it.each([
    [
      'an option of the source',
      ['tracking_uri:', 'traking_uri:'],
      /recipe.yml:5:18: source.config.traking_uri .*did you mean "tracking_uri"/,
    ],
    [
      'another source',
      ['type: mlflow', 'type: kafka'],
      /recipe.yml:3:9: source.type must be mlflow/,
    ],
    [
      'another sink',
      ['type: file', 'type: datahub-lite'],
      /recipe.yml:7:9: sink.type must name one of/,
    ],
    [
      'a variable that is not set',
      ['http://localhost:5000', '${NOWHERE}'],
      /recipe.yml:5:19: source.config.tracking_uri the variable NOWHERE is not set/,
    ],
    [
      'a value that a component refuses',
      ['./out.json', './out.txt'],
      /recipe.yml:9:5: sink.config: .*out.txt/,
    ],
    [
      'a reference that is not understood',
      ['http://localhost:5000', '${A:+b}'],
      /5:19: .*not understood/,
    ],
    [
      'a file on another machine',
      ['./out.json', 's3://bucket/out.json'],
      /9:15: sink.config.filename must be/,
    ],
    [
      'one of user and password',
      ['tracking_uri', 'username'],
      /5:5: source.config must have "username" and "password"/,
    ],
    ['no sink', [/sink:[^]*/, ''], /recipe.yml:2:1: "sink" is missing/],
    [
      'a limit out of bounds',
      ['tracking_uri', 'stateful_ingestion: { fail_safe_threshold: 400 }\n    tracking_uri'],
      /5:48: .*fail_safe_threshold must be a number from 0 to 100/,
    ],
    [
      'a key that would be lost',
      ['tracking_uri', 'source_mapping_to_platform: { __proto__: hive }\n    tracking_uri'],
      /5:5: source.config: mapToProposals: "sourceMappingToPlatform" can't have "__proto__"/,
    ],
    ['an unknown block', ['sink:', 'sinks: {}\nsink:'], /recipe.yml:6:8: sinks is not known here/],
  ] as const)('%s', async (_, [from, to], expected) => {
    const error = await refusalOf(load(MINIMAL.replace(from, to)));
    expect(error.message).toMatch(expected);
    expect(error.category).toBe('usage');
  });

  it.each([
    ['config: {}', /transformers\[0\] "type" is missing/],
    ['type: simple_add_dataset_tags\n    config: { tag_urns: [] }', /"tag_urns" .* nothing in it/],
    ['type: simple_add_dataset_tags\n    config: { tag_urns: a }', /tag_urns must be a list/],
    ['type: simple_add_dataset_properties', /"properties" is missing/],
    [
      'type: simple_add_ownership\n    config: { owner_urns: [a], ownership_type: BOSS }',
      /"type" must be one of .*DATAOWNER.* or a text that begins with urn:li:ownershipType:/,
    ],
    ['type: simple_add_dataset_dataproduct', /transformers\[0\].type .*pattern_add_domain/],
    ['type: simple_add_dataset_domain\n    config: { domains: [marketing] }', /write its URN/],
    [
      'type: simple_add_dataset_properties\n    config: { semantics: PATCH, properties: { a: b } }',
      /semantics can be PATCH/,
    ],
    [
      "type: pattern_add_dataset_tags\n    config: { tag_pattern: { rules: { '(?x)a': [b] } } }",
      /byUrn: .*regular expression/,
    ],
  ])('the transformer %s', async (transformer, expected) => {
    const error = await refusalOf(load(`${MINIMAL}transformers:\n  - ${transformer}\n`));
    expect(error.message).toMatch(expected);
    expect(error.message).toMatch(/recipe\.yml:1[0-9]:\d+/);
  });

  it.each([
    ['source: [', /^recipe.yml:1:\d+: no YAML/],
    ['source: {}\nsource: {}', /^recipe.yml:2:1: this key stands here twice/],
    ['a:\n\t- b: secret-value-1', /^recipe.yml:2:1/],
    ['- a', /^recipe.yml:1:1: must be a block/],
    ['', /recipe.yml.* "source" is missing/],
    ['source: *secret-value', /^recipe.yml:1:9: no anchor/],
    [`${MINIMAL}---\n${MINIMAL}`, /^recipe.yml:10:1: a second document/],
    [MINIMAL.replace('http', '!!x secret-value'), /^recipe.yml:5:19: no YAML: Unresolved tag/],
    [MINIMAL.replace('http', '"secret-value'), /^recipe.yml:\d+:1: no YAML/],
    [MINIMAL.replace('http://localhost:5000', '[secret-value]'), /5:19: .* must be a text/],
    [MINIMAL.replace('http://localhost:5000', 'ftp://a:secret-value@h'), /5:5: .* ftp/],
    [MINIMAL.replace('http://localhost:5000', '${A:?secret-value}'), /5:19: .*not understood/],
  ])('the YAML %j', async (text, expected) => {
    const error = await refusalOf(load(text));
    expect(error.message).toMatch(expected);
    expect(error.message).not.toContain('secret-value');
  });
});

describe('migrating', () => {
  it('keeps references, and names what is passed over', async () => {
    const { text, newVariables, unused } = await migrated(FULL);
    expect(text).toContain("password: env('MLFLOW_PASSWORD')");
    expect(text).toContain("uri: `https://${process.env['MLFLOW_HOST'] || 'mlflow.example.com'}`");
    expect(text).toContain("token: process.env['DATAHUB_TOKEN'] || undefined");
    expect(newVariables).toEqual(['DATAHUB_HEADERS_X_TEAM']);
    expect(text).not.toContain('clear-text-header');
    expect(unused).toEqual(['recipe.yml:3:9: run_id']);
  });

  it.each([
    [
      'Kafka',
      KAFKA,
      ['registry-secret', 'kafka-clear-secret'],
      ['KAFKA_REGISTRY_PASSWORD', 'KAFKA_SASL_PASSWORD'],
    ],
    [
      'a URI',
      MINIMAL.replace('//localhost', '//ann:uri-secret@localhost'),
      ['uri-secret'],
      ['MLFLOW_TRACKING_URI'],
    ],
    [
      'a fallback',
      FULL.replace('${MLFLOW_PASSWORD}', '${MLFLOW_PASSWORD:-fallback-secret}'),
      ['fallback-secret'],
      ['DATAHUB_HEADERS_X_TEAM'],
    ],
    [
      "a URI's fallback",
      MINIMAL.replace('http://localhost:5000', 'postgresql://u:${PW:-fallback-secret}@h/d'),
      ['fallback-secret'],
      [],
    ],
    [
      'an option of a secret',
      FULL.replace('${MLFLOW_PASSWORD}', 'clear-secret'),
      ['clear-secret'],
      ['DATAHUB_HEADERS_X_TEAM', 'MLFLOW_TRACKING_PASSWORD'],
    ],
  ])('repeats no secret of %s', async (_, recipe, secrets, variables) => {
    const { text, newVariables } = await migrated(recipe);
    for (const secret of secrets) expect(text).not.toContain(secret);
    expect([...newVariables].sort()).toEqual(variables);
    for (const name of variables) expect(text).toContain(`env('${name}')`);
  });

  it('takes apart what a variable has as one', async () => {
    const recipe = KAFKA.replace('"b1:9092, b2:9092"', '${BROKERS}');
    const { text, newVariables } = await migrated(
      recipe.replace('me:registry-secret', '${INFO:-me:registry-secret}'),
    );
    expect(text).toContain("brokers: env('BROKERS').split(',')");
    expect(text).toContain("username: env('INFO').replace(/:.*$/s, '')");
    expect(text).toContain("password: env('INFO').replace(/^[^:]*:/, '')");
    expect(newVariables).toEqual(['KAFKA_SASL_PASSWORD']);
    const mixed = await migrated(recipe.replace('me:registry-secret', 'me:x${PART}'));
    expect(mixed.text).toContain("env('KAFKA_REGISTRY_USER_INFO').replace");
  });

  // The files are compiled and linted with everything else.
  it.each([
    ['least', MINIMAL],
    ['full', FULL],
    ['kafka', KAFKA.replace('"b1:9092, b2:9092"', '${BROKERS:-b1:9092,b2:9092}')],
    ['transformers', readFileSync(TRANSFORMERS, 'utf8')],
  ])('writes what compiles, and Prettier leaves as it is: %s', async (name, recipe) => {
    const { text } = await migrated(recipe);
    await expect(text).toMatchFileSnapshot(`written/${name}.config.ts`);
    expect(await isPretty(text)).toBe(true);
  });

  it('is left as it is by Prettier, whatever is in it', async () => {
    const texts = fc.string({
      unit: fc.constantFrom('a', 'b', '"', "'", '\\', '`', '{', ' ', '-', '.'),
      minLength: 1,
      maxLength: 90,
    });
    const owners = fc.array(
      texts.filter((text) => text.trim() !== ''),
      { minLength: 1, maxLength: 4 },
    );
    const transformer = fc.oneof(
      fc.record({ properties: fc.dictionary(texts, texts, { maxKeys: 4 }) }).map((config) => ({
        type: 'simple_add_dataset_properties',
        config,
      })),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,40}$/), owners, { maxKeys: 3 }).map((rules) => ({
        type: 'pattern_add_dataset_ownership',
        config: { owner_pattern: { rules } },
      })),
      owners.map((tags) => ({ type: 'simple_add_dataset_tags', config: { tag_urns: tags } })),
    );
    const recipes = fc.record({
      source: fc.record({ uri: texts, prefix: texts }).map(({ uri, prefix }) => ({
        type: 'mlflow',
        config: { tracking_uri: `${uri}\${A_VARIABLE:-x}`, base_external_url: prefix },
      })),
      transformers: fc.array(transformer, { maxLength: 12 }),
      sink: texts.map((filename) => ({ type: 'file', config: { filename } })),
    });
    await fc.assert(
      fc.asyncProperty(recipes, async (recipe) => {
        const { text } = await migrated(JSON.stringify(recipe));
        expect(await isPretty(text), text).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['the least', MINIMAL],
    ['all', FULL],
    ['Kafka', KAFKA],
    ['with all transformers', readFileSync(TRANSFORMERS, 'utf8')],
  ])('writes what runs as the recipe does: %s', async (_, recipe) => {
    const env = {
      ...ENV,
      KAFKA_REGISTRY_PASSWORD: 'registry-secret',
      KAFKA_SASL_PASSWORD: 'kafka-clear-secret',
      DATAHUB_HEADERS_X_TEAM: 'clear-text-header',
    };
    const before = (await load(recipe, env)).definition;
    const path = join(folder, 'pipeline.config.ts');
    writeFileSync(path, (await migrated(recipe)).text);
    const saved = { ...process.env };
    Object.assign(process.env, env);
    try {
      const after = (await load(undefined, {}, 'pipeline.config.ts')).definition;
      expect(after.source.label).toBe(before.source.label);
      expect(after.operators.map(operatorLabel)).toEqual(before.operators.map(operatorLabel));
      expect(after.operators.map(({ signature }) => signature)).toEqual(
        before.operators.map(({ signature }) => signature),
      );
      expect(after.sinks.map(({ label }) => label)).toEqual(before.sinks.map(({ label }) => label));
      expect(after.state).toEqual(before.state);
    } finally {
      process.env = saved;
      rmSync(path);
    }
  });
});

function translated(text: string, env: Record<string, string> = {}): Promise<Translation> {
  return translateRecipe(text, 'recipe.yml', env);
}

function migrated(text: string): Promise<WrittenConfig> {
  const path = join(folder, 'recipe.yml');
  writeFileSync(path, text);
  return configOfRecipe(path, 'recipe.yml');
}

function load(
  text: string | undefined,
  env: Record<string, string> = {},
  path = 'recipe.yml',
): Promise<LoadedConfig> {
  if (text !== undefined) writeFileSync(join(folder, path), text);
  const modules = () => Promise.resolve({ 'mlflow-datahub': api, rxjs });
  return loadConfig({ cwd: folder, packageRoot: '/nowhere', modules, path, env });
}

function isPretty(text: string): Promise<boolean> {
  return prettier.check(text, { parser: 'typescript', singleQuote: true, printWidth: 100 });
}

async function refusalOf(loading: Promise<unknown>): Promise<PipelineError> {
  const error: unknown = await loading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PipelineError);
  return error as PipelineError;
}
