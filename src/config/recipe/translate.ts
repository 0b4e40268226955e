/**
 * From a recipe to calls of this package's factories.
 */

import { Block, type Reading } from './block.js';
import { Call, type Translation } from './option.js';
import { parseRecipe } from './recipe-file.js';
import type { Env } from './references.js';
import { translateSink } from './sinks.js';
import { translateSource } from './source.js';
import { translateTransformers } from './transformers.js';

/** What is about a run's reports, and changes nothing in what is sent. */
const HARMLESS_FLAGS = [
  'generate_memory_profiles',
  'progress_report_max_failures',
  'progress_report_max_warnings',
  'progress_report_max_infos',
  'report_failure_sample_size',
  'report_warning_sample_size',
  'report_info_sample_size',
];

/**
 * @param text - YAML
 * @param name - of the file, for messages
 * @param env - where references are looked up; without it they stay in the options
 * @throws PipelineError `RECIPE_SYNTAX`, `BAD_RECIPE` (usage), each with line and column
 */
export async function translateRecipe(text: string, name: string, env?: Env): Promise<Translation> {
  const file = await parseRecipe(text, name);
  const reading: Reading = { file, env, unused: [] };
  const recipe = Block.of(reading, [], file.content);
  if (!recipe.has('source')) throw recipe.refuse(undefined, '"source" is missing');
  if (!recipe.has('sink')) {
    throw recipe.refuse(
      undefined,
      '"sink" is missing: sink: { type: datahub-rest, config: { server: … } }, for example',
    );
  }
  const pipelineName = recipe.filled('pipeline_name') ?? '';
  const { source, buildUrns, mapToProposals, state } = translateSource(
    recipe.block('source'),
    // Of a name with variables in it nothing is known yet.
    typeof pipelineName === 'string' ? pipelineName : 'mlflow',
  );
  const sink = translateSink(recipe.block('sink'));
  const adding = translateTransformers(recipe.blocks('transformers'));
  if (state === undefined) recipe.pass('pipeline_name');
  recipe.pass('run_id', 'report_to', 'reporting', 'failure_log', 'datahub_api');
  refuseFlags(recipe.block('flags'));
  recipe.lacks({ recording: 'take it out of the recipe' });
  recipe.end();
  const plain = (factory: string): Call => new Call(factory, undefined, name);
  return {
    source,
    operators: [
      plain('versionGate'),
      buildUrns,
      mapToProposals,
      ...adding,
      // Behind what adds: a list is met with all that is in it.
      plain('dedup'),
    ],
    sinks: [sink],
    state,
    unused: reading.unused,
  };
}

function refuseFlags(flags: Block): void {
  const advice = 'must be true: nothing else is had here';
  flags.only('generate_browse_path_v2', true, advice);
  flags.only('set_system_metadata', true, advice);
  flags.only('set_system_metadata_pipeline_name', true, advice);
  flags.pass(...HARMLESS_FLAGS);
  flags.end();
}
