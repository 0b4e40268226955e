/**
 * From the configuration and the command line to the pipeline that is run.
 */

import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadConfig } from '../config/load-config.js';
import { PipelineError } from '../core/errors.js';
import { sinkFromUri, sourceFromUri } from '../config/uri.js';
import { withDistinctLabels } from '../stream/distinct-labels.js';
import { operatorsBehind } from '../stream/operators.js';
import type { PipelineDefinition } from '../stream/run-pipeline.js';
import type { Session } from './session.js';
import { refuseUnconfirmed, stateFiles, stateOf } from './state-options.js';

export interface Wiring {
  readonly definition: PipelineDefinition;
  /** The configuration's name, for messages. */
  readonly configPath: string;
  /** Nobody said what to read: it is the bundled example. */
  readonly isExample: boolean;
}

/**
 * `--from`, `--to`, `--dead-letter` and `--state` replace what the configuration says; operators
 * stay. But those that take records of MLflow have no place where `--from` is a file of proposals.
 *
 * @param stateless - for a command that keeps no state, whatever the configuration says
 */
export async function wire(
  { options, context, log }: Session,
  { stateless = false } = {},
): Promise<Wiring> {
  const config = await loadConfig({
    cwd: context.cwd,
    packageRoot: context.packageRoot,
    modules: context.modules,
    env: context.env,
    ...(options.config === undefined ? {} : { path: options.config }),
  });
  const { from, workspace, to, deadLetter } = options;
  if (from === undefined && workspace !== undefined) {
    throw new PipelineError(
      '--workspace belongs to --from: of a source in a configuration it is an option, ' +
        'mlflowSource({ workspace })',
      { code: 'USAGE', category: 'usage' },
    );
  }
  const source =
    from === undefined ? config.definition.source : await sourceFromUri(from, { workspace });
  const sinks =
    to === undefined
      ? config.definition.sinks
      : await Promise.all(to.map((uri) => sinkFromUri(uri)));
  log.debug({ config: config.path, source: source.label }, 'the pipeline is wired');
  const { state: configured, ...others } = config.definition;
  const state = stateless ? undefined : stateOf(options, configured);
  if (state !== undefined) refuseUnconfirmed(state, sinks);
  const definition: PipelineDefinition = {
    ...others,
    source,
    operators: operatorsBehind(source, config.definition.operators),
    sinks,
    ...(deadLetter === undefined ? {} : { deadLetter: { path: deadLetter } }),
    ...(state === undefined ? {} : { state }),
  };
  refuseSharedTargets(definition, options.report, context.cwd);
  return {
    definition: { ...definition, sinks: withDistinctLabels(sinks) },
    configPath: config.displayPath,
    isExample:
      config.isDefault && from === undefined && (context.env['MLFLOW_TRACKING_URI'] ?? '') === '',
  };
}

/** Of two that write one file, the one that ends last would be all that is left. */
function refuseSharedTargets(
  { source, sinks, deadLetter, state }: PipelineDefinition,
  report: string | undefined,
  cwd: string,
): void {
  const targets = new Map<string, string>();
  const claim = (path: string, what: string): void => {
    const place = path === '-' ? path : realPath(resolve(cwd, path));
    const other = targets.get(place);
    if (other !== undefined) {
      throw new PipelineError(`${other} and ${what} write the same: give each its own target`, {
        code: 'SAME_TARGET',
        category: 'usage',
      });
    }
    targets.set(place, what);
  };
  for (const { path, label } of sinks) if (path !== undefined) claim(path, label);
  claim(deadLetter.path, `the dead-letter file ${deadLetter.path}`);
  if (report !== undefined) claim(report, `the report ${report}`);
  for (const path of state === undefined ? [] : stateFiles(state.path)) {
    claim(path, `the state file ${path}`);
  }
  if (source.path !== undefined) refuseEndless(source.path, deadLetter.path, cwd);
}

/** What is rejected would be added to what is read, and rejected again. */
function refuseEndless(read: string, deadLetter: string, cwd: string): void {
  if (realPath(resolve(cwd, read)) !== realPath(resolve(cwd, deadLetter))) return;
  throw new PipelineError(
    `${read} is read, and so can't be the dead-letter file, too: name another with --dead-letter, ` +
      'or send a dead-letter file again with replay',
    { code: 'SAME_TARGET', category: 'usage' },
  );
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // it is not there yet
  }
}
