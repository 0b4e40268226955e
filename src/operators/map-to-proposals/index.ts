/**
 * `mapToProposals`: from MLflow's concepts to DataHub's. See docs/mapping.md for the fields.
 */

import { z } from 'zod';
import { parseOptions } from '../../core/options.js';
import { pattern } from '../../core/pattern.js';
import type { Proposal } from '../../datahub/proposal.js';
import type { ServerFacts } from '../../mlflow/types.js';
import type { Operator, ReadPlan, RunContext } from '../../stream/contracts.js';
import type { IdentifiedRecord } from '../identified-record.js';
import { perRecord, unknownKind } from '../per-record.js';
import { mapDataset } from './dataset.js';
import { mapExperiment } from './experiment.js';
import { HostedDatasets } from './hosted-datasets.js';
import { Links } from './links.js';
import { mapLoggedModel } from './logged-model.js';
import type { Mapping } from './mapping.js';
import { earlierPoints } from './metric-history.js';
import { ModelHistories } from './model-description.js';
import { mapModelVersion } from './model-version.js';
import { platformLookup } from './platforms.js';
import { mapRegisteredModel } from './registered-model.js';
import { mapRun } from './run.js';
import { mapStages } from './stages.js';

export const mapToProposalsOptionsSchema = z.strictObject({
  aliasTags: z
    .boolean()
    .default(false)
    .describe('Whether aliases of versions are tags as well: champion is mlflow_alias_champion'),
  baseExternalUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Address of MLflow's web pages for links back; the server's own unless set"),
  datasetLineage: z
    .enum(['name', 'source'])
    .default('name')
    .describe(
      "What datasets of runs are linked to: `source`, the dataset that the platform's own connector " +
        "makes of what they were read from; `name`, one of MLflow's name, as DataHub's connector does",
    ),
  loggedModels: z
    .boolean()
    .default(false)
    .describe(
      'Whether the logged models of MLflow 3 are read and become models of their own, beside the registered versions',
    ),
  materializeDatasetInputs: z
    .boolean()
    .default(false)
    .describe(
      'Whether the hosted datasets that runs read (on s3, snowflake, ...) are written, too',
    ),
  metricHistory: z
    .strictObject({
      metrics: pattern().describe('Names of metrics: a pattern, such as `val_.*`'),
      points: z
        .int()
        .min(2)
        .max(1_000)
        .default(100)
        .describe('Of each metric of a run, at most: the last ones'),
    })
    .optional()
    .describe(
      'Metrics of runs that are read and written with what they were before; over REST that is a ' +
        'request for each metric of each run',
    ),
  modelFeatures: z
    .boolean()
    .default(false)
    .describe(
      'Whether the inputs of models are written as features, an mlFeature for each of each version',
    ),
  prompts: z
    .boolean()
    .default(false)
    .describe(
      'Whether the prompts of MLflow 2.21 and later are read and become groups and models of their own',
    ),
  sourceMappingToPlatform: z
    .record(
      z.string(),
      z
        .string()
        .min(1)
        .refine(
          (platform) =>
            !platform.startsWith('urn:li:') || /^urn:li:dataPlatform:[^,()]+$/.test(platform),
          { error: 'must be the name or the URN of a platform of DataHub' },
        ),
    )
    .default({})
    .describe(
      "DataHub's platform by MLflow's source type of a dataset: { delta_table: 'delta-lake' }",
    ),
});

export type MapToProposalsOptions = z.input<typeof mapToProposalsOptionsSchema>;

/**
 * Maps each record to the aspects of what it becomes: experiment to container, run to
 * dataProcessInstance, registered model to mlModelGroup, version to mlModel, user to
 * platformResource, dataset to dataset, and the server's registry to the tags of its four stages. Where
 * they are asked for: logged model to mlModel, prompts and their versions as models and theirs.
 *
 * The same records give the same bytes: lists and maps are in the order of their keys, and the
 * clock is never looked at. An unknown run status, stage or dataset platform is a warning. A record
 * that can't be mapped is rejected with the code `UNMAPPABLE_RECORD`, and the others go on; outside
 * a pipeline, the stream errors instead.
 *
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const server = { uri: 'http://host:5000', versionText: '2.22.5', searchesExperiments: true };
 * const model = { name: 'churn', creationTimestamp: 1, lastUpdatedTimestamp: 2, tags: [], aliases: [] };
 * from<MlflowRecord[]>([{ kind: 'registeredModel', server, model }])
 *   .pipe(buildUrns(), mapToProposals())
 *   .subscribe(({ entityUrn, aspectName }) => console.log(entityUrn, aspectName));
 * // urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,churn,PROD) mlModelGroupProperties
 * // … dataPlatformInstance, subTypes, browsePathsV2, status
 */
export function mapToProposals(
  options: MapToProposalsOptions = {},
): Operator<IdentifiedRecord, Proposal> {
  const settings = parseOptions('mapToProposals', mapToProposalsOptionsSchema, options);
  const { metricHistory } = settings;
  let context: RunContext | undefined;
  const hosted = new HostedDatasets();
  const mapping: Mapping = {
    links: linksOf(settings.baseExternalUrl),
    warn: (code, message, example) => context?.recorder.warn(code, message, example),
    skipped: (reason) => context?.recorder.skipped(reason),
    datasetLineage: settings.datasetLineage,
    materializeDatasetInputs: settings.materializeDatasetInputs,
    aliasTags: settings.aliasTags,
    loggedModels: settings.loggedModels,
    modelFeatures: settings.modelFeatures,
    histories: new ModelHistories(),
    ...(metricHistory === undefined ? {} : { earlierPoints: earlierPoints(metricHistory) }),
    mayDescribe: (urn, name, workspace) => {
      const may = hosted.mayDescribe(urn, name, workspace);
      if (!may) context?.recorder.skipped('hosted dataset: described by another one before');
      return may;
    },
    platformOf: platformLookup(settings.sourceMappingToPlatform),
  };
  const operator: Operator<IdentifiedRecord, Proposal> = perRecord(
    (record) => mapRecord(record, mapping),
    () => context,
  );
  return Object.assign(operator, {
    label: 'mapToProposals',
    // Records of datasets go through in every sweep, so that what is known of others counts for them.
    signature: `mapToProposals ${JSON.stringify(settings)}`,
    takes: 'record' as const,
    reads: [
      ...(settings.loggedModels ? (['loggedModel'] as const) : []),
      ...(settings.prompts ? (['prompt'] as const) : []),
    ],
    ...(metricHistory === undefined
      ? {}
      : { narrow: (plan: ReadPlan): ReadPlan => ({ ...plan, metricHistory }) }),
    open: (run: RunContext) => {
      context = run;
      hosted.clear();
    },
  });
}

function mapRecord(record: IdentifiedRecord, mapping: Mapping): readonly Proposal[] {
  switch (record.kind) {
    case 'server':
      return mapStages();
    case 'experiment':
      return mapExperiment(record, mapping);
    case 'run':
      return mapRun(record, mapping);
    case 'registeredModel':
      return mapRegisteredModel(record, mapping);
    case 'modelVersion':
      return mapModelVersion(record, mapping);
    case 'loggedModel':
      return mapLoggedModel(record, mapping);
    case 'dataset':
      return mapDataset(record, mapping);
  }
  return unknownKind(record);
}

/** Records of one run of the pipeline share one server, whose links are made once. */
function linksOf(baseExternalUrl: string | undefined): Mapping['links'] {
  const known = new WeakMap<ServerFacts, Links>();
  return (server) => {
    let links = known.get(server);
    if (links === undefined) {
      links = new Links(server, baseExternalUrl);
      known.set(server, links);
    }
    return links;
  };
}
