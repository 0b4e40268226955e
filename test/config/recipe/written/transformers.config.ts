/**
 * Written from recipe.yml by `mlflow-datahub migrate`.
 *
 * Without a meaning here, and left out:
 * - recipe.yml:2:9: run_id
 * - recipe.yml:4:3: datahub_api
 */

import {
  addDomain,
  addOwners,
  addProperties,
  addTags,
  addTerms,
  buildUrns,
  byUrn,
  dedup,
  definePipeline,
  fileSink,
  mapToProposals,
  mlflowSource,
  versionGate,
} from 'mlflow-datahub';

export default definePipeline({
  source: mlflowSource({ uri: process.env['MLFLOW_URL'] || 'http://localhost:5000' }),
  operators: [
    versionGate(),
    buildUrns({ env: 'TEST' }),
    mapToProposals({
      materializeDatasetInputs: true,
      sourceMappingToPlatform: {
        hugging_face: 'huggingface',
        local: 'file',
        http: 'http',
        unheard_of: 'hive',
      },
    }),
    addTags({ tags: ['urn:li:tag:NeedsReview', 'urn:li:tag:two words'], entityTypes: ['dataset'] }),
    addTags(
      byUrn({
        rules: {
          '.*s3.*data': ['urn:li:tag:lake', 'urn:li:tag:NeedsReview'],
          '.*mlflow,\\w+ data': ['urn:li:tag:of-mlflow'],
          '.*Z\\w+ 東': ['urn:li:tag:zürich'],
          data: ['urn:li:tag:never: a URN does not begin so'],
        },
        firstMatchOnly: false,
        entityTypes: ['dataset'],
      }),
    ),
    addTerms(
      byUrn({
        rules: {
          '(?i).*S3 DATA': ['urn:li:glossaryTerm:Raw'],
          '.*data': ['urn:li:glossaryTerm:Data', 'urn:li:glossaryTerm:Other'],
        },
        entityTypes: ['dataset'],
      }),
    ),
    addTerms({
      terms: ['urn:li:glossaryTerm:Data', 'urn:li:glossaryTerm:All'],
      entityTypes: ['dataset'],
    }),
    addOwners({
      owners: ['urn:li:corpuser:ada', 'urn:li:corpGroup:team'],
      type: 'PRODUCER',
      entityTypes: ['dataset'],
    }),
    addOwners(
      byUrn({
        rules: {
          '.*local': [
            { owner: 'urn:li:corpuser:grace', type: 'PRODUCER' },
            { owner: 'urn:li:corpuser:ada', type: 'PRODUCER' },
          ],
        },
        entityTypes: ['dataset'],
      }),
    ),
    addOwners({
      owners: ['urn:li:corpuser:steward'],
      type: 'urn:li:ownershipType:3ab1',
      entityTypes: ['dataset', 'container'],
    }),
    addOwners(
      byUrn({
        rules: {
          '.*plain': [{ owner: 'urn:li:corpuser:plain', type: 'DATAOWNER' }],
          '.*spaces': [{ owner: 'urn:li:corpuser:model-owner', type: 'DATAOWNER' }],
        },
        entityTypes: ['mlModel', 'mlModelGroup'],
      }),
    ),
    addDomain({ domain: 'urn:li:domain:data', entityTypes: ['dataset'] }),
    addDomain({
      domain: 'urn:li:domain:ec428203-ce86-4db3-985d-5a8ee6df32ba',
      entityTypes: ['dataset'],
    }),
    addDomain(byUrn({ rules: { '.*gs': ['urn:li:domain:google'] }, entityTypes: ['dataset'] })),
    addDomain({ domain: 'urn:li:domain:ml', entityTypes: ['dataset', 'container'] }),
    addDomain({ domain: 'urn:li:domain:data', entityTypes: ['dataset', 'container'] }),
    addDomain(
      byUrn({
        rules: { 'urn:li:mlModelGroup:.*a': ['urn:li:domain:models'] },
        entityTypes: ['mlModelGroup'],
      }),
    ),
    addProperties({
      properties: { '1': 'one', origin: 'mlflow', digest: 'replaced' },
      entityTypes: ['dataset'],
    }),
    dedup(),
  ],
  sinks: [fileSink({ path: './out.json' })],
});
