/**
 * Written from recipe.yml by `mlflow-datahub migrate`.
 *
 * Set these variables: the recipe has their values in clear text:
 * - DATAHUB_HEADERS_X_TEAM
 *
 * Without a meaning here, and left out:
 * - recipe.yml:3:9: run_id
 */

import {
  addDomain,
  addOwners,
  addProperties,
  addTags,
  buildUrns,
  byUrn,
  dataHubRestSink,
  dedup,
  definePipeline,
  mapToProposals,
  mlflowSource,
  patch,
  versionGate,
} from 'mlflow-datahub';

/** As in the recipe: a variable that is not set ends the run. */
function env(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`the variable ${name} is not set`);
  return value;
}

export default definePipeline({
  source: mlflowSource({
    uri: `https://${process.env['MLFLOW_HOST'] || 'mlflow.example.com'}`,
    registryUri: 'https://registry.example.com',
    username: env('MLFLOW_USER'),
    password: env('MLFLOW_PASSWORD'),
  }),
  operators: [
    versionGate(),
    buildUrns({ modelNameSeparator: '-', env: 'DEV' }),
    mapToProposals({
      baseExternalUrl: 'https://links.example.com',
      materializeDatasetInputs: true,
      sourceMappingToPlatform: { huggingface: 'hugging_face' },
    }),
    addTags({ tags: ['urn:li:tag:NeedsReview'], entityTypes: ['dataset'] }),
    addOwners(
      byUrn({
        rules: { '.*raw.*': [{ owner: 'urn:li:corpuser:ada', type: 'TECHNICAL_OWNER' }] },
        entityTypes: ['dataset', 'container'],
      }),
    ),
    addDomain({ domain: 'urn:li:domain:ml', entityTypes: ['dataset', 'mlModelGroup'] }),
    addProperties({ properties: { origin: 'mlflow' }, entityTypes: ['dataset'] }),
    patch({ aspects: ['globalTags'], entityTypes: ['dataset'] }),
    dedup(),
  ],
  sinks: [
    dataHubRestSink({
      url: 'http://localhost:8080',
      token: process.env['DATAHUB_TOKEN'] || undefined,
      headers: { 'X-Team': env('DATAHUB_HEADERS_X_TEAM') },
      concurrency: 8,
      requestTimeoutMs: 30000,
    }),
  ],
  state: { path: 'mlflow-nightly.state', removeStale: true, staleLimitPercent: 40 },
});
