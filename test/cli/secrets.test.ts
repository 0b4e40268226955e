/**
 * No secret that is configured, in whatever way, is ever shown, whatever goes wrong: not by a run,
 * by `check`, `graph` or `replay`, not in the report and not among the dead letters.
 */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { proposalJson } from '../../src/datahub/proposal-json.js';
import * as components from '../../src/index.js';
import { tagProposal } from '../../src/testing/index.js';
import { GmsServer, type GmsServerOptions } from '../support/gms-server.js';
import { startMlflowServer, type FaultHook } from '../support/mlflow-server.js';
import { linesWithSecrets } from '../support/transcript.js';
import { run, temporaryFolder } from './support.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

interface Scenario {
  readonly from?: string;
  readonly to?: string;
  readonly env?: Record<string, string>;
  /** What stands between the braces of `definePipeline`. */
  readonly config?: string;
}

async function gms(options: GmsServerOptions = {}): Promise<string> {
  const server = await GmsServer.start(options);
  closing.push(() => server.close());
  return server.url;
}

/** With whatever stands in front of the host. */
const as = (who: string, url: string): string => url.replace('//', `//${who}@`);

/** Every request is answered with what it said of itself. */
const echo: FaultHook = ({ headers, method, path }) => ({
  kind: 'status',
  status: path.endsWith('/version') ? 200 : 400,
  body: path.endsWith('/version') ? '2.22.5' : `${method} as ${JSON.stringify(headers)}`,
});

async function mlflow(faults?: FaultHook, authorization?: string): Promise<string> {
  const server = await startMlflowServer({
    ...(faults === undefined ? {} : { faults }),
    ...(authorization === undefined ? {} : { authorization }),
  });
  closing.push(() => server.close());
  return server.uri;
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const TOKEN = { DATAHUB_GMS_TOKEN: 'env-token-s3cret' };
const SIGN_ON = { status: 302, headers: { location: 'http://sso/?t=env-token-s3cret' } };
const repeating = (text: string): GmsServerOptions => ({
  fault: () => ({ status: 400, body: JSON.stringify({ message: `refused for ${text}` }) }),
});
/** A server of MLflow whose every other run can't be read. */
const spoilt: FaultHook = ({ endpoint }) =>
  endpoint === 'runs/search'
    ? {
        kind: 'patch',
        patch: (answer) => ({
          ...answer,
          runs: ((answer['runs'] ?? []) as object[]).map((each, index) =>
            index % 2 ? each : { info: 7 },
          ),
        }),
      }
    : undefined;

const REGISTRY = 'registry=http://registry:8081';

const scenarios: Readonly<Record<string, () => Scenario | Promise<Scenario>>> = {
  // DataHub over REST
  'DataHub takes a token': async () => ({ to: `datahub+${await gms()}`, env: TOKEN }),
  'the token is wrong': async () => ({
    to: `datahub+${await gms({ token: 'another' })}`,
    env: TOKEN,
  }),
  'the token of the URI is wrong': async () => ({
    to: `datahub+${as('uri-token-S3CRET', await gms({ token: 'another' }))}`,
  }),
  'user and password of the URI are wrong': async () => ({
    to: `datahub+${as('ann:S3CRET%2Fpw', await gms({ token: 'another' }))}`,
  }),
  'DataHub repeats the token': async () => ({
    to: `datahub+${await gms(repeating('env-token-s3cret'))}`,
    env: TOKEN,
  }),
  'DataHub repeats what the URI said': async () => ({
    to: `datahub+${as('uri-token-S3CRET', await gms(repeating('uri-token-S3CRET')))}`,
  }),
  'DataHub redirects with the token': async () => ({
    to: `datahub+${await gms({ fault: () => SIGN_ON })}`,
    env: TOKEN,
  }),
  'DataHub repeats options': async () => ({
    config: `
      source: countingSource(), operators: [toProposal],
      sinks: [dataHubRestSink({
        url: '${await gms(repeating('option-s3cret and cookie-s3cret'))}',
        token: 'option-s3cret', headers: { cookie: 'session=cookie-s3cret' },
      })]`,
  }),
  'nobody is at the address of DataHub': () => ({ to: 'datahub+http://t-S3CRET@127.0.0.1:1' }),
  'the proxy wants another password': async () => ({
    to: 'datahub+http://datahub:8080',
    env: { http_proxy: as('p:proxy-s3cret', await gms({ token: 'another' })) },
  }),
  'an option of the URI is unknown': () => ({ to: 'datahub+http://t-S3CRET@h?nonsense=1' }),
  'the token is where options are': () => ({ to: 'datahub+http://host:1?token=t-S3CRET' }),
  'the token is not encoded': () => ({ to: 'datahub+http://to?ken-S3CRET@host:1' }),
  'the token has a slash that is not encoded': () => ({ to: 'datahub+http://t-S3CRET/x@h:1' }),
  'the token has a hash that is not encoded': () => ({ to: 'datahub+http://t#k-S3CRET@h:1' }),
  'the token has a question mark inside': () => ({ to: 'datahub+http://t-S3CRET?en@h:1' }),
  'the password looks like options': () => ({ to: 'datahub+http://ann:p?S3CRET=1@h:1' }),
  'the scheme is mistyped': () => ({ to: 'datahb+http://t-S3CRET@127.0.0.1:1' }),
  'the scheme is forgotten': () => ({ to: 'https://t-S3CRET@127.0.0.1:1' }),

  // Kafka
  'nobody is at the address of Kafka': () => ({
    to: `kafka://ann:kafka%2Fs3cret@127.0.0.1:1?registry=http%3A%2F%2Fr%3Aregistry-s3cret%40h:1`,
  }),
  'Kafka closes the connection': async () => ({
    // An HTTP server, to which the first byte is nonsense.
    to: `kafka://ann:kafka-s3cret@${new URL(await gms()).host}?${REGISTRY}&sasl=scram-sha-256`,
  }),
  'the URI of Kafka has no registry': () => ({ to: 'kafka://ann:kafka-s3cret@127.0.0.1:1' }),
  'the registry of Kafka is no address': () => ({
    to: 'kafka://127.0.0.1:1?registry=ann:registry-s3cret@host',
  }),
  'an option of Kafka is unknown': () => ({
    to: `kafka://ann:kafka-s3cret@h?${REGISTRY}&password=kafka-s3cret`,
  }),
  'the password of Kafka is not encoded': () => ({
    to: `kafka://ann:ka?fka/s3cret@127.0.0.1:1?${REGISTRY}`,
  }),
  'the scheme of Kafka is mistyped': () => ({
    to: 'kafak://ann:kafka-s3cret@h/T?registry=http://r:registry-s3cret@h:1',
  }),
  'the scheme of Kafka is mistyped, its registry encoded': () => ({
    to: 'kafak://h:9092/T?registry=http%3A%2F%2Fr%3Aregistry-s3cret%40h:1',
  }),
  'options of Kafka are wrong': () => ({
    config: `
      source: countingSource(), operators: [toProposal],
      sinks: [kafkaSink({
        brokers: ['ann:kafka-s3cret@h:9092'], registry: { url: 'http://r:registry-s3cret@h' },
        sasl: { mechanism: 'plain', user: 'ann', password: ['kafka-s3cret'] },
      })]`,
  }),
  'nobody is at the address that options of Kafka say': () => ({
    config: `
      source: countingSource(), operators: [toProposal],
      sinks: [kafkaSink({
        brokers: ['127.0.0.1:1'], deliveryTimeoutMs: 300,
        registry: { url: 'http://127.0.0.1:1', username: 'r', password: 'registry-s3cret' },
        sasl: { mechanism: 'plain', username: 'ann', password: 'kafka-s3cret' },
      })]`,
  }),

  // A sink of one's own
  'a sink of its own refuses': () => ({
    config: quoting(
      "return proposals.map((proposal) => ({ proposal, code: 'X', message, attempts: 1 }))",
    ),
    env: TOKEN,
  }),
  'a sink of its own gives up': () => ({ config: quoting('throw new Error(message)'), env: TOKEN }),

  // MLflow
  'MLflow takes a password': async () => ({
    from: as('ann:url-s3cret', await mlflow(undefined, basic('ann:url-s3cret'))),
  }),
  'runs of MLflow can not be read': async () => ({
    from: as('ann:url-s3cret', await mlflow(spoilt)),
  }),
  'MLflow wants another password': async () => ({
    from: as('ann:url-s3cret', await mlflow(undefined, 'another')),
  }),
  'MLflow repeats what the URI said': async () => ({
    from: as('ann:url-s3cret', await mlflow(echo)),
  }),
  'MLflow repeats a token': async () => ({
    from: await mlflow(echo),
    env: { MLFLOW_TRACKING_TOKEN: 'env-s3cret' },
  }),
  'MLflow repeats a password of the environment': async () => ({
    from: await mlflow(echo),
    env: { MLFLOW_TRACKING_USERNAME: 'ann', MLFLOW_TRACKING_PASSWORD: 's3cret' },
  }),
  'MLflow repeats options': async () => ({
    config: `
      source: mlflowSource({
        uri: '${await mlflow(echo)}', registryUri: '${as('r:registry-s3cret', await mlflow(echo))}',
        token: 'option-s3cret', headers: { 'x-key': 'header-s3cret' },
      }),
      operators: [versionGate(), buildUrns(), mapToProposals()],
      sinks: [countingSink()]`,
  }),
  'nobody is at the address of MLflow': () => ({ from: 'http://ann:url-s3cret@127.0.0.1:1' }),
  'the scheme of MLflow is mistyped': () => ({ from: 'htpp://ann:url-s3cret@127.0.0.1:1' }),
  'MLflow is behind a proxy that wants another password': async () => ({
    from: 'http://mlflow:5000',
    env: { http_proxy: as('p:proxy-s3cret', await gms({ token: 'another' })) },
  }),
  'it is a database that is not read': () => ({ from: 'mssql://ann:db-s3cret@h/mlflow' }),
};

/** A sink of somebody's own, which quotes whom it asked and as whom. */
const quoting = (does: string): string => `
  source: countingSource(), operators: [toProposal],
  sinks: [{
    label: 'own', onError: 'dead-letter', check: async () => 'http://u:own-s3cret@h answers',
    open: async () => ({
      close: async () => {},
      write: async (proposals) => {
        const message = 'POST http://u:own-s3cret@h as env-token-s3cret answers 400';
        ${does}
      },
    }),
  }]`;

const MAPPED = 'versionGate(), buildUrns(), mapToProposals()';

/** A configuration that can import everything. */
function configuration({ config: own, from }: Scenario): string {
  const operators = from === undefined ? '' : MAPPED;
  const inside =
    own ?? `source: countingSource(), operators: [${operators}], sinks: [countingSink()]`;
  const names = [...Object.keys(components), 'countingSource', 'countingSink', 'toProposal'];
  return `import { ${names.join(', ')} } from 'mlflow-datahub';
export default definePipeline({ ${inside} });`;
}

it.each(Object.keys(scenarios))('%s', async (name) => {
  const scenario = (await scenarios[name]?.()) ?? {};
  // Where nothing is secret, nothing could be shown.
  expect(linesWithSecrets(JSON.stringify(scenario))).not.toEqual([]);

  const cwd = temporaryFolder();
  const toJson = proposalJson({ lastObserved: 1, runId: 'earlier' });
  const tags = ['a', 'b'].map((tag) => `${toJson(tagProposal(tag))}\n`);
  writeFileSync(join(cwd, 'in.ndjson'), tags.join(''));
  const { from = join(cwd, 'in.ndjson'), to = join(cwd, 'out.json') } = scenario;
  const soon = 'deliveryTimeoutMs=300&minDelayMs=1&onError=dead-letter';
  const sink = to.startsWith('datahub+') && !to.includes('?') ? `${to}?${soon}` : to;
  const [source, sinks] =
    scenario.config === undefined
      ? [
          ['--from', from],
          ['--to', sink],
        ]
      : [[], []];

  const dead = join(cwd, 'dead.ndjson');
  const shown: string[] = [];
  const show = async (...args: string[]): Promise<void> => {
    const { stdout, stderr } = await run([...args, '--log-level', 'debug'], {
      cwd,
      config: configuration(scenario),
      components,
      ...(scenario.env === undefined ? {} : { env: scenario.env }),
    });
    expect(stdout + stderr).not.toBe('');
    shown.push(stdout, stderr);
  };
  const written = ['--report', 'report.json', '--dead-letter', dead];
  await show('run', ...source, ...sinks, ...written, '--log-format', 'json');
  await show('run', ...source, ...sinks, ...written, '--log-format', 'pretty');
  await show('check', ...source, ...sinks, '--log-format', 'pretty');
  await show('graph', ...source, ...sinks);
  if (existsSync(dead)) await show('replay', dead, ...sinks, '--log-format', 'json');
  // What was written is looked through after all tests.
  expect(linesWithSecrets(shown.join('\n'))).toEqual([]);
});
