/**
 * Dataset to dataset: as MLflow knows it, with what it was copied from where that is hosted by a
 * platform of DataHub's.
 */

import type { Aspect, Proposal } from '../../datahub/proposal.js';
import type { DatasetUse } from '../../mlflow/records.js';
import type { IdentifiedDataset } from '../identified-record.js';
import { identityOf, workspaceOf } from '../per-record.js';
import { platformInstance, properties, status, UNKNOWN_STAMP, upsert } from './aspects.js';
import { parseSchema, schemaMetadata, type Column } from './dataset-schema.js';
import { hostOf, type Host } from './hosts/index.js';
import type { Mapping } from './mapping.js';

/** A use, with what was made of it. */
interface Described {
  readonly customProperties: Aspect;
  /** Absent where the schema has nothing with a name. */
  readonly columns?: readonly Column[];
  /** Where the dataset is hosted; absent where it is local or the platform is not known. */
  readonly host?: Host;
}

/**
 * Runs may describe a dataset differently, or mean different ones by a name: the last use alone is
 * what counts, so that what is said fits together. A hosted dataset is described by the last use
 * that is hosted there, of the first dataset that has one, by workspace and name.
 */
export function mapDataset(record: IdentifiedDataset, mapping: Mapping): readonly Proposal[] {
  const { urns } = record;
  const uses = record.uses.map((use) => describe(record, use, mapping));
  const last = uses.at(-1);
  if (last === undefined) return [];

  const proposals = described(urns.dataset, urns.platform, platformInstance(urns), last);
  if (last.host !== undefined) {
    proposals.push(
      upsert('dataset', urns.dataset, 'upstreamLineage', {
        upstreams: [{ auditStamp: UNKNOWN_STAMP, dataset: last.host.urn, type: 'COPY' }],
      }),
    );
  }
  if (!mapping.materializeDatasetInputs) return proposals;

  const hosts = new Map<string, Proposal[]>();
  for (const use of uses) {
    if (use.host === undefined) continue;
    const { urn, platform } = use.host;
    if (!mapping.mayDescribe(urn, record.name, workspaceOf(record))) continue;
    hosts.set(urn, described(urn, platform, { platform }, use));
  }
  return [...proposals, ...[...hosts.values()].flat()];
}

function described(
  urn: string,
  platform: string,
  instance: Aspect,
  { customProperties, columns }: Described,
): Proposal[] {
  return [
    upsert('dataset', urn, 'dataPlatformInstance', instance),
    ...(columns === undefined
      ? []
      : [upsert('dataset', urn, 'schemaMetadata', schemaMetadata(columns, platform))]),
    upsert('dataset', urn, 'datasetProperties', { customProperties, tags: [] }),
    status('dataset', urn),
  ];
}

function describe(record: IdentifiedDataset, use: DatasetUse, mapping: Mapping): Described {
  const { dataset, tags } = use.input;
  const customProperties = properties(tags);
  const host = hostOf(record, use, mapping);
  const described = { customProperties, ...(host === undefined ? {} : { host }) };
  if (dataset.schema === undefined) return described;

  const schema = parseSchema(dataset.schema);
  if (schema.kind === 'columns') return { ...described, columns: schema.columns };
  // What is no list of columns is kept as it is.
  customProperties['schema'] = dataset.schema;
  if (schema.kind === 'malformed') {
    mapping.warn(
      'MALFORMED_DATASET_SCHEMA',
      'the schema of a dataset is not JSON, and is sent as a custom property',
      `${identityOf(record)} of run ${use.runId}`,
    );
    return described;
  }
  return schema.tensors === undefined ? described : { ...described, columns: schema.tensors };
}
