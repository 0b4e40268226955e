/**
 * `source` of a recipe: the options of DataHub's own MLflow connector.
 */

import type { Block } from './block.js';
import { Call, given, type Option } from './option.js';

export interface TranslatedSource {
  readonly source: Call;
  readonly buildUrns: Call;
  readonly mapToProposals: Call;
  readonly state: Option | undefined;
}

/** @param pipelineName - what the state file is called by */
export function translateSource(source: Block, pipelineName: string): TranslatedSource {
  const type = source.word('type');
  if (type !== 'mlflow') {
    throw source.refuse(
      'type',
      'must be mlflow: recipes of other sources are run by DataHub itself',
    );
  }
  const config = source.block('config');
  if (source.has('extractor') && source.word('extractor') !== 'generic') {
    throw source.refuse('extractor', 'must be generic');
  }
  source.lacks({ extractor_config: 'take it out of the recipe' });
  source.end();
  const uri = config.filled('tracking_uri');
  const registryUri = config.filled('registry_uri');
  const username = config.filled('username');
  const password = config.filled('password');
  if ((username === undefined) !== (password === undefined)) {
    throw config.refuse(undefined, 'must have "username" and "password" together');
  }
  const place = config.placeOf();
  const env = config.word('env');
  const translated = {
    source: new Call(
      'mlflowSource',
      given({
        uri,
        // Of a database, the registry is always in the same one, and there is no such option.
        registryUri: same(registryUri, uri) ? undefined : registryUri,
        username,
        password,
      }),
      place,
    ),
    buildUrns: new Call(
      'buildUrns',
      given({ modelNameSeparator: config.text('model_name_separator'), env: env?.toUpperCase() }),
      place,
    ),
    mapToProposals: new Call(
      'mapToProposals',
      given({
        baseExternalUrl: config.filled('base_external_url'),
        materializeDatasetInputs: config.flag('materialize_dataset_inputs'),
        sourceMappingToPlatform: config.textsByName('source_mapping_to_platform'),
      }),
      place,
    ),
    state: config.has('stateful_ingestion')
      ? stateOf(config.block('stateful_ingestion'), pipelineName)
      : undefined,
  };
  config.lacks({
    platform_instance:
      "the connector has no such option either; `migrate` the recipe, and give it to buildUrns({ platformInstance: '…' })",
  });
  config.end();
  return translated;
}

/** The connector keeps it in DataHub, we in a file. */
function stateOf(block: Block, pipelineName: string): Option | undefined {
  const enabled = block.flag('enabled') ?? false;
  const state = {
    path: `${pipelineName.replace(/[^\w.-]+/g, '-') || 'mlflow'}.state`,
    removeStale: block.flag('remove_stale_metadata'),
    staleLimitPercent: block.percent('fail_safe_threshold'),
  };
  block.pass('max_checkpoint_state_size');
  block.only('ignore_old_state', false, 'is not had here: take it out, and run with --fresh');
  block.only('ignore_new_state', false, 'is not had here: take it out, and run with --dry-run');
  if (block.has('state_provider')) {
    const type = block.block('state_provider').word('type');
    if (type !== 'datahub') {
      throw block.refuse('state_provider', 'must be of type datahub; state is kept in a file here');
    }
    block.pass('state_provider');
  }
  block.end();
  return enabled ? given(state) : undefined;
}

function same(a: Option | undefined, b: Option | undefined): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}
