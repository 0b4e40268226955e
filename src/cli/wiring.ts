/**
 * From the configuration and the command line to the pipeline that is run.
 */

import { loadConfig } from '../config/load-config.js';
import { sinkFromUri, sourceFromUri } from '../config/uri.js';
import { operatorsBehind } from '../stream/operators.js';
import type { PipelineDefinition } from '../stream/run-pipeline.js';
import type { Session } from './session.js';

export interface Wiring {
  readonly definition: PipelineDefinition;
  /** The configuration's name, for messages. */
  readonly configPath: string;
  /** Nobody said what to read: it is the bundled example. */
  readonly isExample: boolean;
}

/**
 * `--from`, `--to` and `--dead-letter` replace what the configuration says; operators stay. But
 * those that take records of MLflow have no place where `--from` is a file of proposals.
 */
export async function wire({ options, context, log }: Session): Promise<Wiring> {
  const config = await loadConfig({
    cwd: context.cwd,
    packageRoot: context.packageRoot,
    modules: await context.modules(),
    ...(options.config === undefined ? {} : { path: options.config }),
  });
  const { from, to, deadLetter } = options;
  const source = from === undefined ? config.definition.source : await sourceFromUri(from);
  const sinks =
    to === undefined
      ? config.definition.sinks
      : await Promise.all(to.map((uri) => sinkFromUri(uri)));
  log.debug({ config: config.path, source: source.label }, 'the pipeline is wired');
  return {
    definition: {
      ...config.definition,
      source,
      operators: operatorsBehind(source, config.definition.operators),
      sinks,
      ...(deadLetter === undefined ? {} : { deadLetter: { path: deadLetter } }),
    },
    configPath: config.displayPath,
    isExample:
      config.isDefault && from === undefined && (context.env['MLFLOW_TRACKING_URI'] ?? '') === '',
  };
}
